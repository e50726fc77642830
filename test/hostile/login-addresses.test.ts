import dns, { type LookupAddress, type LookupOptions } from 'node:dns'
import resolver from 'node:dns/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fetchNamedBy } from '../../src/core/addresses.ts'
import type { Fetch } from '../../src/core/http.ts'
import { boundedFetch, discover } from '../../src/login/server.ts'

// A name is public when it is checked, and this machine's at the connection.
const real = { check: resolver.lookup, connection: dns.lookup }
const isName = (host: string) => /[a-z]$/.test(host)
beforeAll(() => {
  Object.assign(resolver, {
    lookup: async (host: string, options: LookupOptions) =>
      isName(host) ? [{ address: '8.8.8.8', family: 4 }] : real.check(host, options),
  })
  Object.assign(dns, {
    lookup(host: string, options: LookupOptions, callback: (error: Error | null, found: LookupAddress[]) => void) {
      if (isName(host)) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else real.connection(host, options, callback as never)
    },
  })
  syncBuiltinESMExports()
})
afterAll(() => {
  Object.assign(resolver, { lookup: real.check })
  Object.assign(dns, { lookup: real.connection })
  syncBuiltinESMExports()
})

const signal = new AbortController().signal
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    answer(request, response)
  })
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  return { port: (server.address() as AddressInfo).port, seen }
}

/** ml.ink on the public internet, as far as it answers itself; whatever it names is asked in earnest. */
function discovery(told: { readonly metadataUrl?: string; readonly server?: string }): Promise<unknown> {
  const endpoint = 'https://8.8.8.8/mcp'
  const guarded = boundedFetch(fetchNamedBy(endpoint, {}), signal)
  const fetch: Fetch = async (url, init) => {
    const { href } = new URL(url)
    if (href === endpoint) {
      const challenge = `Bearer resource_metadata="${told.metadataUrl ?? 'https://8.8.8.8/metadata'}"`
      return new Response('', { status: 401, headers: { 'www-authenticate': challenge } })
    }
    if (href !== 'https://8.8.8.8/metadata') return guarded(url, init)
    return Response.json({ resource: endpoint, authorization_servers: [told.server] })
  }
  return discover(endpoint, fetch, signal)
}

/** What was said of a failure, causes included. */
async function failureOf(attempt: Promise<unknown>): Promise<string> {
  const said: string[] = []
  let error = await attempt.then(
    () => new Error('it went through'),
    (thrown: unknown) => thrown,
  )
  for (; error instanceof Error; error = error.cause) said.push(error.message)
  return said.join(': ')
}

describe('an endpoint that sends a login inside', () => {
  const inside = [
    'https://127.0.0.1',
    'https://[::1]',
    'https://10.0.0.1',
    'https://192.168.1.1',
    'https://169.254.169.254',
    'https://[fd00:ec2::254]',
    'https://100.100.100.200',
    'https://[::ffff:127.0.0.1]',
    'https://[64:ff9b::a9fe:a9fe]',
    'https://localhost',
    'https://metadata.google.internal',
    'https://0x7f000001',
    'https://2130706433',
  ]

  it.each(inside)('by its authorization server at %s gets nobody asked', async (server) => {
    expect(await failureOf(discovery({ server }))).toMatch(/is not asked: /)
  })

  it.each(inside)('by its metadata at %s gets nobody asked', async (server) => {
    expect(await failureOf(discovery({ metadataUrl: `${server}/metadata` }))).toMatch(/is not asked: /)
  })

  it('by a name that is public when it is checked, and leads inside at the connection, gets nobody asked', async () => {
    const { port, seen } = await listen((_, response) => response.end('{}'))
    const failure = await failureOf(discovery({ server: `https://rebinding.example:${port}` }))
    expect(failure).toMatch(/could not be reached: .*is not on the public internet/)
    expect(seen).toEqual([])
  })
})

describe('a server inside that redirects a login', () => {
  it.each([302, 307])('to another one there gets that not asked (%i)', async (status) => {
    const other = await listen((_, response) => response.end('{}'))
    const own = await listen((request, response) => {
      if (request.method === 'POST') response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
      else response.writeHead(status, { location: `http://127.0.0.1:${other.port}/` }).end()
    })
    // Reached here, and none of the names that stand for this machine.
    const endpoint = `http://0.0.0.0:${own.port}/mcp`
    const fetch = fetchNamedBy(endpoint, {})
    const failure = await failureOf(discover(endpoint, boundedFetch(fetch, signal), signal))
    expect(failure).toMatch(/did not say where to log in/)
    expect(own.seen.length).toBeGreaterThan(1)
    // Nor does anybody else who asks what this server names.
    expect(await failureOf(fetch(endpoint))).toMatch(/is not asked: it is not https/)
    expect(await failureOf(fetch(endpoint, { redirect: 'error' }))).toMatch(/redirects, which is not wanted/)
    expect((await fetch(endpoint, { redirect: 'manual' })).status).toBe(status)
    expect(other.seen).toEqual([])
  })
})
