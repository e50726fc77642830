import {
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/sdk/client/auth.js'
import { OAuthError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import type { AuthorizationServerMetadata } from '@modelcontextprotocol/sdk/shared/auth.js'
import { checkResourceAllowed } from '@modelcontextprotocol/sdk/shared/auth-utils.js'
import { LATEST_PROTOCOL_VERSION } from '@modelcontextprotocol/sdk/types.js'
import { signalWithin } from '../core/async.ts'
import { DeployError, errorMessage } from '../core/errors.ts'
import { type Fetch, isLoopback } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import type { Secret } from '../core/secret.ts'

const requestTimeoutMs = 20_000

/**
 * `fetch` with a time limit, whose failures are errors of ours: the SDK takes a `TypeError` for a browser's refusal and
 * would go on as if there were nothing at that address.
 */
export function boundedFetch(fetch: Fetch, signal: AbortSignal): Fetch {
  return async (url, init) => {
    try {
      return await fetch(url, { ...init, signal: signalWithin(requestTimeoutMs, signal) })
    } catch (cause) {
      signal.throwIfAborted()
      throw new DeployError(`${new URL(url).host} could not be reached`, {
        cause,
        hint: 'Check the network, the proxy settings and --endpoint.',
      })
    }
  }
}

/**
 * Carries out one step with the SDK, whose errors become ours.
 * @param step completes “ml.ink did not …”
 */
export async function step<T>(step: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DeployError) throw error
    const code = error instanceof OAuthError ? `${error.errorCode}: ` : ''
    // Untrusted words, of any length: a page of HTML where a proxy answers.
    const words = sanitizePhrase(`${code}${errorMessage(error)}`)
    throw new DeployError(`ml.ink did not ${step}: ${words}`, {
      hint: 'Log in again. If it stays so, make a key at ml.ink (account, API keys) and save it as the secret by hand.',
    })
  }
}

/**
 * What to tell somebody whose login ended before its key was stored: from the moment that access is allowed there may be
 * a key at ml.ink, and nobody has it.
 */
export const KEY_MAY_REMAIN = 'If access was already allowed, remove the key at ml.ink (account, API keys).'

/** Greets the MCP endpoint, with a key or without, and returns how it answered. The key follows no redirect. */
export async function initialize(endpoint: string, fetch: Fetch, key?: Secret): Promise<Response> {
  const clientInfo = { name: 'ink-deploy', version: '1.0.0' }
  const params = { protocolVersion: LATEST_PROTOCOL_VERSION, capabilities: {}, clientInfo }
  const response = await fetch(endpoint, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'x-ink-client': 'ink-deploy',
      ...(key && { authorization: `Bearer ${key.reveal()}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  })
  await response.body?.cancel()
  return response
}

/** @throws DeployError when the endpoint does not take the key, which would show in the first deployment only */
export async function checkKey(endpoint: string, fetch: Fetch, key: Secret): Promise<void> {
  const { status } = await initialize(endpoint, fetch, key)
  if (status === 200) return
  throw new DeployError(`ml.ink handed out a key that ${new URL(endpoint).host} does not take (HTTP ${status})`, {
    hint: `Nothing was stored. ${KEY_MAY_REMAIN} Log in again; if it stays so, make a key there.`,
  })
}

/** Whom to ask for a key, and how. */
export type AuthorizationServer = Awaited<ReturnType<typeof discover>>

/**
 * Finds the authorization server of an MCP endpoint: by its refusal, its resource metadata (RFC 9728) and the server's
 * own metadata (RFC 8414). What these say is checked here where the SDK takes it as it comes.
 * @throws DeployError when there is none, or none that could be trusted with a login
 */
export async function discover(endpoint: string, fetch: Fetch, signal: AbortSignal) {
  const refusal = await initialize(endpoint, fetch)
  if (refusal.status !== 401) {
    throw new DeployError(`${endpoint} answered HTTP ${refusal.status} where ml.ink asks for a key`, {
      hint: 'Check that --endpoint is the MCP endpoint of ml.ink.',
    })
  }
  const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refusal)
  if (resourceMetadataUrl) requireSafe(resourceMetadataUrl.href, 'resource metadata', endpoint)
  const resource = await step('say where to log in', signal, () =>
    discoverOAuthProtectedResourceMetadata(endpoint, resourceMetadataUrl ? { resourceMetadataUrl } : {}, fetch),
  )
  if (!checkResourceAllowed({ requestedResource: endpoint, configuredResource: resource.resource })) {
    throw untrusted(`it says to be ${sanitizePhrase(resource.resource)} instead of ${endpoint}`)
  }
  const server = resource.authorization_servers?.[0]
  if (server === undefined) throw untrusted('it names no authorization server')
  requireSafe(server, 'authorization server', endpoint)
  const metadata = await step('say how to log in', signal, () =>
    discoverAuthorizationServerMetadata(server, { fetchFn: fetch }),
  )
  if (metadata === undefined) throw untrusted(`there is no authorization server at ${server}`)
  checkServer(metadata, server, endpoint)
  return {
    issuer: metadata.issuer,
    metadata,
    /** Whether its answers name it (RFC 9207). */
    namesIssuer:
      'authorization_response_iss_parameter_supported' in metadata &&
      metadata.authorization_response_iss_parameter_supported === true,
    /** What the key is for (RFC 8707), written as the platform writes it. */
    resource: resource.resource,
    scope: scope ?? resource.scopes_supported?.join(' '),
  }
}

/** @param server the address that the metadata was asked for at */
function checkServer(metadata: AuthorizationServerMetadata, server: string, endpoint: string): void {
  // RFC 8414, 3.3: or else one server could speak for another. A slash at the end is often left out in one of the two places.
  const [issuer, asked] = [metadata.issuer, server].map((address) =>
    URL.canParse(address) ? new URL(address).href.replace(/\/$/, '') : address,
  )
  if (issuer !== asked) {
    throw untrusted(`the authorization server ${server} says to be ${sanitizePhrase(metadata.issuer)}`)
  }
  requireSafe(metadata.authorization_endpoint, 'authorization endpoint', endpoint)
  requireSafe(metadata.token_endpoint, 'token endpoint', endpoint)
  if (metadata.registration_endpoint === undefined) {
    throw untrusted('its authorization server takes no registrations')
  }
  requireSafe(metadata.registration_endpoint, 'registration endpoint', endpoint)
  // MCP's authorization specification: a server that does not say so may ignore the challenge.
  if (!metadata.code_challenge_methods_supported?.includes('S256')) {
    throw untrusted('its authorization server does not protect codes (PKCE with S256)')
  }
}

/**
 * Codes and keys go to such an address, or a browser that is signed in does. Plain http is for an endpoint on this
 * machine, whose authorization server is here too; nobody else has any business sending us to this machine's ports.
 */
function requireSafe(address: string, what: string, endpoint: string): void {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const local = url?.protocol === 'http:' && isLoopback(url.hostname) && isLoopback(new URL(endpoint).hostname)
  if (url !== undefined && (url.protocol === 'https:' || local) && !url.username && !url.password) return
  throw untrusted(`its ${what} is at ${sanitizePhrase(address)}, which is not https`)
}

function untrusted(why: string): DeployError {
  return new DeployError(`logging in at this endpoint is not safe or not possible: ${why}`, {
    hint: 'Nothing was sent there. Check --endpoint; or make a key at ml.ink (account, API keys).',
  })
}
