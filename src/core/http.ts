import type { Route } from './dispatch.ts'
import { DeployError } from './errors.ts'
import { sanitizePhrase } from './sanitize.ts'

/** The part of `fetch` that is needed; injected, so that tests can stand between. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/**
 * What one answer, and all of a conversation, may cost us, in bytes after decompression: more than any honest one needs,
 * of which the longest are five hundred lines of a log.
 */
export const usualLimits = { messageBytes: 16_000_000, totalBytes: 64_000_000 }
const deepestJson = 64
const mostJsonValues = 500_000

/** Somebody answered with more than we take. Asking again would not help. */
export class AnswerTooLarge extends DeployError {
  override readonly name = 'AnswerTooLarge'
}

/**
 * Wraps `fetch` so that no answer, compressed or not, is read beyond its limits.
 * Reading further rejects with {@link AnswerTooLarge}.
 */
export function limitAnswers(fetch: Fetch, limits = usualLimits): Fetch {
  let total = 0
  return async (url, init) => {
    const response = await fetch(url, init)
    if (!response.body || response.status < 200) return response
    let length = 0
    const bounded = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        length += chunk.byteLength
        total += chunk.byteLength
        if (length > limits.messageBytes) controller.error(tooLarge(url, 'an answer', limits.messageBytes))
        else if (total > limits.totalBytes) controller.error(tooLarge(url, 'its answers together', limits.totalBytes))
        else controller.enqueue(chunk)
      },
    })
    const { status, statusText, headers } = response
    const body = response.body.pipeThrough(bounded)
    return new Response(body, { status, statusText, headers: new Headers([...headers]) })
  }
}

function tooLarge(url: string | URL, what: string, bytes: number): AnswerTooLarge {
  return new AnswerTooLarge(`${new URL(url).host} sends too much: ${what} came to more than ${bytes / 1e6} MB`, {
    hint: 'Nothing more was read. Check that the address is right; if it is, whoever runs that server should look.',
  })
}

/**
 * Parses JSON of strangers, which must be neither so deep nor of so many values that walking through it costs more than
 * its bytes suggest.
 * @throws AnswerTooLarge, or a SyntaxError when it is not JSON
 */
export function parseJson(text: string): unknown {
  let depth = 0
  let values = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      values++
      if (++depth > deepestJson) throw new AnswerTooLarge(`JSON nested more than ${deepestJson} levels deep`)
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--
    else if (code === COMMA) values++
    if (values > mostJsonValues) throw new AnswerTooLarge(`JSON of more than ${mostJsonValues} values`)
  }
  return JSON.parse(text)
}

/** As {@link parseJson}, for what may be anything: undefined for what it refuses. */
export function jsonIn(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c]
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d]

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at
  }
  return text.length
}

/** Whether a host name of a URL leads to this machine alone. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(hostname)
}

/** The body of a failure on one short line: a text as it is, of a page that was made for a browser its title. */
export function describeBody(body: string): string {
  const beginning = body.slice(0, 4000)
  if (!/^\s*</.test(beginning)) return sanitizePhrase(beginning)
  return sanitizePhrase(/<(?:title|h1)[^>]{0,200}>([^<]{1,200})/i.exec(beginning)?.[1] ?? 'a page of HTML')
}

/**
 * An address that a server told us, fit to be shown, asked and put out: http or https, a host, no credentials, nothing
 * that a terminal, Markdown or HTML would take for more than text. One without a scheme is taken for https.
 * @returns undefined when it is none
 */
export function webAddress(told: string | undefined): string | undefined {
  if (!told) return undefined
  const address = told.includes('://') ? told : `https://${told}`
  if (address.length > 2048 || !/^https?:\/\/[^\s<>"'`\\^{}|()[\]\x00-\x20\x7f-\uffff]+$/i.test(address))
    return undefined
  if (!URL.canParse(address)) return undefined
  const { username, password, hostname } = new URL(address)
  return username || password || !hostname ? undefined : address
}

/** The environment of the job, or what a test puts in its place. */
export type JobEnvironment = Readonly<Record<string, string | undefined>>

/**
 * `fetch` that goes through the proxies which `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name, in either
 * case, as git does. Node's own `fetch` knows nothing of them.
 * @throws DeployError naming the variable whose value is not the address of a proxy
 */
export function proxiedFetch(environment: JobEnvironment): Fetch {
  const proxyFor = readProxies(environment)
  return (url, init) => fetchThrough(proxyFor(new URL(url)), url, init)
}

/** `fetch` by way of a proxy or with a lookup of its own, or Node's own where there is neither. */
export async function fetchThrough(route: Route | undefined, url: string | URL, init?: RequestInit): Promise<Response> {
  if (route === undefined) return globalThis.fetch(url, init)
  const { fetchBy } = await import('./dispatch.ts')
  return fetchBy(route, url, init)
}

/** The way by the proxy for an address, if there is to be one. */
export function readProxies(environment: JobEnvironment): (target: URL) => Route | undefined {
  const read = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined
  const proxyOf = (name: string): Route | undefined => {
    const known = [name, 'ALL_PROXY'].find((one) => read(one) !== undefined)
    return known === undefined ? undefined : { proxy: usableProxy(known, read(known) ?? '') }
  }
  const proxies: Readonly<Record<string, Route | undefined>> = {
    'https:': proxyOf('HTTPS_PROXY'),
    'http:': proxyOf('HTTP_PROXY'),
  }
  const exceptions = (read('NO_PROXY') ?? '').split(/[\s,]+/).filter(Boolean)
  return (target) => (exceptions.some((one) => covers(one, target)) ? undefined : proxies[target.protocol])
}

/** `*`, an IP address, or a host with all below it (`corp.example`, `.corp.example`, `*.corp.example`), each with or without a port. */
function covers(exception: string, { hostname, port, protocol }: URL): boolean {
  if (exception === '*') return true
  const [, name = '', only] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(exception.toLowerCase()) ?? []
  if (only !== undefined && only !== (port || (protocol === 'http:' ? '80' : '443'))) return false
  return hostname === name || (!IPV4.test(hostname) && hostname.endsWith(`.${name}`))
}

// As `URL` writes every IPv4 address; those of version 6 are in brackets, so that none ends with a dot and a name.
const IPV4 = /^\d+(?:\.\d+){3}$/

function usableProxy(name: string, value: string): string {
  const { protocol = undefined } = URL.canParse(value) ? new URL(value) : {}
  if (protocol === 'http:' || protocol === 'https:') return value
  throw new DeployError(`The environment variable ${name} names no proxy that can be used`, {
    hint: 'It has to be an address such as http://proxy.example:3128; other kinds of proxy are not supported.',
  })
}
