import { type Clock, systemClock } from './clock.ts'

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
