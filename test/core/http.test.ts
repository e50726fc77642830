import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { startInkPlatform } from '../../sandbox/ink/platform.ts'
import { buildDeps, type Edge } from '../../src/adapters.ts'
import { fetchNamedBy } from '../../src/core/addresses.ts'
import { AnswerTooLarge, describeBody, limitAnswers, parseJson, proxiedFetch, webAddress } from '../../src/core/http.ts'
import { Secret } from '../../src/core/secret.ts'
import { startMcpServer } from '../hostile/mcp-server.ts'
import { anyAddress } from '../support/any-address.ts'
import { selfSigned } from '../support/certificate.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

describe('answers within limits', () => {
  const limits = { messageBytes: 1_000, totalBytes: 2_500 }

  it('come as they are', async () => {
    const url = await serve((_, response) => response.writeHead(201, { 'x-a': 'b' }).end('x'.repeat(1_000)))
    const answer = await limitAnswers(fetch, limits)(url)
    expect([answer.status, answer.headers.get('x-a'), (await answer.text()).length]).toEqual([201, 'b', 1_000])
  })

  it('and not beyond: neither one, nor all together', async () => {
    let length = 1_001
    const url = await serve((_, response) => response.end('x'.repeat(length)))
    const read = async (fetch: typeof limited) => (await fetch(url)).text()
    const limited = limitAnswers(fetch, limits)
    await expect(read(limited)).rejects.toThrow(AnswerTooLarge)
    length = 900
    const other = limitAnswers(fetch, limits)
    await read(other)
    await read(other)
    await expect(read(other)).rejects.toThrow(/127\.0\.0\.1:\d+ sends too much: its answers together/)
  })

  it('need no body', async () => {
    const url = await serve((_, response) => response.writeHead(204).end())
    expect((await limitAnswers(fetch, limits)(url)).status).toBe(204)
  })
})

describe('JSON of strangers', () => {
  it('is read as ever', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('may hold brackets in its texts', () => {
    const text = `${'['.repeat(100)}\\"${'{'.repeat(100)}\\`
    expect(parseJson(JSON.stringify({ text }))).toEqual({ text })
  })

  it('is refused when it is too deep or has too many values, before it is parsed', () => {
    expect(() => parseJson('['.repeat(1_000_000))).toThrow(AnswerTooLarge)
    expect(() => parseJson(`[${'[],'.repeat(400_000)}1]`)).toThrow(AnswerTooLarge)
    expect(() => parseJson('[')).toThrow(SyntaxError)
  })
})

it.each([
  ['invalid api key\n', 'invalid api key'],
  ['<html><head><title>502 Bad Gateway</title></head>…', '502 Bad Gateway'],
  [`<!DOCTYPE html><body><h1 class="big">Blocked</h1>${'x'.repeat(20_000)}`, 'Blocked'],
  ['<p>no title', 'a page of HTML'],
  ['', ''],
])('a body %j is described as %j', (body, described) => {
  expect(describeBody(body)).toBe(described)
})

it('an address that is taken can be parsed, and has nothing of markup or credentials', () => {
  fc.assert(
    fc.property(fc.oneof(anyAddress, fc.string()), (told) => {
      const address = webAddress(told)
      if (address === undefined) return
      const { protocol, username, password } = new URL(address)
      expect(['http:', 'https:']).toContain(protocol)
      expect(username + password).toBe('')
      expect(address).not.toMatch(/[\s<>"'`()[\]\\]/)
    }),
    { numRuns: 2_000 },
  )
})

describe('proxies', () => {
  it('are used as HTTP_PROXY and NO_PROXY say, in either case', async () => {
    await using proxy = await startConnectProxy()
    const url = await serve((_, response) => response.end('here'))
    const { host, port } = new URL(url)
    const through = async (environment: Record<string, string>) => {
      proxy.tunnels.length = 0
      expect(await (await proxiedFetch(environment)(url)).text()).toBe('here')
      return proxy.tunnels
    }
    expect(await through({})).toEqual([])
    expect(await through({ HTTP_PROXY: proxy.url })).toEqual([host])
    expect(await through({ http_proxy: proxy.url })).toEqual([host])
    expect(await through({ ALL_PROXY: proxy.url })).toEqual([host])
    expect(await through({ HTTPS_PROXY: proxy.url })).toEqual([])
    for (const exception of ['*', '127.0.0.1', `127.0.0.1:${port}`, 'other.example, 127.0.0.1'])
      expect(await through({ HTTP_PROXY: proxy.url, NO_PROXY: exception })).toEqual([])
    for (const exception of ['0.1', '127.0.0.1:1', 'localhost'])
      expect(await through({ HTTP_PROXY: proxy.url, no_proxy: exception })).toEqual([host])
  })

  it('are used by a program that has loaded nothing else of the library', async () => {
    await using proxy = await startConnectProxy()
    const url = await serve((_, response) => response.end('here'))
    const { href } = new URL('../../src/core/http.ts', import.meta.url)
    const program = `import { proxiedFetch } from '${href}'
      const answer = await proxiedFetch({ HTTP_PROXY: '${proxy.url}' })('${url}')
      process.stdout.write(await answer.text())`
    const run = promisify(execFile)
    const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program])
    expect([stdout, stderr]).toEqual(['here', ''])
    expect(proxy.tunnels).toEqual([new URL(url).host])
  })

  it('are a tunnel for https: the server’s own certificate is what counts, and the proxy reads nothing', async () => {
    await using proxy = await startConnectProxy()
    const { key, cert } = selfSigned()
    const server = createSecureServer({ key, cert }, (_, response) => response.end('here'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const folder = await mkdtemp(join(tmpdir(), 'trusted-'))
    closers.push(
      () => void server.close(),
      () => rmSync(folder, { recursive: true }),
    )
    await writeFile(join(folder, 'ca.pem'), cert)
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const { href } = new URL('../../src/core/http.ts', import.meta.url)
    const program = `import { proxiedFetch } from '${href}'
      const answer = await proxiedFetch({ HTTPS_PROXY: '${proxy.url}' })('https://${host}/')
      process.stdout.write(await answer.text())`
    // Node reads what it trusts beside its own list once, when it starts.
    const run = (env: Record<string, string>) =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
        env: { PATH: process.env.PATH, ...env },
      })
    expect((await run({ NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') })).stdout).toBe('here')
    await expect(run({})).rejects.toThrow(/self-signed certificate/)
    expect(proxy.tunnels).toEqual([host, host])
  })

  it('get the credentials that stand in their address', async () => {
    await using proxy = await startConnectProxy()
    const url = await serve((_, response) => response.end())
    await proxiedFetch({ HTTP_PROXY: proxy.url.replace('//', '//ann:word@') })(url)
    expect(proxy.credentials).toEqual([`Basic ${Buffer.from('ann:word').toString('base64')}`])
  })

  it('that cannot be used are refused by the name of the variable, without its value', () => {
    for (const value of ['proxy.example:3128', 'socks5://ann:word@proxy.example', 'http://']) {
      expect(() => proxiedFetch({ HTTPS_PROXY: value })).toThrow(/HTTPS_PROXY names no proxy/)
      expect(() => proxiedFetch({ HTTPS_PROXY: value })).not.toThrow(/word/)
    }
  })

  it('do not let through what a server may not name', async () => {
    await using proxy = await startConnectProxy()
    const environment = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url }
    const named = fetchNamedBy('https://203.0.113.7/mcp', environment)
    for (const address of [
      'http://127.0.0.1:9/',
      'https://169.254.169.254/latest',
      'https://localhost/',
      'http://8.8.8.8/',
    ])
      await expect(named(address)).rejects.toThrow(/is not asked/)
    const outside = fetchNamedBy('https://8.8.8.8/mcp', environment)
    await expect(outside('https://10.0.0.1/')).rejects.toThrow(/is not asked/)
    expect(proxy.tunnels).toEqual([])
  })

  it('hold for the platform, for GitHub, for databases and for both probes', async () => {
    await using proxy = await startConnectProxy()
    await using ink = await startInkPlatform({ profile: 'g1' })
    await using mcp = await startMcpServer(() => undefined)
    const other = await serve((_, response) =>
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}'),
    )
    const signal = new AbortController().signal
    const deps = buildDeps({
      context: { repository: { owner: 'acme', name: 'shop', apiUrl: other.replace(/\/$/, ''), serverUrl: other } },
      event: { kind: 'push' },
      settings: {
        endpoint: ink.endpoint,
        apiKey: new Secret(ink.apiKey),
        githubToken: new Secret('ghs_known'),
        timeoutMs: 60_000,
      },
      environment: { HTTP_PROXY: proxy.url },
      log: { debug: () => undefined, warning: () => undefined },
      maskVariables: () => undefined,
      signal,
    } as unknown as Edge)
    const through = async (act: () => Promise<unknown>) => {
      proxy.tunnels.length = 0
      await act()
      return [...new Set(proxy.tunnels)]
    }
    const [site, database] = await Promise.all([other, other].map(() => serve((_, response) => response.end())))
    const host = (address = '') => new URL(address).host
    const place = { project: 'default', workspace: undefined } as never
    expect(await through(async () => (await deps.openPlatform(place, signal))[Symbol.asyncDispose]())).toEqual([
      host(ink.endpoint),
    ])
    expect(await through(() => deps.github.pullRequests.get(1))).toEqual([host(other)])
    expect(await through(() => deps.http(new URL(site ?? ''), signal))).toEqual([host(site)])
    expect(await through(() => deps.mcp(new URL(mcp.url), signal))).toEqual([host(mcp.url)])
    const access = { url: database ?? '', authToken: 'known' }
    const seeding = () => deps.seedDatabase(access, 'select 1', signal).catch(() => undefined)
    expect(await through(seeding)).toEqual([host(database)])
  })
})
