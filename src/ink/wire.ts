import * as z from 'zod'
import { retryAfterMs, signalWithin, systemClock } from '../core/async.ts'
import { AnswerTooLarge, describeBody, type Fetch, jsonIn, parseJson } from '../core/http.ts'
import { httpError, networkError, PlatformError, protocolError } from './errors.ts'

/**
 * Wraps `fetch` for the MCP transport so that every way of failing becomes a typed {@link PlatformError}, and so that an
 * answer counts only once it is complete. An answer that comes as a stream of events is read up to its result and handed
 * on as JSON: the transport alone would wait for its full time-out when such a stream breaks off. Where the server numbers
 * its events, a stream that broke off is taken up again; anything else is a lost answer.
 * @param timeoutMs how long one request may take, its whole answer included
 * @param redact removes secrets from a body that will be shown
 */
export function platformFetch(fetch: Fetch, timeoutMs: number, redact: (text: string) => string): Fetch {
  return async (url, init) => {
    // The transport opens a GET stream for messages from the server. ml.ink is stateless and sends none, so the request
    // is answered here the way such a server would, which saves one round trip per session.
    if (init?.method === 'GET') return new Response(null, { status: 405 })
    const host = new URL(url).host
    const signal = signalWithin(timeoutMs, ...(init?.signal ? [init.signal] : []))
    const attempt = <T>(act: () => Promise<T>): Promise<T> =>
      act().catch((thrown: unknown) => {
        if (thrown instanceof PlatformError || init?.signal?.aborted) throw thrown
        if (!(thrown instanceof AnswerTooLarge)) throw networkError(thrown, host)
        // It would not be smaller the next time.
        throw protocolError(`ml.ink (${host}) answered with more than can be taken: ${thrown.message}`, thrown)
      })
    // Seen before it is followed: the key goes along with a request that `fetch` redirects by itself.
    const response = await attempt(() => fetch(url, { ...init, signal, redirect: 'manual' }))
    refuseRedirectElsewhere(response, url)
    if (response.status >= 400) {
      const body = redact(await attempt(() => response.text()))
      if (response.status === 402) throw paymentRequired(response, body, redact)
      // The specification (Streamable HTTP, session management) has the client begin a new session then.
      if (response.status === 404 && new Headers(init?.headers).has('mcp-session-id')) {
        throw new PlatformError('session-ended', `ml.ink at ${host} has ended the session (HTTP 404)`)
      }
      const retryAfter = retryAfterMs(response.headers.get('retry-after'), Date.now())
      throw httpError(response.status, body, host, retryAfter)
    }
    if (response.status !== 200 || !response.body) return response
    const type = response.headers.get('content-type') ?? ''
    if (isStream(response)) {
      const resume = (lastEventId: string) => fetch(url, { ...resuming(init, lastEventId), signal, redirect: 'manual' })
      return jsonAnswer(await attempt(() => streamedResult(response, resume, signal)), response)
    }
    if (type.includes('json')) return jsonAnswer(await attempt(() => completeJson(response)), response)
    const text = await attempt(() => response.text())
    return new Response(text, { status: 200, headers: { 'content-type': type } })
  }
}

function refuseRedirectElsewhere(response: Response, url: string | URL): void {
  const location = response.headers.get('location')
  if (response.status < 300 || response.status >= 400 || !location) return
  const { origin, host, href } = new URL(url)
  const target = URL.canParse(location, href) ? new URL(location, href) : undefined
  if (target?.origin === origin) return
  const where = target === undefined ? 'something that is not an address' : `another host, ${target.host}`
  throw new PlatformError('redirected', `ml.ink at ${host} redirects to ${where}; the API key was not sent there`, {
    hint:
      target &&
      `If ml.ink has moved, set \`endpoint: ${target.origin}${target.pathname}\` once you have made sure that the host is theirs.`,
  })
}

async function completeJson(response: Response): Promise<string> {
  const text = await response.text()
  try {
    parseJson(text)
    return text
  } catch (cause) {
    throw cause instanceof AnswerTooLarge ? cause : new Error('the answer is not complete JSON', { cause })
  }
}

function jsonAnswer(text: string, original: Response): Response {
  const headers = new Headers({ 'content-type': 'application/json' })
  const session = original.headers.get('mcp-session-id')
  if (session) headers.set('mcp-session-id', session)
  return new Response(text, { status: 200, headers })
}

function isStream({ headers }: Response): boolean {
  return headers.get('content-type')?.includes('text/event-stream') ?? false
}

function resuming(init: RequestInit | undefined, lastEventId: string): RequestInit {
  const headers = new Headers(init?.headers)
  headers.delete('content-type')
  headers.set('accept', 'text/event-stream')
  headers.set('last-event-id', lastEventId)
  return { method: 'GET', headers }
}

/** How far a stream was read, by what it says itself (HTML, server-sent events: `id` and `retry`). */
type Progress = { lastEventId: string | undefined; retryMs: number }

const retryUnlessToldMs = 1_000
const shortestRetryMs = 100

/**
 * Reads a stream up to its result. A server that numbers its events may close the stream before that and be asked to go
 * on (Streamable HTTP, resumability), which starts nothing a second time.
 */
async function streamedResult(
  response: Response,
  resume: (lastEventId: string) => Promise<Response>,
  signal: AbortSignal,
): Promise<string> {
  const progress: Progress = { lastEventId: undefined, retryMs: retryUnlessToldMs }
  for (let stream = response; ; ) {
    const result = await firstResult(stream, progress).catch((error: unknown) => {
      if (progress.lastEventId === undefined || error instanceof AnswerTooLarge || signal.aborted) throw error
    })
    if (result !== undefined) return result
    if (progress.lastEventId === undefined) break
    await systemClock.sleep(Math.max(shortestRetryMs, progress.retryMs), signal)
    // That this request was not even sent says nothing of the first one, which may have been carried out.
    const next = await resume(progress.lastEventId).catch(() => undefined)
    signal.throwIfAborted()
    if (next?.status !== 200 || !isStream(next)) {
      await next?.body?.cancel()
      break
    }
    stream = next
  }
  throw new Error('the stream of events ended before the result')
}

/** Reads server-sent events until the one that carries the JSON-RPC response; undefined when there is none. */
async function firstResult(response: Response, progress: Progress): Promise<string | undefined> {
  const decoder = new TextDecoder()
  // Only the end of what has come is looked at for the end of an event: a long one would be searched again and again.
  let pieces: string[] = []
  let tail = ''
  for await (const chunk of response.body ?? []) {
    const text = decoder.decode(chunk, { stream: true }).replaceAll('\r', '')
    if (!text) continue
    pieces.push(text)
    const ended = `${tail}${text}`.includes('\n\n')
    tail = text.endsWith('\n') ? '\n' : ''
    if (!ended) continue
    const events = pieces.join('').split('\n\n')
    pieces = [events.pop() ?? '']
    for (const event of events) {
      progress.lastEventId = field(event, 'id')?.trim() || progress.lastEventId
      const retry = field(event, 'retry')?.trim() ?? ''
      if (/^\d{1,6}$/.test(retry)) progress.retryMs = Number(retry)
    }
    const result = events.map((event) => field(event, 'data') ?? '').find(isRpcResponse)
    if (result !== undefined) return result
  }
  return undefined
}

/** A field of an event, its lines together. */
function field(event: string, name: 'data' | 'id' | 'retry'): string | undefined {
  const lines = event.split('\n').filter((line) => line.startsWith(`${name}:`))
  return lines.length === 0 ? undefined : lines.map((line) => line.slice(name.length + 1).trimStart()).join('\n')
}

function isRpcResponse(data: string): boolean {
  if (!data) return false
  try {
    const message: unknown = parseJson(data)
    return typeof message === 'object' && message !== null && ('result' in message || 'error' in message)
  } catch (error) {
    if (error instanceof AnswerTooLarge) throw error
    return false // a broken event is not a result; when none follows, the loop above reports the lost answer
  }
}

// A stranger's text: on one line, without invisible characters, and short.
const printable = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => onOneLine(String(value ?? '')) || undefined)

// x402: version 1 says `maxAmountRequired`, version 2 `amount`, and puts resource and description beside the list.
const requirement = z.object({
  scheme: printable,
  network: printable,
  maxAmountRequired: printable,
  amount: printable,
  asset: printable,
  payTo: printable,
  resource: printable,
  description: printable,
})
const termsSchema = z.object({
  error: printable,
  resource: z
    .union([
      z.string().transform((url) => ({ url: onOneLine(url), description: undefined })),
      z.object({ url: printable, description: printable }),
    ])
    .nullish(),
  accepts: z.array(requirement).min(1),
})

const mostShown = 3
const longestField = 80

/**
 * What a payment that is asked for would be, in one line, read off an x402 answer (a JSON body with `accepts`).
 * @returns undefined when the body is not such an answer
 */
export function paymentTerms(body: string): string | undefined {
  const { data } = termsSchema.safeParse(jsonIn(body))
  if (data === undefined) return undefined
  const { error, accepts, resource: about } = data
  const ways = accepts.slice(0, mostShown).map((one) => describePayment(one, about ?? undefined))
  const more = accepts.length > mostShown ? [`${accepts.length - mostShown} more ways`] : []
  return [...(error ? [error] : []), ...ways, ...more].join('; ')
}

/** Never paid and never asked again: what a deployment may cost is for people to decide. */
function paymentRequired({ headers }: Response, body: string, redact: (text: string) => string): PlatformError {
  // The terms of version 2 come in a header, as base64 of the same JSON.
  const header = headers.get('payment-required')
  const told = header === null ? body : redact(Buffer.from(header, 'base64').toString('utf8'))
  const terms = paymentTerms(told) ?? describeBody(told)
  const what = `ml.ink answered “payment required” (HTTP 402)${terms ? `. Its terms: ${terms}` : ''}`
  return new PlatformError('payment-required', what)
}

function describePayment(
  way: z.output<typeof requirement>,
  about?: { url?: string | undefined; description?: string | undefined },
): string {
  const { scheme, network, maxAmountRequired, amount, asset, payTo } = way
  const { resource = about?.url, description = about?.description } = way
  const sum = maxAmountRequired ?? amount
  return [
    // Amounts are in the asset's smallest unit, and how many make one only its chain knows.
    sum ? `${sum} of the smallest unit` : 'an amount that is not told',
    asset && `of ${asset}`,
    network && `on ${network}`,
    scheme && `(${scheme})`,
    payTo && `to ${payTo}`,
    resource && `for ${resource}`,
    description && `“${description}”`,
  ]
    .filter(Boolean)
    .join(' ')
}

function onOneLine(text: string): string {
  const line = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim()
  return line.length > longestField ? `${line.slice(0, longestField - 1)}…` : line
}
