import { beforeAll, describe, expect, it } from 'vitest'
import type { Inputs, Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

/** A repository whose `main` is live. */
async function live(): Promise<Scene> {
  const scene = await stage.scene()
  expect((await scene.act('push', { after: scene.first })).told).toBe('live')
  return scene
}

/** A pull request with a live preview. */
async function previewed(inputs: Inputs = {}): Promise<{ scene: Scene; number: number; sha: string }> {
  const scene = await stage.scene()
  const { number, sha } = await scene.open('one')
  expect((await scene.act('pull_request', { action: 'opened', number }, { inputs })).told).toBe('live')
  return { scene, number, sha }
}

describe('GitHub, at its secondary limit', () => {
  const limit = (operation: string) => stage.github.fault('github.rate-limit', { operation, retryAfterSeconds: null })
  const inputs = { timeout: '6s' }

  it('lets no push go live while it does not say whether a newer one is there', async () => {
    const scene = await live()
    const after = await scene.write('second')
    limit('git/get-ref')
    const run = await scene.act('push', { before: scene.first, after }, { inputs })
    expect(run.told).toMatch(/^(?:failed|timed-out): .*not known whether main is still at/)
    expect(await scene.page(scene.production)).toBe('first')
  })

  it('lets no preview go live while it does not say whether the pull request is open', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('one')
    limit('pulls/get')
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(run.told).toMatch(/^(?:failed|timed-out): .*not known whether pull request #1 still wants this preview/)
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
  })
})

describe('the preview of a fork that a label approved', () => {
  const inputs = { 'preview-label': 'preview' }

  let scene: Scene
  let number: number
  let sha: string
  beforeAll(async () => {
    scene = await stage.scene()
    const { repository, first } = scene
    const fork = await stage.github.createRepository({ owner: 'eve', name: repository.name, fork: repository })
    const gift = { branch: 'gift', parent: first, files: { 'index.html': 'gift' }, message: 'A gift' }
    sha = await fork.commit(gift)
    const opening = { head: 'gift', fromFork: fork, title: 'A gift', author: 'eve' }
    number = (await repository.openPullRequest(opening)).number
    repository.label(number, 'preview', 'acme')
    const labeled = { action: 'labeled', number, label: 'preview', sender: 'acme' }
    expect((await scene.act('pull_request_target', labeled, { inputs })).told).toBe('live')
  })

  it('and its card stay as they are whatever other label is put on or taken off', async () => {
    const state = () => ({
      comments: scene.repository.comments(number).map(({ body }) => body),
      deployments: stage.ink.service(scene.preview(number))?.deployments.length,
    })
    const before = state()
    expect(scene.rows(number)).toMatchObject([{ status: 'live', commit: sha }])
    scene.repository.label(number, 'documentation', 'acme')
    for (const action of ['labeled', 'unlabeled']) {
      const options = { action, number, label: 'documentation', sender: 'acme' }
      const run = await scene.act('pull_request_target', options, { inputs })
      expect([run.red, run.told]).toEqual([false, expect.stringMatching(/^(nothing|skipped)$/)])
    }
    expect(state()).toEqual(before)
  })

  it('is said to run on when it closes without secrets, and goes under pull_request_target', async () => {
    await scene.repository.close(number)
    const closing = { action: 'closed', number }
    const keyless = await scene.act('pull_request', closing, { inputs: { ...inputs, 'api-key': '' } })
    expect(keyless.warnings.join('\n')).toMatch(/still runs.*sweep.*\/ink stop.*pull_request_target/)
    expect(stage.ink.service(scene.preview(number))).toBeDefined()
    expect((await scene.act('pull_request_target', closing, { inputs })).told).toBe('removed')
  })
})

describe('more deployment records than one run may remove', () => {
  it('go within GitHub’s limits for writing, the newest first, the rest with the sweep', async () => {
    const { scene, number, sha } = await previewed()
    const { fullName } = scene.repository
    for (let count = 0; count < 150; count++) {
      // Each run has a token of its own, and the limit is each token's.
      const token = stage.github.token({ repository: fullName, permissions: { deployments: 'write' } })
      const made = await fetch(`${stage.github.apiUrl}/repos/${fullName}/deployments`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ref: sha, task: 'ink-preview-pr-1', environment: 'preview', auto_merge: false }),
      })
      expect(made.status).toBe(201)
    }
    const ids = () => scene.repository.deployments().map(({ id }) => id)
    const newest = ids().toSorted((a, b) => b - a)
    await scene.repository.close(number)
    const journal = stage.github.journal.length
    const closed = await scene.act('pull_request', { action: 'closed', number })
    expect(closed.told).toBe('removed')
    const asked = stage.github.journal.slice(journal)
    const writes = asked.filter(({ method, operation }) => method !== 'GET' && operation !== 'git')
    expect(writes.length).toBeLessThan(80)
    expect(writes.filter(({ status }) => status >= 400)).toEqual([])
    const left = ids()
    expect(left.length).toBeLessThan(newest.length - 25)
    expect(newest.slice(0, newest.length - left.length).filter((id) => left.includes(id))).toEqual([])
    expect([...closed.log, ...closed.warnings, ...closed.notices].join('\n')).toMatch(
      /deployment records of .* left: .*The next sweep/,
    )
    expect((await scene.act('schedule')).told).toBe('swept')
    expect(ids().length).toBeLessThan(left.length - 25)
  })
})

describe('GitHub’s page for a fault', () => {
  it('is one short line in log, warning and summary, and the preview is live', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('one')
    stage.github.fault('github.http', { path: '/comments', status: 403, html: true })
    const run = await scene.act('pull_request', { action: 'opened', number })
    expect(run.told).toBe('live')
    expect(run.warnings.join('\n')).toMatch(/GitHub: 403 Unicorn! &middot; GitHub\)/)
    const written = [...run.log, ...run.warnings, ...run.notices, run.summary].join('\n')
    expect(written).not.toMatch(/<!DOCTYPE|base64/)
    expect(Math.max(...written.split('\n').map(({ length }) => length))).toBeLessThan(2000)
  })
})

describe('our comment', () => {
  it('stays ours when a person writes above the marker; gone, the record of before is retired all the same', async () => {
    const { scene, number } = await previewed()
    const [card] = scene.repository.comments(number)
    const edited = `Please test this one.\r\n${card?.body.replaceAll('\n', '\r\n')}`
    stage.github.fault('github.comment-edited', { times: 1, number, body: edited, operation: 'pulls/get' })
    const update = async (text: string) => {
      const { sha: after, before } = await scene.push(number, text)
      const run = await scene.act('pull_request', { action: 'synchronize', number, before, after })
      expect(run.told).toBe('live')
      return after
    }
    const second = await update('two')
    expect(scene.repository.comments(number).map(({ id }) => id)).toEqual([card?.id])
    expect(scene.rows(number)).toMatchObject([{ status: 'live', commit: second }])

    stage.github.fault('github.comment-deleted', { times: 1, number, operation: 'pulls/get' })
    const third = await update('three')
    const active = scene.repository.deployments().filter(({ statuses }) => statuses.at(-1)?.state === 'success')
    expect(active.map((one) => one.sha)).toEqual([third])
  })
})

describe('a session that ml.ink has forgotten', () => {
  it('is begun anew, and the deployment goes on', async () => {
    const scene = await stage.scene()
    stage.ink.fault('mcp.http', { status: 404, body: 'session not found', tool: 'create_service', times: 1 })
    expect((await scene.act('push', { after: scene.first })).told).toBe('live')
    expect(stage.ink.service(scene.production)?.deployments).toHaveLength(1)
  })
})

describe('a pull request that goes back to draft', () => {
  it('loses its preview where drafts have none', async () => {
    const inputs = { 'preview-drafts': 'false' }
    const { scene, number } = await previewed(inputs)
    scene.repository.setDraft(number, true)
    const run = await scene.act('pull_request', { action: 'converted_to_draft', number }, { inputs })
    expect(run.told).toBe('removed')
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
  })
})
