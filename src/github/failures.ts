import { retryAfterMs } from '../core/async.ts'
import { errorMessage } from '../core/errors.ts'
import { describeBody } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'

/** A call that came to nothing, for good. */
export interface CallFailure {
  readonly ok: false
  readonly problem: Problem
  /** HTTP status, where there was an answer. */
  readonly status?: number | undefined
  /** GitHub's own words, or those of the network. */
  readonly message: string
}

export type Problem =
  /** The token may not do this, and a `permissions:` entry would let it. */
  | 'missing-permission'
  /** This forge has nothing of the kind. */
  | 'not-here'
  /** The token is none that counts: mistyped, expired, or taken away with the run that it belonged to. */
  | 'token-refused'
  | 'not-found'
  /** The conversation is locked. */
  | 'locked'
  /** GitHub understood and will not. */
  | 'refused'
  /** Network, 429 or 5xx until the deadline; whether the call had an effect is not known. */
  | 'unreachable'
  /** An answer that is not what GitHub documents. */
  | 'unreadable'

/** What Octokit threw. */
export function readFailure(thrown: unknown): FailedCall {
  const status = field(thrown, 'status')
  const response = field(thrown, 'response')
  const answered = typeof status === 'number' && response !== undefined
  const headers = field(response, 'headers')
  return {
    status: answered ? status : undefined,
    message: ownWords(thrown, field(response, 'data')),
    headers: isHeaders(headers) ? headers : {},
  }
}

// Octokit appends a documentation link to the message; GitHub's own words are in the body. What is not JSON comes from
// something before GitHub, a proxy say, and may be a whole page.
function ownWords(thrown: unknown, data: unknown): string {
  const message = field(data, 'message')
  if (typeof message === 'string') return sanitizePhrase(message)
  return typeof data === 'string' ? describeBody(data) : sanitizePhrase(errorMessage(thrown))
}

function isHeaders(value: unknown): value is FailedCall['headers'] {
  return typeof value === 'object' && value !== null
}

/** A property of something of which nothing is known. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** What a final failure means. The texts are GitHub's, seen in its answers and in other actions' issue trackers. */
export function classify(call: FailedCall): CallFailure {
  const { status, message } = call
  const failure = (problem: CallFailure['problem']): CallFailure => ({ ok: false, problem, status, message })
  if (status === undefined || status >= 500 || isRateLimit(call)) return failure('unreachable')
  if (status === 401) return failure('token-refused')
  if (status === 403 && /locked/i.test(message)) return failure('locked')
  if (status === 403 && /not accessible by|must have|requires? .*(permission|scope|access)/i.test(message))
    return failure('missing-permission')
  if (status === 404 || status === 410) return failure('not-found')
  return failure('refused')
}

/** A call that failed. */
interface FailedCall {
  /** Undefined when no answer came. */
  readonly status: number | undefined
  readonly message: string
  readonly headers: Readonly<Record<string, string | number | undefined>>
}

/**
 * Whether a failed call is worth repeating, and the least pause before that in milliseconds where one is asked for.
 * Rate limits follow GitHub's rules: `retry-after` first, then `x-ratelimit-reset` when nothing remains, else a minute
 * (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
 */
export function whenToRepeat(
  call: FailedCall,
  options: {
    readonly nowMs: number
    /** Repeating cannot do harm: reads, and writes that end in the same state. */
    readonly repeatable: boolean
  },
): boolean | number {
  if (isRateLimit(call)) return rateLimitPause(call, options.nowMs)
  const temporary = call.status === undefined || call.status >= 500 || call.status === 408
  // A write whose answer was lost may have happened: its caller looks first.
  return temporary && options.repeatable && (retryAfterMs(call.headers['retry-after'], options.nowMs) ?? true)
}

/** Primary and secondary limits come as 403 or 429, and such a call was not carried out. */
function isRateLimit(call: FailedCall): boolean {
  if (call.status === 429) return true
  if (call.status !== 403) return false
  const exhausted = String(call.headers['x-ratelimit-remaining']) === '0'
  return (
    exhausted || call.headers['retry-after'] !== undefined || /secondary rate limit|abuse detection/i.test(call.message)
  )
}

function rateLimitPause(call: FailedCall, nowMs: number): number {
  const told = retryAfterMs(call.headers['retry-after'], nowMs)
  if (told !== undefined) return told
  const resetSeconds = Number(call.headers['x-ratelimit-reset'])
  const exhausted = String(call.headers['x-ratelimit-remaining']) === '0'
  if (exhausted && Number.isFinite(resetSeconds)) return Math.max(1000, resetSeconds * 1000 - nowMs)
  return 60_000
}
