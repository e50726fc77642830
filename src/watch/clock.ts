/** Time as a parameter, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/**
 * Runs `work` under a time limit. The signal handed to it aborts when the limit passes or the outer signal aborts,
 * and the returned promise settles then even if `work` ignores its signal.
 *
 * @param limitMs milliseconds, at least 0
 * @throws the outer signal's reason, or a {@link TimeLimitError}
 */
export async function withinTime<T>(
  clock: Clock,
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const settled = new AbortController()
  const limit = new AbortController()
  const alarm = clock.sleep(limitMs, AbortSignal.any([signal, settled.signal])).then(() => {
    const error = new TimeLimitError(limitMs)
    limit.abort(error)
    throw error
  })
  alarm.catch(() => undefined)
  try {
    return await Promise.race([work(AbortSignal.any([signal, limit.signal])), alarm])
  } catch (error) {
    // Clients wrap the reason of an abort in errors of their own.
    signal.throwIfAborted()
    limit.signal.throwIfAborted()
    throw error
  } finally {
    settled.abort()
  }
}

/** Something took longer than it was given. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError'
  constructor(limitMs: number) {
    super(`no answer within ${Math.round(limitMs / 1000)} s`)
  }
}
