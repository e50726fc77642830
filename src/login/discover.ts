import {
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/sdk/client/auth.js'
import type { AuthorizationServerMetadata } from '@modelcontextprotocol/sdk/shared/auth.js'
import { checkResourceAllowed } from '@modelcontextprotocol/sdk/shared/auth-utils.js'
import { DeployError } from '../core/errors.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import { isLoopback } from '../plan/values.ts'
import { knock } from './knock.ts'
import { type Fetch, step } from './requests.ts'

/** Whom to ask for a key, and how. */
export interface AuthorizationServer {
  readonly issuer: string
  readonly metadata: AuthorizationServerMetadata
  /** Whether its answers name it (RFC 9207). */
  readonly namesIssuer: boolean
  /** What the key is for (RFC 8707), written as the platform writes it. */
  readonly resource: string
  readonly scope: string | undefined
}

/**
 * Finds the authorization server of an MCP endpoint: by its refusal, its resource metadata (RFC 9728) and the server's
 * own metadata (RFC 8414). What these say is checked here where the SDK takes it as it comes.
 *
 * @throws DeployError when there is none, or none that could be trusted with a login
 */
export async function discover(endpoint: string, fetch: Fetch, signal: AbortSignal): Promise<AuthorizationServer> {
  const { resourceMetadataUrl, scope } = await refusal(endpoint, fetch)
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
    namesIssuer:
      'authorization_response_iss_parameter_supported' in metadata &&
      metadata.authorization_response_iss_parameter_supported === true,
    resource: resource.resource,
    scope: scope ?? resource.scopes_supported?.join(' '),
  }
}

async function refusal(endpoint: string, fetch: Fetch) {
  const response = await knock(endpoint, fetch)
  if (response.status === 401) return extractWWWAuthenticateParams(response)
  throw new DeployError(`${endpoint} answered HTTP ${response.status} where ml.ink asks for a key`, {
    hint: 'Check that --endpoint is the MCP endpoint of ml.ink.',
  })
}

/** @param server the address that the metadata was asked for at */
function checkServer(metadata: AuthorizationServerMetadata, server: string, endpoint: string): void {
  // RFC 8414, 3.3: or else one server could speak for another.
  if (!sameAddress(metadata.issuer, server)) {
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

/** The address of a server is often written with a slash at its end in one place and without in another. */
function sameAddress(one: string, other: string): boolean {
  const [a, b] = [one, other].map((address) =>
    URL.canParse(address) ? new URL(address).href.replace(/\/$/, '') : address,
  )
  return a === b
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
