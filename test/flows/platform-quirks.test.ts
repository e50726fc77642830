import { describe, expect, it } from 'vitest'
import { connect } from '../sandbox-ink/harness.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

describe('a variable whose value is empty, which ml.ink answers without a value,', () => {
  it('is in the way of no deployment, update, sweep or removal', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('one')
    const how = { inputs: { env: "FLAG=''" } }
    expect((await scene.act('pull_request', { action: 'opened', number }, how)).told).toBe('live')
    const pushed = await scene.push(number, 'two')
    const update = { action: 'synchronize', number, before: sha, after: pushed.sha }
    expect((await scene.act('pull_request', update, how)).told).toBe('live')
    expect((await scene.act('schedule', {}, { inputs: { command: 'sweep' } })).red).toBe(false)
    await scene.repository.close(number)
    expect((await scene.act('pull_request', { action: 'closed', number })).told).toBe('removed')
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
  })
})

describe('a repository that was made and never pushed to, whose branches ml.ink cannot list,', () => {
  it('is in the way of no close, sweep or deployment', async () => {
    const scene = await stage.scene()
    const client = await connect(stage.ink.endpoint, stage.ink.apiKey)
    await client.callTool({ name: 'create_repo', arguments: { name: scene.repository.name } })
    await client.close()
    const { number } = await scene.open('one')
    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number })
    const swept = await scene.act('schedule', {}, { inputs: { command: 'sweep' } })
    expect([closed.red, swept.red]).toEqual([false, false])
    expect((await scene.act('push', { after: scene.first })).told).toBe('live')
  })
})

describe('a service that is made again under the name of one that failed', () => {
  it('is explained by its own lines, and by the reason that ml.ink wraps in its workflow’s words', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('one')
    const typeError = "src/app.ts(7,15): error TS2304: Cannot find name 'greeting'."
    const app = { 'build-pack': 'railpack', 'start-command': 'echo "no such table: users"; exit 3' }
    const first = { ...app, 'build-command': `echo "${typeError}"; exit 1` }
    const failed = await scene.act('pull_request', { action: 'opened', number }, { inputs: first })
    expect(failed.told).toContain('TS2304')
    await scene.repository.close(number)
    expect((await scene.act('pull_request', { action: 'closed', number })).told).toBe('removed')

    await scene.repository.reopen(number)
    const second = { ...app, 'build-command': 'echo built' }
    const again = await scene.act('pull_request', { action: 'reopened', number }, { inputs: second })
    expect(again.told).toMatch(/^failed: The app does not start: /)
    expect(again.told).not.toMatch(/workflow|activity error|retryable/)
    expect(again.told + again.summary).not.toContain('TS2304')
    expect(again.summary).toContain('no such table: users')
  })
})
