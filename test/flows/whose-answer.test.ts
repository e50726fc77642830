import { describe, expect, it } from 'vitest'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

const server = `
import { createServer } from 'node:http'
createServer((_request, response) => response.end('[' + process.env.INK_GIT_COMMIT_SHA + ']')).listen(process.env.PORT)`
const files = {
  'package.json': JSON.stringify({ type: 'module', scripts: { start: 'node server.js' } }),
  'server.js': server,
}
const inputs = { 'build-pack': 'railpack', 'health-contains': '[{sha}]' }

/** Commits an app that answers with its commit, whatever else it is given. */
function writeApp(scene: Scene, more: Readonly<Record<string, string>> = {}): Promise<string> {
  return scene.repository.commit({ branch: 'main', files: { ...files, ...more }, message: 'Answer' })
}

describe('an answer that has to contain the commit', () => {
  it('is live with it, on every deployment, after a rollback, and to the monitor; without it production goes back', async () => {
    const scene = await stage.scene()
    const first = await writeApp(scene)
    expect((await scene.act('push', { after: first }, { inputs })).told).toBe('live')
    const second = await writeApp(scene, { 'NOTES.md': 'more' })
    expect((await scene.act('push', { before: first, after: second }, { inputs })).told).toBe('live')
    expect(await scene.page(scene.production)).toBe(`[${second}]`)
    expect((await scene.act('schedule', {}, { inputs: { ...inputs, command: 'monitor' } })).told).toBe('live')
    const back = await scene.act('workflow_dispatch', {}, { inputs: { ...inputs, command: 'rollback' } })
    expect(back.told).toBe('live')
    expect(await scene.page(scene.production)).toBe(`[${first}]`)

    const stale = await writeApp(scene, { 'server.js': server.replace('process.env.INK_GIT_COMMIT_SHA', "'old'") })
    const { told, outcome, summary } = await scene.act('push', { before: second, after: stale }, { inputs })
    expect(told).toContain(`rolled-back: Deployed, but the URL does not answer as it should: HTTP 200, but neither`)
    expect(told).toContain(`“[${stale}]”`)
    expect(outcome?.failure?.hint).toContain('INK_GIT_COMMIT_SHA')
    expect(summary).toContain(`[${stale}]`)
    expect(await scene.page(scene.production)).toBe(`[${first}]`)
  })

  it('tells two accounts apart that ml.ink gave the same address', async () => {
    const scene = await stage.scene()
    const theirs = await stage.scene()
    const stranger = { 'api-key': stage.ink.addUser(theirs.production).apiKey, service: scene.production }
    expect((await theirs.act('push', { after: theirs.first }, { inputs: stranger })).told).toBe('live')

    const commit = await writeApp(scene)
    const push = { after: commit }
    const unasked = await scene.act('push', push, { inputs: { ...inputs, 'health-contains': '' } })
    // This is what an answer alone is worth: it is the stranger's.
    expect([unasked.told, await scene.page(scene.production)]).toEqual(['live', 'first'])
    expect((await scene.act('push', push, { inputs })).told).toMatch(
      /^unhealthy: .* but neither body nor headers contain/,
    )
  })
})
