import type { Attempt } from './probe.ts'

/** The answer to one request, redirects not followed. */
export interface HttpAnswer {
  readonly status: number
  /** The `Location` header. */
  readonly location?: string
  /** The beginning of a text body. */
  readonly body?: string
}

/** Sends one GET without credentials or cookies, and follows no redirect. Rejects when no answer came. */
export type HttpRequest = (url: URL, signal: AbortSignal) => Promise<HttpAnswer>

const MOST_REDIRECTS = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * Asks a URL as a browser would, within its own host. A redirect to another host is judged by its own status: the
 * service works, and the runner must not be led to addresses that only it can reach.
 */
export function askOverHttp(
  request: HttpRequest,
  start: URL,
  isWanted: (status: number) => boolean,
): (signal: AbortSignal) => Promise<Attempt> {
  return async (signal) => {
    let url = withoutCredentials(start)
    for (let redirects = 0; ; redirects += 1) {
      const answer = await request(url, signal)
      const next = nextUrl(url, answer)
      if (next === undefined) return judged(url, answer, isWanted)
      if (redirects >= MOST_REDIRECTS) {
        return {
          url: url.href,
          status: answer.status,
          error: `more than ${MOST_REDIRECTS} redirects, the last to ${next.href}`,
        }
      }
      url = next
    }
  }
}

function judged(url: URL, answer: HttpAnswer, isWanted: (status: number) => boolean): Attempt {
  const seen = { url: url.href, status: answer.status, ...(answer.body === undefined ? {} : { body: answer.body }) }
  return isWanted(answer.status) ? seen : { ...seen, error: `HTTP ${answer.status}` }
}

function nextUrl(from: URL, answer: HttpAnswer): URL | undefined {
  if (!REDIRECTS.has(answer.status) || answer.location === undefined || !URL.canParse(answer.location, from.href)) {
    return undefined
  }
  const to = withoutCredentials(new URL(answer.location, from))
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === ''
  const sameHost =
    to.hostname === from.hostname && (upgraded || (to.protocol === from.protocol && to.port === from.port))
  return sameHost ? to : undefined
}

function withoutCredentials(url: URL): URL {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return bare
}
