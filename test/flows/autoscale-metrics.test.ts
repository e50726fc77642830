import { describe, expect, it } from 'vitest'
import { deployed, look } from './monitor.ts'
import { openStage } from './stage.ts'

describe('a service that is well', () => {
  it('is left alone while it is being deployed, and without metrics or a known size', async () => {
    await using stage = await openStage({ timing: { unhealthyMs: 60_000 } })
    const scene = await deployed(stage)
    const deployments = () => stage.ink.service(scene.production)?.deployments.length
    expect((await look(scene)).summary).toContain('Size unchanged: no metrics from this ml.ink server')
    expect((await look(scene, { memory: '', vcpus: '' })).summary).toContain('ml.ink does not tell it')
    const before = deployments() ?? 0
    stage.ink.fault('rollout.unhealthy', { times: 1 })
    stage.ink.deployAsSomebodyElse(scene.production)
    await stage.ink.waitForStatus(scene.production, ['deploying'])
    expect((await look(scene)).summary).toContain('Size unchanged: a deployment is under way')
    expect(deployments()).toBe(before + 1)
  })

  it('is changed on its metrics: up after three readings, down after a day', async () => {
    await using stage = await openStage({ profile: 'g2', insight: true })
    const scene = await deployed(stage)
    const config = () => stage.ink.service(scene.production)?.config
    stage.ink.setUsage(scene.production, { memoryMb: 230, vcpus: 0.2 })
    for (const minute of [0, 30]) {
      const summary = (await look(scene, {}, minute)).summary
      expect(summary).toContain('90 % of the memory and 40 % of the vCPUs in use')
    }
    const up = await look(scene, {}, 60)
    expect(up.summary).toContain(
      'Memory raised from 256Mi to 512Mi: more than 85 % of its memory was in use in 3 readings',
    )
    expect(up.told).toBe('live')
    expect(config()?.memory).toBe('512Mi')

    stage.ink.setUsage(scene.production, { memoryMb: 100, vcpus: 0.2 })
    for (const minute of [120, 800]) await look(scene, {}, minute)
    expect(config()?.memory).toBe('512Mi')
    const down = await look(scene, {}, 120 + 24 * 60)
    expect(down.summary).toContain('Memory lowered from 512Mi to 256Mi: less than 30 % of its memory')
    expect(config()?.memory).toBe('256Mi')
  })

  it('is judged by the metrics of a server that speaks both generations, too', async () => {
    await using stage = await openStage({ profile: 'mixed', insight: true })
    const scene = await deployed(stage)
    stage.ink.setUsage(scene.production, { memoryMb: 128, vcpus: 0.1 })
    expect((await look(scene)).summary).toContain('50 % of the memory and 20 % of the vCPUs in use')
  })
})
