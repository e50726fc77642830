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

type Problem =
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
  const failure = (problem: Problem): CallFailure => ({ ok: false, problem, status, message })
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
  { nowMs, repeatable }: { readonly nowMs: number; readonly repeatable: boolean },
): boolean | number {
  const told = retryAfterMs(call.headers['retry-after'], nowMs)
  if (isRateLimit(call)) {
    const resetSeconds = Number(call.headers['x-ratelimit-reset'])
    const untilReset = isExhausted(call) && Number.isFinite(resetSeconds) ? resetSeconds * 1000 - nowMs : undefined
    return told ?? (untilReset === undefined ? 60_000 : Math.max(1000, untilReset))
  }
  const temporary = call.status === undefined || call.status >= 500 || call.status === 408
  // A write whose answer was lost may have happened: its caller looks first.
  return temporary && repeatable && (told ?? true)
}

/** Primary and secondary limits come as 403 or 429, and such a call was not carried out. */
function isRateLimit(call: FailedCall): boolean {
  const isSecondary = /secondary rate limit|abuse detection/i.test(call.message)
  const isLimit = isExhausted(call) || call.headers['retry-after'] !== undefined || isSecondary
  return call.status === 429 || (call.status === 403 && isLimit)
}

function isExhausted({ headers }: FailedCall): boolean {
  return String(headers['x-ratelimit-remaining']) === '0'
}

/** What is told of GitHub's side of a run. */
export interface GitHubLog {
  warning(message: string): void
  info(message: string): void
  debug(message: string): void
}

// Entries below `permissions:` in a workflow, and what the action needs of each in the end: whoever is told to add `read` today
// would be told to add `write` tomorrow.
const WANTED = {
  actions: 'read',
  contents: 'read',
  deployments: 'write',
  issues: 'write',
  'pull-requests': 'write',
} as const

/** What a call needs, and what for. */
export interface Need {
  readonly permission: keyof typeof WANTED
  readonly access: 'read' | 'write'
  /** An infinitive for the warning: `write the comment`. */
  readonly purpose: string
}

const NO_TOKEN = "No token: the input 'github-token' is empty"

/** Remembers what the token may not do, and tells it once per permission. */
export type PermissionWarnings = ReturnType<typeof openPermissionWarnings>

/**
 * Starts with what is certain before any call was made.
 * @param readOnlyBecause why this token can write nothing (a pull request from a fork, say)
 */
export function openPermissionWarnings(log: GitHubLog, hasToken: boolean, readOnlyBecause: string | undefined) {
  // By purpose, not by permission: writing comments works with `issues: write` as well.
  const missing = new Map<string, string>()
  const warned = new Set<string>()
  let told = false

  function tellOnce(level: 'warning' | 'debug', message: string): void {
    if (!told) log[level](message)
    told = true
  }

  return {
    /** Why such a call is pointless, when that is known already. */
    known({ access, purpose }: Need): string | undefined {
      if (!hasToken) {
        const loss = 'There will be no comment and no deployment record'
        tellOnce('warning', `${NO_TOKEN}. ${loss}; leave the input out to use the job's own token.`)
        return NO_TOKEN
      }
      if (access === 'write' && readOnlyBecause !== undefined) {
        tellOnce('debug', `No comment and no deployment record: ${readOnlyBecause}`)
        return readOnlyBecause
      }
      return missing.get(purpose)
    },

    report({ permission, purpose }: Need, failure: CallFailure): void {
      missing.set(purpose, failure.message)
      if (warned.has(permission)) return
      warned.add(permission)
      log.warning(
        [
          `The token may not ${purpose} (${failure.status ?? 403} ${failure.message}). The deployment goes on without it.`,
          "To allow it, add to the job in the workflow, beside what its 'permissions' has already:",
          '    permissions:',
          `      ${permission}: ${WANTED[permission]}`,
        ].join('\n'),
      )
    },

    /** The token itself is not accepted. */
    refused({ message }: CallFailure): void {
      tellOnce(
        'warning',
        `The token is not accepted (401 ${message}). A run that was cancelled may have lost it; its comment is put right by the next run or sweep. Otherwise see to the input 'github-token': left out, it is the job's own.`,
      )
    },
  }
}
