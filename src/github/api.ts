import { getOctokit } from '@actions/github'
import type { z } from 'zod'
import { errorMessage } from '../core/errors.ts'
import type { Failure, Outcome } from './outcome.ts'
import type { Need, PermissionWarnings } from './permission-warnings.ts'
import { type FailedCall, isRateLimit, pauseBeforeRetry } from './retry.ts'

/** One REST call. `route` is GitHub's template, such as `GET /repos/{owner}/{repo}/pulls/{pull_number}`. */
export interface Call<T> extends Need {
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
  call<T>(call: Call<T>): Promise<Outcome<T>>
  /** All pages of a list, `per_page` 100; stops early where `enough` says so. */
  pages<T>(
    call: Call<readonly T[]>,
    enough?: (page: readonly T[]) => boolean | Promise<boolean>,
  ): Promise<Outcome<readonly T[]>>
}

export interface ApiOptions {
  readonly token: string
  /** As in `GITHUB_API_URL`: `https://api.github.com`, or `https://<host>/api/v3` on GHES. */
  readonly apiUrl: string
  readonly owner: string
  readonly repo: string
  readonly clock: { now(): number; sleep(ms: number, signal: AbortSignal): Promise<void> }
  readonly random: () => number
  readonly signal: AbortSignal
  readonly debug: (message: string) => void
  readonly warnings: PermissionWarnings
  /** Milliseconds that one call may take, its repetitions and pauses included. */
  readonly callLimitMs: number
  /** Milliseconds that one attempt may take. */
  readonly attemptLimitMs: number
  readonly fetch?: typeof fetch | undefined
}

const MAX_PAGES = 100
const PAGE_SIZE = 100

/** Opens the API. No call is made yet. */
export function openApi(options: ApiOptions): Api {
  const octokit = getOctokit(options.token, {
    baseUrl: options.apiUrl,
    log: { debug: options.debug, info: options.debug, warn: options.debug, error: options.debug },
    ...(options.fetch === undefined ? {} : { request: { fetch: options.fetch } }),
  })
  const queue = inTurn()

  async function attempt(call: Call<unknown>): Promise<unknown> {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.attemptLimitMs)])
    // What a route has no place for, Octokit would send as a query.
    const place = call.route.includes('{owner}') ? { owner: options.owner, repo: options.repo } : {}
    const response = await octokit.request(call.route, { ...place, ...call.params, request: { signal } })
    return response.data
  }

  /** `false` when the run was cancelled meanwhile. */
  const slept = (ms: number): Promise<boolean> =>
    options.clock.sleep(ms, options.signal).then(
      () => true,
      () => false,
    )

  async function withRetries(call: Call<unknown>): Promise<Outcome<unknown>> {
    const deadlineAt = options.clock.now() + options.callLimitMs
    const repeatable = call.repeatable ?? call.access === 'read'
    for (let count = 1; ; count++) {
      try {
        return { ok: true, data: await attempt(call) }
      } catch (thrown) {
        const failed = readFailure(thrown)
        const nowMs = options.clock.now()
        const pauseMs = pauseBeforeRetry(failed, { attempt: count, nowMs, random: options.random, repeatable })
        if (pauseMs === undefined || nowMs + pauseMs > deadlineAt || options.signal.aborted) return classify(failed)
        options.debug(
          `GitHub: ${call.route} failed (${failed.status ?? failed.message}), again in ${Math.round(pauseMs)} ms`,
        )
        if (!(await slept(pauseMs))) return classify(failed)
      }
    }
  }

  async function call<T>(wanted: Call<T>): Promise<Outcome<T>> {
    const known = options.warnings.known(wanted)
    if (known !== undefined) return { ok: false, problem: 'missing-permission', message: known }
    const outcome = await queue(() => withRetries(wanted))
    if (!outcome.ok) {
      if (outcome.problem === 'missing-permission' && wanted.silent !== true) options.warnings.report(wanted, outcome)
      return outcome
    }
    const parsed = wanted.schema.safeParse(outcome.data)
    if (parsed.success) return { ok: true, data: parsed.data }
    const [issue] = parsed.error.issues
    const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`
    return {
      ok: false,
      problem: 'unreadable',
      message: `GitHub's answer to ${wanted.route} is not as documented${where}`,
    }
  }

  async function pages<T>(
    wanted: Call<readonly T[]>,
    enough: (page: readonly T[]) => boolean | Promise<boolean> = () => false,
  ) {
    const all: T[] = []
    for (let page = 1; page <= MAX_PAGES; page++) {
      const outcome = await call({ ...wanted, params: { ...wanted.params, per_page: PAGE_SIZE, page } })
      if (!outcome.ok) return outcome
      all.push(...outcome.data)
      if ((await enough(outcome.data)) || outcome.data.length < PAGE_SIZE) break
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

// Octokit appends a documentation link to the message; GitHub's own words are in the body.
function ownWords(thrown: unknown, data: unknown): string {
  const message = field(data, 'message')
  return typeof message === 'string' ? message : errorMessage(thrown)
}

function isHeaders(value: unknown): value is FailedCall['headers'] {
  return typeof value === 'object' && value !== null
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** What a final failure means. The texts are GitHub's, seen in its answers and in other actions' issue trackers. */
function classify(call: FailedCall): Failure {
  const { status, message } = call
  const failure = (problem: Failure['problem']): Failure => ({ ok: false, problem, status, message })
  if (status === undefined || status >= 500 || isRateLimit(call)) return failure('unreachable')
  if (status === 403 && /locked/i.test(message)) return failure('locked')
  if (status === 403 && /not accessible by|must have|requires? .*(permission|scope|access)/i.test(message))
    return failure('missing-permission')
  if (status === 404 || status === 410) return failure('not-found')
  return failure('refused')
}
