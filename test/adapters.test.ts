import { expect, it, vi } from 'vitest'
import { startInkPlatform } from '../sandbox/ink/platform.ts'
import { buildDeps, type Edge } from '../src/adapters.ts'
import { Secret } from '../src/core/secret.ts'
import type { Place } from '../src/plan/context.ts'

it('a run connects to ml.ink once, as soon as it is told to, however often the platform is opened', async () => {
  const ink = await startInkPlatform({ profile: 'g1' })
  const fetch = vi.spyOn(globalThis, 'fetch')
  const asked = () => fetch.mock.calls.map(([, init]) => String(init?.body)).filter((body) => /"initialize"/.test(body))
  const { signal } = new AbortController()
  const deps = buildDeps({
    context: { repository: { owner: 'acme', name: 'shop', apiUrl: '', serverUrl: '' } },
    event: { kind: 'push' },
    settings: { endpoint: ink.endpoint, apiKey: new Secret(ink.apiKey), timeoutMs: 60_000 },
    environment: {},
    log: { debug: () => undefined, warning: () => undefined },
    maskVariables: () => undefined,
    signal,
  } as unknown as Edge)
  const useOnce = async () => {
    await using platform = await deps.openPlatform({ project: 'default', workspace: undefined } as Place, signal)
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
