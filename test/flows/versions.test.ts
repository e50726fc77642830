import { describe, expect, it } from 'vitest'
import { branchesOf, unusedBranches } from '../../src/flows/resources/branches.ts'
import type { Platform } from '../../src/ink/platform.ts'
import type { SettingName } from '../../src/plan/settings.ts'
import { push } from '../plan/plan-inputs.ts'
import { commitOf } from './virtual-github.ts'
import { BASE, openWorld, type VirtualWorld } from './virtual-world.ts'

type Inputs = Partial<Record<SettingName, string>>

async function run(world: VirtualWorld, event: Parameters<VirtualWorld['start']>[0], inputs: Inputs) {
  const started = world.start(event, inputs)
  await world.time.drive(started.done)
  return started
}

/** Deploys the commit of a text to production. */
async function deploy(world: VirtualWorld, text: string, inputs: Inputs = {}): Promise<void> {
  const done = await run(world, push('refs/heads/main', undefined, commitOf(text)), inputs)
  expect(done.outcome()).toMatchObject({ status: 'live' })
}

const rollback = (world: VirtualWorld, inputs: Inputs = {}) =>
  run(world, { kind: 'dispatch', ref: 'refs/heads/main' }, { command: 'rollback', ...inputs })

describe('versions of two services in one repository', () => {
  it('belong to the service that ran them: a rollback never takes one of the other', async () => {
    const world = openWorld()
    await deploy(world, 'a', { service: 'web' })
    await deploy(world, 'b', { service: 'api' })
    await deploy(world, 'c', { service: 'web' })
    const back = await rollback(world, { service: 'web' })
    expect(back.outputs).toMatchObject({ status: 'live', commit: commitOf('a') })
    expect(world.ink.services.get('web')?.serves).toBe(commitOf('a'))
  })

  it('are the last five of each, whatever the other deploys', async () => {
    const world = openWorld()
    await deploy(world, 'web', { service: 'web' })
    await deploy(world, 'web 2', { service: 'web' })
    for (const number of Array(8).keys()) await deploy(world, `api ${number}`, { service: 'api' })
    const of = (service: string) => [...world.ink.branches.keys()].filter((name) => name.startsWith(`ink/${service}`))
    expect(of('production/web/')).toHaveLength(2)
    // The one that serves, the one before, and five more.
    expect(of('production/api/')).toHaveLength(7)
    // What is remembered of a version goes with it.
    expect(of('worked/api/')).toHaveLength(7)
  })
})

describe('a rollback that fails', () => {
  it('tells the address that the service has all the same', async () => {
    const world = openWorld({ broken: new Set([commitOf('b')]), inputs: { rollback: 'false' } })
    await deploy(world, 'a')
    await run(world, push('refs/heads/main', undefined, commitOf('b')), {})
    await deploy(world, 'c')
    const back = await rollback(world, { 'rollback-to': commitOf('b') })
    expect(back.outputs).toMatchObject({ status: 'failed', url: world.ink.services.get(BASE)?.url })
    expect(back.outputs.url).toBeDefined()
  })
})

describe('a rollback to the version before', () => {
  it('finds one that worked also where GitHub keeps no record of it', async () => {
    const world = openWorld({ inputs: { 'deployment-record': 'false' } })
    for (const text of ['a', 'b']) await deploy(world, text)
    const back = await rollback(world)
    expect(back.outputs).toMatchObject({ status: 'live', commit: commitOf('a') })
  })

  it('passes over one that was pushed and never came to work', async () => {
    const broken = new Set([commitOf('b')])
    const world = openWorld({ broken, inputs: { 'deployment-record': 'false', rollback: 'false' } })
    await deploy(world, 'a')
    await run(world, push('refs/heads/main', undefined, commitOf('b')), {})
    await deploy(world, 'c')
    const back = await rollback(world)
    expect(back.outputs).toMatchObject({ status: 'live', commit: commitOf('a') })
  })

  it('takes one that is recorded to have worked for this service, and not for another', async () => {
    const world = openWorld()
    const marks = { INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: 'acme/web' }
    const branch = (text: string) => `ink/production/${BASE}/${commitOf(text)}`
    for (const text of ['a', 'b', 'c']) world.ink.branches.set(branch(text), commitOf('x'))
    world.ink.add(BASE, branch('c'), marks)
    world.github.records.push({ id: 901, task: 'ink-production', sha: commitOf('a'), states: ['success'] })
    world.github.records.push({ id: 902, task: 'ink-production:api', sha: commitOf('b'), states: ['success'] })
    const back = await rollback(world)
    expect(back.outputs).toMatchObject({ status: 'live', branch: branch('a') })
  })
})

describe('a deployment that fails', () => {
  it('does not take production back to a version that had failed itself', async () => {
    const world = openWorld({ broken: new Set([commitOf('b'), commitOf('c')]) })
    await deploy(world, 'a')
    await run(world, push('refs/heads/main', undefined, commitOf('b')), { rollback: 'false' })
    const failed = await run(world, push('refs/heads/main', undefined, commitOf('c')), {})
    expect(failed.outcome()).toMatchObject({ status: 'failed' })
    expect(failed.warnings).toContainEqual(expect.stringContaining('no earlier version to go back to'))
    expect(world.ink.services.get(BASE)).toMatchObject({
      branch: expect.stringContaining(commitOf('c')),
      status: 'failed',
    })
  })
})

describe('the branches of a service', () => {
  const sha = commitOf('a')
  const web = `ink/pr-1/web-pr-1/${sha}`
  const others = [`ink/pr-1/api-pr-1/${sha}`, `ink/pr-2/web-pr-1/${sha}`, `ink/production/web/${sha}`, 'main']

  it('are those that name it, and not those of its neighbours', () => {
    expect(branchesOf({ serviceName: 'web-pr-1', pullRequest: 1 }, [web, ...others])).toEqual([web])
  })

  it('are kept where it turns out to run one of them', async () => {
    const old = [web, `ink/pr-1/web-pr-1/${commitOf('b')}`]
    const running = { service: async (name: string) => ({ name, branch: web }) } as unknown as Platform
    const { signal } = new AbortController()
    expect(await unusedBranches({ platform: running, signal }, old)).toEqual(old.slice(1))
    expect(await unusedBranches({ platform: running, signal }, old, ['web-pr-1'])).toEqual(old)
  })
})
