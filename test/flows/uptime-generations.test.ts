import { describe, expect, it } from 'vitest'
import { openStage, type Scene } from './stage.ts'

const look = (scene: Scene) => scene.act('workflow_dispatch', {}, { inputs: { command: 'monitor' } })
const memories = async (scene: Scene) => (await scene.branches()).filter((name) => name.startsWith('ink/monitor/'))

// The first generation that has all tools is the one of all other tests.
describe.each(['g0', 'g1-nested', 'g2', 'mixed', 'unknown-argument'] as const)('on a platform %s', (profile) => {
  it('the monitor counts its checks from run to run, starts nothing by it, and keeps one branch', async () => {
    await using stage = await openStage({ profile })
    const scene = await stage.scene()
    await scene.act('push', { after: scene.first })
    const deployments = () => stage.ink.service(scene.production)?.deployments.length
    const before = deployments()
    const today = new Date().toISOString().slice(0, 10)
    expect((await look(scene)).summary).toContain(`100 % over 1 check since ${today}`)
    const first = await memories(scene)
    expect((await look(scene)).summary).toContain(`100 % over 2 checks since ${today}`)
    const second = await memories(scene)
    expect([first.length, second.length]).toEqual([1, 1])
    expect(second).not.toEqual(first)
    expect(deployments()).toBe(before)
  })
})
