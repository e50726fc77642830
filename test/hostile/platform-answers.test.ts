import { gzipSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/core/async.ts'
import { PlatformError, ToolError } from '../../src/ink/errors.ts'
import { openSession, type SessionOptions } from '../../src/ink/session.ts'
import { listServices, type McpServer, type Reply, startMcpServer } from './mcp-server.ts'

const signal = new AbortController().signal

function options({ url }: Pick<McpServer, 'url'>, more: Partial<SessionOptions> = {}): SessionOptions {
  return {
    endpoint: url,
    apiKey: 'dk_live_hush',
    fetch,
    clock: systemClock,
    random: () => 0,
    debug: () => undefined,
    ...more,
  }
}

async function failureOf(promise: Promise<unknown>): Promise<PlatformError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(PlatformError)
  return error as PlatformError
}

const tools = (...listed: object[]): Reply => ({ result: { tools: listed } })
/** Pauses take no time, and after a few the deadline has come, however fast the machine. */
function hasty(): Pick<SessionOptions, 'clock' | 'deadlineAt'> {
  let nowMs = 0
  const sleep = async (ms: number) => {
    nowMs += ms
  }
  return { clock: { now: () => nowMs, sleep }, deadlineAt: 1_000 }
}

describe('a list of tools', () => {
  it.each([
    ['the same page for ever', () => 'again'],
    ['a new page for ever', (count: number) => `page-${count}`],
  ])('that leads to %s is given up', async (_, cursor) => {
    let count = 0
    await using server = await startMcpServer(({ method }) =>
      method === 'tools/list' ? { result: { tools: [listServices], nextCursor: cursor(count++) } } : undefined,
    )
    const error = await failureOf(openSession(options(server), signal))
    expect(error.message).toMatch(/list of tools does not end/)
    expect(count).toBeLessThanOrEqual(50)
  })

  it('of more tools than anybody has is refused', async () => {
    const many = Array.from({ length: 2_001 }, (_, index) => ({ ...listServices, name: `tool_${index}` }))
    await using server = await startMcpServer(({ method }) => (method === 'tools/list' ? tools(...many) : undefined))
    expect((await failureOf(openSession(options(server), signal))).message).toMatch(/after 2000 tools/)
  })

  it('keeps what can be used of it, whatever else is there', async () => {
    const odd = [null, 7, { name: 7 }, { name: 'no_schema' }, { name: 'odd_schema', inputSchema: { required: 'all' } }]
    await using server = await startMcpServer(({ method }) =>
      method === 'tools/list' ? { result: { tools: [...odd, listServices], nextCursor: 7 } } : undefined,
    )
    const session = await openSession(options(server), signal)
    expect(session.tools.map(({ name }) => name)).toEqual(['no_schema', 'odd_schema', 'list_services'])
    await session.close()
  })

  it('has its output schemas neither compiled nor run', async () => {
    const evil = {
      type: 'object',
      properties: { services: { type: 'string', pattern: '^(a+)+$' }, name: { $ref: '#/nowhere' } },
      required: ['name', 'nothing'],
    }
    await using server = await startMcpServer(({ method }) => {
      if (method === 'tools/list') return tools({ ...listServices, outputSchema: evil })
      const services = `${'a'.repeat(60)}!`
      return method === 'tools/call' ? { result: { content: [], structuredContent: { services } } } : undefined
    })
    const session = await openSession(options(server), signal)
    const answer = await session.call('list_services', {}, { repeatable: true, signal })
    expect(answer).toEqual({ services: `${'a'.repeat(60)}!` })
    await session.close()
  })
})

describe('an answer', () => {
  /** What comes of calling a tool that is answered like this. */
  async function calling(reply: Reply): Promise<PlatformError> {
    await using server = await startMcpServer(({ method }) => (method === 'tools/call' ? reply : undefined))
    const session = await openSession(options(server, hasty()), signal)
    try {
      return await failureOf(session.call('list_services', {}, { repeatable: true, signal }))
    } finally {
      await session.close()
    }
  }

  const envelope = (id: unknown, text: string) =>
    `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[],"structuredContent":{"x":${text}}}}`

  it.each([
    ['longer than 16 MB', `"${'x'.repeat(16_100_000)}"`, /more than 16 MB/],
    ['nested a hundred levels deep', `${'['.repeat(100)}${']'.repeat(100)}`, /more than 64 levels/],
    ['of a million values', `[${'0,'.repeat(1_000_000)}0]`, /more than 500000 values/],
  ])('%s is refused, and not asked for again', async (_, text, message) => {
    let count = 0
    const error = await calling((response, id) => {
      count++
      response.writeHead(200, { 'content-type': 'application/json' }).end(envelope(id, text))
    })
    expect(error.message).toMatch(message)
    expect(error.hint).toBeDefined()
    expect(count).toBe(1)
  })

  it('that grows beyond 16 MB when it is unpacked is refused', async () => {
    const bomb = Buffer.concat(Array(20).fill(gzipSync(Buffer.alloc(10_000_000, ' '))))
    const before = process.memoryUsage.rss()
    const error = await calling((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb)
    })
    expect(error.message).toMatch(/more than 16 MB/)
    expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000)
  })

  it('as a stream of events without end is refused', async () => {
    const error = await calling((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const event = `data: {"jsonrpc":"2.0","method":"notifications/x","params":"${'x'.repeat(100_000)}"}\n\n`
      const more = () => {
        while (!response.destroyed && response.write(event));
      }
      response.on('drain', more)
      more()
    })
    expect(error.message).toMatch(/more than 16 MB/)
  })

  it('after many others is refused when all together are too much', async () => {
    const text = 'x'.repeat(9_000_000)
    await using server = await startMcpServer(({ method }) =>
      method === 'tools/call' ? { result: { content: [], structuredContent: { text } } } : undefined,
    )
    const session = await openSession(options(server), signal)
    const call = () => session.call('list_services', {}, { repeatable: true, signal })
    for (let count = 0; count < 7; count++) await call()
    expect((await failureOf(call())).message).toMatch(/together came to more than 64 MB/)
    await session.close()
  })

  it('as a page of HTML becomes one short line', async () => {
    const page = `<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>${'x'.repeat(12_000)}</body></html>`
    const error = await calling((response) => response.writeHead(502, { 'content-type': 'text/html' }).end(page))
    expect(error.message).toBe('ml.ink is having trouble (HTTP 502: 502 Bad Gateway)')
  })

  it.each([
    [
      'a redirect to something that is not an address',
      (response) => response.writeHead(307, { location: 'http://[' }).end(),
    ],
    ['a redirect to itself', (response) => response.writeHead(307, { location: '/mcp' }).end()],
    ['a result that is none', { result: 'all is well' }],
    ['text that is neither JSON nor events', (response) => response.writeHead(200).end('hello')],
    ['nothing at all', (response) => response.writeHead(200, { 'content-type': 'application/json' }).end()],
  ] satisfies [string, Reply][])('that is %s is told in words of ours', async (_, reply) => {
    const error = await calling(reply)
    expect(error.message).toMatch(/ml\.ink|list_services/)
    expect(error.message).not.toMatch(/^(Invalid URL|URI malformed|Unexpected|Maximum call)/)
    expect(error.hint).toBeDefined()
  })
})

describe('an error of JSON-RPC', () => {
  async function calling(code: number, message: string): Promise<PlatformError> {
    await using server = await startMcpServer(({ method }) =>
      method === 'tools/call' ? { error: { code, message } } : undefined,
    )
    const session = await openSession(options(server, hasty()), signal)
    const error = await failureOf(session.call('create_service', {}, { repeatable: false, signal }))
    await session.close()
    return error
  }

  it('that refuses an argument shows the platform’s words, and sends nobody to look for another endpoint', async () => {
    const said =
      'invalid params: validating "arguments": validating SCHEMA/create-service-input: validating /properties/memory: enum: 128Mi does not equal any of: [256Mi 512Mi]'
    const error = await calling(-32602, said)
    expect(error).toMatchObject({ failure: 'tool', reason: 'invalid-argument' })
    expect(error.message).toContain(said)
    expect(error.hint).not.toMatch(/endpoint|dialect/)
  })

  it('with which a list tool fails says that its reason is lost', async () => {
    const error = await calling(
      0,
      'validating tool output: validating root: type: <invalid reflect.Value> has type "null"',
    )
    expect(error).toBeInstanceOf(ToolError)
    expect(error.message).toMatch(/create_service.*reason got lost/)
  })

  it('of another kind names the method and the code', async () => {
    expect((await calling(-32601, 'no such method')).message).toBe(
      'ml.ink refused create_service: no such method (JSON-RPC error -32601)',
    )
  })
})

describe('a session that the server has forgotten', () => {
  const sessionOf = (headers: Record<string, unknown>) => String(headers['mcp-session-id'] ?? '')

  /** Forgets each session after so many calls. */
  async function forgetful(callsPerSession: number) {
    let sessions = 0
    let calls = 0
    return startMcpServer(({ method, headers }) => {
      if (method === 'initialize') {
        sessions += 1
        calls = 0
        return (response, id) => {
          response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': `session-${sessions}` })
          const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x', version: '1' } }
          response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
        }
      }
      if (method !== 'tools/call') return undefined
      const known = sessionOf(headers) === `session-${sessions}` && calls++ < callsPerSession
      return known ? undefined : (response) => response.writeHead(404).end('session not found')
    })
  }

  it('is begun anew once, and the call made in it, also one that must not be repeated', async () => {
    await using server = await forgetful(1)
    const session = await openSession(options(server), signal)
    const call = () => session.call('list_services', {}, { repeatable: false, signal })
    expect([await call(), await call(), await call()]).toEqual([{ services: [] }, { services: [] }, { services: [] }])
    expect(server.asked.filter(({ method }) => method === 'initialize')).toHaveLength(3)
    await session.close()
  })

  it('is begun anew no second time for the same call', async () => {
    await using server = await forgetful(0)
    const session = await openSession(options(server), signal)
    const error = await failureOf(session.call('list_services', {}, { repeatable: true, signal }))
    expect(error.failure).toBe('session-ended')
    expect(server.asked.filter(({ method }) => method === 'initialize')).toHaveLength(2)
    await session.close()
  })

  it('is begun anew for all who wait for it, also when the one who noticed first gives up', async () => {
    const noticed: string[] = []
    let release: (() => void) | undefined
    await using server = await startMcpServer(({ method, headers }) => {
      if (method === 'initialize') {
        return (response, id) => {
          const number = noticed.length > 0 ? 2 : 1
          const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x', version: '1' } }
          const answer = () => {
            response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': `session-${number}` })
            response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
          }
          if (number === 1) answer()
          else release = answer
        }
      }
      const ended = method === 'tools/call' && sessionOf(headers) === 'session-1'
      return ended ? (response) => response.writeHead(404).end('session not found') : undefined
    })
    const debug = (line: string) => void (/has ended the session/.test(line) && noticed.push(line))
    const session = await openSession(options(server, { debug }), signal)
    const hurried = new AbortController()
    const first = session.call('list_services', {}, { repeatable: true, signal: hurried.signal })
    const second = session.call('list_services', {}, { repeatable: true, signal })
    await vi.waitFor(() => expect([noticed.length, release]).toEqual([2, expect.any(Function)]))
    hurried.abort(new Error('the time is over'))
    await expect(first).rejects.toThrow('the time is over')
    release?.()
    expect(await second).toEqual({ services: [] })
    await session.close()
  })
})

describe('a gateway that is away', () => {
  /** A clock on which pauses take no time. */
  function virtual() {
    let now = 0
    return {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms
      },
    }
  }

  it('for a minute does not end a run that has twenty', async () => {
    const clock = virtual()
    await using server = await startMcpServer(({ method }) =>
      method === 'tools/call' && clock.now() < 60_000 ? (response) => response.writeHead(502).end() : undefined,
    )
    const warnings: string[] = []
    const warning = (text: string) => void warnings.push(text)
    const session = await openSession(options(server, { clock, deadlineAt: 20 * 60_000, warning }), signal)
    expect(await session.call('list_services', {}, { repeatable: true, signal })).toEqual({ services: [] })
    expect(clock.now()).toBeGreaterThanOrEqual(60_000)
    // Whoever reads the log is told once, and why.
    expect(warnings).toEqual([expect.stringMatching(/^ml\.ink does not answer as it should \(.*HTTP 502.*\)/)])
    await session.close()
  })

  it('for good ends the run at its deadline, and not later', async () => {
    const clock = virtual()
    await using server = await startMcpServer(({ method }) =>
      method === 'tools/call' ? (response) => response.writeHead(502).end() : undefined,
    )
    const session = await openSession(options(server, { clock, deadlineAt: 60_000 }), signal)
    expect((await failureOf(session.call('list_services', {}, { repeatable: true, signal }))).failure).toBe(
      'unavailable',
    )
    expect(clock.now()).toBeGreaterThan(30_000)
    expect(clock.now()).toBeLessThanOrEqual(60_000)
    await session.close()
  })

  it('and asks for more patience than the run has time ends it without waiting', async () => {
    const clock = virtual()
    await using server = await startMcpServer(() => (response) => {
      response.writeHead(429, { 'retry-after': '999999' }).end()
    })
    const opening = openSession(options(server, { clock, deadlineAt: 60_000 }), signal)
    expect((await failureOf(opening)).failure).toBe('rate-limited')
    expect(clock.now()).toBe(0)
  })

  it('and has never answered is given up after two minutes', async () => {
    const clock = virtual()
    const { url } = await (async () => {
      await using server = await startMcpServer(() => undefined)
      return { url: server.url }
    })()
    const error = await failureOf(openSession(options({ url }, { clock, deadlineAt: 20 * 60_000 }), signal))
    expect(error.failure).toBe('unreachable')
    expect(error.message).toMatch(/^Nothing has answered at 127\.0\.0\.1:\d+ for 2 minutes: /)
    expect(clock.now()).toBeLessThan(3 * 60_000)
  })
})
