import { describe, expect, it } from 'vitest'
import type { Act, Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

async function update(scene: Scene, number: number, text: string): Promise<Act> {
  const { sha, before } = await scene.push(number, text)
  return scene.act('pull_request', { action: 'synchronize', number, after: sha, before })
}

describe('a card', () => {
  it('compares build time and size with the last version that was live, across one that failed', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('small')
    // A build that is over between two readings is not seen.
    stage.ink.fault('build.slow', { times: 1, delayMs: 500 })
    const first = await scene.act('pull_request', { action: 'opened', number })
    const [before] = scene.rows(number)
    expect(before).toMatchObject({ status: 'live', bytes: 'small'.length, buildMs: expect.any(Number) })
    expect(before?.change).toBeUndefined()
    expect(first.summary).not.toContain('than before')

    stage.ink.fault('build.crash', { times: 2 })
    const failed = await update(scene, number, 'broken')
    expect(failed.outputs.status).toBe('failed')
    const change = { buildMsBefore: before?.buildMs, bytesBefore: 'small'.length }
    expect(scene.rows(number)).toMatchObject([{ status: 'failed', change }])

    stage.ink.fault('build.slow', { times: 1, delayMs: 2500 })
    const live = await update(scene, number, 'x'.repeat(5000))
    expect(scene.rows(number)).toMatchObject([{ status: 'live', bytes: 5000, change }])
    for (const shown of [live.summary, scene.repository.comments(number)[0]?.body])
      expect(shown).toMatch(/Built [\d.]+ s slower than before; 5 kB of files, 5 kB more than before/)
  })
})

describe('an app that answers with an error', () => {
  it('is told of once, with something to do about it', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    stage.ink.fault('app.error', { times: 1, status: 500 })
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs: { 'health-timeout': '1s' } })
    expect(run.told).toBe('unhealthy: Deployed, but the URL does not answer as it should: HTTP 500')
    expect(run.summary.match(/does not answer as it should/g)).toHaveLength(1)
    expect(scene.rows(number)[0]?.diagnosis?.hint).toContain('fails at this request')
  })
})

describe('a run that comes to nothing', () => {
  it('because there is no key says in its summary that it failed, why, and the line to paste', async () => {
    const scene = await stage.scene()
    const run = await scene.act('push', { after: scene.first }, { inputs: { 'api-key': '' } })
    expect(run.red).toBe(true)
    expect(run.summary).toMatch(/^## 🔴 The run failed/)
    expect(run.summary).toContain('**Why:** api-key: is not set')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line of a workflow file
    expect(run.summary).toContain('`api-key: ${{ secrets.INK_API_KEY }}`')
  })

  it('because the key is refused says so, whatever it was to do', async () => {
    const scene = await stage.scene()
    const run = await scene.act(
      'schedule',
      {},
      { inputs: { 'api-key': `dk_live_${'0'.repeat(64)}`, command: 'sweep' } },
    )
    expect(run.red).toBe(true)
    expect(run.summary).toMatch(/^## 🔴 The run failed/)
    expect(run.summary).toContain('ml.ink did not accept the API key')
    expect(run.summary).toContain('**What to do:** Make a new API key')
  })
})

describe('the input comment-header', () => {
  it('puts Markdown of one’s own above the card, without what is secret in it', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const inputs = { 'comment-header': '## Our shop, sesame-open-1', env: 'TOKEN=sesame-open-1' }
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(run.outputs.status, run.told).toBe('live')
    const [{ body } = { body: '' }] = scene.repository.comments(number)
    expect(body).toMatch(/^<!-- ink-deploy:card -->\n<!-- ink-deploy:header -->\n\n## Our shop, \*\*\*\n/)
    expect(scene.rows(number)).toMatchObject([{ status: 'live' }])
    // The record of a run that is soon over has its last word alone.
    const [record] = scene.repository.deployments()
    expect(record?.statuses).toMatchObject([
      { state: 'success', environmentUrl: run.outputs.url, logUrl: expect.stringMatching(/runs/) },
    ])
    expect(run.warnings).toEqual([])
  })
})

describe('a dry run', () => {
  it('shows in the summary what would be done', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs: { 'dry-run': 'true' } })
    expect(run.summary).toContain('## ⚪ Dry run: nothing was changed')
    expect(run.summary).toContain(`- Service ${scene.preview(number)} in project default`)
  })
})
