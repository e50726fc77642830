import { getEventListeners, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, it, vi } from 'vitest'
import { startInkPlatform } from '../sandbox/ink/platform.ts'
import { buildDeps, type Edge } from '../src/adapters.ts'
import { Secret } from '../src/core/secret.ts'
import type { Place } from '../src/plan/context.ts'
import { startMcpServer } from './hostile/mcp-server.ts'

const place = { project: 'default', workspace: undefined } as Place
const { signal } = new AbortController()

const depsFor = (endpoint: string, apiKey: string) =>
  buildDeps({
    context: { repository: { owner: 'acme', name: 'shop', apiUrl: '', serverUrl: '' } },
    event: { kind: 'push' },
    settings: { endpoint, apiKey: new Secret(apiKey), timeoutMs: 60_000 },
    environment: {},
    log: { debug: () => undefined, warning: () => undefined },
    maskVariables: () => undefined,
    signal,
  } as unknown as Edge)

it('a run connects to ml.ink once, as soon as it is told to, however often the platform is opened', async () => {
  const ink = await startInkPlatform({ profile: 'g1' })
  const fetch = vi.spyOn(globalThis, 'fetch')
  const asked = () => fetch.mock.calls.map(([, init]) => String(init?.body)).filter((body) => /"initialize"/.test(body))
  const deps = depsFor(ink.endpoint, ink.apiKey)
  const useOnce = async () => {
    await using platform = await deps.openPlatform(place, signal)
    expect(await platform.service('web', {}, signal)).toBeUndefined()
  }
  try {
    const connection = await deps.connect()
    expect(asked()).toHaveLength(1)
    await useOnce()
    await Promise.all([useOnce(), useOnce()])
    await connection[Symbol.asyncDispose]()
    expect(asked()).toHaveLength(1)
    // What was closed is opened anew.
    await useOnce()
    expect(asked()).toHaveLength(2)
  } finally {
    fetch.mockRestore()
    await ink.stop()
  }
})

it.each(['initialize', 'notifications/initialized', 'tools/list'])(
  'a connection that nobody waits for any more is given up, also when %s is never answered',
  async (silent) => {
    const unanswered: ServerResponse[] = []
    await using server = await startMcpServer(({ method }) =>
      method === silent ? (response) => void unanswered.push(response) : undefined,
    )
    const deps = depsFor(server.url, 'any')
    // The time that one request may take does not pass here.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const connection = await deps.connect()
      const late = new AbortController()
      const opening = deps.openPlatform(place, late.signal)
      while (unanswered.length === 0) await new Promise(setImmediate)
      const closed = unanswered.map((response) => once(response, 'close'))
      late.abort(new Error('the time is over'))
      await expect(opening).rejects.toThrow('the time is over')
      await connection[Symbol.asyncDispose]()
      await Promise.all(closed)
    } finally {
      vi.useRealTimers()
    }
  },
)

it('is asked again after a passing failure for as long as whoever opened the platform may take, whenever that was', async () => {
  const ink = await startInkPlatform({ profile: 'g1' })
  const deps = depsFor(ink.endpoint, ink.apiKey)
  const connection = await deps.connect()
  vi.useFakeTimers({ toFake: ['Date'] })
  const fetch = vi.spyOn(globalThis, 'fetch')
  try {
    await (await deps.openPlatform(place, signal))[Symbol.asyncDispose]()
    vi.setSystemTime(Date.now() + 120_000)
    await using platform = await deps.openPlatform(place, signal)
    fetch.mockResolvedValueOnce(new Response('try later', { status: 503 }))
    expect(await platform.service('web', {}, signal)).toBeUndefined()
  } finally {
    fetch.mockRestore()
    vi.useRealTimers()
    await connection[Symbol.asyncDispose]()
    await ink.stop()
  }
})

it('may answer as much to each that opened the platform as to one alone', async () => {
  const text = 'x'.repeat(9_000_000)
  await using server = await startMcpServer(({ method }) =>
    method === 'tools/call' ? { result: { structuredContent: { services: [], text } } } : undefined,
  )
  const deps = depsFor(server.url, 'dk_live_any')
  await using _connection = await deps.connect()
  for (let service = 1; service <= 2; service++) {
    await using platform = await deps.openPlatform(place, signal)
    for (let asked = 1; asked <= 5; asked++) expect(await platform.services(signal)).toEqual([])
  }
})

it('a platform that is opened often leaves nothing behind on the signal of the run', async () => {
  const ink = await startInkPlatform({ profile: 'g1' })
  const deps = depsFor(ink.endpoint, ink.apiKey)
  const run = new AbortController()
  const connection = await deps.connect()
  try {
    const before = getEventListeners(run.signal, 'abort').length
    for (let turn = 0; turn < 3; turn++) await (await deps.openPlatform(place, run.signal))[Symbol.asyncDispose]()
    expect(getEventListeners(run.signal, 'abort')).toHaveLength(before)
  } finally {
    await connection[Symbol.asyncDispose]()
    await ink.stop()
  }
})
