import { DeployError, errorMessage } from '../core/errors.ts'
import { shortSha } from '../core/format.ts'
import type { PullRequestState } from '../github/pull-requests.ts'
import type { Facts, NeededFact } from '../plan/context.ts'
import type { PullRequest } from '../plan/event.ts'
import { branchOf } from '../plan/event.ts'
import { type Change, labelFollowsHead, previewChange } from '../plan/guards.ts'
import { commitOf, parseDeploymentBranch } from '../plan/names.ts'
import type { PreviewPlan, ProductionPlan, TeardownPlan } from '../plan/plan.ts'
import { isLive } from '../watch/readings.ts'
import type { Deps, Run } from './run.ts'

/** What is so on GitHub and on the platform: before a plan can be made, and again once time has passed. */

/** A pull request as GitHub's API gives it, in the form of events. */
export function readPullRequest({ open, ...rest }: PullRequestState): PullRequest {
  return { ...rest, state: open ? 'open' : 'closed' }
}

/** The same as a fact for the plan, when it was asked for by itself. */
export function pullRequestFact(read: PullRequestState | 'absent' | undefined) {
  if (read === undefined) return 'unreadable'
  return read === 'absent' ? 'not-found' : readPullRequest(read)
}

type Asked = Pick<Deps, 'github' | 'openPlatform' | 'log'>
type Need<F> = Extract<NeededFact, { fact: F }>
type Found<F extends keyof Facts> = Promise<NonNullable<Facts[F]>>

/** Looks up the one fact that a plan needs. What cannot be found out is a fact as well: `unreadable`, `unknown`. */
export async function lookUp(deps: Asked, need: NeededFact, signal: AbortSignal): Promise<Facts> {
  switch (need.fact) {
    case 'pullRequest':
      return { pullRequest: await pullRequestOf(deps, need) }
    case 'permission': {
      const mayWrite = await deps.github.people.mayWrite(need.login)
      return { permission: mayWrite === undefined ? 'unreadable' : mayWrite ? 'write' : 'read' }
    }
    case 'changedFiles':
      return { changedFiles: await changedFilesOf(deps, need) }
    case 'live':
      return { live: await liveVersionOf(deps, need, signal) }
    case 'approval':
      return { approval: await approvalOf(deps, need) }
    case 'relation':
      return { relation: await relationOf(deps, need) }
  }
}

async function pullRequestOf({ github }: Asked, need: Need<'pullRequest'>): Found<'pullRequest'> {
  if ('number' in need) return pullRequestFact(await github.pullRequests.get(need.number))
  const open = await github.pullRequests.list('open')
  if (!open) return 'unreadable'
  const sharing = open.filter(
    ({ head }) =>
      head.sha === need.headSha && (need.headRepository === undefined || head.repository === need.headRepository),
  )
  // Several branches may be at one commit, and a branch may have several pull requests: the one that is named is meant.
  const found =
    sharing.find(({ number }) => need.numbers.includes(number)) ??
    sharing.find(({ head }) => head.ref === need.headBranch) ??
    sharing[0]
  return pullRequestFact(found ?? 'absent')
}

async function approvalOf({ github }: Asked, { of }: Need<'approval'>): Found<'approval'> {
  const { pullRequests } = github
  const [timeline, now] = await Promise.all([pullRequests.timeline(of.number), pullRequests.get(of.number)])
  if (!timeline || typeof now !== 'object') return 'unreadable'
  return now.head.sha === of.sha && labelFollowsHead(timeline, of, now.head.pushedAt) ? 'given' : 'not-given'
}

/** After a force push the branch stands at a commit that is older than what is live, and means it. */
async function relationOf({ github }: Asked, { of: { base, head, ref } }: Need<'relation'>): Found<'relation'> {
  const branch = branchOf(ref)
  const [compared, tip] = await Promise.all([
    github.pullRequests.changedBetween(base, head),
    branch === undefined ? undefined : github.branches.tip(branch),
  ])
  if (compared?.relation === undefined) return 'unreadable'
  return compared.relation === 'ahead' && tip !== base ? 'ahead' : 'other'
}

/** The commit whose branch a service runs. Its latest deployment has to be live, for a failed one is not what answers. */
async function liveVersionOf(
  { openPlatform, log }: Asked,
  { place, serviceName }: Need<'live'>,
  signal: AbortSignal,
): Found<'live'> {
  try {
    await using platform = await openPlatform(place, signal)
    const service = await platform.service(serviceName, {}, signal)
    if (!service) return 'absent'
    const commit = commitOf(service)
    return commit !== undefined && isLive(service) ? { commit } : 'unknown'
  } catch (error) {
    signal.throwIfAborted()
    log.debug(`What ${serviceName} runs could not be read: ${errorMessage(error)}`)
    return 'unknown'
  }
}

async function changedFilesOf({ github }: Asked, { of }: Need<'changedFiles'>): Found<'changedFiles'> {
  const { pullRequests } = github
  const files = await (of.kind === 'pull-request'
    ? pullRequests.changedFiles(of.number)
    : pullRequests.changedBetween(of.before, of.after))
  // A list that GitHub cut short proves no absence, and one between commits that do not follow each other is another's.
  const follows = of.kind === 'pull-request' || files?.relation === 'ahead' || files?.relation === 'identical'
  return files?.complete && follows ? files.paths : 'unreadable'
}

/** Whether a pull request, as far as it can be read now, was opened, or its label put on, again: then another run deploys it. */
export async function isWantedAgain(
  number: number,
  rules: Pick<TeardownPlan, 'previewLabel' | 'previewDrafts'>,
  { github }: Run,
): Promise<boolean> {
  const now = pullRequestFact(await github.pullRequests.get(number))
  return typeof now === 'object' && previewChange({ ...rules, wanted: now.head }, now) === undefined
}

/**
 * Asks GitHub once more whether this very deployment is still wanted: just before something is started, and again once
 * it is there. A run that was slower than the close, or than a newer push, must not have the last word.
 *
 * @param deployed the source commit; one that was checked out on purpose is not held against the head
 * @throws DeployError when GitHub gives no answer for as long as a deployment may take
 */
export async function changeMeanwhile(plan: PreviewPlan | ProductionPlan, run: Run, deployed: string) {
  if (deployed !== plan.wanted.sha) return undefined
  return plan.kind === 'preview' ? changeOfPullRequest(plan, run) : changeOfBranch(plan, run)
}

async function changeOfPullRequest(plan: PreviewPlan, run: Run): Promise<Change | undefined> {
  const { number } = plan.pullRequest
  const { pullRequests } = run.github
  const now = pullRequestFact(await pullRequests.get(number, { deadlineAt: run.deadlineAt }))
  if (now === 'unreadable' && pullRequests.mayRead())
    throw unanswered(
      `pull request #${number} still wants this preview`,
      'What is there of the preview goes with the pull request, or with the next sweep.',
    )
  if (now === 'unreadable' || now === 'not-found') return undefined // a warning has been given by whoever asked
  return previewChange(plan, now)
}

/** Without an answer nothing is called live or removed: it may be closed or there again, or a newer commit be there. */
export function unanswered(whether: string, left: string): DeployError {
  return new DeployError(`It is not known whether ${whether}`, {
    hint: `Run the job again once that can be read. ${left}`,
  })
}

/**
 * Two pushes in a row start two runs, and the slower one must not put the older commit back. That the branch has moved on
 * is not enough to give way, though: a workflow may leave the newer push out (`paths-ignore`), and then nobody would
 * deploy either. So the newer commit has to be what the service was switched to. That holds as well for a run which is
 * started again; going back on purpose is what `command: rollback` is for.
 */
async function changeOfBranch(plan: ProductionPlan, run: Run): Promise<Change | undefined> {
  if (run.context.eventName !== 'push') return undefined
  const branch = plan.wanted.ref.replace(/^refs\/heads\//, '')
  const tip = await run.github.branches.tip(branch, { deadlineAt: run.deadlineAt })
  if (tip === undefined)
    throw unanswered(
      `${branch} is still at ${shortSha(plan.wanted.sha)}`,
      'What was switched to it, if anything was, stays until then.',
    )
  if (tip === 'withheld' || tip === plan.wanted.sha) return undefined
  const service = await run.platform.service(plan.serviceName, {}, run.signal)
  if (service?.branch === undefined || parseDeploymentBranch(service.branch)?.sourceSha !== tip) return undefined
  const sentence = `${branch} has moved on to ${shortSha(tip)}, which is deployed already`
  return { kind: 'moved-on', sentence, by: tip }
}
