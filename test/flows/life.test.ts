import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openStage, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterEach(async () => {
  await stage.ink.clearFaults()
  stage.github.clearFaults()
})
afterAll(async () => stage[Symbol.asyncDispose]())

describe('a pull request', () => {
  it('gets a preview, and nothing is left of it once it is closed', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('hello')
    const inputs = { database: 'sqlite' }
    const opened = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(opened.outputs).toMatchObject({ status: 'live', action: 'preview', commit: sha, environment: 'preview' })
    expect(await scene.page(scene.preview(number))).toBe('hello')
    expect(scene.rows(number)).toMatchObject([{ status: 'live', commit: sha }])
    expect(scene.activeRecords()).toHaveLength(1)

    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number }, { inputs })
    expect(closed.red).toBe(false)
    expect(closed.outputs).toMatchObject({ status: 'removed', action: 'teardown' })
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
    expect(stage.ink.databases()).toEqual([])
    expect(await scene.branches()).toEqual([])
    expect(scene.repository.deployments()).toEqual([])
    expect(scene.rows(number)).toMatchObject([{ status: 'removed', commit: sha }])
    expect(closed.warnings).toEqual([])
  })
})
