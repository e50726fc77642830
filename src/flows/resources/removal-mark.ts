import type { Clock } from '../../core/async.ts'
import { safeMessage } from '../../core/sanitize.ts'
import type { Place } from '../../plan/event.ts'
import { removalMarks } from '../../plan/names.ts'
import type { GitRemote } from '../../source/remote.ts'
import type { Source } from '../../source/source.ts'
import type { Run } from '../run.ts'
import { longestRemovalMs } from '../start-again.ts'
import { openInkRepository } from './repository.ts'

// Runners' clocks may be wrong by minutes.
const surelyOverMs = 15 * 60_000

function marksOf(serviceName: string, branches: Iterable<string>): string[] {
  return [...branches].filter((name) => name.startsWith(`${removalMarks}${serviceName}/`))
}

/** The marks among some branches whose removals, by their names, cannot be under way any more: they were killed. */
export function staleMarks(branches: Iterable<string>, nowMs: number): string[] {
  return [...branches].filter((name) => {
    const [, seconds] = /\/(\d+)-\d+-\d+$/.exec(name) ?? []
    return name.startsWith(removalMarks) && Number(seconds) * 1000 < nowMs - surelyOverMs
  })
}

/**
 * Does removals under their marks. A mark stays where the service may still be on its way out: after a removal that was
 * killed, or one whose end is not known. The next deployment, or a later removal, takes it away.
 */
export async function underRemovalMarks<T>(
  run: Run,
  place: Place,
  serviceNames: readonly string[],
  remove: () => Promise<T>,
  isOver: (removed: T, serviceName: string) => boolean,
): Promise<T> {
  const marking = await openMarking(run, place, serviceNames)
  if (!marking) return remove()
  await using source = marking.source
  const { remote, markOf, attempt } = marking
  const unseen = 'A run that deploys the preview meanwhile may not notice its removal.'
  await attempt(source.mark(remote, serviceNames.map(markOf), run.signal), unseen)
  const removed = await remove()
  const over = serviceNames.filter((name) => isOver(removed, name)).map(markOf)
  if (over.length > 0)
    await attempt(
      source.deleteBranches(remote, over, run.signal),
      'The next deployment may wait for them, and takes them away.',
    )
  return removed
}

/** What is left of previews whose branches are gone would be found by nobody any more: those get a mark that stays. */
export async function keepFindable(run: Run, place: Place, serviceNames: readonly string[]): Promise<void> {
  const marking = await openMarking(run, place, serviceNames)
  if (!marking) return
  await using source = marking.source
  const { remote, markOf, attempt } = marking
  const mark = async () => {
    const branches = [...(await source.branches(remote, run.signal)).keys()].map((name) => name.split('/'))
    const lost = serviceNames.filter((name) => !branches.some((parts) => parts.includes(name)))
    if (lost.length > 0) await source.mark(remote, lost.map(markOf), run.signal)
  }
  await attempt(mark(), 'What is left of the preview may not be found by a sweep: remove it at ml.ink.')
}

async function openMarking(run: Run, place: Place, serviceNames: readonly string[]) {
  const repository = serviceNames.length === 0 ? undefined : await openInkRepository(run, place)
  if (!repository) return undefined
  const { runId, runAttempt } = run.context
  const own = `/${Math.floor(run.clock.now() / 1000)}-${runId}-${runAttempt}`
  return {
    remote: repository.remote,
    source: run.openSource(),
    markOf: (serviceName: string) => `${removalMarks}${serviceName}${own}`,
    attempt: async (act: Promise<void>, consequence: string) => {
      try {
        await act
      } catch (error) {
        run.signal.throwIfAborted()
        run.log.warning(
          `The branches below ${removalMarks} could not be written on ml.ink (${safeMessage(run, error)}). ${consequence}`,
        )
      }
    },
  }
}

/** Tells a deployment of removals of the same preview. */
export class RemovalWatch {
  readonly #run: Pick<Run, 'clock' | 'signal'>
  readonly #remote: GitRemote
  readonly #serviceName: string
  readonly #seenAt = new Map<string, number>()

  constructor(run: Pick<Run, 'clock' | 'signal'>, remote: GitRemote, serviceName: string) {
    this.#run = run
    this.#remote = remote
    this.#serviceName = serviceName
  }

  /**
   * Whether a removal is under way among these branches. One that takes longer than a removal can was killed.
   * @param createdAt when this run created the service, if it did: what was seen before that is over
   */
  isUnderWay(branches: Iterable<string>, createdAt = Number.NEGATIVE_INFINITY): boolean {
    const now = this.#run.clock.now()
    const marks = marksOf(this.#serviceName, branches)
    for (const mark of marks) if (!this.#seenAt.has(mark)) this.#seenAt.set(mark, now)
    const stale = staleMarks(marks, now)
    return marks.some((mark) => {
      const seenAt = this.#seenAt.get(mark) ?? now
      return seenAt >= createdAt && now - seenAt < longestRemovalMs && !stale.includes(mark)
    })
  }

  /** Reads the branches and takes the marks away that are found to be over. */
  async look(source: Source, createdAt?: number): Promise<boolean> {
    const { signal } = this.#run
    const branches = [...(await source.branches(this.#remote, signal)).keys()]
    if (this.isUnderWay(branches, createdAt)) return true
    const left = marksOf(this.#serviceName, branches)
    if (left.length > 0) await source.deleteBranches(this.#remote, left, signal)
    return false
  }
}

const betweenLooksMs = 2000
// A removal that is not killed does the rest, the database, within a few seconds.
const goneForGoodMs = 15_000

/** Waits until nothing takes away any more what is about to be deployed. */
export async function waitForRemovals(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  isUnderWay: () => Promise<boolean>,
  isThere: () => Promise<boolean>,
): Promise<void> {
  let goneSince: number | undefined
  while (await isUnderWay()) {
    goneSince = (await isThere()) ? undefined : (goneSince ?? clock.now())
    if (goneSince !== undefined && clock.now() - goneSince > goneForGoodMs) return
    await clock.sleep(betweenLooksMs, signal)
  }
}
