import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { foldCard } from '../../src/report/comments.ts'
import type { CardRow } from '../../src/report/model.ts'
import { createSeal } from '../../src/report/state.ts'
import { openStage, type Scene, type Stage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage({}, { profile: 'gitea' })
})

afterAll(async () => {
  expect(stage.github.violations).toEqual([])
  await stage[Symbol.asyncDispose]()
})

/** A card as a run left it that was cancelled in the middle of its build, and lost its token with that. */
async function leaveBuildingCard(scene: Scene, number: number, startedAt: string): Promise<void> {
  const { htmlUrl: repositoryUrl, fullName } = scene.repository
  const row: CardRow = {
    service: scene.preview(number),
    target: `pr-${number}`,
    status: 'building',
    phase: 'build',
    commit: scene.repository.pull(number).headSha,
    updatedAt: startedAt,
    runUrl: `${repositoryUrl}/actions/runs/1`,
    run: { id: 1, attempt: 1, startedAt },
  }
  const seal = createSeal(new Secret(stage.ink.apiKey), { fullName }, number)
  const { body } = foldCard([], [row], { repositoryUrl, seal })
  scene.repository.comment(number, body, 'gitea-actions')
}

describe('on a Gitea', () => {
  it('production and preview go their way without a warning, and one line says what it lacks', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('preview')
    const runs = [
      await scene.act('push', { after: scene.first }),
      await scene.act('pull_request', { action: 'opened', number }),
    ]
    expect(runs.map(({ told }) => told)).toEqual(['live', 'live'])
    expect(runs.flatMap(({ warnings }) => warnings)).toEqual([])
    for (const { log } of runs) expect(log.filter((line) => line.startsWith('This forge is Gitea'))).toHaveLength(1)
    expect(scene.rows(number)).toMatchObject([{ status: 'live' }])
  })

  it('a preview waits for the label that the gate asks for, and production goes back to the version before', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('preview')
    const inputs = { 'preview-label': 'preview' }
    const opened = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(opened.outputs.status).toBe('skipped')
    expect((await scene.act('push', { after: scene.first })).told).toBe('live')
    const after = await scene.write('second')
    expect((await scene.act('push', { before: scene.first, after })).told).toBe('live')
    const back = await scene.act('workflow_dispatch', {}, { inputs: { command: 'rollback' } })
    expect(back.outputs).toMatchObject({ action: 'rollback', status: 'live', commit: scene.first })
    expect(await scene.page(scene.production)).toBe('first')
  })

  it('obeys a command of whoever may write, and declines that of whoever may not', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('preview')
    scene.repository.setCollaborator('bo', 'write')
    const say = (by: string) => {
      const { id: commentId } = scene.repository.comment(number, '/ink deploy', by)
      return scene.act('issue_comment', { action: 'created', number, commentId, sender: by })
    }
    const declined = await say('eve')
    expect(declined.told).toBe('nothing')
    expect(scene.repository.comments(number).at(-1)?.body).toContain('commands are for those who may write')
    expect((await say('bo')).told).toBe('live')
  })

  it('a fork’s pull request is deployed by a comment, and not by its label', async () => {
    const scene = await stage.scene()
    const { name } = scene.repository
    const fork = await stage.github.createRepository({ owner: 'eve', name, fork: scene.repository })
    const files = { 'index.html': 'gift' }
    const sha = await fork.commit({ branch: 'gift', parent: scene.first, files, message: 'A gift' })
    const pull = { head: 'gift', fromFork: fork, title: 'A gift', author: 'eve' }
    const { number } = await scene.repository.openPullRequest(pull)
    scene.repository.label(number, 'preview', 'acme')
    const inputs = { 'preview-label': 'preview' }
    const event = { action: 'labeled', number, label: 'preview', sender: 'acme' }
    const labelled = await scene.act('pull_request_target', event, { inputs })
    expect(labelled.outputs).toMatchObject({ status: 'skipped', 'skipped-reason': expect.stringContaining(sha) })
    const { id: commentId } = scene.repository.comment(number, `/ink deploy ${sha}`, 'acme')
    const comment = { action: 'created', number, commentId, sender: 'acme' }
    expect((await scene.act('issue_comment', comment, { inputs })).told).toBe('live')
    expect(await scene.page(scene.preview(number))).toBe('gift')
  })

  it('watch holds back the first preview alone, since commits are not compared', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('preview')
    const opened = { action: 'opened', number }
    const first = await scene.act('pull_request', opened, { inputs: { paths: 'api/**' } })
    expect(first.outputs['skipped-reason']).toContain('matches watch')
    const counting = { inputs: { paths: 'index.html' } }
    expect((await scene.act('pull_request', opened, counting)).told).toBe('live')
    await scene.repository.commit({ branch: 'change-1', files: { 'NOTES.md': 'none that counts' }, message: 'Note' })
    const next = await scene.act('pull_request', { action: 'synchronize', number }, counting)
    expect([next.told, next.warnings.filter((text) => !text.includes('matches no file'))]).toEqual(['live', []])
  })

  it('a sweep settles the card of a cancelled run once nothing can come of that run, and no other', async () => {
    const scene = await stage.scene()
    const [lost, going] = [await scene.open('one'), await scene.open('two')]
    await leaveBuildingCard(scene, lost.number, new Date(Date.now() - 3_600_000).toISOString())
    await leaveBuildingCard(scene, going.number, new Date().toISOString())
    const swept = await scene.act('schedule', {}, { inputs: { command: 'sweep' } })
    expect(swept.told).toBe('swept')
    expect(scene.rows(lost.number)).toMatchObject([
      { status: 'cancelled', reason: expect.stringContaining('cancelled') },
    ])
    expect(scene.rows(going.number)).toMatchObject([{ status: 'building' }])
    // The next run says how things are, as after any other.
    await scene.act('pull_request', { action: 'synchronize', number: lost.number })
    expect(scene.rows(lost.number)).toMatchObject([{ status: 'live' }])
  })
})
