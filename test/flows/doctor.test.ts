import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recommendedWorkflow } from '../../src/login/repository.ts'
import { openStage, type Scene, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(async () => stage[Symbol.asyncDispose]())

const recommended = recommendedWorkflow('main')
const withoutClosed = recommended.replace(', closed', '')
const schedule = "  schedule:\n    - cron: '17 3 * * *'\n"

const opened = async (scene: Scene, workflow: string | undefined, inputs = {}) => {
  const { number } = await scene.open('a preview')
  const how = workflow === undefined ? { inputs } : { workflow, inputs }
  const act = await scene.act('pull_request', { action: 'opened', number }, how)
  expect(act.told).toBe('live')
  return { ...act, card: scene.repository.comments(number)[0]?.body ?? '' }
}

/** What a card says of the end of its preview. */
const ends = (card: string) =>
  card.match(/removed when this pull request closes|removed by|stays when this pull request closes/g) ?? []

describe('the card', () => {
  it.each([
    ['a sweep comes', withoutClosed.replace('on:\n', `on:\n${schedule}`), 'removed by the next sweep once'],
    ['nobody knows', undefined, undefined],
  ])('says of the end of a preview what is so: %s', async (_what, workflow, words) => {
    const { card } = await opened(await stage.scene(), workflow)
    expect(ends(card)).toHaveLength(words === undefined ? 0 : 1)
    if (words !== undefined) expect(card).toContain(words)
  })

  it('says when the platform ends it by itself', async () => {
    await using later = await openStage({ profile: 'g2' })
    const { card } = await opened(await later.scene(), withoutClosed, { 'preview-ttl': '12h' })
    expect(card).toContain('removed by ml.ink 12 h after its deployment')
  })
})

describe('a workflow that lacks something', () => {
  it('is warned of in a run that deploys, with the lines to put in and on the card, and asks GitHub nothing more', async () => {
    const scene = await stage.scene()
    const good = await opened(scene, recommended)
    expect(good.warnings).toEqual([])
    expect(ends(good.card)).toEqual(['removed when this pull request closes'])
    const lacking = await opened(scene, withoutClosed, { 'preview-label': '' })
    expect(lacking.warnings).toEqual([
      expect.stringMatching(
        /deploy\.yml does not run when a pull request closes[\s\S]*types: \[opened, reopened, synchronize, closed\]/,
      ),
    ])
    expect(ends(lacking.card)).toEqual(['stays when this pull request closes'])
    expect(lacking.githubCalls).toEqual(good.githubCalls)
  })

  it('is told of it, and of what would show later, by command: plan and by a dry run', async () => {
    const scene = await stage.scene()
    const workflow = withoutClosed.replace('      pull-requests: write\n', '')
    for (const inputs of [{ command: 'plan' }, { 'dry-run': 'true' }]) {
      const { summary: page, warnings } = await scene.act('push', { after: scene.first }, { workflow, inputs })
      const summary = [page, ...warnings].join('\n')
      expect(summary).toContain('does not run when a pull request closes')
      expect(summary).toContain('the job lacks pull-requests: write')
      expect(summary).toContain('types: [opened, reopened, synchronize, closed]')
    }
  })

  it('is read from GitHub by command: plan where it is not checked out', async () => {
    const scene = await stage.scene()
    const files = { '.github/workflows/deploy.yml': withoutClosed }
    const after = await scene.repository.commit({ branch: 'main', files, message: 'Deploy' })
    const { summary } = await scene.act('push', { after }, { inputs: { command: 'plan' } })
    expect(summary).toContain('does not run when a pull request closes')
    const unknown = await stage.scene()
    const blind = await unknown.act('push', { after: unknown.first }, { inputs: { command: 'plan' } })
    expect(blind.summary).toContain('it is not known whether it does what the settings need')
  })
})
