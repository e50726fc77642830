import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exchangeAuthorization, registerClient, startAuthorization } from '@modelcontextprotocol/sdk/client/auth.js'
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { systemClock, TimeLimitError, withinTime } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import type { Fetch } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import { Secret } from '../core/secret.ts'
import { looksLikeApiKey } from '../plan/values.ts'
import { type AuthorizationServer, boundedFetch, checkKey, discover, KEY_MAY_REMAIN, step } from './server.ts'

/** What an answer to our request must agree with. */
export interface Expected {
  /** Made for this one request. */
  readonly state: string
  readonly redirectUri: string
  readonly issuer: string
  /** Whether the server has announced that its answers name it (RFC 9207). */
  readonly namesIssuer: boolean
}

/**
 * The code in an answer, once it is clear that it answers our request and comes from whom we asked. Errors are checked
 * in the same way, as anybody can send one.
 * @throws DeployError when it does not, or when access was not given
 */
export function codeIn(answer: URLSearchParams, expected: Expected): string {
  for (const name of ['state', 'iss', 'error', 'code']) {
    if (answer.getAll(name).length > 1) throw suspicious(`it has more than one ${name}`)
  }
  if (answer.get('state') !== expected.state) throw suspicious('its state is not the one of this login')
  const issuer = answer.get('iss')
  if (issuer === null && expected.namesIssuer) throw suspicious('it does not say who sent it')
  if (issuer !== null && issuer !== expected.issuer) {
    throw suspicious(`it comes from ${sanitizePhrase(issuer)} instead of ${expected.issuer}`)
  }
  const error = answer.get('error')
  if (error !== null) throw refused(error, answer.get('error_description'))
  const code = answer.get('code')
  if (!code) throw suspicious('it has no code')
  return code
}

/**
 * The code in what somebody pasted: the address that the browser was led to, or the code alone. A code alone comes
 * without state and issuer; that it is ours shows when it is exchanged, as it is bound to our verifier.
 * @throws DeployError
 */
export function codePasted(text: string, expected: Expected): string {
  const pasted = text.trim()
  if (!/^https?:/i.test(pasted)) {
    if (/^[\x21-\x7e]{1,2048}$/.test(pasted)) return pasted
    throw new DeployError('what was pasted is neither an address nor a code', { hint: AGAIN })
  }
  const address = URL.canParse(pasted) ? new URL(pasted) : undefined
  if (address === undefined || address.origin + address.pathname !== expected.redirectUri) {
    throw new DeployError(`the address pasted is not the one that the browser was led to`, {
      hint: `It starts with ${expected.redirectUri}?. ${AGAIN}`,
    })
  }
  return codeIn(address.searchParams, expected)
}

const AGAIN = 'Log in again.'

function suspicious(why: string): DeployError {
  return new DeployError(`the answer that came back is not for this login: ${why}`, {
    hint: `No key was asked for. ${AGAIN} If it happens again, somebody or something may be interfering.`,
  })
}

function refused(error: string, description: string | null): DeployError {
  const words = sanitizePhrase([error, description].filter(Boolean).join(': '))
  return new DeployError(`ml.ink did not give access: ${words}`, {
    hint: error === 'access_denied' ? `Allow it in the browser to get a key. ${AGAIN}` : AGAIN,
  })
}

/** Where somebody may be reading and answering. */
export interface Terminal extends Disposable {
  /** Whether there is somebody to ask. */
  readonly interactive: boolean
  /** Tells something, beside the output. */
  say(text: string): void
  /** The output: what another program may be waiting for. */
  print(text: string): void
  /** The next line that is typed or piped in; undefined at the end of it. */
  line(signal: AbortSignal): Promise<string | undefined>
}

/** What getting a key needs of the world. */
export interface ObtainDeps {
  readonly fetch: Fetch
  readonly terminal: Terminal
  readonly openBrowser: (address: string, onFailure: () => void) => void
  /** A text that nobody can guess. */
  readonly newState: () => string
  /** How long somebody may take in the browser. */
  readonly patienceMs: number
  readonly now: () => number
  readonly signal: AbortSignal
}

/**
 * Gets an API key through the browser: OAuth 2.1 with PKCE, for a client registered for this one login.
 * @throws DeployError
 */
export async function obtainKey(
  { endpoint, browser }: { readonly endpoint: string; readonly browser: boolean },
  deps: ObtainDeps,
): Promise<Secret> {
  const fetch = boundedFetch(deps.fetch, deps.signal)
  const server = await discover(endpoint, fetch, deps.signal)
  const tokens = await authorize(server, browser, { ...deps, fetch })
  const key = readKey(tokens)
  await checkKey(endpoint, fetch, key)
  if (tokens.expires_in !== undefined) deps.terminal.say(expiry(tokens.expires_in, deps.now()))
  return key
}

async function authorize(server: AuthorizationServer, browser: boolean, deps: ObtainDeps): Promise<OAuthTokens> {
  const { fetch, signal } = deps
  const { issuer, metadata, namesIssuer, resource } = server
  const scope = server.scope ? { scope: server.scope } : {}
  const state = deps.newState()
  await using loopback = await openLoopback(state)
  const { redirectUri, visit } = loopback
  const clientMetadata = {
    client_name: 'Ink Deploy',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  const clientInformation = await step('register this program', signal, () =>
    registerClient(issuer, { metadata, clientMetadata, ...scope, fetchFn: fetch }),
  )
  const { authorizationUrl, codeVerifier } = await step('take the request', signal, () =>
    startAuthorization(issuer, { metadata, clientInformation, redirectUrl: redirectUri, state, resource, ...scope }),
  )
  const expected = { state, redirectUri, issuer, namesIssuer }
  const answer = visit.then((parameters) => codeIn(parameters, expected))
  const ask = browser ? askBrowser : askForPaste
  const authorizationCode = await inTime(deps, ask(authorizationUrl, answer, expected, deps))
  const exchange = { metadata, clientInformation, authorizationCode, codeVerifier, redirectUri, resource }
  // Awaited here, so that the port is closed after it: a failure meanwhile would be nobody's.
  return await step('hand out a key', signal, () => exchangeAuthorization(issuer, { ...exchange, fetchFn: fetch }))
}

function askBrowser(address: URL, answer: Promise<string>, _expected: Expected, deps: ObtainDeps): Promise<string> {
  const { terminal } = deps
  terminal.say(`Opening the browser at ${address.host}. If it does not open, go to\n\n  ${address.href}\n`)
  deps.openBrowser(address.href, () =>
    terminal.say('The browser could not be opened. Open the address above; on another machine, use --no-browser.'),
  )
  return answer
}

/** The address may be opened on this machine after all; then the browser comes back by itself. */
function askForPaste(address: URL, answer: Promise<string>, expected: Expected, deps: ObtainDeps): Promise<string> {
  const { terminal, signal } = deps
  terminal.say(`Open this address in a browser, and allow access:\n\n  ${address.href}\n`)
  terminal.say(`It leads to an address that starts with ${expected.redirectUri}, which need not load. Paste it here:`)
  const pasted = async (): Promise<string> => {
    const text = await terminal.line(signal)
    if (text === undefined) throw new DeployError('nothing was pasted', { hint: AGAIN })
    return codePasted(text, expected)
  }
  return Promise.race([answer, pasted()])
}

async function inTime<T>({ patienceMs, signal }: ObtainDeps, answer: Promise<T>): Promise<T> {
  try {
    return await withinTime(systemClock, patienceMs, signal, () => answer)
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error
    throw new DeployError(`nobody allowed access within ${Math.round(patienceMs / 60_000)} minutes`, {
      hint: 'Log in again, and answer in the browser.',
    })
  }
}

function readKey({ access_token: token, token_type: type }: OAuthTokens): Secret {
  if (type.toLowerCase() === 'bearer' && looksLikeApiKey(token)) return new Secret(token)
  throw new DeployError('what ml.ink handed out is not an API key', {
    hint: `The action would not take it. ${KEY_MAY_REMAIN} Make another one there, and save it as the secret by hand.`,
  })
}

function expiry(seconds: number, now: number): string {
  const day = new Date(now + seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
  return `Note: this key expires on ${day} UTC. Deployments fail from then on, until there is a new one.`
}

const CALLBACK = '/callback'
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Back to the terminal</title>
<h1>Back to the terminal</h1>
<p>Ink Deploy goes on there, and says whether it worked. This page can be closed.</p>
</html>
`

/**
 * Opens a free port of 127.0.0.1, an address for the browser to come back to (RFC 8252, 7.3).
 * @param state of this login. Any page on the web can try the ports of this machine: a visit without it is turned away,
 * and does not keep the one that is waited for from coming
 */
export async function openLoopback(state: string) {
  let accept: (answer: URLSearchParams) => void = () => {}
  const visit = new Promise<URLSearchParams>((resolve) => {
    accept = resolve
  })
  const server = createServer((request, response) => {
    const address = addressOf(request.url ?? '')
    const status = statusFor(request, address, port, state)
    const final = { connection: 'close', 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }
    if (status !== 200) return void response.writeHead(status, final).end()
    server.close()
    // The page is on its way before the process may end.
    response.on('close', () => accept(address.searchParams))
    // The address of this page has the code in it.
    const quiet = { 'content-security-policy': "default-src 'none'", 'referrer-policy': 'no-referrer' }
    response.writeHead(200, { ...final, ...quiet }).end(PAGE)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening').catch((cause: unknown) => {
    const hint = 'Check what forbids it on this machine; or run this elsewhere.'
    throw new DeployError('no port of 127.0.0.1 could be opened for the browser to come back to', { cause, hint })
  })
  const { port } = server.address() as AddressInfo
  return {
    redirectUri: `http://127.0.0.1:${port}${CALLBACK}`,
    /** What the first visit with the state of this login brought. From then on nobody is let in any more. */
    visit,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Where a request leads. `//` and its like are not addresses, and anybody may ask for them. */
function addressOf(target: string): URL {
  const origin = 'http://127.0.0.1'
  return URL.canParse(target, origin) ? new URL(target, origin) : new URL(origin)
}

function statusFor({ method, headers }: IncomingMessage, address: URL, port: number, state: string): number {
  // A page on the web can have a name of its own lead here; what it then sends names that.
  if (headers.host !== `127.0.0.1:${port}`) return 403
  if (address.pathname !== CALLBACK) return 404
  if (method !== 'GET') return 405
  return address.searchParams.get('state') === state ? 200 : 400
}
