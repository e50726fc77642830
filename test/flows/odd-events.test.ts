import { describe, expect, it } from 'vitest'
import type { WebhookEvent } from '../../sandbox/index.ts'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

/** A pull request with a live preview. */
async function preview(): Promise<{ scene: Scene; number: number; sha: string }> {
  const scene = await stage.scene()
  const { number, sha } = await scene.open('one')
  expect((await scene.act('pull_request', { action: 'opened', number })).told).toBe('live')
  return { scene, number, sha }
}

function withAction(event: WebhookEvent, action: string): WebhookEvent {
  return { ...event, payload: { ...event.payload, action } }
}

describe('an activity of a pull request that nobody knows', () => {
  it('leads to a look at the pull request as it is: its new head is deployed', async () => {
    const { scene, number, sha } = await preview()
    const { sha: head } = await scene.push(number, 'two')
    const event = await scene.repository.event('pull_request', {
      action: 'synchronize',
      number,
      before: sha,
      after: head,
    })
    expect((await scene.play(withAction(event, 'synchronized'))).told).toBe('live')
    expect(await scene.page(scene.preview(number))).toBe('two')
    expect(scene.rows(number)).toMatchObject([{ status: 'live', commit: head }])
  })

  it('removes the preview of one that is closed', async () => {
    const { scene, number } = await preview()
    await scene.repository.close(number)
    const event = await scene.repository.event('pull_request', { action: 'closed', number })
    expect((await scene.play(withAction(event, 'shut'))).told).toBe('removed')
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
  })
})

describe('a label', () => {
  it('that is not the gate’s deploys nothing again and leaves the card as it was', async () => {
    const { scene, number } = await preview()
    const before = {
      rows: scene.rows(number),
      deployments: stage.ink.service(scene.preview(number))?.deployments.length,
    }
    scene.repository.label(number, 'documentation')
    for (const inputs of [{}, { 'preview-label': 'preview' }]) {
      const labeled = await scene.act('pull_request', { action: 'labeled', number, label: 'documentation' }, { inputs })
      expect([labeled.red, labeled.outputs.status]).toEqual([false, expect.stringMatching(/^(nothing|skipped)$/)])
    }
    const after = {
      rows: scene.rows(number),
      deployments: stage.ink.service(scene.preview(number))?.deployments.length,
    }
    expect(after).toEqual(before)
  })
})

describe('an event without a ref in it', () => {
  it.each(['push', 'workflow_dispatch'] as const)('is on the branch that the runner names: %s', async (kind) => {
    const scene = await stage.scene()
    const { told, log, notices } = await scene.act(kind, { after: scene.first, withoutRef: true })
    expect(told).toBe('live')
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
