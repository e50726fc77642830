import { describe, expect, it } from 'vitest'
import type { WebhookEvent } from '../../sandbox/index.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

function withAction(event: WebhookEvent, action: string): WebhookEvent {
  return { ...event, payload: { ...event.payload, action } }
}

describe('a pull request with a preview', () => {
  it('keeps it as it is at a label that is not the gate’s, and is looked at when nobody knows what was done', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('one')
    expect((await scene.act('pull_request', { action: 'opened', number })).told).toBe('live')
    const state = () => ({
      rows: scene.rows(number),
      deployments: stage.ink.service(scene.preview(number))?.deployments.length,
    })
    const before = state()
    scene.repository.label(number, 'documentation')
    for (const inputs of [{}, { 'preview-label': 'preview' }]) {
      const labeled = await scene.act('pull_request', { action: 'labeled', number, label: 'documentation' }, { inputs })
      expect([labeled.red, labeled.outputs.status]).toEqual([false, expect.stringMatching(/^(nothing|skipped)$/)])
    }
    expect(state()).toEqual(before)

    // Its new head is deployed.
    const { sha: after } = await scene.push(number, 'two')
    const push = await scene.repository.event('pull_request', { action: 'synchronize', number, before: sha, after })
    expect((await scene.play(withAction(push, 'synchronized'))).told).toBe('live')
    expect(await scene.page(scene.preview(number))).toBe('two')
    expect(scene.rows(number)).toMatchObject([{ status: 'live', commit: after }])

    // And once it is closed, the preview goes.
    await scene.repository.close(number)
    const close = await scene.repository.event('pull_request', { action: 'closed', number })
    expect((await scene.play(withAction(close, 'shut'))).told).toBe('removed')
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
  })
})

describe('an event without a ref in it', () => {
  it.each(['push', 'workflow_dispatch'] as const)('is on the branch that the runner names: %s', async (kind) => {
    const scene = await stage.scene()
    const planned = { inputs: { command: 'plan' } }
    const { told, log, notices } = await scene.act(kind, { after: scene.first, withoutRef: true }, planned)
    expect(told).toBe('planned')
    expect(log.join('\n')).toContain(`+ ${scene.production}: create`)
    expect([...log, ...notices].join('\n')).not.toMatch(/is not the production branch/)
  })
})

describe('a hotfix that is deployed by hand from its branch', () => {
  it('is live again, and nothing is in its way, once it is merged by fast-forward', async () => {
    const scene = await stage.scene()
    const fix = await scene.repository.commit({
      branch: 'hotfix',
      parent: scene.first,
      files: { 'index.html': 'fixed' },
      message: 'Fix',
    })
    const inputs = { command: 'production' }
    expect((await scene.act('workflow_dispatch', { ref: 'hotfix' }, { inputs })).told).toBe('live')
    await scene.repository.setReference('refs/heads/main', fix)
    const merged = await scene.act('push', { before: scene.first, after: fix })
    expect([merged.told, merged.outputs.commit, await scene.page(scene.production)]).toEqual(['live', fix, 'fixed'])
    expect(await scene.branches()).toHaveLength(2)
  })
})

describe('a secret that is missing', () => {
  it('never replaces the one that is live: it is kept, and its name is warned of', async () => {
    const scene = await stage.scene()
    const given = { inputs: { env: "API_TOKEN='a value of ours'\nGREETING=hello" } }
    expect((await scene.act('push', { after: scene.first }, given)).told).toBe('live')
    const second = await scene.write('second')
    const missing = { inputs: { env: "API_TOKEN=''\nGREETING=''" } }
    const { told, warnings } = await scene.act('push', { before: scene.first, after: second }, missing)
    expect(told).toBe('live')
    expect(warnings).toEqual([expect.stringContaining('API_TOKEN')])
    expect(stage.ink.service(scene.production)?.env).toMatchObject({ API_TOKEN: 'a value of ours', GREETING: '' })
  })
})
