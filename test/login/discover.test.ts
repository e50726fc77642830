import { describe, expect, it } from 'vitest'
import { discover } from '../../src/login/server.ts'

const endpoint = 'https://mcp.ml.ink/mcp'
const issuer = 'https://auth.ml.ink'

const resource = { resource: endpoint, authorization_servers: [issuer] }
const server = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  registration_endpoint: `${issuer}/register`,
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
}

interface World {
  readonly endpoint?: string
  readonly status?: number
  readonly challenge?: string
  readonly resource?: object
  readonly server?: object
}

/** Discovery in a world where one thing is different. */
function discovery(world: World) {
  const asked: string[] = []
  const challenge = world.challenge ?? 'Bearer resource_metadata="https://mcp.ml.ink/metadata"'
  const fetch = async (address: string | URL, init?: RequestInit) => {
    asked.push(`${init?.method ?? 'GET'} ${address}`)
    if (init?.method === 'POST') {
      return new Response('', { status: world.status ?? 401, headers: { 'www-authenticate': challenge } })
    }
    const { pathname } = new URL(address)
    const isServer = pathname.startsWith('/.well-known/oauth-authorization-server')
    if (isServer) return Response.json({ ...server, ...world.server })
    const isResource = pathname === '/metadata' || pathname.startsWith('/.well-known/oauth-protected-resource')
    return isResource ? Response.json({ ...resource, ...world.resource }) : new Response('', { status: 404 })
  }
  const found = discover(world.endpoint ?? endpoint, fetch, new AbortController().signal)
  return { asked, found }
}

describe('discovery', () => {
  it('goes from the refusal to the resource to its authorization server, without a key', async () => {
    const { asked, found } = discovery({ server: { authorization_response_iss_parameter_supported: true } })
    expect(await found).toMatchObject({ issuer, resource: endpoint, namesIssuer: true, scope: undefined })
    expect(asked).toEqual([
      `POST ${endpoint}`,
      'GET https://mcp.ml.ink/metadata',
      `GET ${issuer}/.well-known/oauth-authorization-server`,
    ])
  })

  it('looks where the metadata usually is when the refusal does not say', async () => {
    const { asked, found } = discovery({ challenge: 'Bearer' })
    expect(await found).toMatchObject({ issuer, namesIssuer: false })
    expect(asked[1]).toBe('GET https://mcp.ml.ink/.well-known/oauth-protected-resource/mcp')
  })

  it('asks for the scopes that the resource has, unless the refusal names some', async () => {
    const scopes = { scopes_supported: ['deploy', 'read'] }
    expect((await discovery({ resource: scopes }).found).scope).toBe('deploy read')
    const challenge = 'Bearer resource_metadata="https://mcp.ml.ink/metadata", scope="deploy"'
    expect((await discovery({ resource: scopes, challenge }).found).scope).toBe('deploy')
  })

  it('takes an issuer with a slash at its end for the same', async () => {
    expect((await discovery({ server: { issuer: `${issuer}/` } }).found).issuer).toBe(`${issuer}/`)
  })

  it.each<[string, World, string]>([
    ['an endpoint that asks for no key', { status: 200 }, 'answered HTTP 200 where ml.ink asks for a key'],
    ['metadata of another resource', { resource: { resource: 'https://evil.example/mcp' } }, 'says to be'],
    ['no authorization server', { resource: { authorization_servers: [] } }, 'names no authorization server'],
    ['one over plain http', { resource: { authorization_servers: ['http://auth.ml.ink'] } }, 'is not https'],
    ['one on this machine', { resource: { authorization_servers: ['http://127.0.0.1:9'] } }, 'is not https'],
    [
      'metadata over plain http',
      { challenge: 'Bearer resource_metadata="http://mcp.ml.ink/metadata"' },
      'is not https',
    ],
    ['an authorization server that is another', { server: { issuer: 'https://evil.example' } }, 'says to be'],
    ['a token endpoint over plain http', { server: { token_endpoint: 'http://auth.ml.ink/token' } }, 'token endpoint'],
    ['a page over plain http', { server: { authorization_endpoint: 'http://auth.ml.ink/' } }, 'authorization endpoint'],
    ['registration on this machine', { server: { registration_endpoint: 'http://[::1]/' } }, 'registration endpoint'],
    ['no registration', { server: { registration_endpoint: undefined } }, 'takes no registrations'],
    ['no protection of codes', { server: { code_challenge_methods_supported: ['plain'] } }, 'does not protect codes'],
    ['silence about it', { server: { code_challenge_methods_supported: undefined } }, 'does not protect codes'],
    ['metadata that is incomplete', { server: { token_endpoint: undefined } }, 'did not say how to log in'],
  ])('refuses %s', async (_what, world, words) => {
    await expect(discovery(world).found).rejects.toThrow(words)
  })
})
