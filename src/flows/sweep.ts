import { doEach } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import type { PullRequest } from '../plan/event.ts'
import { decideSweep, previewChange, type SweepDecision } from '../plan/guards.ts'
import { environmentName, previewNumber } from '../plan/names.ts'
import type { SweepPlan } from '../plan/plan.ts'
import { marks } from '../plan/variables.ts'
import { cardOf, foldCard } from '../report/comments.ts'
import type { CardRow, SweepReport, SweptPreview } from '../report/model.ts'
import { authenticState, decodeState } from '../report/state.ts'
import { pullRequestFact, readPullRequest } from './facts.ts'
import { monitor } from './monitor.ts'
import { pullRequestOfTask } from './records.ts'
import { cardSurroundings } from './reporter.ts'
import { costOf, costView, runningCosts } from './resources/account.ts'
import { type FoundPreview, findPreviews } from './resources/previews.ts'
import { describeLeft, removePreviews, retirePreview } from './resources/removal.ts'
import { type Outcome, type Run, reportBase, windUpMs, withMonitor } from './run.ts'
import { sweepEnvironments } from './teardown.ts'

type OpenPullRequests = ReadonlyMap<number, PullRequest> | undefined
type Decision = SweepDecision<FoundPreview & { running: boolean }>

/**
 * Compares all previews of this repository with its pull requests and removes those that nobody needs any more, and what
 * branches had deployed that are gone.
 */
export async function sweep(plan: SweepPlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('settle', 'Sweep')
  const [{ previews, unreadable }, open] = await Promise.all([findPreviews(run, plan.place), openPullRequests(run)])
  const candidates = previews.map((preview) => ({ ...preview, running: preview.service !== undefined }))
  const decisions = decide(candidates, open, plan, run.clock.now())
  const going = decisions.filter(({ remove }) => remove)
  const ends = plan.dryRun ? new Map<Decision, End>() : await removeAll(run, plan, going, open)
  const environments = await sweepEnvironments(run, plan.place, plan.dryRun)
  const lists = { removed: [] as SweptPreview[], kept: [] as SweptPreview[], failed: [] as SweptPreview[] }
  for (const decision of decisions) {
    const { service, serviceName, pullRequest } = decision.preview
    const { list, why } = ends.get(decision) ?? { list: decision.remove ? 'removed' : 'kept', why: decision.why }
    const costPerDay = service && costOf(service, plan, run.platform)
    lists[list].push({ service: serviceName, pullRequest, why, costPerDay })
  }
  const removed = [...lists.removed, ...environments.removed]
  const unread = unreadable.map(({ serviceName: service, why }) => ({ service, why }))
  const failed = [...lists.failed, ...unread, ...environments.failed]
  if (!plan.dryRun) {
    await removeLeftRecords(run, open, previews)
    await settleLostRuns(run, [...(open?.keys() ?? [])])
  }
  run.output('removed', JSON.stringify(plan.dryRun ? [] : removed.map(({ service }) => service)))
  const staying = decisions.filter((decision) => ends.get(decision)?.list !== 'removed').map(({ preview }) => preview)
  const cost = costView(runningCosts(staying, plan, run.platform))
  const { dryRun } = plan
  const report: SweepReport = { kind: 'sweep', dryRun, removed, kept: lists.kept, failed, cost, ...reportBase(run) }
  const what = failed.map(({ service, why }) => `${service} (${why})`).join(', ')
  const hint = 'The next sweep tries again. What is left is billed until then.'
  const failure =
    failed.length === 0 ? undefined : new DeployError(`${failed.length} previews could not be swept: ${what}`, { hint })
  run.reporter.timeline.end(
    failure ? 'failed' : 'done',
    `${dryRun ? 'Would remove' : 'Removed'} ${removed.length}, kept ${lists.kept.length}, failed ${failed.length}`,
  )
  const status = failure ? 'failed' : dryRun ? 'planned' : 'swept'
  const outcome: Outcome = { action: 'sweep', status, report, failure }
  return plan.followedBy ? withMonitor(outcome, await monitor(plan.followedBy, run)) : outcome
}

// GitHub's limits for writing; the next sweep goes on.
const mostRecordsRemoved = 60

/** The deployment records of previews that are gone, of which a run that removed a preview may have left some. */
async function removeLeftRecords(run: Run, open: OpenPullRequests, previews: readonly FoundPreview[]): Promise<void> {
  if (!open) return
  const kept = new Set([...open.keys(), ...previews.map(({ pullRequest }) => pullRequest)])
  let removed = 0
  for (const task of (await run.github.records.tasksIn(environmentName(1))) ?? []) {
    const pullRequest = pullRequestOfTask(task)
    if (pullRequest === undefined || kept.has(pullRequest)) continue
    if (removed >= mostRecordsRemoved) return
    removed += (await run.github.records.remove(task))?.removed ?? 0
  }
}

/** What came of a preview that was to be removed. */
interface End {
  readonly list: 'removed' | 'kept' | 'failed'
  readonly why: string
}

/** One that fails does not stop the others. */
async function removeAll(run: Run, plan: SweepPlan, decisions: readonly Decision[], open: OpenPullRequests) {
  const again = open && open.size < onePage && decisions.length > 1 ? await openPullRequests(run) : undefined
  const ends = new Map<Decision, End>()
  const askOf = async (decision: Decision) => {
    const why = await whyKept(run, plan, decision, { open, again }).catch(() => notKnown)
    if (why !== undefined) ends.set(decision, { list: 'kept', why })
  }
  await doEach(decisions, askOf, run.signal)
  const sure = decisions.filter((decision) => !ends.has(decision))
  const going = sure.map(({ preview }) => preview)
  const removals = await removePreviews(run, plan, going)
  const conclude = async (decision: Decision, index: number) => {
    const { preview, why } = decision
    const { left = [], overtaken = false } = removals[index] ?? {}
    if (overtaken) return void ends.set(decision, { list: 'kept', why: 'it is being deployed again' })
    const isGone = left.length === 0
    ends.set(decision, isGone ? { list: 'removed', why } : { list: 'failed', why: describeLeft(left) })
    if (isGone) run.log.info(`Removed ${preview.serviceName}: ${why}`)
    await retirePreview(run, plan.place, preview, { left, reason: `Removed by a sweep: ${why}` })
  }
  // GitHub is asked one thing at a time anyway.
  await Promise.allSettled(sure.map(conclude))
  run.signal.throwIfAborted()
  return ends
}

/**
 * Each service of a repository that has several keeps to its own `previews.max`; all else is the same for all. What no file
 * has made and has another name is another workflow's, whose own sweep knows the limit.
 */
function decide(candidates: readonly Decision['preview'][], open: OpenPullRequests, plan: SweepPlan, now: number) {
  const nameOf = ({ service, serviceName }: Decision['preview']) =>
    previewNumber(plan.place.baseName, serviceName) !== undefined ? '' : service?.env?.[marks.service]
  return [...new Set(candidates.map(nameOf))].flatMap((name) => {
    const rules = name === undefined ? { ...plan, maxPreviews: undefined } : plan
    const group = candidates.filter((candidate) => nameOf(candidate) === name)
    return decideSweep(group, open, rules, now)
  })
}

// What moves from page to page while a list is read may be missed. GitHub has 100 pull requests to a page, Gitea 50.
const onePage = 50
const notKnown = 'it is not known whether it is still wanted'

/**
 * Between the list of pull requests and now one may have been opened again, and its preview with it. `again` is the same list,
 * read anew: where it has one page, it tells of all of them.
 * @returns undefined for a preview that is to go
 */
async function whyKept(
  run: Run,
  plan: SweepPlan,
  { preview: { pullRequest } }: Decision,
  { open, again }: { readonly open: OpenPullRequests; readonly again: OpenPullRequests },
): Promise<string | undefined> {
  const isWanted = (now: PullRequest) =>
    previewChange({ wanted: now.head, previewLabel: plan.previewLabel }, now) === undefined
  const listed = open?.get(pullRequest)
  if (listed && isWanted(listed)) return undefined // removed for its age or number, which has not changed
  const now =
    again && again.size < onePage
      ? again.get(pullRequest)
      : pullRequestFact(await run.github.pullRequests.get(pullRequest))
  if (now === 'unreadable') return notKnown
  return typeof now === 'object' && isWanted(now) ? 'its pull request is open again' : undefined
}

async function openPullRequests(run: Run): Promise<OpenPullRequests> {
  const open = await run.github.pullRequests.list('open')
  return open && new Map(open.map((read) => [read.number, readPullRequest(read)]))
}

const mostCardsRead = 50

/**
 * Where a cancelled run loses its token at once, its post step can settle nothing: its card says “building” for good. A
 * sweep puts those right whose run has had all the time that a run is given.
 *
 * @param open numbers of the open pull requests; of many the newest are looked at
 */
async function settleLostRuns(run: Run, open: readonly number[]): Promise<void> {
  const { settings, github, clock } = run
  if (open.length === 0 || settings.comment === 'none' || (await github.can('token-outlives-run'))) return
  const surroundingsOf = cardSurroundings(run)
  const now = clock.now()
  const isLost = ({ status, run: { startedAt } }: CardRow) =>
    status === 'building' && Date.parse(startedAt) < now - settings.timeoutMs - windUpMs
  const reason = 'Its run ended without a word: it was cancelled, or its runner was lost'
  for (const pullRequest of [...open].sort((a, b) => b - a).slice(0, mostCardsRead)) {
    const surroundings = surroundingsOf(pullRequest)
    const { seal } = surroundings
    const fold = (bodies: readonly string[]) => {
      const believed = bodies.map((body) => (seal ? (authenticState(body, seal) ?? '') : body))
      const rows = believed.flatMap((body) => decodeState(body) ?? [])
      const updatedAt = new Date(now).toISOString()
      const settled = rows
        .filter(isLost)
        .map((row): CardRow => ({ ...row, status: 'cancelled', phase: undefined, reason, updatedAt }))
      // Of several cards one is kept, and it has to hold what the others did.
      const added = settled.length === 0 && bodies.length > 1 ? rows.slice(0, 1) : settled
      const body = added.length === 0 ? bodies[0] : foldCard(bodies, added, surroundings).body
      return { body: body ?? '', shared: false }
    }
    await github.comments.upsert({ ...cardOf(surroundings, pullRequest), fold, create: false })
  }
}
