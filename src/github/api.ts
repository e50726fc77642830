import { getOctokit } from '@actions/github'
import * as z from 'zod'
import { type Clock, inTurns, retry, signalWithin } from '../core/async.ts'
import { describeBody, type Fetch, limitAnswers } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import {
  type CallFailure,
  classify,
  field,
  type GitHubLog,
  type Need,
  type PermissionWarnings,
  readFailure,
  whenToRepeat,
} from './failures.ts'

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

/** What a call is for and needs. Unless told otherwise `GET` reads and all else writes. */
export interface Call extends Omit<Need, 'access'>, Partial<Pick<Need, 'access'>>, Patience {
  /** A `POST` that may be repeated without harm. All else always may. */
  readonly repeatable?: boolean
  /** What the forge has to be able to do for it; where it is not, nothing is called. */
  readonly ability?: Ability
  /** A refusal is expected and tells nothing about the workflow's permissions. */
  readonly silent?: boolean
}

type Parameters = Readonly<Record<string, unknown>>

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

const CALL_LIMIT_MS = 60_000
const ATTEMPT_LIMIT_MS = 15_000
const MAX_PAGES = 100
const PAGE_SIZE = 100

/** The REST API of one repository. */
export type Api = ReturnType<typeof openApi>

/** Opens the API. No call is made yet. */
export function openApi(options: ApiOptions) {
  const { log, clock, warnings } = options
  const debug = (message: string) => log.debug(message)
  const octokit = getOctokit(options.token, {
    baseUrl: options.apiUrl,
    log: { debug, info: debug, warn: debug, error: debug },
    request: { fetch: limitAnswers(options.fetch ?? globalThis.fetch) },
  })
  // GitHub asks for one call at a time, to stay clear of the secondary limits.
  const queue = inTurns(1)
  const request = (route: string, params: Parameters) =>
    octokit.request(route, { ...params, request: { signal: signalWithin(ATTEMPT_LIMIT_MS, options.signal) } })

  const forge = openForge(options.apiUrl, log, async () => {
    const answer = await request('GET /version', {}).catch(() => undefined)
    const version = field(answer?.data, 'version')
    return typeof version === 'string' ? sanitizePhrase(version) : ''
  })

  /**
   * Makes one call. Never throws. The caller decides whether a failure is worth a warning; what the token may not do is warned
   * about here, once.
   * @param route GitHub's template, such as `GET /repos/{owner}/{repo}/pulls/{pull_number}`
   * @param schema the fields of the answer that we rely on
   * @param tellTotal gets the length of the whole list, where the forge says it
   */
  async function call<T>(
    wanted: Call,
    route: string,
    params: Parameters,
    schema: z.ZodType<T>,
    tellTotal?: (total: number) => void,
  ): Promise<CallOutcome<T>> {
    const need = { access: route.startsWith('GET ') ? ('read' as const) : ('write' as const), ...wanted }
    const known = warnings.known(need)
    if (known !== undefined) return { ok: false, problem: 'missing-permission', message: known }
    await forge.known()
    if (wanted.ability !== undefined && !(await forge.can(wanted.ability))) {
      return { ok: false, problem: 'not-here', message: `${forge.name} has nothing of the kind` }
    }
    const attempt = async () => {
      // What a route has no place for, Octokit would send as a query.
      const place = route.includes('{owner}') ? { owner: options.owner, repo: options.repo } : {}
      const response = await request(route, { ...place, ...params })
      const total = Number(response.headers['x-total-count'])
      if (Number.isInteger(total)) tellTotal?.(total)
      return response.data as unknown
    }
    const repeatable = wanted.repeatable ?? !route.startsWith('POST ')
    // Its time begins when its turn comes: what came before may have waited for long.
    const repeated = () =>
      retry(attempt, {
        ...options,
        deadlineAt: wanted.deadlineAt ?? clock.now() + (options.callLimitMs ?? CALL_LIMIT_MS),
        again: (thrown) => whenToRepeat(readFailure(thrown), { nowMs: clock.now(), repeatable }),
        onRetry: (thrown, pauseMs) => {
          const { status, message } = readFailure(thrown)
          debug(`${forge.name}: ${route} failed (${status ?? message}), again in ${Math.round(pauseMs)} ms`)
        },
      })
    const outcome = await queue(repeated).then(
      (data) => ({ ok: true as const, data }),
      (thrown: unknown) => classify(readFailure(thrown)),
    )
    if (!outcome.ok) {
      if (outcome.problem === 'token-refused') warnings.refused(outcome)
      if (outcome.problem === 'missing-permission' && wanted.silent !== true) warnings.report(need, outcome)
      return outcome
    }
    const parsed = schema.safeParse(outcome.data)
    if (parsed.success) return { ok: true, data: parsed.data }
    return { ok: false, problem: 'unreadable', message: unreadable(route, forge.name, outcome.data, parsed.error) }
  }

  /** All pages of a list, `per_page` 100; stops early where `enough` says so. */
  async function pages<T>(
    wanted: Call,
    route: string,
    params: Parameters,
    item: z.ZodType<T>,
    enough: (page: readonly T[]) => boolean | Promise<boolean> = () => false,
  ): Promise<CallOutcome<readonly T[]>> {
    const all: T[] = []
    // Gitea and Forgejo choose the size of a page themselves, and say how many there are.
    let total: number | undefined
    for (let page = 1; page <= MAX_PAGES; page++) {
      const onPage = { ...params, per_page: PAGE_SIZE, page }
      const outcome = await call(wanted, route, onPage, z.array(item), (told) => {
        total = told
      })
      if (!outcome.ok) return outcome
      all.push(...outcome.data)
      const isLast = outcome.data.length === 0 || all.length >= (total ?? 0)
      if ((await enough(outcome.data)) || (total === undefined ? outcome.data.length < PAGE_SIZE : isLast)) break
    }
    return { ok: true, data: all }
  }

  return {
    forge,
    call,
    pages,
    /** Warns that something could not be done, with the forge's own words, unless that was told already or is no news. */
    warn({ problem, status, message }: CallFailure, what: string, advice?: string): undefined {
      if (problem === 'missing-permission' || problem === 'token-refused' || problem === 'not-here') return
      const words = `Could not ${what} (${forge.name}: ${status ?? 'no answer'} ${message}).`
      log.warning(advice === undefined ? words : `${words} ${advice}`)
    },
  }
}

function unreadable(route: string, forge: string, data: unknown, { issues: [issue] }: z.ZodError): string {
  if (typeof data === 'string') return `the answer to ${route} is not JSON: ${describeBody(data) || 'it is empty'}`
  const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`
  return `${forge}'s answer to ${route} is not as documented${where}`
}

/** What GitHub can do and others cannot, and what that means for a run. */
const ONLY_GITHUB = {
  'deployment-records': 'has no deployment records (“View deployment”)',
  comparison:
    'does not say how commits lie to each other (`watch` can hold back the first preview of a pull request only)',
  'token-outlives-run':
    'takes the token of a cancelled run away at once (its comment is put right by the next run or sweep)',
} as const

/** Something that not every forge can do. */
type Ability = keyof typeof ONLY_GITHUB

/**
 * The program that hosts the repository: GitHub, or one that speaks Gitea's dialect of GitHub's API. Told apart by the address
 * of the API: below `/api/v1` it is Gitea's, which calls itself Forgejo where its version says so (`11.0.1+gitea-1.22.0`,
 * https://forgejo.org/docs/latest/user/versions).
 * @param askVersion what `GET /version` answers; empty when it gives none
 */
function openForge(apiUrl: string, log: GitHubLog, askVersion: () => Promise<string>) {
  const dialect = /\/api\/v1\/?$/.test(apiUrl) ? 'gitea' : 'github'
  let version: Promise<string> | undefined
  let told = false
  const forge = {
    dialect,
    /** For messages: `GitHub`, `Gitea`, `Forgejo`. */
    name: dialect === 'github' ? 'GitHub' : 'Gitea',
    /** Asks which one it is, where the address leaves that open. One call per run, none on GitHub; never throws. */
    async known(): Promise<string> {
      version ??= dialect === 'github' ? Promise.resolve('') : askVersion()
      if ((await version).includes('+gitea-')) forge.name = 'Forgejo'
      return await version
    },
    /** Whether it can do that. The first time that it cannot, one line of the log names all that it cannot. */
    async can(_ability: Ability): Promise<boolean> {
      if (dialect === 'github') return true
      const known = await forge.known()
      const called = `${forge.name} ${known}`.trimEnd()
      if (!told) log.info(`This forge is ${called}. It ${Object.values(ONLY_GITHUB).join(', ')}.`)
      told = true
      return false
    },
  }
  return forge
}
