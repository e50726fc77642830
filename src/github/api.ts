import { getOctokit } from '@actions/github'
import type * as z from 'zod'
import { type Clock, inTurns, retry, signalWithin } from '../core/async.ts'
import { describeBody, type Fetch, limitAnswers } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import { type CallFailure, classify, field, readFailure, whenToRepeat } from './failures.ts'
import { type Ability, type Forge, openForge } from './forge.ts'

/** What became of one call to GitHub. Nothing here is thrown: GitHub's side decorates the job, it does not decide it. */
export type CallOutcome<T> = { readonly ok: true; readonly data: T } | CallFailure

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
  /** The token itself is not accepted. */
  refused(failure: CallFailure): void
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
  /** What the forge has to be able to for it; where it is not, nothing is called. */
  readonly ability?: Ability
  /** A refusal is expected and tells nothing about the workflow's permissions. */
  readonly silent?: boolean
}

/** The REST API of one repository. */
export interface Api {
  readonly forge: Forge
  /** Never throws. The caller decides whether a failure is worth a warning; what the token may not do is warned about here, once. */
  call<T>(call: ApiCall<T>): Promise<CallOutcome<T>>
  /** All pages of a list, `per_page` 100; stops early where `enough` says so. */
  pages<T>(
    call: ApiCall<readonly T[]>,
    enough?: (page: readonly T[]) => boolean | Promise<boolean>,
  ): Promise<CallOutcome<readonly T[]>>
  /** Warns that something could not be done, with the forge's own words, unless that was told already or is no news. */
  warn(failure: CallFailure, what: string, advice?: string): undefined
}

/** Where the API is, and what its calls need. */
export interface ApiOptions {
  readonly token: string
  /** As in `GITHUB_API_URL`: `https://api.github.com`, or `https://<host>/api/v3` on GHES. */
  readonly apiUrl: string
  readonly owner: string
  readonly repo: string
  readonly log: GitHubLog
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  readonly warnings: PermissionWarnings
  /** Milliseconds for one call with all its repetitions, where no {@link Patience} says more; a minute unless told otherwise. */
  readonly callLimitMs?: number | undefined
  readonly fetch?: Fetch | undefined
}

/** What is told of GitHub's side of a run. */
export interface GitHubLog {
  warning(message: string): void
  info(message: string): void
  debug(message: string): void
}

const CALL_LIMIT_MS = 60_000
const ATTEMPT_LIMIT_MS = 15_000
const MAX_PAGES = 100
const PAGE_SIZE = 100

/** Opens the API. No call is made yet. */
export function openApi(options: ApiOptions): Api {
  const debug = (message: string) => options.log.debug(message)
  const octokit = getOctokit(options.token, {
    baseUrl: options.apiUrl,
    log: { debug, info: debug, warn: debug, error: debug },
    request: { fetch: limitAnswers(options.fetch ?? globalThis.fetch) },
  })
  // GitHub asks for one call at a time, to stay clear of the secondary limits.
  const queue = inTurns(1)
  const forge = openForge(options.apiUrl, askVersion, (message) => options.log.info(message))

  async function askVersion(): Promise<string | undefined> {
    const signal = signalWithin(ATTEMPT_LIMIT_MS, options.signal)
    const answer = await octokit.request('GET /version', { request: { signal } }).catch(() => undefined)
    const version = field(answer?.data, 'version')
    return typeof version === 'string' ? sanitizePhrase(version) : undefined
  }

  async function attempt(call: ApiCall<unknown>, tellTotal?: (total: number) => void): Promise<unknown> {
    const signal = signalWithin(ATTEMPT_LIMIT_MS, options.signal)
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
        deadlineAt: call.deadlineAt ?? options.clock.now() + (options.callLimitMs ?? CALL_LIMIT_MS),
        again: (thrown) => whenToRepeat(readFailure(thrown), { nowMs: options.clock.now(), repeatable }),
        onRetry: (thrown, pauseMs) => {
          const { status, message } = readFailure(thrown)
          debug(`${forge.name}: ${call.route} failed (${status ?? message}), again in ${Math.round(pauseMs)} ms`)
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
    await forge.known()
    if (wanted.ability !== undefined && !(await forge.can(wanted.ability))) {
      return { ok: false, problem: 'not-here', message: `${forge.name} has nothing of the kind` }
    }
    const outcome = await queue(() => withRetries(wanted, tellTotal))
    if (!outcome.ok) {
      if (outcome.problem === 'token-refused') options.warnings.refused(outcome)
      if (outcome.problem === 'missing-permission' && wanted.silent !== true) options.warnings.report(wanted, outcome)
      return outcome
    }
    const parsed = wanted.schema.safeParse(outcome.data)
    if (parsed.success) return { ok: true, data: parsed.data }
    return {
      ok: false,
      problem: 'unreadable',
      message: unreadable(wanted.route, forge.name, outcome.data, parsed.error),
    }
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

  return {
    forge,
    call,
    pages,
    warn({ problem, status, message }, what, advice) {
      if (problem === 'missing-permission' || problem === 'token-refused' || problem === 'not-here') return
      const words = `Could not ${what} (${forge.name}: ${status ?? 'no answer'} ${message}).`
      options.log.warning(advice === undefined ? words : `${words} ${advice}`)
    },
  }
}

function unreadable(route: string, forge: string, data: unknown, { issues: [issue] }: z.ZodError): string {
  if (typeof data === 'string') return `the answer to ${route} is not JSON: ${describeBody(data) || 'it is empty'}`
  const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`
  return `${forge}'s answer to ${route} is not as documented${where}`
}
