import { safeMessage } from '../../core/sanitize.ts'
import type { Place } from '../../plan/plan.ts'
import type { GitRemote } from '../../source/remote.ts'
import type { Source } from '../../source/source.ts'
import type { Run } from '../run.ts'
import { longestRemovalMs } from '../start-again.ts'
import { openInkRepository } from './repository.ts'

/**
 * The branch that stands while the service of a preview is being removed. The platform does not tell that a deletion is
 * under way: until it is done the service looks as before, and can even be updated. So whoever deploys the preview again
 * finds this branch in the list that it reads anyway, and looks again once it is gone.
 *
 * Nothing slips through: a removal asks whether the preview is wanted again *after* it has set the mark, so a run that
 * came too early to see the mark is seen by the removal instead.
 */
export function removalMark(serviceName: string): string {
  return `ink/removing/${serviceName}`
}

/** Does a removal under its mark. One that is killed leaves the mark; the next deployment, or the sweep, takes it away. */
export async function underRemovalMark<T>(
  run: Run,
  place: Place,
  serviceName: string,
  remove: () => Promise<T>,
): Promise<T> {
  const repository = await openInkRepository(run, place)
  if (!repository) return remove()
  const { remote } = repository
  await using source = run.openSource(place)
  const mark = removalMark(serviceName)
  const attempt = async (act: Promise<void>) => {
    try {
      await act
    } catch (error) {
      run.signal.throwIfAborted()
      run.log.warning(`The branch ${mark} could not be pushed to ml.ink (${safeMessage(run, error)}).`)
    }
  }
  await attempt(source.mark(remote, mark, run.signal))
  const removed = await remove()
  await attempt(source.deleteBranches(remote, [mark], run.signal))
  return removed
}

/**
 * Asks whether a removal whose mark was found is under way still. One that takes longer than a removal can was killed,
 * and its mark is taken away.
 */
export function removalWatcher(
  { clock, signal }: Pick<Run, 'clock' | 'signal'>,
  source: Source,
  remote: GitRemote,
  serviceName: string,
): () => Promise<boolean> {
  const mark = removalMark(serviceName)
  const overAt = clock.now() + longestRemovalMs
  return async () => {
    if (!(await source.branches(remote, signal)).has(mark)) return false
    if (clock.now() < overAt) return true
    await source.deleteBranches(remote, [mark], signal)
    return false
  }
}
