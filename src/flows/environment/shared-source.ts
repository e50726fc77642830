import { inTurns } from '../../core/parallel.ts'
import type { Snapshot } from '../../source/snapshot.ts'
import type { Source } from '../../source/source.ts'
import type { RunDeps } from '../run.ts'

/** The sources of the services of one run. */
export interface SharedSources extends AsyncDisposable {
  readonly openSource: RunDeps['openSource']
}

/**
 * Lets services of one commit share its snapshot: one checkout is read, what it lacks is fetched once, and what one of them
 * has pushed travels for none of the others again.
 */
export function shareSources({ openSource, signal }: Pick<RunDeps, 'openSource' | 'signal'>): SharedSources {
  const opened = new Map<boolean, SharedSource>()
  return {
    openSource: (place, wish = {}) => {
      // Only what deploys is bounded by the run's own time; what is short is opened by itself.
      if (wish.deadlineAt === undefined) return openSource(place, wish)
      const key = wish.ignoreWorkspace ?? false
      const shared = opened.get(key) ?? new SharedSource(openSource(place, wish), signal)
      opened.set(key, shared)
      return shared.forOne()
    },
    [Symbol.asyncDispose]: async () => {
      for (const shared of opened.values()) await shared.close()
    },
  }
}

class SharedSource {
  readonly #source: Source
  readonly #signal: AbortSignal
  readonly #snapshots = new Map<string, Promise<Snapshot>>()
  // What fetches or pushes takes locks of git's in one and the same repository.
  readonly #inTurn = inTurns(1)

  /** @param signal of the whole run: that of one service must not end what others wait for */
  constructor(source: Source, signal: AbortSignal) {
    this.#source = source
    this.#signal = signal
  }

  forOne(): Source {
    const source = this.#source
    const inTurn = this.#inTurn
    return {
      ...source,
      snapshot: async (request, signal) => {
        const key = JSON.stringify(request)
        const made = this.#snapshots.get(key) ?? inTurn(() => source.snapshot(request, this.#signal))
        this.#snapshots.set(key, made)
        return await untilAborted(made, signal)
      },
      push: (request, signal) => inTurn(() => source.push(request, signal)),
      mark: (remote, branch, signal) => inTurn(() => source.mark(remote, branch, signal)),
      oldBranches: (request, signal) => inTurn(() => source.oldBranches(request, signal)),
      newestFirst: (branches, target, signal) => inTurn(() => source.newestFirst(branches, target, signal)),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  /** Once all that is under way has come to its end. */
  async close(): Promise<void> {
    await this.#inTurn(async () => undefined)
    await this.#source[Symbol.asyncDispose]()
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let end = () => {}
  const aborted = new Promise<never>((_, reject) => {
    end = () => reject(signal.reason)
  })
  signal.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', end)
  }
}
