import { type Clock, TimeLimitError, withinTime } from '../core/async.ts'
import { errorMessage } from '../core/errors.ts'
import { sanitize as sanitizeLine } from '../core/sanitize.ts'
import type { HealthCheck } from '../plan/settings.ts'
import { jittered } from './readings.ts'

/** The answer to one request, redirects not followed. */
export interface HttpAnswer {
  readonly status: number
  readonly location?: string
  /** Whether the wanted text stands in the body or in a header (`name: value`); absent when none was wanted. */
  readonly contains?: boolean
  /** The beginning of the body of a refusal or a failure; absent where it was not read. */
  readonly text?: string
}

/** Sends one GET without credentials or cookies, and follows no redirect. Rejects when no answer came. */
export type HttpRequest = (url: URL, signal: AbortSignal, wanted?: string) => Promise<HttpAnswer>

/** Shakes hands with the MCP server at exactly this URL and lists its tools' names; rejects when it cannot. */
export type McpProbe = (url: URL, signal: AbortSignal) => Promise<readonly string[]>

/** What came of asking the URL. */
export interface ProbeResult {
  readonly outcome: 'healthy' | 'unhealthy' | 'skipped' | 'no-url'
  /** The address asked last, redirects included. */
  readonly url?: string
  /** Of the last answer, over HTTP. */
  readonly status?: number
  /** Of the last answer, from sending the request to the start of the body; redirects included. */
  readonly latencyMs?: number
  readonly attempts: number
  /** Why the last attempt was not healthy. */
  readonly error?: string
  /** The last answer had a wanted status, but not the text that it has to contain. */
  readonly lacksText?: true
  /** The last answer is none that was asked for, and good enough since nothing in particular was. */
  readonly tolerated?: true
  /** The last answer is a proxy's, as far as can be told: nobody answers behind it. */
  readonly byEdge?: true
  /** The beginning of what the last answer said, where it was a refusal or a failure. Sanitized. */
  readonly text?: string
  readonly tools?: readonly string[]
}

export interface ProbeOptions {
  /** As the platform reports it; without one the service is a worker, and there is nothing to ask. */
  readonly url: string | undefined
  readonly check: HealthCheck
  /** The commit that is to answer, for `{sha}` in what the answer has to contain; undefined when nobody knows. */
  readonly commit: string | undefined
  readonly http: HttpRequest
  readonly mcp: McpProbe
  readonly clock: Clock
  /** Yields [0, 1). */
  readonly random: () => number
  readonly signal: AbortSignal
  /** Makes untrusted text harmless and masks secrets in it. */
  readonly sanitize?: (line: string) => string
}

/** One attempt. `error` is absent exactly when it was healthy. */
type Attempt = Omit<ProbeResult, 'outcome' | 'attempts' | 'latencyMs' | 'url'> & { readonly url: string }

/** A warming edge alternates between the new version and errors, so that one good answer proves little. */
const GOOD_IN_A_ROW = 3
const BETWEEN_GOOD_MS = 500
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 4_000
const ATTEMPT_LIMIT_MS = 15_000

/**
 * Asks a deployed service from outside until it answers as wanted three times in a row. Whatever else it answers is
 * waited out, since the platform's edge lags behind by up to two minutes.
 * @throws the signal's reason on abort; never because of what the service does
 */
export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  if (options.check.kind === 'none') return { outcome: 'skipped', attempts: 0 }
  if (options.url === undefined) return { outcome: 'no-url', attempts: 0 }
  const base = baseUrl(options.url)
  if (base === undefined) return { outcome: 'unhealthy', attempts: 0, error: 'the platform reports a URL that is none' }
  const ask = asking(options, options.check, base)
  const endAt = options.clock.now() + options.check.timeoutMs
  let result: ProbeResult = { outcome: 'unhealthy', attempts: 0, error: 'no time was given to ask' }
  let good = 0
  let bad = 0
  while (result.attempts === 0 || options.clock.now() < endAt) {
    const { isCutShort, ...attempt } = await timedAttempt(options, ask, endAt - options.clock.now())
    // It says nothing, and would hide what the one before it said.
    if (isCutShort && result.attempts > 0) break
    good = attempt.error === undefined ? good + 1 : 0
    bad = attempt.error === undefined ? 0 : bad + 1
    result = { ...attempt, outcome: good >= GOOD_IN_A_ROW ? 'healthy' : 'unhealthy', attempts: result.attempts + 1 }
    if (result.outcome === 'healthy') return result
    const pauseMs = good > 0 ? BETWEEN_GOOD_MS : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 1.3 ** (bad - 1))
    await options.clock.sleep(
      Math.max(0, Math.min(jittered(pauseMs, options.random), endAt - options.clock.now())),
      options.signal,
    )
  }
  const soon = 'it answered as wanted, but not three times in a row before the time was over'
  return { ...result, error: result.error ?? soon }
}

/** The platform's later generations report the host with a scheme, earlier ones also without. */
function baseUrl(reported: string): URL | undefined {
  const url = /^https?:\/\//i.test(reported) ? reported : `https://${reported}`
  return URL.canParse(url) ? new URL(url) : undefined
}

/** Whether a URL answers now as a tolerant check has it, and not as asked: by the app's own refusal. Asks once. */
export async function isMerelyTolerated(options: ProbeOptions): Promise<boolean> {
  const base = options.url === undefined ? undefined : baseUrl(options.url)
  if (base === undefined || options.check.kind !== 'http') return false
  return (await timedAttempt(options, asking(options, options.check, base), ATTEMPT_LIMIT_MS)).tolerated === true
}

type Ask = (signal: AbortSignal) => Promise<Attempt>

function asking({ http, mcp, commit }: ProbeOptions, check: Exclude<HealthCheck, { kind: 'none' }>, url: URL): Ask {
  if (check.kind === 'mcp') return askOverMcp(mcp, url)
  const contains = commit === undefined ? check.contains : check.contains?.replaceAll('{sha}', commit)
  if (contains?.includes('{sha}')) {
    const error = 'it is not known which commit should answer, since the branch is none of this action’s'
    return async () => ({ url: url.href, error })
  }
  return askOverHttp(http, new URL(check.path.replace(/^\/*/, '/'), url), { ...check, contains })
}

async function timedAttempt(options: ProbeOptions, ask: Ask, leftMs: number) {
  const { clock, signal, url, sanitize = sanitizeLine } = options
  const startedAt = clock.now()
  const limitMs = Math.max(0, Math.min(ATTEMPT_LIMIT_MS, leftMs))
  let isCutShort = false
  const attempt = await withinTime(clock, limitMs, signal, ask).catch((error: unknown): Attempt => {
    signal.throwIfAborted()
    isCutShort = error instanceof TimeLimitError && limitMs < ATTEMPT_LIMIT_MS
    return { url: url ?? '', error: errorMessage(error) }
  })
  const { text, tools, error } = attempt
  const answered = attempt.status !== undefined || tools !== undefined
  return {
    ...attempt,
    isCutShort,
    url: sanitize(attempt.url),
    ...(answered && { latencyMs: Math.round(clock.now() - startedAt) }),
    ...(text !== undefined && { text: sanitize(text) }),
    ...(tools !== undefined && { tools: tools.map(sanitize) }),
    ...(error !== undefined && { error: sanitize(error) }),
  }
}

const MOST_REDIRECTS = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * Asks a URL as a browser would, within its own host. A redirect to another host is judged by its own status: the
 * service works, and the runner must not be led to addresses that only it can reach.
 */
function askOverHttp(request: HttpRequest, start: URL, wanted: HttpCheck): Ask {
  return async (signal) => {
    let url = withoutCredentials(start)
    for (let redirects = 0; ; redirects += 1) {
      const answer = await request(url, signal, wanted.contains)
      const next = nextUrl(url, answer)
      if (next === undefined) return judged(url, answer, wanted)
      if (redirects >= MOST_REDIRECTS) {
        const error = `more than ${MOST_REDIRECTS} redirects, the last to ${next.href}`
        return { url: url.href, status: answer.status, error }
      }
      url = next
    }
  }
}

type HttpCheck = Extract<HealthCheck, { kind: 'http' }>

/** By these an app says that it is there, and that this page is not for whoever asks. */
const REFUSALS: readonly number[] = [401, 403, 404]

/**
 * What proxies say by themselves where nobody answers behind them: Traefik (and every other program in Go, which is why
 * such a 404 proves nothing), the ingress of Kubernetes, nginx, Envoy.
 */
const PROXY_WORDS =
  /^(?:404 page not found|default backend - 404|no available server|bad gateway|service unavailable|gateway time-?out|upstream connect error.*)?$|<center>(?:nginx|openresty)/i

function judged(url: URL, { status, contains, text }: HttpAnswer, wanted: HttpCheck): Attempt {
  const seen = { url: url.href, status, ...(text !== undefined && { text }) }
  if (!wanted.statuses.some(({ from, to }) => from <= status && status <= to)) {
    const byEdge = [404, 502, 503, 504].includes(status) && PROXY_WORDS.test((text ?? '').trim())
    if (wanted.tolerant && REFUSALS.includes(status) && !byEdge) return { ...seen, tolerated: true }
    return { ...seen, ...(byEdge && { byEdge }), error: `HTTP ${status}` }
  }
  if (wanted.contains === undefined || contains) return seen
  const error = `HTTP ${status}, but neither body nor headers contain “${wanted.contains}”`
  return { ...seen, lacksText: true, error }
}

function nextUrl(from: URL, { status, location }: HttpAnswer): URL | undefined {
  if (!REDIRECTS.has(status) || location === undefined || !URL.canParse(location, from.href)) return undefined
  const to = withoutCredentials(new URL(location, from))
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === ''
  const samePort = to.protocol === from.protocol && to.port === from.port
  return to.hostname === from.hostname && (upgraded || samePort) ? to : undefined
}

function withoutCredentials(url: URL): URL {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return bare
}

/** Where MCP servers listen by convention. */
const MCP_PATHS: readonly string[] = ['/mcp', '/']

/** Asks a service for the tools it offers over MCP, at `/mcp` and at its root; stays with the path that answered. */
function askOverMcp(mcp: McpProbe, base: URL): Ask {
  let paths = MCP_PATHS
  return async (signal) => {
    const errors: string[] = []
    for (const path of paths) {
      const url = new URL(path, base)
      try {
        const tools = await mcp(url, signal)
        paths = [path]
        return { url: url.href, tools }
      } catch (error) {
        signal.throwIfAborted()
        errors.push(`${path}: ${errorMessage(error)}`)
      }
    }
    return { url: base.href, error: `no MCP server answered (${errors.join('; ')})` }
  }
}

/** Where apps tell how they are, the best to ask first; then where those answer that have no page at `/`. */
const KNOWN_PATHS = [
  ...['healthz', 'health', 'livez', 'readyz', 'ready', 'live', 'status', 'ping', 'up', 'actuator/health'],
  ...['docs', 'swagger', 'openapi.json', 'redoc', 'graphql', 'api', 'v1', 'v2'],
]

/** Behind the start of a line, white space, a quote, a bracket or a host, and with nothing that makes it a file's path. */
const NAMED_PATH =
  /(?<=^|[\s"'`({[=,>]|https?:\/\/[\w.[\]-]+(?::\d+)?)\/((?:[\w.-]+\/)*[\w.-]+)\/?(?=$|[\s"'`)}\],;<?])/g

const MOST_NAMED = 3

/**
 * Paths that an app itself names, in its log or in an answer, and that are likely to answer well: `GET /health`,
 * `Docs at http://localhost:8000/docs`, `Mapped {/api/users, GET}`. The best first, three at most.
 */
export function namedPaths(lines: readonly string[]): readonly string[] {
  const found = lines
    .filter((line) => !/\b404\b/.test(line))
    .flatMap((line) => [...line.matchAll(NAMED_PATH)].map(([, path = '']) => path))
  const rank = (path: string) => {
    const lower = path.toLowerCase()
    return KNOWN_PATHS.findIndex(
      (known) => lower === known || lower.endsWith(`/${known}`) || lower.startsWith(`${known}/`),
    )
  }
  return [...new Set(found)]
    .filter((path) => rank(path) !== -1 && path.length <= 60)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MOST_NAMED)
    .map((path) => `/${path}`)
}
