import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/async.ts'
import { probe } from '../../src/watch/probe.ts'
import { createHttpRequest, createMcpProbe } from '../../src/watch/requests.ts'

const fetchOnce = createHttpRequest(fetch)
const listMcpTools = createMcpProbe(fetch)

const servers: Server[] = []

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

const signal = () => new AbortController().signal

describe('one HTTP request', () => {
  it('brings status and location, and follows nothing', async () => {
    let requests = 0
    const url = await serve((_request, response) => {
      requests += 1
      response.writeHead(302, { location: '/next', 'content-type': 'text/html; charset=utf-8' }).end('<p>grüße')
    })
    expect(await fetchOnce(url, signal())).toEqual({ status: 302, location: '/next' })
    expect(requests).toBe(1)
  })

  it('sends neither credentials nor cookies', async () => {
    const url = await serve((request, response) => {
      response.setHeader('set-cookie', 'a=b').end(`<${Object.keys(request.headers).join('> <')}>`)
    })
    await fetchOnce(url, signal())
    for (const sent of ['<cookie>', '<authorization>'])
      expect(await fetchOnce(url, signal(), sent)).toEqual({ status: 200, contains: false })
    expect(await fetchOnce(url, signal(), '<user-agent>')).toEqual({ status: 200, contains: true })
  })

  it('does not wait for the end of an endless body, whether something is looked for in it or not', async () => {
    const url = await serve((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    expect(await fetchOnce(url, signal())).toEqual({ status: 200 })
    expect(await fetchOnce(url, signal(), 'y')).toEqual({ status: 200, contains: false })
  })

  it('brings the beginning of what a refusal or a failure says, and waits for no more', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(404).write('{"detail":"Not Found"}'.padEnd(3_000, ' '))
    })
    const { text = '' } = await fetchOnce(url, signal())
    expect([text.trim(), text.length]).toEqual(['{"detail":"Not Found"}', 2_000])
  })

  it('finds a text in the body, also in two pieces of it and before a stream has ended, and in a header', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'X-Commit': 'abc' }).write('<p>grü')
      setImmediate(() => response.write('ße'))
    })
    for (const wanted of ['grüße', 'x-commit: abc'])
      expect(await fetchOnce(url, signal(), wanted)).toEqual({ status: 200, contains: true })
  })

  it('rejects when nobody listens, and when it is aborted', async () => {
    const url = await serve(() => undefined)
    const controller = new AbortController()
    const hanging = fetchOnce(url, controller.signal)
    controller.abort(new Error('enough'))
    await expect(hanging).rejects.toThrow('enough')
    await expect(fetchOnce(new URL('http://127.0.0.1:1/'), signal())).rejects.toThrow()
  })
})

/** A real MCP server as people deploy them, stateless, at one path. */
function mcpServer(path: string, tools: readonly string[]): RequestListener {
  return (request, response) => {
    if (new URL(request.url ?? '', 'http://x').pathname !== path) {
      response.writeHead(404).end('not here')
      return
    }
    const server = new McpServer({ name: 'shop', version: '1.0.0' })
    for (const name of tools) server.registerTool(name, { description: name }, () => ({ content: [] }))
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    // The SDK's own classes disagree about optional properties under exactOptionalPropertyTypes.
    void server
      .connect(transport as Parameters<typeof server.connect>[0])
      .then(() => transport.handleRequest(request, response))
  }
}

const MCP = { kind: 'mcp', timeoutMs: 20_000 } as const
const asking = (url: URL, timeoutMs = 20_000) =>
  probe({
    url: url.href,
    check: { ...MCP, timeoutMs },
    commit: undefined,
    http: fetchOnce,
    mcp: listMcpTools,
    clock: systemClock,
    random: () => 0.5,
    signal: signal(),
  })

describe('asking an MCP server', () => {
  it.each(['/mcp', '/'])('at %s lists its tools', async (path) => {
    const url = await serve(mcpServer(path, ['search_orders', 'refund']))
    expect(await asking(url)).toMatchObject({ outcome: 'healthy', tools: ['search_orders', 'refund'], attempts: 3 })
  })

  it('is healthy with an empty list when it offers none', async () => {
    const url = await serve(mcpServer('/mcp', []))
    expect(await asking(url)).toMatchObject({ outcome: 'healthy', tools: [] })
  })

  it('that is a plain web site is unhealthy', async () => {
    const url = await serve((_request, response) => response.end('<h1>hello'))
    const result = await asking(url, 1_500)
    expect(result.outcome).toBe('unhealthy')
    expect(result.error).toContain('no MCP server answered')
  })

  it('that wants authorization says what to do', async () => {
    const url = await serve((_request, response) => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end())
    const result = await asking(url, 1_500)
    expect(result.error).toContain('HTTP 401, it asks for authorization')
  })

  it('is not led to another host by a redirect', async () => {
    let reached = false
    const elsewhere = await serve((_request, response) => {
      reached = true
      response.end()
    })
    const url = await serve((_request, response) => response.writeHead(307, { location: elsewhere.href }).end())
    expect((await asking(url, 1_000)).outcome).toBe('unhealthy')
    expect(reached).toBe(false)
  })
})
