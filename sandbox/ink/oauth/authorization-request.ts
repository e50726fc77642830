import { type Client, type Clients, isRegistered } from './clients.ts'
import { type Parameters, readParameters } from './parameters.ts'
import { OAuthRefusal } from './refusal.ts'

/** What a client asks a person for, checked. */
export interface AuthorizationRequest {
  readonly client: Client
  readonly redirectUri: string
  /** Handed back as it came. */
  readonly state: string | undefined
  /** Of the S256 method. */
  readonly codeChallenge: string
  readonly resource: string
}

/**
 * A request that can be put to somebody, or what is wrong with it: `told` names where the client may be told so. Without
 * it the person alone is told, since nobody knows whose address that is (RFC 6749, 4.1.2.1).
 */
export type ReadRequest =
  | { readonly request: AuthorizationRequest }
  | { readonly refusal: OAuthRefusal; readonly told: Return | undefined }

/** Where an answer goes. */
export type Return = Pick<AuthorizationRequest, 'redirectUri' | 'state'>

/** @param resource the only one that there is access to */
export function readAuthorizationRequest(search: URLSearchParams, clients: Clients, resource: string): ReadRequest {
  const parameters = readParameters(search)
  let told: Return | undefined
  try {
    const { client, redirectUri } = whoAsks(parameters, clients)
    told = { redirectUri, state: undefined }
    told = { redirectUri, state: parameters.optional('state') }
    return { request: { client, ...told, ...whatIsAsked(parameters, resource) } }
  } catch (error) {
    if (error instanceof OAuthRefusal) return { refusal: error, told }
    throw error
  }
}

function whoAsks(parameters: Parameters, clients: Clients): Pick<AuthorizationRequest, 'client' | 'redirectUri'> {
  const client = clients.find(parameters.required('client_id'))
  if (client === undefined) throw new OAuthRefusal('invalid_client', 'client_id is not known')
  const redirectUri = parameters.required('redirect_uri')
  if (!isRegistered(client, redirectUri)) {
    throw new OAuthRefusal('invalid_request', 'redirect_uri is not registered for this client')
  }
  return { client, redirectUri }
}

function whatIsAsked(
  parameters: Parameters,
  resource: string,
): Pick<AuthorizationRequest, 'codeChallenge' | 'resource'> {
  if (parameters.required('response_type') !== 'code') {
    throw new OAuthRefusal('unsupported_response_type', 'response_type must be code')
  }
  const codeChallenge = parameters.required('code_challenge')
  // Left out, the method would be “plain” (RFC 7636, 4.3), which protects from nobody who sees the request.
  if (parameters.optional('code_challenge_method') !== 'S256') {
    throw new OAuthRefusal('invalid_request', 'code_challenge_method must be S256')
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(codeChallenge)) {
    throw new OAuthRefusal('invalid_request', 'code_challenge must be a SHA-256 digest in base64url')
  }
  if (parameters.optional('scope') !== undefined) {
    throw new OAuthRefusal('invalid_scope', 'there are no scopes: a key acts for the whole account')
  }
  const resources = parameters.all('resource')
  if (resources.length === 0 || resources.some((asked) => asked !== resource)) {
    throw new OAuthRefusal('invalid_target', `resource must be ${resource}`)
  }
  return { codeChallenge, resource }
}
