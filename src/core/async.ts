import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

/** Time as a parameter, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /**
   * Resolves after `ms` milliseconds; rejects with the signal's reason when the signal aborts.
   *
   * @param isLimit something else may happen until then: a test that shortens pauses must not shorten that
   */
  sleep(ms: number, signal: AbortSignal, isLimit?: boolean): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    // Node replaces a delay above 31 bits by 1 ms; an aborted pause rejects with a bare AbortError instead of the reason.
    await pause(Math.min(ms, 2 ** 31 - 1), undefined, { signal }).catch(() => signal.throwIfAborted())
  },
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
  const over = new AbortController()
  // `AbortSignal.any`, or an abort without a reason, would double what this costs, and every request has one.
  const stop = () => {
    over.abort(signal.reason)
    settled.abort(signal.reason)
  }
  // As many may wait as like to, and each takes its listener away: Node would warn of a leak in the middle of the user's log.
  setMaxListeners(0, signal)
  signal.addEventListener('abort', stop, { once: true })
  const alarm = clock.sleep(limitMs, settled.signal, true).then(() => {
    const error = new TimeLimitError(limitMs)
    over.abort(error)
    throw error
  })
  alarm.catch(() => undefined)
  try {
    return await Promise.race([work(over.signal), alarm])
  } catch (error) {
    // Clients wrap the reason of an abort in errors of their own.
    signal.throwIfAborted()
    over.signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    settled.abort('settled')
  }
}

/** Something took longer than it was given. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError'
  constructor(limitMs: number) {
    super(`no answer within ${Math.round(limitMs / 1000)} s`)
  }
}

/** The time given to the whole deployment is over. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'
}

export type Deadline = ReturnType<typeof deadlineAtTime>

/**
 * Waiting that never goes past one deadline. Everything rejects with the signal's reason when the signal aborts.
 * @param deadlineAt milliseconds since the epoch
 */
export function deadlineAtTime(clock: Clock, deadlineAt: number, signal: AbortSignal) {
  const remainingMs = (): number => {
    signal.throwIfAborted()
    const remaining = deadlineAt - clock.now()
    if (remaining <= 0) throw new DeadlinePassed()
    return remaining
  }
  return {
    /** @throws {DeadlinePassed} when the deadline comes first */
    async sleep(ms: number): Promise<void> {
      await clock.sleep(Math.min(ms, remainingMs()), signal)
      remainingMs()
    },
    /** @throws {DeadlinePassed} when the deadline comes first; a TimeLimitError when `limitMs` does */
    async within<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
      const remaining = remainingMs()
      try {
        return await withinTime(clock, Math.min(limitMs, remaining), signal, work)
      } catch (error) {
        if (error instanceof TimeLimitError && remaining <= limitMs) throw new DeadlinePassed()
        throw error
      }
    },
  }
}

/**
 * A signal that aborts after so many milliseconds, or when one of the others does. `AbortSignal.any` holds a signal of
 * `AbortSignal.timeout` by nothing but weak references: once the garbage was collected, that one never aborts (seen with
 * Node 20). Here the timer itself holds on to it.
 */
export function signalWithin(ms: number, ...signals: readonly AbortSignal[]): AbortSignal {
  const late = new AbortController()
  setTimeout(() => late.abort(new DOMException('The operation timed out', 'TimeoutError')), ms).unref()
  return AbortSignal.any([...signals, late.signal])
}

/** When one request is sent again. The same for ml.ink, the forge and git: each adds only how it reads its own errors. */
export interface RetryPolicy {
  /** Milliseconds since the epoch. No attempt begins after it; the number of attempts has no other bound. */
  readonly deadlineAt: number
  readonly signal: AbortSignal
  /**
   * Whether asking again can help and cannot harm. A number is the least pause in milliseconds, as a server asked for
   * with `Retry-After`.
   */
  readonly again: (error: unknown, attempt: number) => boolean | number
  /** Told before each pause. */
  readonly onRetry?: ((error: unknown, pauseMs: number) => void) | undefined
  readonly clock?: Clock | undefined
  /** Uniform in [0, 1): spreads runs that failed together. */
  readonly random?: (() => number) | undefined
}

const firstPauseMs = 500
const longestPauseMs = 15_000

/**
 * Makes a request until it succeeds, fails for good, or the deadline is too near for another attempt.
 *
 * @throws the last attempt's error; the signal's reason when it aborts during a pause
 */
export async function retry<T>(request: (attempt: number) => Promise<T>, policy: RetryPolicy): Promise<T> {
  const { deadlineAt, signal, clock = systemClock, random = Math.random } = policy
  for (let attempt = 1; ; attempt++) {
    try {
      return await request(attempt)
    } catch (error) {
      if (signal.aborted) throw error
      const again = policy.again(error, attempt)
      if (again === false) throw error
      const pauseMs = Math.max(backoffMs(attempt, random), again === true ? 0 : again)
      if (clock.now() + pauseMs > deadlineAt) throw error
      policy.onRetry?.(error, pauseMs)
      await clock.sleep(pauseMs, signal)
    }
  }
}

/** The pause after the `attempt`-th failure (from 1) in milliseconds: doubling from half a second up to 15 s, ±50 %. */
export function backoffMs(attempt: number, random: () => number): number {
  const steady = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt - 1, 10))
  return Math.round(steady * (0.5 + random()))
}

/** `Retry-After` in milliseconds: a number of seconds or a date (RFC 9110 §10.2.3); undefined when it is neither. */
export function retryAfterMs(value: string | number | null | undefined, nowMs: number): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const dateMs = Date.parse(String(value))
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs)
}

/** How many calls may be under way at once: the platform throttles an account that asks for more. */
export const callsAtOnce = 5

/**
 * Does the same for each item, a few at a time, in order of the items.
 * One that fails does not stop the others: each result is settled.
 */
export function settleEach<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const turn = inTurns(callsAtOnce)
  return Promise.allSettled(items.map((item) => turn(() => act(item))))
}

/** {@link settleEach} by how it went: what came of those that were done, and the others with their errors. */
export async function tryEach<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  signal: AbortSignal,
): Promise<{ readonly done: readonly R[]; readonly failed: readonly { readonly item: T; readonly error: unknown }[] }> {
  const ends = await settleEach(items, act)
  signal.throwIfAborted()
  const done = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  const failed = ends.flatMap((end, index) =>
    end.status === 'rejected' ? [{ item: items[index] as T, error: end.reason as unknown }] : [],
  )
  return { done, failed }
}

/** The same for those that are all needed: the first failure is thrown, once all have ended. */
export async function doEach<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  signal: AbortSignal,
): Promise<readonly R[]> {
  const { done, failed } = await tryEach(items, act, signal)
  if (failed[0]) throw failed[0].error
  return done
}

/**
 * Runs two things at the same time. When one fails the other is told to stop, and the first failure is thrown once both
 * have ended, so that nothing works on in the background.
 */
export async function bothOf<A, B>(
  signal: AbortSignal,
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
): Promise<[A, B]> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  let cause: unknown
  const guarded = async <T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await act(either)
    } catch (error) {
      cause ??= error
      stop.abort(error)
      throw error
    }
  }
  const [a, b] = await Promise.allSettled([guarded(first), guarded(second)])
  if (a.status === 'rejected' || b.status === 'rejected') throw cause
  return [a.value, b.value]
}

/** Lets only so many pieces of work be under way at once, in the order in which they came. */
export function inTurns(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = atOnce
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((go) => waiting.push(go))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
