import { doEach } from '../../core/async.ts'
import { DeployError } from '../../core/errors.ts'
import { count, shortSha } from '../../core/format.ts'
import { safeMessage } from '../../core/sanitize.ts'
import type { Service } from '../../ink/results.ts'
import { commitOf, deploymentBranch, parseDeploymentBranch, readTarget, removalMarks } from '../../plan/names.ts'
import type { RollbackPlan } from '../../plan/plan.ts'
import type { GitRemote } from '../../source/remote.ts'
import type { Snapshot } from '../../source/snapshot.ts'
import type { Source } from '../../source/source.ts'
import { isLive } from '../../watch/readings.ts'
import { recordTask } from '../records.ts'
import type { NamedService, Run } from '../run.ts'
import { longestRemovalMs } from '../start-again.ts'

/** Production keeps this many versions beside the current one, to roll back to. */
const versionsKept = 5

/** The branches that hold versions of a service. */
export function branchesOf({ serviceName, pullRequest }: NamedService, branches: Iterable<string>): string[] {
  return [...branches].filter((name) => {
    const parsed = targetOf(name)
    return parsed?.pullRequest === pullRequest && parsed?.serviceName === serviceName
  })
}

/** The branches that tell which versions of a service worked. */
export function marksOfWorking(
  { serviceName }: Pick<NamedService, 'serviceName'>,
  branches: Iterable<string>,
): string[] {
  return [...branches].filter((name) => name.startsWith(workedPrefix(serviceName)))
}

/** What the name of a deployment's branch says of pull request and service; undefined for all other branches. */
export function targetOf(branch: string): ReturnType<typeof readTarget> | undefined {
  const parsed = parseDeploymentBranch(branch)
  return parsed && readTarget(parsed.target)
}

/**
 * Those of some branches that the service in their name does not run.
 *
 * @param gone services that are not there any more
 */
export async function unusedBranches(
  { platform, signal }: Pick<Run, 'platform' | 'signal'>,
  candidates: readonly string[],
  gone: readonly string[] = [],
): Promise<readonly string[]> {
  const named = new Set(candidates.flatMap((name) => targetOf(name)?.serviceName ?? []))
  const asked = [...named].filter((name) => !gone.includes(name))
  const read = await doEach(asked, (name) => platform.service(name, {}, signal), signal)
  const inUse = new Set(read.map((service) => service?.branch))
  return candidates.filter((name) => !inUse.has(name))
}

/** A deployment that is live, as far as it matters to the versions of its service. */
export interface LiveVersion {
  readonly run: Run
  readonly plan: { readonly serviceName: string; readonly target: string }
  readonly source: Source
  readonly branch: string
  readonly prepared: {
    readonly snapshot: Pick<Snapshot, 'sha'>
    readonly existing: Service | undefined
    readonly remote: GitRemote
    readonly remoteBranches: ReadonlyMap<string, string>
  }
}

/**
 * Remembers that this version worked, and deletes those that nothing needs any more. What goes wrong here is a warning:
 * the next deployment, or the sweep, makes up for it.
 */
export async function keepVersions(live: LiveVersion): Promise<void> {
  const { run, plan, branch, prepared } = live
  try {
    const mark = workedBranch(plan.serviceName, branch)
    if (targetOf(branch)?.pullRequest === undefined && !prepared.remoteBranches.has(mark))
      await live.source.mark(prepared.remote, [mark], run.signal)
    const old = await oldVersions(live)
    if (old.length === 0) return
    const marks = old
      .map((name) => workedBranch(plan.serviceName, name))
      .filter((name) => prepared.remoteBranches.has(name))
    await live.source.deleteBranches(prepared.remote, [...old, ...marks], run.signal)
    run.log.info(`Deleted ${count(old.length, 'branch', 'branches')} that no deployment needs any more`)
  } catch (error) {
    run.signal.throwIfAborted()
    const why = safeMessage(run, error)
    run.log.warning(`Old branches on ml.ink could not be deleted (${why}). The next deployment tries again.`)
  }
}

/**
 * The branch whose name says that a version worked for a service: `ink/worked/<service>/<source sha>`. It tells what
 * GitHub may have no record of, and a push to it starts nothing.
 */
function workedBranch(serviceName: string, branch: string): string {
  return `${workedPrefix(serviceName)}${branch.slice(branch.lastIndexOf('/') + 1)}`
}

const workedPrefix = (serviceName: string) => `ink/worked/${serviceName}/`

async function oldVersions({ run, plan, source, branch, prepared }: LiveVersion): Promise<readonly string[]> {
  const { target } = plan
  const branches = new Map([...prepared.remoteBranches, [branch, prepared.snapshot.sha]])
  // The version that this one took the place of is kept, so that there is something to roll back to.
  const before = isLive(prepared.existing) ? (prepared.existing?.branch ?? '') : ''
  const protect = targetOf(before) ? [branch, before] : [branch]
  const keepNewest = readTarget(target).pullRequest === undefined ? versionsKept : 0
  const old = await source.oldBranches({ branches, target, protect, keepNewest }, run.signal)
  // Somebody may have taken over since the service was seen live.
  return await unusedBranches(run, old)
}

/**
 * The branch that a rollback goes to: that of the commit it names, else the newest before the present one that is known
 * to have worked for this very service.
 * @throws DeployError when there is none
 */
export async function versionToRestore(
  plan: RollbackPlan,
  run: Run,
  source: Source,
  { branches, present }: { readonly branches: ReadonlyMap<string, string>; readonly present: string | undefined },
): Promise<string> {
  const { to, target } = plan
  const ordered = await source.newestFirst(branches, target, run.signal)
  if (to === undefined) return versionThatWorked(plan, run, ordered, branches, present)
  const wanted = deploymentBranch(target, to)
  const found = ordered.find((name) => name.startsWith(wanted))
  if (found !== undefined) return found
  throw new DeployError(`ml.ink has no deployment of ${to} to go back to`, {
    hint: `Kept are: ${describeVersions(ordered)}. An older commit can be deployed by running its workflow again.`,
  })
}

async function versionThatWorked(
  plan: RollbackPlan,
  run: Run,
  ordered: readonly string[],
  branches: ReadonlyMap<string, string>,
  present = 'unknown',
): Promise<string> {
  const { place, serviceName } = plan
  const candidates = ordered.slice(ordered.indexOf(present) + 1)
  const task = recordTask({ place, serviceName, pullRequest: plan.pullRequest?.number })
  for (const branch of candidates) {
    if (branches.has(workedBranch(serviceName, branch))) return branch
    const sha = commitOf({ branch })
    const outcome = sha === undefined ? undefined : await run.github.records.outcomeOf(task, sha)
    if (outcome === 'worked') return branch
    const why = outcome === 'failed' ? 'its deployment failed' : `nothing tells that it ever worked for ${serviceName}`
    run.log.info(`${branch} is passed over: ${why}`)
  }
  throw new DeployError(
    candidates.length === 0
      ? `There is no deployment before the present one (${present}) to go back to`
      : `No deployment before the present one (${present}) is known to have worked`,
    { hint: `Kept are: ${describeVersions(ordered)}. \`rollback-to\` goes to one of them whatever is known of it.` },
  )
}

function describeVersions(ordered: readonly string[]): string {
  return ordered.map((name) => shortSha(commitOf({ branch: name }) ?? name)).join(', ') || 'none'
}

// Runners' clocks may be wrong by minutes.
const surelyOverMs = 15 * 60_000

/** The marks among some branches whose removals, by their names, cannot be under way any more: they were killed. */
export function staleMarks(branches: Iterable<string>, nowMs: number): string[] {
  return [...branches].filter((name) => {
    const [, seconds] = /\/(\d+)-\d+-\d+$/.exec(name) ?? []
    return name.startsWith(removalMarks) && Number(seconds) * 1000 < nowMs - surelyOverMs
  })
}

const betweenLooksMs = 2000
// A removal that is not killed does the rest, the database, within a few seconds.
const goneForGoodMs = 15_000

/** Tells a deployment of removals of the same preview, by the marks that they put beside its branches. */
export type RemovalWatch = ReturnType<typeof watchRemovals>

/** Makes no call yet. */
export function watchRemovals(
  { clock, signal }: Pick<Run, 'clock' | 'signal'>,
  remote: GitRemote,
  serviceName: string,
) {
  const firstSeenAt = new Map<string, number>()
  const marksIn = (branches: Iterable<string>) =>
    [...branches].filter((name) => name.startsWith(`${removalMarks}${serviceName}/`))
  /**
   * Whether a removal is under way among these branches. One that takes longer than a removal can was killed.
   * @param createdAt when this run created the service, if it did: what was seen before that is over
   */
  const isUnderWay = (branches: Iterable<string>, createdAt = Number.NEGATIVE_INFINITY): boolean => {
    const now = clock.now()
    const found = marksIn(branches)
    for (const mark of found) if (!firstSeenAt.has(mark)) firstSeenAt.set(mark, now)
    const stale = staleMarks(found, now)
    return found.some((mark) => {
      const seenAt = firstSeenAt.get(mark) ?? now
      return seenAt >= createdAt && now - seenAt < longestRemovalMs && !stale.includes(mark)
    })
  }
  /** Reads the branches and takes the marks away that are found to be over. */
  const look = async (source: Source, createdAt?: number): Promise<boolean> => {
    const branches = [...(await source.branches(remote, signal)).keys()]
    if (isUnderWay(branches, createdAt)) return true
    const left = marksIn(branches)
    if (left.length > 0) await source.deleteBranches(remote, left, signal)
    return false
  }
  /** Waits until nothing takes away any more what is about to be deployed. */
  const wait = async (source: Source, isThere: () => Promise<boolean>): Promise<void> => {
    let goneSince: number | undefined
    while (await look(source)) {
      goneSince = (await isThere()) ? undefined : (goneSince ?? clock.now())
      if (goneSince !== undefined && clock.now() - goneSince > goneForGoodMs) return
      await clock.sleep(betweenLooksMs, signal)
    }
  }
  return { isUnderWay, look, wait }
}
