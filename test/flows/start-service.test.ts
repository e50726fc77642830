import { describe, expect, it } from 'vitest'
import { serviceStarter } from '../../src/flows/start-service.ts'
import { PlatformError, ToolError } from '../../src/ink/errors.ts'
import type { Service } from '../../src/ink/results.ts'
import { VirtualClock } from '../watch/virtual-clock.ts'

const OURS = 'ink/pr-7/0123456789abcdef'
const signal = new AbortController().signal

/** A service as the platform reports it, as far as a start looks at it. */
function service(branch: string, status: string): Service {
  return {
    id: 'svc-1',
    name: 'shop-pr-7',
    repo: 'ann/shop-ab12',
    branch,
    status,
    deployLogs: [],
    runtimeLogs: [],
  } as unknown as Service
}

/** A starter on a platform whose calls are written down, and answer as scripted. */
function starterOn(script: {
  readonly existing?: Service
  readonly found?: () => Service | undefined
  readonly create?: () => void
  readonly update?: () => void
  readonly mayCreateAnew?: boolean
}) {
  const clock = new VirtualClock()
  const calls: string[] = []
  const starter = serviceStarter({
    platform: {
      service: async () => {
        calls.push('read')
        return script.found?.()
      },
      createService: async () => {
        calls.push('create')
        script.create?.()
        return { serviceId: 'svc-1' } as never
      },
      updateService: async () => {
        calls.push('update')
        script.update?.()
        return { serviceId: 'svc-1' } as never
      },
    },
    clock,
    random: () => 0.5,
    serviceName: 'shop-pr-7',
    repositorySlug: 'ann/shop-ab12',
    repositoryName: 'shop',
    branch: OURS,
    existing: script.existing,
    settings: () => ({}) as never,
    claim: () => undefined,
    accepted: () => undefined,
    mayCreateAnew: async () => script.mayCreateAnew ?? false,
    info: () => undefined,
  })
  return { calls, starter, start: () => clock.run(starter.start(signal)) }
}

function once(error: Error): () => void {
  let thrown = false
  return () => {
    if (thrown) return
    thrown = true
    throw error
  }
}

describe('starting a deployment again', () => {
  it('joins one of the same branch after a start that was acknowledged', async () => {
    const { calls, start } = starterOn({ existing: service('main', 'active'), found: () => service(OURS, 'building') })
    await start()
    await start()
    expect(calls).toEqual(['update', 'read'])
  })

  it.each([
    ['was refused', new ToolError('update_service', 'service updated but redeploy failed: busy')],
    ['got no answer', new PlatformError('unreachable', 'socket hang up')],
  ])('never joins after a start that %s: what is under way may be somebody else’s', async (_what, error) => {
    const { calls, start } = starterOn({
      existing: service('main', 'building'),
      found: () => service(OURS, 'building'),
      update: once(error),
    })
    await expect(start()).rejects.toBe(error)
    await start()
    expect(calls).toEqual(['update', 'read', 'update'])
  })

  it.each([true, false])(
    'gives way to whoever switched the service meanwhile (first start acknowledged: %s)',
    async (acknowledged) => {
      const refused = new ToolError('update_service', 'service updated but redeploy failed: busy')
      const { calls, start } = starterOn({
        existing: service('main', 'active'),
        found: () => service('ink/pr-7/fedcba9876543210', 'building'),
        ...(acknowledged ? {} : { update: once(refused) }),
      })
      if (acknowledged) await start()
      else await expect(start()).rejects.toBe(refused)
      await start()
      expect(calls).toEqual(['update', 'read'])
    },
  )

  it('leaves a service there that somebody put back to the branch of before', async () => {
    const { calls, start } = starterOn({ existing: service('main', 'active'), found: () => service('main', 'active') })
    await start()
    await start()
    expect(calls).toEqual(['update', 'read'])
  })

  it('updates what the first start created, without having read it', async () => {
    const { calls, start } = starterOn({ found: () => service(OURS, 'cancelled') })
    await start()
    await start()
    expect(calls).toEqual(['create', 'read', 'update'])
  })
})

describe('a start', () => {
  it('is a creation when there was no service', async () => {
    const { starter, start } = starterOn({})
    await start()
    expect(starter.created()).toBe(true)
  })

  it('creates nothing in place of a service that somebody deleted, unless that is wanted', async () => {
    const gone = new ToolError('update_service', 'service not found: shop-pr-7 in project default')
    const kept = starterOn({ existing: service('main', 'active'), update: once(gone) })
    await expect(kept.start()).rejects.toBe(gone)
    expect(kept.calls).toEqual(['update'])
    const anew = starterOn({ existing: service('main', 'active'), update: once(gone), mayCreateAnew: true })
    await anew.start()
    expect(anew.calls).toEqual(['update', 'create'])
  })

  it('waits, and not for ever, while a service is found, cannot be updated and holds its name', async () => {
    const { calls, start } = starterOn({
      existing: service('main', 'active'),
      found: () => service('main', 'active'),
      update: () => {
        throw new ToolError('update_service', 'service not found: shop-pr-7 in project default')
      },
      create: () => {
        throw new ToolError('create_service', 'service "shop-pr-7" already exists in this project')
      },
      mayCreateAnew: true,
    })
    await expect(start()).rejects.toThrow('is being deleted on ml.ink')
    expect(calls.length).toBeLessThan(3 * 200)
  })

  it('is no creation when the name turned out to be taken', async () => {
    const taken = new ToolError('create_service', 'service "shop-pr-7" already exists in this project')
    const { calls, starter, start } = starterOn({ found: () => service('main', 'active'), create: once(taken) })
    await start()
    expect(calls).toEqual(['create', 'read', 'update'])
    expect(starter.created()).toBe(false)
  })
})
