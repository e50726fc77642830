import { settleEach } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import type { PullRequest } from '../plan/event.ts'
import { decideSweep, previewState, type SweepDecision } from '../plan/guards.ts'
import { environmentName, previewNumber } from '../plan/names.ts'
import type { SweepPlan } from '../plan/plan.ts'
import { marks } from '../plan/variables.ts'
import { cardOf, foldCard } from '../report/comments.ts'
import type { CardRow, SweepReport, SweptPreview } from '../report/model.ts'
import { authenticState, decodeState } from '../report/state.ts'
import { sweepEnvironments } from './environment/retire.ts'
import { monitor } from './monitor.ts'
import { pullRequestFact } from './pull-requests.ts'
import { pullRequestOfTask } from './records.ts'
import { cardSurroundings } from './reporter.ts'
import { costOf, costView, runningCosts } from './resources/account.ts'
import { type FoundPreview, findPreviews } from './resources/previews.ts'
import { describeLeft, removePreviews, retirePreview } from './resources/removal.ts'
import { type Outcome, type Run, windUpMs } from './run.ts'

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
  const toRemove = decisions.filter(({ remove }) => remove)
  const fates = plan.dryRun ? new Map<Decision, Fate>() : await removeAll(run, plan, toRemove, open)
  const lists = { removed: [] as SweptPreview[], kept: [] as SweptPreview[], failed: [] as SweptPreview[] }
  for (const decision of decisions) {
    const entry = swept(plan, decision, run)
    const fate = fates.get(decision) ?? 'removed'
    if (!decision.remove) lists.kept.push(entry)
    else if (fate === 'wanted-again') lists.kept.push({ ...entry, why: 'its pull request is open again' })
    else if (fate === 'deployed-again') lists.kept.push({ ...entry, why: 'it is being deployed again' })
    else if (fate === 'unsure') lists.kept.push({ ...entry, why: 'it is not known whether it is still wanted' })
    else if (fate === 'removed') lists.removed.push(entry)
    else lists.failed.push({ ...entry, why: fate.why })
  }
  lists.failed.push(...unreadable.map(({ serviceName, why }): SweptPreview => ({ service: serviceName, why })))
  const environments = await sweepEnvironments(run, plan.place, plan.dryRun)
  lists.removed.push(...environments.removed)
  lists.failed.push(...environments.failed)
  if (!plan.dryRun) {
    await removeLeftRecords(run, open, previews)
    await settleLostRuns(run, [...(open?.keys() ?? [])])
  }
  const { removed, kept, failed } = lists
  run.output('removed', JSON.stringify(plan.dryRun ? [] : removed.map(({ service }) => service)))
  const left = decisions
    .filter((decision) => plan.dryRun || fates.get(decision) !== 'removed')
    .map(({ preview }) => preview)
  const cost = costView(runningCosts(left, plan, run.platform))
  const outcome = outcomeOf(plan, run, { ...lists, cost })
  run.reporter.timeline.end(
    failed.length === 0 ? 'done' : 'failed',
    `${plan.dryRun ? 'Would remove' : 'Removed'} ${removed.length}, kept ${kept.length}, failed ${failed.length}`,
  )
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

type Fate = 'removed' | 'wanted-again' | 'deployed-again' | 'unsure' | { readonly why: string }

/** One that fails does not stop the others. */
async function removeAll(
  run: Run,
  plan: SweepPlan,
  decisions: readonly Decision[],
  open: OpenPullRequests,
): Promise<ReadonlyMap<Decision, Fate>> {
  const again = open && open.size < onePage && decisions.length > 1 ? await openPullRequests(run) : undefined
  const asked = await settleEach(decisions, (decision) => confirmed(run, plan, decision, { open, again }))
  run.signal.throwIfAborted()
  const answers = asked.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'unsure'))
  const sure = decisions.filter((_, index) => answers[index] === 'unwanted')
  const fates = new Map(
    decisions.map((decision, index): [Decision, Fate] => [
      decision,
      answers[index] === 'wanted-again' ? 'wanted-again' : 'unsure',
    ]),
  )
  const removals = await removePreviews(
    run,
    plan,
    sure.map(({ preview }) => preview),
  )
  const conclude = async (decision: Decision) => {
    const { left = [], overtaken = false } = removals[sure.indexOf(decision)] ?? {}
    fates.set(decision, overtaken ? 'deployed-again' : left.length === 0 ? 'removed' : { why: describeLeft(left) })
    if (overtaken) return
    if (left.length === 0) run.log.info(`Removed ${decision.preview.serviceName}: ${decision.why}`)
    await retirePreview(run, plan.place, decision.preview, { left, reason: `Removed by a sweep: ${decision.why}` })
  }
  // GitHub is asked one thing at a time anyway.
  await Promise.allSettled(sure.map(conclude))
  run.signal.throwIfAborted()
  return fates
}

/**
 * Each service of a repository that has several keeps to its own `previews.max`; all else is the same for all. What no file
 * has made and has another name is another workflow's, whose own sweep knows the limit.
 */
function decide(
  candidates: readonly Decision['preview'][],
  open: OpenPullRequests,
  plan: SweepPlan,
  now: number,
): Decision[] {
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

/**
 * Between the list of pull requests and now one may have been opened again, and its preview with it. `again` is the same list,
 * read anew: where it has one page, it tells of all of them.
 */
async function confirmed(
  run: Run,
  plan: SweepPlan,
  decision: Decision,
  { open, again }: { readonly open: OpenPullRequests; readonly again: OpenPullRequests },
): Promise<'unwanted' | 'wanted-again' | 'unsure'> {
  const { pullRequest } = decision.preview
  const listed = open?.get(pullRequest)
  if (listed && isWanted(plan, listed)) return 'unwanted' // removed for its age or number, which has not changed
  const now =
    again && again.size < onePage
      ? again.get(pullRequest)
      : pullRequestFact(await run.github.pullRequests.get(pullRequest))
  if (now === 'unreadable') return 'unsure'
  return typeof now === 'object' && isWanted(plan, now) ? 'wanted-again' : 'unwanted'
}

function isWanted({ previewLabel }: SweepPlan, pullRequest: PullRequest): boolean {
  return previewState({ wanted: pullRequest.head, previewLabel }, pullRequest).wanted
}

async function openPullRequests(run: Run): Promise<OpenPullRequests> {
  const open = await run.github.pullRequests.list('open')
  if (!open) return undefined
  return new Map(
    open
      .map((read) => [read.number, pullRequestFact(read)] as const)
      .flatMap(([number, fact]) => (typeof fact === 'string' ? [] : [[number, fact] as const])),
  )
}

function swept(plan: SweepPlan, { preview, why }: Decision, { platform }: Run): SweptPreview {
  const { service, serviceName, pullRequest } = preview
  return { service: serviceName, pullRequest, why, costPerDay: service && costOf(service, plan, platform) }
}

function outcomeOf(
  plan: SweepPlan,
  run: Run,
  lists: Pick<SweepReport, 'removed' | 'kept' | 'failed' | 'cost'>,
): Outcome {
  const report: SweepReport = {
    kind: 'sweep',
    dryRun: plan.dryRun,
    ...lists,
    runUrl: run.context.runUrl,
    warnings: run.warnings,
  }
  const failure =
    lists.failed.length === 0
      ? undefined
      : new DeployError(
          `${lists.failed.length} previews could not be swept: ${lists.failed.map(({ service, why }) => `${service} (${why})`).join(', ')}`,
          {
            hint: 'The next sweep tries again. What is left is billed until then.',
          },
        )
  return { action: 'sweep', status: failure ? 'failed' : plan.dryRun ? 'planned' : 'swept', report, failure }
}

/** On a schedule both are done; the sweep is what the run is called, and what the monitor found decides with it. */
function withMonitor(swept: Outcome, monitored: Outcome): Outcome {
  const failure = swept.failure ?? monitored.failure
  const status = swept.failure === undefined && monitored.failure !== undefined ? 'unhealthy' : swept.status
  return { ...swept, status, failure, also: monitored.report }
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
