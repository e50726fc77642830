import { describe, expect, it } from 'vitest'
import type { Deps } from '../../src/flows/run.ts'
import { memories } from './monitor.ts'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

// Only where no good answer is to be expected is the time for one short.
const look = (scene: Scene, inputs: Record<string, string> = {}) =>
  scene.act('workflow_dispatch', {}, { inputs: { command: 'monitor', 'health-timeout': '15s', ...inputs } })

describe('the memory of the monitor', () => {
  it('counts what was not healthy, survives deployments, goes with the service, and is written by no dry run', async () => {
    const scene = await stage.scene()
    await scene.act('push', { after: scene.first })
    const dry = await look(scene, { 'dry-run': 'true' })
    expect(dry.told).toBe('planned')
    expect(dry.summary).toContain('100 % over 1 check')
    stage.ink.fault('git.http', { status: 403, service: 'git-receive-pack' })
    const unwritten = await look(scene)
    expect(unwritten.red).toBe(false)
    expect(unwritten.warnings.join()).toContain('What the monitor remembers could not be written')
    await stage.ink.clearFaults()
    expect(await memories(scene)).toEqual([])

    await look(scene)
    stage.ink.fault('app.error', { times: 1, status: 500 })
    stage.ink.deployAsSomebodyElse(scene.production)
    await stage.ink.waitForStatus(scene.production, ['active'])
    expect((await look(scene, { 'health-timeout': '1s' })).summary).toContain('50 % over 2 checks')
    const after = await scene.write('second')
    expect((await scene.act('push', { after, before: scene.first })).told).toBe('live')
    expect((await look(scene)).summary).toContain('66.6 % over 3 checks')
    stage.ink.deleteBehindTheBack(scene.production)
    expect((await look(scene)).red).toBe(false)
    expect(await memories(scene)).toEqual([])
  })

  it('of another service stays where it could not be asked whether that is gone', async () => {
    const scene = await stage.scene()
    const service = `${scene.production}-other`
    await scene.act('push', { after: scene.first }, { inputs: { service } })
    await look(scene, { service })
    const before = await memories(scene)
    const change = (deps: Deps): Deps => ({
      ...deps,
      openPlatform: async (...args) => {
        const platform = await deps.openPlatform(...args)
        const ask: typeof platform.service = (name, ...rest) =>
          name === service ? Promise.reject(new Error('not now')) : platform.service(name, ...rest)
        return { ...platform, service: ask }
      },
    })
    await scene.act('workflow_dispatch', {}, { inputs: { command: 'monitor' }, change })
    expect(before).toHaveLength(1)
    expect(await memories(scene)).toEqual(before)
  })
})
