import { exchangeAuthorization, registerClient, startAuthorization } from '@modelcontextprotocol/sdk/client/auth.js'
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { DeployError } from '../core/errors.ts'
import type { Fetch } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import { Secret } from '../core/secret.ts'
import { looksLikeApiKey } from '../plan/values.ts'
import { openLoopback, type Terminal, unlessAborted } from './interaction.ts'
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
  const { issuer, metadata, namesIssuer, resource, scope } = server
  const state = deps.newState()
  await using loopback = await openLoopback(state)
  const { redirectUri, visit } = loopback
  const clientInformation = await register(server, redirectUri, fetch, signal)
  const expected = { state, redirectUri, issuer, namesIssuer }
  const { authorizationUrl, codeVerifier } = await step('take the request', signal, () =>
    startAuthorization(issuer, {
      metadata,
      clientInformation,
      redirectUrl: redirectUri,
      state,
      resource,
      ...(scope && { scope }),
    }),
  )
  const answer = visit.then((parameters) => codeIn(parameters, expected))
  const code = browser
    ? askBrowser(authorizationUrl, answer, deps)
    : askForPaste(authorizationUrl, answer, expected, deps)
  const authorizationCode = await inTime(deps, code)
  const exchange = { metadata, clientInformation, authorizationCode, codeVerifier, redirectUri, resource }
  // Awaited here, so that the port is closed after it: a failure meanwhile would be nobody's.
  return await step('hand out a key', signal, () => exchangeAuthorization(issuer, { ...exchange, fetchFn: fetch }))
}

function register(server: AuthorizationServer, redirectUri: string, fetch: Fetch, signal: AbortSignal) {
  return step('register this program', signal, () =>
    registerClient(server.issuer, {
      metadata: server.metadata,
      clientMetadata: {
        client_name: 'Ink Deploy',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      ...(server.scope && { scope: server.scope }),
      fetchFn: fetch,
    }),
  )
}

function askBrowser(address: URL, answer: Promise<string>, { terminal, openBrowser }: ObtainDeps): Promise<string> {
  terminal.say(`Opening the browser at ${address.host}. If it does not open, go to\n\n  ${address.href}\n`)
  openBrowser(address.href, () =>
    terminal.say('The browser could not be opened. Open the address above; on another machine, use --no-browser.'),
  )
  return answer
}

/** The address may be opened on this machine after all; then the browser comes back by itself. */
function askForPaste(
  address: URL,
  answer: Promise<string>,
  expected: Expected,
  { terminal, signal }: ObtainDeps,
): Promise<string> {
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
  const tooLong = AbortSignal.timeout(patienceMs)
  try {
    return await unlessAborted(answer, AbortSignal.any([signal, tooLong]))
  } catch (error) {
    if (!tooLong.aborted || signal.aborted) throw error
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
