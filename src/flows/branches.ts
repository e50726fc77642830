import { settleEach } from '../core/parallel.ts'
import type { Platform } from '../ink/platform.ts'
import type { GitRemote, Source } from '../source/source.ts'
import { parseDeploymentBranch } from '../source/source.ts'

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

/** Production keeps this many branches beside the current one, to roll back to. */
export const productionBranchesKept = 5

/** Deletes the branches of a target that nothing needs any more, in one push. Returns their names. */
export async function deleteOldBranches(
  source: Source,
  remote: GitRemote,
  request: { branches: ReadonlyMap<string, string>; target: string; protect: readonly string[] },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const keepNewest = request.target === 'production' ? productionBranchesKept : 0
  const old = await source.oldBranches({ ...request, keepNewest }, signal)
  if (old.length > 0) await source.deleteBranches(remote, old, signal)
  return old
}

/** All branches of a target. */
export function branchesOf(target: string, branches: Iterable<string>): string[] {
  return [...branches].filter((name) => parseDeploymentBranch(name)?.target === target)
}
