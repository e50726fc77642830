import { httpError, networkError, PlatformError } from './errors.ts'
import { decodedTerms } from './payment-terms.ts'

/** The part of `fetch` that the session needs; injected, so that tests can stand between. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/**
 * Wraps `fetch` for the MCP transport so that every way of failing becomes a typed {@link PlatformError}, and so that an
 * answer counts only once it is complete. An answer that comes as a stream of events is read up to its result and handed
 * on as JSON: the transport alone would wait for its full time-out when such a stream breaks off.
 *
 * @param timeoutMs how long one request may take, its whole answer included
 * @param redact removes secrets from a body that will be shown
 */
export function platformFetch(fetch: Fetch, timeoutMs: number, redact: (text: string) => string): Fetch {
  return async (url, init) => {
    if (init?.method === 'GET') return noStandingStream(fetch, url, init)
    const host = new URL(url).host
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(init?.signal ? [init.signal] : [])])
    // Seen before it is followed: the key goes along with a request that `fetch` redirects by itself.
    const response = await attempt(() => fetch(url, { ...init, signal, redirect: 'manual' }), init?.signal, host)
    refuseForeignRedirect(response, url)
    if (response.status >= 400) {
      const body = redact(await attempt(() => response.text(), init?.signal, host))
      const terms = response.status === 402 ? decodedTerms(response.headers.get('payment-required')) : undefined
      throw httpError(
        response.status,
        terms ? redact(terms) : body,
        host,
        retryAfterMs(response.headers.get('retry-after')),
      )
    }
    if (response.status !== 200 || !response.body) return response
    const type = response.headers.get('content-type') ?? ''
    if (type.includes('text/event-stream'))
      return jsonAnswer(await attempt(() => firstResult(response, host), init?.signal, host), response)
    const text = await attempt(() => response.text(), init?.signal, host)
    return type.includes('json')
      ? jsonAnswer(completeJson(text, host), response)
      : new Response(text, { status: 200, headers: { 'content-type': type } })
  }
}

// The transport opens a GET stream for messages from the server. ml.ink is stateless and sends none, so the request is
// answered here the way such a server would, which saves one round trip per session.
async function noStandingStream(fetch: Fetch, url: string | URL, init: RequestInit): Promise<Response> {
  const resumes = new Headers(init.headers).has('last-event-id')
  return resumes ? fetch(url, { ...init, redirect: 'manual' }) : new Response(null, { status: 405 })
}

async function attempt<T>(
  act: () => Promise<T>,
  callerSignal: AbortSignal | null | undefined,
  host: string,
): Promise<T> {
  try {
    return await act()
  } catch (thrown) {
    if (thrown instanceof PlatformError || callerSignal?.aborted) throw thrown
    throw networkError(thrown, host)
  }
}

function refuseForeignRedirect(response: Response, url: string | URL): void {
  const location = response.headers.get('location')
  if (response.status < 300 || response.status >= 400 || !location) return
  const target = new URL(location, url)
  if (target.origin === new URL(url).origin) return
  throw new PlatformError(
    'redirected',
    `ml.ink at ${new URL(url).host} redirects to another host, ${target.host}; the API key was not sent there`,
    {
      hint: `If ml.ink has moved, set \`endpoint: ${target.origin}${target.pathname}\` once you have made sure that the host is theirs.`,
    },
  )
}

function completeJson(text: string, host: string): string {
  try {
    JSON.parse(text)
    return text
  } catch (cause) {
    throw networkError(new Error('the answer is not complete JSON', { cause }), host)
  }
}

function jsonAnswer(text: string, original: Response): Response {
  const headers = new Headers({ 'content-type': 'application/json' })
  const session = original.headers.get('mcp-session-id')
  if (session) headers.set('mcp-session-id', session)
  return new Response(text, { status: 200, headers })
}

/** Reads server-sent events until the one that carries the JSON-RPC response. */
async function firstResult(response: Response, host: string): Promise<string> {
  const decoder = new TextDecoder()
  let pending = ''
  for await (const chunk of response.body ?? []) {
    pending += decoder.decode(chunk, { stream: true }).replaceAll('\r\n', '\n')
    const events = pending.split('\n\n')
    pending = events.pop() ?? ''
    const result = events.map(eventData).find(isRpcResponse)
    if (result !== undefined) return result
  }
  throw networkError(new Error('the stream of events ended before the result'), host)
}

function eventData(event: string): string {
  return event
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trimStart())
    .join('\n')
}

function isRpcResponse(data: string): boolean {
  if (!data) return false
  try {
    const message: unknown = JSON.parse(data)
    return typeof message === 'object' && message !== null && ('result' in message || 'error' in message)
  } catch {
    return false // a broken event is no result; when none follows, the loop above reports the lost answer
  }
}

/** Reads a `Retry-After` header (RFC 9110: seconds or an HTTP date) as milliseconds. */
export function retryAfterMs(header: string | null, now: number = Date.now()): number | undefined {
  if (!header) return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
