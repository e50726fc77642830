import { describe, expect, it } from 'vitest'
import type { Deps } from '../../src/flows/run.ts'
import { PlatformError } from '../../src/ink/errors.ts'
import type { Platform } from '../../src/ink/platform.ts'
import { deployed, look } from './monitor.ts'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

// Production runs with 256Mi, which is less than these bounds allow.
const inputs = { autoscale: 'memory 512Mi..1024Mi' }

const stage = useStage()

const config = (scene: Scene) => stage.ink.service(scene.production)?.config
const openIssues = (scene: Scene) => [...scene.repository.issues.values()].filter(({ state }) => state === 'open')

describe('a step with which the service does not come up', { timeout: 90_000 }, () => {
  it('is taken back at once, is not tried again for a month, and does not go unsaid', async () => {
    const scene = await deployed(stage)
    const before = config(scene)
    stage.ink.fault('rollout.unhealthy', { times: 2 }) // a roll-out that fails at once is started again
    const broke = await look(scene, inputs)
    expect(broke.told).toMatch(/^unhealthy: .* After its size was changed: .*; it was given 256Mi again and is live/)
    expect(broke.summary).toContain('It was given 256Mi again and is live.')
    expect(config(scene)).toEqual(before)
    expect(stage.ink.service(scene.production)?.status).toBe('active')
    expect(openIssues(scene)).toHaveLength(1)

    const next = await look(scene, inputs, 45)
    expect(next.told).toBe('live')
    expect(next.summary).toMatch(/did not come up with 512Mi of memory, so that is not tried again before \d{4}-/)
    expect(config(scene)).toEqual(before)
    expect(openIssues(scene)).toEqual([])
    const month = 31 * 24 * 60
    const raised = await look(scene, inputs, month)
    expect(raised.told).toBe('live')
    expect(raised.summary).toContain(
      'Memory raised from 256Mi to 512Mi: 256Mi is less than the least that `autoscale` allows (512Mi..1024Mi).',
    )
    expect(config(scene)?.memory).toBe('512Mi')
    expect((await look(scene, inputs, month + 45)).summary).toContain('Size unchanged: no metrics')
  })

  it('and cannot be taken back leaves it in trouble until it is fixed, although the old version answers', async () => {
    const scene = await deployed(stage)
    stage.ink.fault('rollout.unhealthy', { times: 4 })
    const broke = await look(scene, inputs)
    expect(broke.told).toContain('going back to 256Mi did not work')
    expect(await scene.page(scene.production)).toBe('first')
    await stage.ink.clearFaults()

    const next = await look(scene, inputs, 45)
    expect(next.told).toMatch(/^unhealthy: .* has not come up since it was given 512Mi of memory/)
    expect(openIssues(scene)).toHaveLength(1)
    stage.ink.deployAsSomebodyElse(scene.production)
    await stage.ink.waitForStatus(scene.production, ['active'])
    expect((await look(scene, inputs, 90)).told).toBe('live')
    expect(openIssues(scene)).toEqual([])
  })
})

describe('a step with which the service does not come up, while ml.ink cannot be read', { timeout: 90_000 }, () => {
  it('is remembered as broken all the same', async () => {
    const scene = await deployed(stage)
    stage.ink.fault('rollout.unhealthy', { times: 2 })
    let unread = 0
    const broke = await look(scene, inputs, 0, (deps: Deps) => ({
      ...deps,
      log: {
        ...deps.log,
        warning: (text) => {
          if (text.includes('did not come up with')) unread = 1
          deps.log.warning(text)
        },
      },
      openPlatform: async (...args) => {
        const platform = await deps.openPlatform(...args)
        const service: Platform['service'] = async (...of) => {
          if (unread-- > 0) throw new PlatformError('unavailable', 'ml.ink is being repaired')
          return platform.service(...of)
        }
        return { ...platform, service }
      },
    }))
    expect(broke.told).toContain('going back to 256Mi did not work: ml.ink is being repaired')
    const next = await look(scene, inputs, 45)
    expect(next.summary).toMatch(/did not come up with 512Mi of memory, so that is not tried again before/)
  })
})

describe('a deployment that comes between a look and its step', () => {
  it('keeps its branch', async () => {
    const { ink } = stage
    const scene = await deployed(stage)
    const old = config(scene)?.branch ?? ''
    const after = await scene.write('second')
    expect((await scene.act('push', { after, before: scene.first }, { inputs: { memory: '256Mi' } })).told).toBe('live')
    // Somebody goes back to the first version between the monitor's last look and its update.
    const meanwhile = (platform: Platform): Platform => ({
      ...platform,
      updateService: async (...args) => {
        ink.deployAsSomebodyElse(scene.production, old)
        // Cancelled in the middle of its build, it would keep the next one from starting.
        await ink.waitForStatus(scene.production, ['active'])
        return platform.updateService(...args)
      },
    })
    const run = await look(scene, inputs, 0, (deps: Deps) => ({
      ...deps,
      openPlatform: async (...args) => meanwhile(await deps.openPlatform(...args)),
    }))
    expect(run.summary).toContain('Another deployment took over')
    await ink.waitForStatus(scene.production, ['active'])
    expect(config(scene)?.branch).toBe(old)
    expect(await scene.page(scene.production)).toBe('first')
  })
})
