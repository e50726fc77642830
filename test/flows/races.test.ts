import { describe, expect, it } from 'vitest'
import { useStage } from './use-stage.ts'

const stage = useStage()

describe('the loser of a race', () => {
  it('for a repository that has to be made works with the one that the winner made', async () => {
    const scene = await stage.scene()
    stage.ink.fault('ink.race', { times: 1, tool: 'create_repo' })
    expect((await scene.act('push', { after: scene.first })).told).toBe('live')
    expect(await scene.page(scene.production)).toBe('first')
    expect(stage.ink.armedFaults()).toEqual([])
  })

  it('of two updates starts its own once more', async () => {
    const scene = await stage.scene()
    expect((await scene.act('push', { after: scene.first })).told).toBe('live')
    const second = await scene.write('second')
    stage.ink.fault('ink.race', { times: 1, tool: 'update_service' })
    expect((await scene.act('push', { before: scene.first, after: second })).told).toBe('live')
    expect(await scene.page(scene.production)).toBe('second')
    expect(stage.ink.armedFaults()).toEqual([])
  })
})
