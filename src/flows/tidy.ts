import { safeMessage } from '../core/sanitize.ts'
import { meaningOf } from '../watch/status.ts'
import { branchesInUse, deleteOldBranches } from './branches.ts'
import type { Prepared, Work } from './prepare.ts'

/** Deletes the branches of earlier deployments. What cannot be deleted now is found by the next run or the sweep. */
export async function tidy({ run, plan, source, prepared, branch }: Work): Promise<void> {
  try {
    // Our own service is asked as well: somebody may have taken over since it was seen live.
    const where = { repositorySlug: prepared.repositorySlug, targets: [plan.target], except: [] }
    const inUse = await branchesInUse(run.platform, where, run.signal)
    const branches = new Map([...prepared.remoteBranches, [branch, prepared.snapshot.sha]])
    const deleted = await deleteOldBranches(
      source,
      prepared.remote,
      { branches, target: plan.target, protect: [branch, ...inUse, ...versionBefore(prepared)] },
      run.signal,
    )
    if (deleted.length > 0)
      run.log.info(
        `Deleted ${deleted.length} ${deleted.length === 1 ? 'branch' : 'branches'} that no deployment needs any more`,
      )
  } catch (error) {
    run.signal.throwIfAborted()
    run.log.warning(
      `Old branches on ml.ink could not be deleted (${safeMessage(run, error)}). The next deployment tries again.`,
    )
  }
}

/** The version that this one took the place of is kept, so that there is something to roll back to. */
function versionBefore({ existing }: Prepared): string[] {
  const worked = existing !== undefined && meaningOf(existing.status)?.phase === 'live'
  return worked && existing.branch !== undefined ? [existing.branch] : []
}
