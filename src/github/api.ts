import { getOctokit } from '@actions/github'
import type * as z from 'zod'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import { describeBody, type Fetch, limitAnswers } from '../core/http.ts'
import { retry, retryAfterMs } from '../core/retry.ts'
import { sanitizePhrase } from '../core/sanitize.ts'

/** What became of one call to GitHub. Nothing here is thrown: GitHub's side decorates the job, it does not decide it. */
export type CallOutcome<T> = { readonly ok: true; readonly data: T } | CallFailure

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
  | 'not-found'
  /** The conversation is locked. */
  | 'locked'
  /** GitHub understood and will not. */
  | 'refused'
  /** Network, 429 or 5xx until the deadline; whether the call had an effect is not known. */
  | 'unreachable'
  /** An answer that is not what GitHub documents. */
  | 'unreadable'

/** A failure for a warning: the status and GitHub's own words. */
export function describeFailure({ status, message }: CallFailure): string {
  return `${status ?? 'no answer'} ${message}`
}

/** How long an answer is worth waiting for. */
export interface Patience {
  /**
   * Milliseconds since the epoch, until which the call is repeated through rate limits and outages; a minute from now
   * unless told otherwise. For questions that a decision hangs on.
   */
  readonly deadlineAt?: number | undefined
}

/** An entry below `permissions:` in a workflow. */
export type Permission = 'actions' | 'contents' | 'deployments' | 'issues' | 'pull-requests'

export type Access = 'read' | 'write'

/** What a call needs, and what for. */
export interface Need {
  readonly permission: Permission
  readonly access: Access
  readonly purpose: string
}

/** Remembers what the token may not do, and tells it once per permission. */
export interface PermissionWarnings {
  /** Why such a call is pointless, when that is known already. */
  known(need: Need): string | undefined
  report(need: Need, failure: CallFailure): void
}

/** One REST call. `route` is GitHub's template, such as `GET /repos/{owner}/{repo}/pulls/{pull_number}`. */
export interface ApiCall<T> extends Need, Patience {
  readonly route: string
  readonly params?: Readonly<Record<string, unknown>>
  /** The fields of the answer that we rely on. */
  readonly schema: z.ZodType<T>
  /** What it is for, as an infinitive for the warning: `write the comment`. */
  readonly purpose: string
  /** A write that may be repeated without harm. Reads always may. */
  readonly repeatable?: boolean
  /** A refusal is expected and tells nothing about the workflow's permissions. */
  readonly silent?: boolean
}

/** The REST API of one repository. */
export interface Api {
  /** Never throws. The caller decides whether a failure is worth a warning; a missing permission is warned about here, once. */
  call<T>(call: ApiCall<T>): Promise<CallOutcome<T>>
  /** All pages of a list, `per_page` 100; stops early where `enough` says so. */
  pages<T>(
    call: ApiCall<readonly T[]>,
    enough?: (page: readonly T[]) => boolean | Promise<boolean>,
  ): Promise<CallOutcome<readonly T[]>>
}

interface ApiOptions {
  readonly token: string
  /** As in `GITHUB_API_URL`: `https://api.github.com`, or `https://<host>/api/v3` on GHES. */
  readonly apiUrl: string
  readonly owner: string
  readonly repo: string
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  readonly debug: (message: string) => void
  readonly warnings: PermissionWarnings
  /** Milliseconds that one call may take, its repetitions and pauses included, where no {@link Patience} says more. */
  readonly callLimitMs: number
  /** Milliseconds that one attempt may take. */
  readonly attemptLimitMs: number
  readonly fetch?: Fetch | undefined
}

const MAX_PAGES = 100
const PAGE_SIZE = 100

/** Opens the API. No call is made yet. */
export function openApi(options: ApiOptions): Api {
  const octokit = getOctokit(options.token, {
    baseUrl: options.apiUrl,
    log: { debug: options.debug, info: options.debug, warn: options.debug, error: options.debug },
    request: { fetch: limitAnswers(options.fetch ?? globalThis.fetch) },
  })
  const queue = inTurn()

  async function attempt(call: ApiCall<unknown>, tellTotal?: (total: number) => void): Promise<unknown> {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.attemptLimitMs)])
    // What a route has no place for, Octokit would send as a query.
    const place = call.route.includes('{owner}') ? { owner: options.owner, repo: options.repo } : {}
    const response = await octokit.request(call.route, { ...place, ...call.params, request: { signal } })
    const total = Number(response.headers['x-total-count'])
    if (Number.isInteger(total)) tellTotal?.(total)
    return response.data
  }

  async function withRetries(
    call: ApiCall<unknown>,
    tellTotal?: (total: number) => void,
  ): Promise<CallOutcome<unknown>> {
    const repeatable = call.repeatable ?? call.access === 'read'
    try {
      const data = await retry(() => attempt(call, tellTotal), {
        ...options,
        deadlineAt: call.deadlineAt ?? options.clock.now() + options.callLimitMs,
        again: (thrown) => whenToRepeat(readFailure(thrown), { nowMs: options.clock.now(), repeatable }),
        onRetry: (thrown, pauseMs) => {
          const { status, message } = readFailure(thrown)
          options.debug(`GitHub: ${call.route} failed (${status ?? message}), again in ${Math.round(pauseMs)} ms`)
        },
      })
      return { ok: true, data }
    } catch (thrown) {
      return classify(readFailure(thrown))
    }
  }

  async function call<T>(wanted: ApiCall<T>, tellTotal?: (total: number) => void): Promise<CallOutcome<T>> {
    const known = options.warnings.known(wanted)
    if (known !== undefined) return { ok: false, problem: 'missing-permission', message: known }
    const outcome = await queue(() => withRetries(wanted, tellTotal))
    if (!outcome.ok) {
      if (outcome.problem === 'missing-permission' && wanted.silent !== true) options.warnings.report(wanted, outcome)
      return outcome
    }
    const parsed = wanted.schema.safeParse(outcome.data)
    if (parsed.success) return { ok: true, data: parsed.data }
    return { ok: false, problem: 'unreadable', message: unreadable(wanted.route, outcome.data, parsed.error) }
  }

  async function pages<T>(
    wanted: ApiCall<readonly T[]>,
    enough: (page: readonly T[]) => boolean | Promise<boolean> = () => false,
  ) {
    const all: T[] = []
    // Gitea and Forgejo choose the size of a page themselves, and say how many there are.
    let total: number | undefined
    for (let page = 1; page <= MAX_PAGES; page++) {
      const outcome = await call({ ...wanted, params: { ...wanted.params, per_page: PAGE_SIZE, page } }, (told) => {
        total = told
      })
      if (!outcome.ok) return outcome
      all.push(...outcome.data)
      const isLast = outcome.data.length === 0 || all.length >= (total ?? 0)
      if ((await enough(outcome.data)) || (total === undefined ? outcome.data.length < PAGE_SIZE : isLast)) break
    }
    return { ok: true as const, data: all }
  }

  return { call, pages }
}

/** One task at a time, in the order of asking: GitHub asks for that to stay clear of the secondary limits. */
function inTurn(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(task: () => Promise<T>): Promise<T> => {
    const mine = last.then(task)
    last = mine.catch(() => undefined)
    return mine
  }
}

function readFailure(thrown: unknown): FailedCall {
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

function unreadable(route: string, data: unknown, { issues: [issue] }: z.ZodError): string {
  if (typeof data === 'string') return `the answer to ${route} is not JSON: ${describeBody(data) || 'it is empty'}`
  const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`
  return `GitHub's answer to ${route} is not as documented${where}`
}

function isHeaders(value: unknown): value is FailedCall['headers'] {
  return typeof value === 'object' && value !== null
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** What a final failure means. The texts are GitHub's, seen in its answers and in other actions' issue trackers. */
function classify(call: FailedCall): CallFailure {
  const { status, message } = call
  const failure = (problem: CallFailure['problem']): CallFailure => ({ ok: false, problem, status, message })
  if (status === undefined || status >= 500 || isRateLimit(call)) return failure('unreachable')
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
