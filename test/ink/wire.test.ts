import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { retryAfterMs } from '../../src/core/async.ts'
import { PlatformError } from '../../src/ink/errors.ts'
import { openSession, type SessionOptions } from '../../src/ink/session.ts'
import { platformFetch } from '../../src/ink/wire.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler)
  open.push({
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
}

const post = { method: 'POST', body: '{}' }
const platform = (timeoutMs = 2000) => platformFetch(fetch, timeoutMs, (text) => text.replaceAll('hush', '***'))

async function failureOf(promise: Promise<unknown>): Promise<PlatformError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(PlatformError)
  return error as PlatformError
}

describe('what can go wrong on the wire has a name', () => {
  it.each([
    [401, 'unauthorized'],
    [402, 'payment-required'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [429, 'rate-limited'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ])('HTTP %i is %s and shows the body without secrets', async (status, failure) => {
    const url = await listen((_, response) => response.writeHead(status, { 'retry-after': '7' }).end('because of hush'))
    const error = await failureOf(platform()(url, post))
    expect(error.failure).toBe(failure)
    expect(error.message).toContain('because of ***')
    expect(error.retryAfterMs).toBe(status === 429 || status >= 500 ? 7000 : undefined)
  })

  it('a refused connection was never sent', async () => {
    const url = await listen(() => undefined)
    open.splice(0).forEach((server) => void server.close())
    expect((await failureOf(platform()(url, post))).failure).toBe('unreachable')
  })

  it('a connection reset after the request may have been processed', async () => {
    const url = await listen((request) => request.socket.destroy())
    expect((await failureOf(platform()(url, post))).failure).toBe('lost-answer')
  })

  it('half an answer is a lost answer', async () => {
    const url = await listen((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","res'),
    )
    expect((await failureOf(platform()(url, post))).failure).toBe('lost-answer')
  })

  it('a stream of events that ends before the result is a lost answer', async () => {
    const url = await listen((_, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': hello\n\n'),
    )
    expect((await failureOf(platform()(url, post))).failure).toBe('lost-answer')
  })

  it('a numbered stream that cannot be taken up again is a lost answer, also when nothing listens any more', async () => {
    for (const gone of [false, true]) {
      const url = await listen(({ method }, response) => {
        if (method === 'GET') return response.writeHead(405).end()
        if (gone) response.once('finish', () => open.splice(0).forEach((server) => void server.close()))
        return response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 1\nretry: 100\ndata:\n\n')
      })
      expect((await failureOf(platform()(url, post))).failure).toBe('lost-answer')
    }
  })

  it('silence ends with the time-out', async () => {
    const url = await listen(() => undefined)
    expect((await failureOf(platform(50)(url, post))).failure).toBe('lost-answer')
  })

  it('a redirect to another host is not followed, and the key never gets there', async () => {
    let reached = false
    const elsewhere = await listen((_, response) => {
      reached = true
      response.end()
    })
    const url = await listen((_, response) => response.writeHead(307, { location: elsewhere }).end())
    const error = await failureOf(platform()(url, post))
    expect(error.failure).toBe('redirected')
    expect(error.message).toContain(new URL(elsewhere).host)
    expect(reached).toBe(false)
  })
})

it('a stream of numbered events that is closed, or breaks off, is taken up where it ended, and nothing is asked twice', async () => {
  const asked: (string | undefined)[][] = []
  const url = await listen(({ method, headers }, response) => {
    asked.push([method, headers['last-event-id'] as string | undefined, headers.authorization])
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (asked.length === 1) response.end('id: first\nretry: 100\ndata:\n\n')
    else if (asked.length === 2) response.write('id: second\n: nothing yet\n\n', () => response.destroy())
    else response.end('id: third\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n')
  })
  const answer = await platform(10_000)(url, { ...post, headers: { authorization: 'Bearer hush' } })
  expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
  expect(asked).toEqual([
    ['POST', undefined, 'Bearer hush'],
    ['GET', 'first', 'Bearer hush'],
    ['GET', 'second', 'Bearer hush'],
  ])
})

it('an event stream is handed on as soon as its result is there, even when it stays open', async () => {
  const url = await listen((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('event: message\r\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\r\n\r\n')
    response.write('event: message\r\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\r\n\r\n')
  })
  const answer = await platform()(url, post)
  expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
})

it('Retry-After is read as seconds and as a date', () => {
  expect(retryAfterMs('3', 0)).toBe(3000)
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:10 GMT', Date.UTC(2026, 0, 1))).toBe(10_000)
  expect(retryAfterMs(null, 0)).toBeUndefined()
  expect(retryAfterMs('soon', 0)).toBeUndefined()
})

describe('a session', () => {
  const slept: number[] = []
  const options = (endpoint: string): SessionOptions => ({
    endpoint,
    apiKey: 'hush',
    fetch,
    clock: { now: Date.now, sleep: async (ms) => void slept.push(ms) },
    random: () => 0.5,
    debug: () => undefined,
  })

  it('gives up on a refused key at once', async () => {
    let asked = 0
    const url = await listen((_, response) => {
      asked++
      response.writeHead(401).end('invalid api key')
    })
    const error = await failureOf(openSession(options(url), new AbortController().signal))
    expect(error.message).toContain('invalid api key')
    expect(asked).toBe(1)
  })

  it('waits as long as it is asked to, and then tries again', async () => {
    slept.length = 0
    let asked = 0
    let now = 0
    const url = await listen((_, response) => {
      asked++
      response.writeHead(429, { 'retry-after': '2' }).end()
    })
    const sleep = async (ms: number) => {
      slept.push(ms)
      now += ms
    }
    const limited = { ...options(url), clock: { now: () => now, sleep }, deadlineAt: 7000 }
    expect((await failureOf(openSession(limited, new AbortController().signal))).failure).toBe('rate-limited')
    expect(asked).toBe(4)
    expect(slept).toEqual([2000, 2000, 2000])
  })

  it('names an endpoint that is not an MCP server', async () => {
    const url = await listen((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hello'))
    const error = await failureOf(openSession(options(url), new AbortController().signal))
    expect(error.failure).toBe('protocol')
    expect(error.hint).toContain('endpoint')
  })
})
