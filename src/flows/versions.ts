import { count } from '../core/format.ts'
import { settleEach } from '../core/parallel.ts'
import { safeMessage } from '../core/sanitize.ts'
import type { Platform } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import type { Snapshot, Source } from '../source/contract.ts'
import { parseDeploymentBranch } from '../source/deployment-branch.ts'
import type { GitRemote } from '../source/remote.ts'
import { meaningOf } from '../watch/status.ts'
import type { Run } from './run.ts'

/** Production keeps this many branches beside the current one, to roll back to. */
const productionBranchesKept = 5

/** All branches of a target. */
export function branchesOf(target: string, branches: Iterable<string>): string[] {
  return [...branches].filter((name) => parseDeploymentBranch(name)?.target === target)
}

/**
 * The branches that other services track, among those which share a repository and a target with ours: several services
 * of one monorepo deploy the same branches, and what one of them still runs must not be deleted by another.
 *
 * @param where.targets `production` or `pr-<n>`
 */
export async function branchesInUse(
  platform: Pick<Platform, 'services' | 'service'>,
  where: { repositorySlug: string; targets: readonly string[]; except: readonly string[] },
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const listed = await platform.services(signal)
  const neighbours = listed.filter(
    ({ name, repo }) =>
      !where.except.includes(name) &&
      repo === where.repositorySlug &&
      where.targets.some((target) => mayHaveTarget(name, target)),
  )
  const read = await settleEach(neighbours, ({ name }) => platform.service(name, {}, signal))
  const failed = read.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  return new Set(
    read.flatMap((result) => (result.status === 'fulfilled' && result.value?.branch ? [result.value.branch] : [])),
  )
}

// Reading every preview of a busy repository would cost more than it protects: a preview of another pull request never
// tracks a branch of this one.
function mayHaveTarget(serviceName: string, target: string): boolean {
  const [, pullRequest] = /-pr-(\d+)(?:-|$)/.exec(serviceName) ?? []
  return target === 'production'
    ? pullRequest === undefined
    : pullRequest === undefined || target === `pr-${pullRequest}`
}

/** A deployment that is live, as far as it matters to the branches of those before it. */
export interface Live {
  readonly run: Run
  readonly plan: { readonly target: string }
  readonly source: Source
  readonly branch: string
  readonly prepared: {
    readonly snapshot: Pick<Snapshot, 'sha'>
    readonly existing: Service | undefined
    readonly remote: GitRemote
    readonly repositorySlug: string
    readonly remoteBranches: ReadonlyMap<string, string>
  }
}

/** Deletes the branches of earlier deployments. What cannot be deleted now is found by the next run or the sweep. */
export async function deleteOldVersions({ run, plan, source, prepared, branch }: Live): Promise<void> {
  const { signal } = run
  const { target } = plan
  try {
    // Our own service is asked as well: somebody may have taken over since it was seen live.
    const where = { repositorySlug: prepared.repositorySlug, targets: [target], except: [] }
    const inUse = await branchesInUse(run.platform, where, signal)
    const branches = new Map([...prepared.remoteBranches, [branch, prepared.snapshot.sha]])
    const protect = [branch, ...inUse, ...versionBefore(prepared)]
    const keepNewest = target === 'production' ? productionBranchesKept : 0
    const old = await source.oldBranches({ branches, target, protect, keepNewest }, signal)
    if (old.length === 0) return
    await source.deleteBranches(prepared.remote, old, signal)
    run.log.info(`Deleted ${count(old.length, 'branch', 'branches')} that no deployment needs any more`)
  } catch (error) {
    signal.throwIfAborted()
    run.log.warning(
      `Old branches on ml.ink could not be deleted (${safeMessage(run, error)}). The next deployment tries again.`,
    )
  }
}

/** The version that this one took the place of is kept, so that there is something to roll back to. */
function versionBefore({ existing }: Live['prepared']): string[] {
  const worked = existing !== undefined && meaningOf(existing.status)?.phase === 'live'
  return worked && existing.branch !== undefined ? [existing.branch] : []
}
