import { afterAll, describe, expect, it } from 'vitest'
import type { InkProfile } from '../../sandbox/ink/platform.ts'
import { openStage, type Stage } from './stage.ts'

const stages = new Map<InkProfile, Stage>()
async function stageOf(profile: InkProfile): Promise<Stage> {
  const open = stages.get(profile) ?? (await openStage({ profile }))
  stages.set(profile, open)
  return open
}
afterAll(async () => {
  await Promise.all([...stages.values()].map((stage) => stage[Symbol.asyncDispose]()))
})

const touching = /create|update|delete|_token|repo_|remove|add/

describe.each(['g1', 'g1-nested', 'g2', 'mixed', 'unknown-argument'] as const)('on a platform %s', (profile) => {
  it('a misspelt project is refused before anything is touched, a new one is made and said', async () => {
    const stage = await stageOf(profile)
    const scene = await stage.scene()
    const first = await scene.act('push', { after: scene.first }, { inputs: { project: 'web-shop' } })
    expect(first.told).toBe('live')
    expect(first.log.join('\n')).toContain('there is no project “web-shop” on ml.ink yet')

    const before = stage.ink.journal.length
    const slip = await scene.act('push', { after: scene.first }, { inputs: { project: 'web-shpo' } })
    expect(slip.told).toMatch(/^failed: project: there is no “web-shpo” on ml.ink, but “web-shop”/)
    const calls = stage.ink.journal.slice(before).map(({ name }) => name)
    expect(calls.filter((name) => touching.test(name))).toEqual([])
  })
})

it.each([
  { command: 'plan' },
  { command: 'teardown', 'pr-number': '1' },
  { command: 'sweep' },
  { command: 'monitor' },
  { command: 'rollback' },
])('looking makes no project: with %o none is named to a tool that makes it', async (inputs) => {
  const stage = await stageOf('g1')
  const scene = await stage.scene()
  await scene.open('preview')
  const before = stage.ink.journal.length
  await scene.act('push', { after: scene.first }, { inputs: { project: 'not-there-yet', ...inputs } })
  const calls = stage.ink.journal.slice(before).map(({ name }) => name)
  expect(calls).toContain('list_projects')
  expect(calls.filter((name) => /token|create/.test(name))).toEqual([])
})

it('an unknown workspace is refused with those there are', async () => {
  const stage = await stageOf('g2')
  const scene = await stage.scene()
  const run = await scene.act('push', { after: scene.first }, { inputs: { workspace: 'acmee' } })
  expect(run.told).toMatch(/^failed: workspace: the key’s account has no “acmee” on ml.ink; it has acme/)
  const right = await scene.act('push', { after: scene.first }, { inputs: { workspace: 'acme' } })
  expect(right.told).toBe('live')
})

it('a workspace on a server that has none is warned of, not passed over', async () => {
  const stage = await stageOf('g1')
  const scene = await stage.scene()
  const run = await scene.act('push', { after: scene.first }, { inputs: { workspace: 'acme' } })
  expect(run.told).toBe('live')
  expect(run.warnings.join('\n')).toContain('`workspace: acme` has no effect')
})

it('a list of projects that cannot be understood stops nothing', async () => {
  const stage = await stageOf('g1')
  const scene = await stage.scene()
  stage.ink.fault('ink.tool-error', { tool: 'list_projects', text: 'internal error', times: 1 })
  const run = await scene.act('push', { after: scene.first }, { inputs: { project: 'elsewhere' } })
  expect(run.told).toBe('live')
  expect(run.warnings.join('\n')).toContain('could not be checked')
})

it('command: plan names the account, the workspace and the project, and the near miss', async () => {
  const stage = await stageOf('g2')
  const scene = await stage.scene()
  const plan = (inputs: Record<string, string>) =>
    scene.act('push', { after: scene.first }, { inputs: { command: 'plan', ...inputs } })
  const fine = await plan({ workspace: 'acme' })
  expect(fine.told).toBe('planned')
  expect(fine.summary).toContain('Workspace | acme')
  expect(fine.summary).toContain('whether comments and deployment records may be written shows only when it is tried')
  const slip = await plan({ project: 'defualt' })
  expect(slip.red).toBe(true)
  expect(slip.summary).toContain('project: default')
  expect((await plan({ workspace: 'nobody' })).told).toContain('it has acme')
})
