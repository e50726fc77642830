import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { OAuthRefusal } from './refusal.ts'

/** A program that asks for access. All are public clients: what is installed on people's machines keeps no secret. */
export interface Client {
  readonly id: string
  readonly name: string
  readonly redirectUris: readonly string[]
}

export interface Clients {
  /**
   * Registers a client from the metadata of RFC 7591.
   * @returns what was registered, as the answer to the client
   * @throws OAuthRefusal `invalid_redirect_uri` or `invalid_client_metadata`
   */
  register(metadata: unknown): Readonly<Record<string, unknown>>
  find(id: string): Client | undefined
}

const redirectUris = z.object({ redirect_uris: z.array(z.string()).min(1).max(10) })
// What RFC 7591 (2.) says about fields left out.
const otherFields = z.object({
  token_endpoint_auth_method: z.string().default('client_secret_basic'),
  grant_types: z.array(z.string()).default(['authorization_code']),
  response_types: z.array(z.string()).default(['code']),
  client_name: z.string().max(100).optional(),
  client_uri: z.url().optional(),
})

/** @param nowMs the clock */
export function createClients(nowMs: () => number): Clients {
  const clients = new Map<string, Client>()
  return {
    register(metadata) {
      const uris = readRedirectUris(metadata)
      const fields = readOtherFields(metadata)
      const client = { id: randomUUID(), name: fields.client_name ?? 'A program without a name', redirectUris: uris }
      clients.set(client.id, client)
      return {
        client_id: client.id,
        client_id_issued_at: Math.floor(nowMs() / 1000),
        ...fields,
        redirect_uris: uris,
        // There is nothing to refresh, as keys do not expire; a server may register less than was asked for.
        grant_types: ['authorization_code'],
      }
    },
    find: (id) => clients.get(id),
  }
}

function readRedirectUris(metadata: unknown): readonly string[] {
  const parsed = redirectUris.safeParse(metadata)
  if (!parsed.success) throw new OAuthRefusal('invalid_redirect_uri', 'redirect_uris must be a list of addresses')
  for (const uri of parsed.data.redirect_uris) {
    const fault = faultOf(uri)
    if (fault) throw new OAuthRefusal('invalid_redirect_uri', `a redirect URI ${fault}`)
  }
  return parsed.data.redirect_uris
}

function faultOf(uri: string): string | undefined {
  if (!URL.canParse(uri)) return 'is not an absolute address'
  const { protocol, hostname, username, password } = new URL(uri)
  if (uri.includes('#')) return 'has a fragment'
  if (username || password) return 'has credentials in it'
  if (protocol === 'https:') return undefined
  return protocol === 'http:' && (isLoopbackAddress(hostname) || hostname === 'localhost')
    ? undefined
    : 'must be https, or http on the loopback interface'
}

function readOtherFields(metadata: unknown): z.infer<typeof otherFields> {
  const parsed = otherFields.safeParse(metadata)
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path }) => path.join('.')).join(', ')
    throw new OAuthRefusal('invalid_client_metadata', `not as expected: ${names}`)
  }
  const { token_endpoint_auth_method: method, grant_types: grants, response_types: responses } = parsed.data
  if (method !== 'none') {
    throw new OAuthRefusal('invalid_client_metadata', 'token_endpoint_auth_method must be none')
  }
  if (!grants.includes('authorization_code')) {
    throw new OAuthRefusal('invalid_client_metadata', 'grant_types must have authorization_code in it')
  }
  if (responses.join() !== 'code') throw new OAuthRefusal('invalid_client_metadata', 'response_types must be ["code"]')
  return parsed.data
}

/**
 * Whether a redirect URI is one of those registered. They are compared as they are written; only the port of a loopback
 * address may differ, as the system gives a program another one every time (RFC 8252, 7.3).
 */
export function isRegistered(client: Client, uri: string): boolean {
  return client.redirectUris.some((registered) => registered === uri || differOnlyInPort(registered, uri))
}

function differOnlyInPort(registered: string, uri: string): boolean {
  if (!URL.canParse(uri) || uri.includes('#')) return false
  const [one, other] = [new URL(registered), new URL(uri)]
  if (one.protocol !== 'http:' || !isLoopbackAddress(one.hostname) || other.username || other.password) return false
  one.port = ''
  other.port = ''
  return one.href === other.href
}

/** Addresses only: what `localhost` leads to is for each machine to say (RFC 8252, 8.3). */
function isLoopbackAddress(hostname: string): boolean {
  return hostname === '127.0.0.1' || hostname === '[::1]'
}
