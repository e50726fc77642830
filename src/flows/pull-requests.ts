import { errorMessage } from '../core/errors.ts'
import type { PullRequestState } from '../github/pull-requests.ts'
import type { Facts, NeededFact, PullRequest, RunningVersion } from '../plan/event.ts'
import { branchOf } from '../plan/event.ts'
import { labelFollowsHead } from '../plan/guards.ts'
import { commitOf } from '../plan/names.ts'
import type { Plan } from '../plan/plan.ts'
import { isLive } from '../watch/readings.ts'
import type { Deps } from './run.ts'

/** A pull request as GitHub's API gives it, as a fact for the plan. */
export function pullRequestFact(
  read: PullRequestState | 'absent' | undefined,
): PullRequest | 'not-found' | 'unreadable' {
  if (read === undefined) return 'unreadable'
  if (read === 'absent') return 'not-found'
  const { open, ...rest } = read
  return { ...rest, state: open ? 'open' : 'closed' }
}

type Asked = Pick<Deps, 'github' | 'openPlatform' | 'log'>
type Need<F> = Extract<NeededFact, { fact: F }>
type Found<F extends keyof Facts> = Promise<NonNullable<Facts[F]>>

/** Looks up the one fact that a plan needs. What cannot be found out is a fact as well: `unreadable`, `unknown`. */
export async function lookUp(deps: Asked, need: NeededFact, signal: AbortSignal): Promise<Facts> {
  switch (need.fact) {
    case 'pullRequest':
      return { pullRequest: await pullRequestOf(deps, need) }
    case 'permission':
      return { permission: permissionOf(await deps.github.people.mayWrite(need.login)) }
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
  const [timeline, now] = await Promise.all([
    github.pullRequests.timeline(of.number),
    github.pullRequests.get(of.number),
  ])
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
): Promise<RunningVersion> {
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

function permissionOf(mayWrite: boolean | undefined): NonNullable<Facts['permission']> {
  if (mayWrite === undefined) return 'unreadable'
  return mayWrite ? 'write' : 'read'
}

async function changedFilesOf(
  { github }: Asked,
  { of }: Need<'changedFiles'>,
): Promise<readonly string[] | 'unreadable'> {
  const files =
    of.kind === 'pull-request'
      ? await github.pullRequests.changedFiles(of.number)
      : await github.pullRequests.changedBetween(of.before, of.after)
  // A list that GitHub cut short proves no absence, and one between commits that do not follow each other is another's.
  const follows = of.kind === 'pull-request' || files?.relation === 'ahead' || files?.relation === 'identical'
  return files?.complete && follows ? files.paths : 'unreadable'
}

/** A command in a comment is answered with 👀 at once, and with 👍 or 👎 at the end. */
export function reactTo(plan: Plan, { github }: Deps) {
  const answersItself = plan.kind === 'help' || plan.kind === 'decline' || !('dryRun' in plan) || plan.dryRun
  const asked = !answersItself && 'askedBy' in plan ? plan.askedBy : undefined
  return {
    begin: async () => asked && github.people.react(asked.commentId, 'eyes'),
    end: async (well: boolean) => asked && github.people.react(asked.commentId, well ? '+1' : '-1'),
  }
}

/** The pull request whose previews a plan is about; undefined for production. */
export function previewOf(plan: Plan): number | undefined {
  return 'pullRequest' in plan && typeof plan.pullRequest === 'object' ? plan.pullRequest.number : undefined
}
