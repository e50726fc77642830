/** When a failed call to GitHub is worth repeating, and after how long. */

export interface FailedCall {
  /** Undefined when no answer came. */
  readonly status: number | undefined
  readonly message: string
  readonly headers: Readonly<Record<string, string | number | undefined>>
}

/** Times are milliseconds; `attempt` counts from 1. */
export interface RetryOptions {
  readonly attempt: number
  readonly nowMs: number
  readonly random: () => number
  /** Repeating cannot do harm: reads, and writes that end in the same state. */
  readonly repeatable: boolean
}

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 20_000
const MAX_ATTEMPTS = 6

/**
 * Milliseconds to wait before the next attempt, or `undefined` when the failure is final.
 * Rate limits follow GitHub's rules: `retry-after` first, then `x-ratelimit-reset` when nothing remains, else a minute
 * (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
 */
export function pauseBeforeRetry(call: FailedCall, options: RetryOptions): number | undefined {
  if (options.attempt >= MAX_ATTEMPTS) return undefined
  if (isRateLimit(call)) return rateLimitPause(call, options.nowMs)
  const temporary = call.status === undefined || call.status >= 500 || call.status === 408
  // A write whose answer was lost may have happened: its caller looks first.
  if (!temporary || !options.repeatable) return undefined
  const told = retryAfterMs(call, options.nowMs)
  const growing = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (options.attempt - 1))
  return told ?? growing * (0.5 + options.random() / 2)
}

/** Primary and secondary limits come as 403 or 429, and such a call was not carried out. */
export function isRateLimit(call: FailedCall): boolean {
  if (call.status === 429) return true
  if (call.status !== 403) return false
  const exhausted = String(call.headers['x-ratelimit-remaining']) === '0'
  return (
    exhausted || call.headers['retry-after'] !== undefined || /secondary rate limit|abuse detection/i.test(call.message)
  )
}

function rateLimitPause(call: FailedCall, nowMs: number): number {
  const told = retryAfterMs(call, nowMs)
  if (told !== undefined) return told
  const resetSeconds = Number(call.headers['x-ratelimit-reset'])
  const exhausted = String(call.headers['x-ratelimit-remaining']) === '0'
  if (exhausted && Number.isFinite(resetSeconds)) return Math.max(1000, resetSeconds * 1000 - nowMs)
  return 60_000
}

/** `Retry-After` is a number of seconds or a date (RFC 9110 §10.2.3). */
function retryAfterMs(call: FailedCall, nowMs: number): number | undefined {
  const value = call.headers['retry-after']
  if (value === undefined || value === '') return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const dateMs = Date.parse(String(value))
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs)
}
