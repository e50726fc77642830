import { afterAll, describe, expect, it } from 'vitest'
import type { InkProfile } from '../../sandbox/ink/platform.ts'
import type { Platform } from '../../src/ink/platform.ts'
import { type How, openStage, type Stage } from './stage.ts'

const stages = new Map<InkProfile, Promise<Stage>>()
afterAll(async () => {
  for (const stage of stages.values()) await (await stage)[Symbol.asyncDispose]()
})

/** A closed pull request whose preview had such a database, and what closes it once more, without any inputs. */
async function closed(profile: InkProfile, database: string) {
  const opening = stages.get(profile) ?? openStage({ profile })
  stages.set(profile, opening)
  const stage = await opening
  const scene = await stage.scene()
  const { number } = await scene.open('hello')
  const opened = await scene.act('pull_request', { action: 'opened', number }, { inputs: { database } })
  expect(opened.told).toBe('live')
  await scene.repository.close(number)
  const close = (how: How = {}) => scene.act('pull_request', { action: 'closed', number }, how)
  return { stage, scene, close, name: `${scene.preview(number)}-db` }
}

/** A run on a platform some of whose calls go otherwise. */
function changing(calls: Partial<Platform>): How {
  return {
    change: (deps) => ({
      ...deps,
      openPlatform: async (...args) => ({ ...(await deps.openPlatform(...args)), ...calls }),
    }),
  }
}

const notNow = () => Promise.reject(new Error('not now'))

describe('what a first removal has left behind', () => {
  it('of a template’s database, its volume, goes with the next', async () => {
    const { stage, scene, close, name } = await closed('g2', 'postgres')
    expect((await close(changing({ deleteVolume: notNow }))).told).toContain(`database ${name} (not now)`)
    expect(stage.ink.service(name)).toBeUndefined()
    expect(stage.ink.volumes()).toEqual([`${name}-data`])

    const again = await close()
    expect(again.told).toBe('removed')
    expect(again.outputs.removed).toContain(`database:${name}`)
    expect(stage.ink.volumes()).toEqual([])
    expect(await scene.branches()).toEqual([])
  })

  it('is left alone when the preview has no branch any more, for then it may be anybody’s', async () => {
    const { close, name } = await closed('g2', 'redis')
    await close()
    const deleted: string[] = []
    const again = await close(
      changing({
        volumes: async () => [{ name: `${name}-data` }],
        deleteVolume: async (volume) => deleted.push(volume) > 0,
      }),
    )
    expect(again.told).toBe('removed')
    expect(deleted).toEqual([])
  })

  it('of a whole database is told for as long as nothing says whose it was', async () => {
    const { stage, scene, close, name } = await closed('g1', 'sqlite')
    expect((await close(changing({ deleteDatabase: notNow }))).told).toContain('not now')
    const again = await close()
    expect(again.red).toBe(true)
    expect(again.told).toContain(`database ${name} (its service is gone already`)
    expect(await scene.branches()).toHaveLength(1)

    expect((await close({ inputs: { database: 'sqlite' } })).told).toBe('removed')
    expect(stage.ink.databases().map((one) => one.name)).not.toContain(name)
    expect(await scene.branches()).toEqual([])
  })
})
