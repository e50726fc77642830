import { describe, expect, it } from 'vitest'
import type { HealthCheck } from '../../src/plan/settings.ts'
import { type HttpAnswer, isMerelyTolerated, type ProbeResult, probe } from '../../src/watch/probe.ts'
import { VirtualClock } from './virtual-clock.ts'

const HTTP: HealthCheck = { kind: 'http', path: '/', statuses: [{ from: 200, to: 399 }], timeoutMs: 120_000 }

interface Asked {
  readonly result: ProbeResult
  readonly urls: readonly string[]
  readonly tookMs: number
}

/** Probes a service that answers the n-th request (from 1) at a virtual time as scripted. */
async function ask(
  answer: (
    count: number,
    elapsedMs: number,
    url: URL,
    wanted: string | undefined,
  ) => HttpAnswer | Error | Promise<never>,
  overrides: { check?: HealthCheck; commit?: string; url?: string | undefined; signal?: AbortSignal } = {},
): Promise<Asked> {
  const clock = new VirtualClock()
  const startedAt = clock.now()
  const urls: string[] = []
  const result = await clock.run(
    probe({
      url: 'url' in overrides ? overrides.url : 'https://shop.test',
      check: overrides.check ?? HTTP,
      commit: overrides.commit,
      http: async (url, _signal, wanted) => {
        urls.push(url.href)
        const given = await answer(urls.length, clock.now() - startedAt, url, wanted)
        if (given instanceof Error) throw given
        return given
      },
      mcp: () => Promise.reject(new Error('not an MCP check')),
      clock,
      random: () => 0.5,
      signal: overrides.signal ?? new AbortController().signal,
    }),
  )
  expect(clock.pending).toBe(0)
  return { result, urls, tookMs: clock.now() - startedAt }
}

describe('asking the URL', () => {
  it('is content after three good answers in a row, and tells the last', async () => {
    const { result, tookMs } = await ask(() => ({ status: 200 }))
    expect(result).toMatchObject({ outcome: 'healthy', status: 200, attempts: 3 })
    expect(tookMs).toBeLessThan(2_000)
  })

  it('starts counting anew after a bad answer', async () => {
    const { result } = await ask((count) => ({ status: count === 3 ? 502 : 200 }))
    expect(result).toMatchObject({ outcome: 'healthy', attempts: 6 })
  })

  it.each([
    [
      'a name that is not known yet',
      new Error('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND shop.test') }),
    ],
    ['a certificate that is not there yet', new Error('fetch failed', { cause: new Error('self-signed certificate') })],
    ['an edge without a route', { status: 404 }],
    ['an edge without an upstream', { status: 503 }],
  ])('waits out %s', async (_what, answer) => {
    const { result } = await ask((_count, ms) => (ms < 90_000 ? answer : { status: 200 }))
    expect(result.outcome).toBe('healthy')
    expect(result.error).toBeUndefined()
  })

  it('is unhealthy when the time is over, with the reason and what was answered', async () => {
    const { result, tookMs } = await ask(() => ({ status: 500 }))
    expect(result).toMatchObject({
      outcome: 'unhealthy',
      status: 500,
      error: 'HTTP 500',
    })
    expect(tookMs).toBe(120_000)
  })

  it('tells what was answered last, not that the last question was cut short', async () => {
    const check: HealthCheck = { ...HTTP, timeoutMs: 3_000 }
    const hanging = new Promise<never>(() => undefined)
    const { result, tookMs } = await ask((count) => (count < 3 ? { status: 404 } : hanging), { check })
    expect(result).toMatchObject({ outcome: 'unhealthy', status: 404, error: 'HTTP 404', attempts: 2 })
    expect(tookMs).toBe(3_000)
    const silent = await ask(() => hanging, { check })
    expect(silent.result).toMatchObject({ outcome: 'unhealthy', error: 'no answer within 3 s', attempts: 1 })
  })

  it.each<[string, Promise<never> | Error, number]>([
    ['that nobody answered in all the time it has', new Promise<never>(() => undefined), 120_000],
    ['whose connection was refused shortly before the end', new Error('connect ECONNREFUSED'), 10_000],
  ])('goes on after a question %s', async (_what, second, timeoutMs) => {
    const scripted = (count: number) => (count === 2 ? second : { status: count === 1 ? 404 : 200 })
    const { result } = await ask(scripted, { check: { ...HTTP, timeoutMs } })
    expect(result).toMatchObject({ outcome: 'healthy', attempts: 5 })
  })

  it('tells the hidden reason of a failed connection', async () => {
    const refused = new AggregateError([new Error('connect ECONNREFUSED 10.0.0.1:443')])
    const { result } = await ask(() => new Error('fetch failed', { cause: refused }))
    expect(result.error).toBe('fetch failed: connect ECONNREFUSED 10.0.0.1:443')
    expect(result.status).toBeUndefined()
  })

  it('is unhealthy when good answers never come three in a row', async () => {
    const { result } = await ask((count) => ({ status: count % 2 === 0 ? 200 : 502 }))
    expect(result.outcome).toBe('unhealthy')
    expect(result.error).toMatch(/HTTP 502|three times/)
  })

  it('gives up on an answer that does not come, and asks anew', async () => {
    const { result, tookMs } = await ask((count) =>
      count === 1 ? new Promise<never>(() => undefined) : { status: 200 },
    )
    expect(result.outcome).toBe('healthy')
    expect(tookMs).toBeLessThan(20_000)
  })

  it('counts only the statuses asked for', async () => {
    const check: HealthCheck = {
      ...HTTP,
      statuses: [
        { from: 401, to: 401 },
        { from: 204, to: 204 },
      ],
    }
    expect((await ask(() => ({ status: 401 }), { check })).result.outcome).toBe('healthy')
    expect((await ask(() => ({ status: 200 }), { check })).result.outcome).toBe('unhealthy')
  })

  it('asks the path given, with its query', async () => {
    const { urls } = await ask(() => ({ status: 200 }), { check: { ...HTTP, path: '/healthz?deep=1' } })
    expect(urls[0]).toBe('https://shop.test/healthz?deep=1')
  })

  it('stops at once when it is interrupted', async () => {
    const controller = new AbortController()
    const asking = ask(
      (count) => {
        if (count === 2) controller.abort(new Error('SIGINT'))
        return { status: 200 }
      },
      { signal: controller.signal },
    )
    await expect(asking).rejects.toThrow('SIGINT')
  })
})

describe('an answer that has to contain something', () => {
  const check: HealthCheck = { ...HTTP, contains: 'commit {sha}.' }
  const says =
    (page: string) =>
    (_count: number, _ms: number, _url: URL, wanted = '') => ({
      status: 200,
      contains: page.includes(wanted),
    })

  it('is healthy with it, the commit in its place', async () => {
    expect((await ask(says('commit abc.'), { check, commit: 'abc' })).result.outcome).toBe('healthy')
  })

  it('of another version is waited out, and says in the end what is missing', async () => {
    const late = (count: number, ms: number, url: URL, wanted?: string) =>
      says(ms < 60_000 ? 'commit old.' : 'commit abc.')(count, ms, url, wanted)
    expect((await ask(late, { check, commit: 'abc' })).result.outcome).toBe('healthy')
    const { result } = await ask(says('commit old.'), { check, commit: 'abc' })
    expect(result).toMatchObject({ outcome: 'unhealthy', status: 200, lacksText: true })
    expect(result.error).toBe('HTTP 200, but neither body nor headers contain “commit abc.”')
  })

  it('has a wanted status as well', async () => {
    const { result } = await ask(() => ({ status: 500, contains: true }), { check, commit: 'abc' })
    expect(result).toMatchObject({ outcome: 'unhealthy', error: 'HTTP 500' })
  })

  it('is never taken for healthy where nobody knows the commit', async () => {
    const { result, urls } = await ask(says('commit {sha}.'), { check })
    expect(result).toMatchObject({ outcome: 'unhealthy', error: expect.stringContaining('not known which commit') })
    expect(urls).toEqual([])
  })
})

describe('redirects', () => {
  const redirect = (location: string): HttpAnswer => ({ status: 302, location })

  it('are followed within the host', async () => {
    const { result, urls } = await ask((_count, _ms, url) =>
      url.pathname === '/' ? redirect('/login') : { status: 200 },
    )
    expect(result).toMatchObject({ outcome: 'healthy', url: 'https://shop.test/login' })
    expect(urls).toHaveLength(6)
  })

  it('are followed from http to https', async () => {
    const { urls } = await ask(
      (_count, _ms, url) => (url.protocol === 'http:' ? redirect('https://shop.test/') : { status: 200 }),
      {
        url: 'http://shop.test',
      },
    )
    expect(urls[1]).toBe('https://shop.test/')
  })

  it.each([
    'http://169.254.169.254/latest',
    'https://login.elsewhere.test/',
    'https://shop.test:8443/',
    'http://shop.test/',
  ])('to %s are judged by themselves: the runner is not to be led there', async (location) => {
    const { result, urls } = await ask(() => redirect(location))
    expect(result).toMatchObject({ outcome: 'healthy', status: 302 })
    expect(new Set(urls)).toEqual(new Set(['https://shop.test/']))
  })

  it('in a circle are unhealthy', async () => {
    const { result } = await ask(() => redirect('/again'), { check: { ...HTTP, timeoutMs: 5_000 } })
    expect(result).toMatchObject({ outcome: 'unhealthy', status: 302 })
    expect(result.error).toContain('more than 5 redirects')
  })

  it('never carry credentials', async () => {
    const { urls } = await ask(
      (_count, _ms, url) => (url.pathname === '/' ? redirect('https://a:b@shop.test/x') : { status: 200 }),
      {
        url: 'https://user:pass@shop.test/',
      },
    )
    expect(urls.join()).not.toMatch(/user|pass|a:b/)
  })
})

describe('the URL as reported', () => {
  it('may come without a scheme', async () => {
    expect((await ask(() => ({ status: 200 }), { url: 'shop.ml.ink' })).urls[0]).toBe('https://shop.ml.ink/')
  })

  it('that is none is unhealthy', async () => {
    expect((await ask(() => ({ status: 200 }), { url: 'https://' })).result).toMatchObject({
      outcome: 'unhealthy',
      attempts: 0,
    })
  })

  it('is not left through the path', async () => {
    const { urls } = await ask(() => ({ status: 200 }), { check: { ...HTTP, path: '//elsewhere.test/' } })
    expect(urls[0]).toBe('https://shop.test/elsewhere.test/')
  })
})

describe('where nobody said what a good answer is', () => {
  const check: HealthCheck = { ...HTTP, tolerant: true }
  const own = { 401: 'Unauthorized', 403: '<h1>Forbidden</h1>', 404: '{"detail":"Not Found"}' }

  it.each(Object.entries(own))('HTTP %s of the app itself will do', async (status, text) => {
    const { result } = await ask(() => ({ status: Number(status), text }), { check })
    expect(result).toMatchObject({ outcome: 'healthy', status: Number(status), tolerated: true, text, attempts: 3 })
    expect(result.error).toBeUndefined()
  })

  it('a good answer is better: it is not called tolerated', async () => {
    const { result } = await ask((count) => (count < 3 ? { status: 404, text: own[404] } : { status: 200 }), { check })
    expect(result).toMatchObject({ outcome: 'healthy', status: 200 })
    expect(result).not.toHaveProperty('tolerated')
  })

  it.each([
    [404, '404 page not found\n'],
    [404, 'default backend - 404'],
    [404, '<html><center><h1>404 Not Found</h1></center><hr><center>nginx</center></html>'],
    [404, ''],
    [404, undefined],
    [502, 'Bad Gateway'],
    [503, 'no available server\n'],
  ])('HTTP %s in a proxy’s words (%j) is waited out, and then is a proxy’s', async (status, text) => {
    const { result, tookMs } = await ask(() => ({ status, ...(text === undefined ? {} : { text }) }), { check })
    expect(result).toMatchObject({ outcome: 'unhealthy', byEdge: true, error: `HTTP ${status}` })
    expect(tookMs).toBe(120_000)
  })

  it.each([400, 405, 500, 503])('HTTP %s of the app is still none', async (status) => {
    const { result } = await ask(() => ({ status, text: '{"error":"boom"}' }), { check })
    expect(result).toMatchObject({ outcome: 'unhealthy', status })
    expect(result).not.toHaveProperty('byEdge')
  })

  it('the version before is asked once, and tells whether it was merely tolerated', async () => {
    const asked = (answer: HttpAnswer | Error) => {
      const clock = new VirtualClock()
      const request = async () => {
        if (answer instanceof Error) throw answer
        return answer
      }
      const { signal } = new AbortController()
      const mcp = () => Promise.reject(new Error('not an MCP check'))
      const options = {
        url: 'https://shop.test',
        check,
        commit: undefined,
        http: request,
        mcp,
        clock,
        random: () => 0.5,
        signal,
      }
      return clock.run(isMerelyTolerated(options))
    }
    expect(await asked({ status: 404, text: own[404] })).toBe(true)
    expect(await asked({ status: 200 })).toBe(false)
    expect(await asked({ status: 404, text: '404 page not found\n' })).toBe(false)
    expect(await asked(new Error('fetch failed'))).toBe(false)
  })
})

describe('not asking', () => {
  it('is said when it was not wanted', async () => {
    expect((await ask(() => ({ status: 500 }), { check: { kind: 'none' } })).result).toEqual({
      outcome: 'skipped',
      attempts: 0,
    })
  })

  it('is said when a worker has no URL', async () => {
    expect((await ask(() => ({ status: 500 }), { url: undefined })).result).toEqual({ outcome: 'no-url', attempts: 0 })
  })
})
