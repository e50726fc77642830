import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/plan/event.ts'
import type { SettingName } from '../../src/plan/settings.ts'
import { pullRequestEvent, pullRequestOf } from '../plan/plan-inputs.ts'
import { commitOf } from './virtual-github.ts'
import { BASE, openWorld, type VirtualWorld, type WorldOptions } from './virtual-world.ts'

const schedule: RunEvent = { kind: 'schedule', cron: '17 3 * * *' }
const hour = 3_600_000

/** A world with previews that are there already, the older the higher their number. */
function worldWith(previews: number, options: WorldOptions = {}): VirtualWorld {
  const world = openWorld(options)
  for (let number = 1; number <= previews; number++) addPreview(world, number)
  return world
}

function addPreview(world: VirtualWorld, number: number, name = `${BASE}-pr-${number}`): void {
  const branch = `ink/pr-${number}/${name}/${commitOf(`${number}`)}`
  const env = { INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: 'acme/web', INK_GIT_PULL_REQUEST: `${number}` }
  world.ink.branches.set(branch, commitOf(branch))
  world.ink.add(name, branch, env, undefined, number * hour)
}

async function sweep(world: VirtualWorld, inputs: Partial<Record<SettingName, string>> = {}) {
  const run = world.start(schedule, { command: 'sweep', ...inputs })
  await world.time.drive(run.done)
  const outcome = run.outcome()
  if (outcome?.report.kind !== 'sweep') throw new Error(`It was not a sweep: ${outcome?.failure?.message}`)
  return { outcome, report: outcome.report, outputs: run.outputs }
}

const names = (world: VirtualWorld) => [...world.ink.services.keys()].sort()

describe('a sweep', () => {
  it('removes what is closed or lost its label, with its branches, and says why it kept the rest', async () => {
    const world = worldWith(3)
    world.github.setPull(1, { labels: ['preview'] })
    world.github.setPull(2)
    const { report, outcome, outputs } = await sweep(world, { 'preview-label': 'Preview' })
    expect(outcome.status).toBe('swept')
    expect(names(world)).toEqual([`${BASE}-pr-1`])
    expect([...world.ink.branches.keys()]).toEqual([`ink/pr-1/${BASE}-pr-1/${commitOf('1')}`])
    expect(report.removed.map(({ why }) => why).sort()).toEqual([
      'its pull request does not have the label Preview',
      'its pull request is closed',
    ])
    expect(report.kept).toMatchObject([{ service: `${BASE}-pr-1`, why: 'its pull request is open' }])
    expect(JSON.parse(outputs.removed ?? '')).toHaveLength(2)
  })

  it('removes what is too old, and the oldest of too many', async () => {
    const world = worldWith(6)
    for (let number = 1; number <= 6; number++) world.github.setPull(number)
    await sweep(world, { 'preview-ttl': '330m', 'max-previews': '3' })
    expect(names(world)).toEqual([1, 2, 3].map((number) => `${BASE}-pr-${number}`))
  })

  it('leaves the previews of another service of the repository out of its own limit', async () => {
    const world = worldWith(2)
    for (const number of [1, 2, 7]) world.github.setPull(number)
    addPreview(world, 7, 'api-pr-7')
    await sweep(world, { 'max-previews': '1' })
    expect(names(world)).toEqual([`${BASE}-pr-1`, 'api-pr-7'].sort())
  })

  it('takes every domain off before the service goes, so that no record of it blocks the name for good', async () => {
    const world = worldWith(1)
    const service = world.ink.services.get(`${BASE}-pr-1`)
    if (service) service.domain = 'pr-1.example.com'
    world.ink.managedNames.add('pr-1.example.com')
    const { outcome } = await sweep(world)
    expect(outcome.status).toBe('swept')
    expect(names(world)).toEqual([])
    expect([...world.ink.managedNames]).toEqual([])
  })

  it('removes branches whose service is gone, and the database with them', async () => {
    const world = worldWith(0)
    world.ink.branches.set(`ink/pr-4/${BASE}-pr-4/${commitOf('4')}`, commitOf('x'))
    const name = `${BASE}-pr-4-db`
    world.ink.databases.set(name, { id: '1', name, type: 'sqlite', status: 'active', url: 'u', authToken: 't' })
    await sweep(world, { database: 'sqlite' })
    expect([...world.ink.branches.keys()]).toEqual([])
    expect(world.ink.databases.size).toBe(0)
  })

  it('touches nothing that belongs to somebody else, whatever it is called', async () => {
    const world = worldWith(0)
    world.ink.add(`${BASE}-pr-8`, 'main', {})
    const theirs = { INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: 'eve/web', INK_GIT_PULL_REQUEST: '9' }
    world.ink.add(`${BASE}-pr-9`, 'main', theirs)
    const marked = { ...theirs, INK_GIT_REPOSITORY: 'acme/web' }
    world.ink.add(`${BASE}-pr-10`, 'main', marked, 'acme/another-cd34')
    world.ink.add(BASE, 'main', { INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: 'acme/web' })
    for (const number of [8, 9, 10])
      world.ink.branches.set(`ink/pr-${number}/${BASE}-pr-${number}/${commitOf('b')}`, commitOf('b'))
    const before = names(world)
    const { report } = await sweep(world, { database: 'sqlite' })
    expect(names(world)).toEqual(before)
    expect(report.removed).toEqual([])
  })

  it('goes on with the deployment records that a teardown had to leave, and touches no others', async () => {
    const world = worldWith(0)
    world.github.setPull(2)
    const records = ['ink-preview-pr-1', 'ink-preview-pr-1:api@shop', 'ink-preview-pr-2', 'ink-production', 'deploy']
    for (const [id, task] of records.entries())
      world.github.records.push({ id, task, sha: commitOf('x'), states: ['success'] })
    await sweep(world)
    expect(world.github.records.map(({ task }) => task)).toEqual(['ink-preview-pr-2', 'ink-production', 'deploy'])
  })

  it('changes nothing in a dry run, and names what it would remove', async () => {
    const world = worldWith(2)
    const { report, outcome, outputs } = await sweep(world, { 'dry-run': 'true' })
    expect(outcome.status).toBe('planned')
    expect(report.removed).toHaveLength(2)
    expect(outputs.removed).toBe('[]')
    expect(names(world)).toHaveLength(2)
    expect(world.ink.branches.size).toBe(2)
  })

  it('goes on when one preview cannot be removed, and is red about that one', async () => {
    const struck = { count: 0, over: false }
    // The first of five, however often it is asked for again.
    const strikes = () => ++struck.count === 1 || struck.count > 5
    const mishap = (call: string) => (call === 'delete' && !struck.over && strikes() ? 'unavailable' : 'none')
    const world = worldWith(5, { mishap })
    const { report, outcome } = await sweep(world)
    struck.over = true
    expect(outcome.failure?.message).toContain(report.failed[0]?.service)
    expect(report.failed).toHaveLength(1)
    expect(report.removed).toHaveLength(4)
    expect(names(world)).toEqual([report.failed[0]?.service])
    await sweep(world)
    expect(names(world)).toEqual([])
  })

  it('keeps what GitHub does not answer about, and says so', async () => {
    const world = worldWith(1)
    world.github.silent = true
    const { report } = await sweep(world)
    expect(names(world)).toEqual([`${BASE}-pr-1`])
    expect(report.removed).toEqual([])
    expect(report.kept).toMatchObject([{ why: 'it is not known whether it is still wanted' }])
  })

  it('keeps what was opened again while it was looking', async () => {
    const world = worldWith(1, { latencyMs: () => 100 })
    world.github.setPull(1, { open: false })
    const run = world.start(schedule, { command: 'sweep' })
    const reopen = async () => {
      await world.time.clock.sleep(250, new AbortController().signal)
      world.github.setPull(1)
      await run.done
    }
    await world.time.drive(reopen())
    expect(names(world)).toEqual([`${BASE}-pr-1`])
  })

  it('keeps what was deployed again while it was looking, though it is live again already', async () => {
    let reads = 0
    const mishap = (call: string) => {
      const service = world.ink.services.get(name)
      if (call === 'get' && ++reads === 2 && service) service.branch = `ink/pr-1/${name}/${commitOf('anew')}`
      return 'none' as const
    }
    const name = `${BASE}-pr-1`
    const world = worldWith(1, { mishap })
    const { report } = await sweep(world)
    expect(names(world)).toEqual([name])
    expect(report.kept).toMatchObject([{ service: name, why: 'it is being deployed again' }])
  })

  it('finds previews beyond the hundred that the platform lists', async () => {
    const world = worldWith(0)
    addPreview(world, 500)
    for (let count = 0; count < 120; count++) world.ink.add(`other-${count}`, 'main', {}, 'acme/other-zz99')
    await sweep(world)
    expect(world.ink.services.has(`${BASE}-pr-500`)).toBe(false)
    expect(world.ink.services.size).toBe(120)
  })

  it('removes 100 services within 5 s at 50 ms a call, and never makes more than 5 calls at once', async () => {
    const world = worldWith(100, { latencyMs: () => 50, deletionMs: 1_000 })
    const startedAt = world.time.clock.now()
    await sweep(world)
    expect(world.ink.services.size).toBe(0)
    expect(world.ink.branches.size).toBe(0)
    expect(world.time.clock.now() - startedAt).toBeLessThanOrEqual(5_000)
    expect(world.ink.mostAtOnce).toBeLessThanOrEqual(5)
  })

  it('waits until those are gone that the platform’s list is too short to show', async () => {
    const world = worldWith(3)
    for (let count = 0; count < 120; count++) world.ink.add(`other-${count}`, 'main', {}, 'acme/other-zz99')
    const { report } = await sweep(world)
    expect(report.removed).toHaveLength(3)
    expect(world.ink.services.size).toBe(120)
  })

  it('leaves a preview alone that is made anew as soon as its name is free', async () => {
    const world = worldWith(3)
    const name = `${BASE}-pr-2`
    const { env, branch } = world.ink.services.get(name) ?? { env: {}, branch: '' }
    const remake = async () => {
      while (world.ink.services.has(name)) await world.time.clock.sleep(1, new AbortController().signal)
      world.ink.add(name, branch, env)
    }
    const remade = remake()
    const { report } = await sweep(world)
    await remade
    expect(names(world)).toEqual([name])
    expect([...world.ink.branches.keys()]).toEqual([branch])
    expect(report.kept).toMatchObject([{ service: name, why: 'it is being deployed again' }])
  })
})

describe('a deployment that finds no room', () => {
  const opened = pullRequestEvent('opened', {
    pullRequest: pullRequestOf({ number: 9, head: { sha: commitOf('9'), ref: 'change-9', repository: 'acme/web' } }),
  })

  async function deploy(world: VirtualWorld, inputs: Partial<Record<SettingName, string>>) {
    for (const number of [1, 2, 3, 9]) world.github.setPull(number)
    const run = world.start(opened, inputs)
    await world.time.drive(run.done)
    return run
  }

  it('makes some by removing the oldest previews beyond max-previews', async () => {
    const world = worldWith(3)
    const run = await deploy(world, { 'max-previews': '2' })
    expect(run.outcome()?.status).toBe('live')
    expect(names(world)).toEqual([`${BASE}-pr-1`, `${BASE}-pr-9`])
  })

  it.each([
    ['fail', 'failed', 3, true],
    ['skip', 'skipped', 3, false],
    ['evict-oldest', 'live', 3, false],
  ] as const)('does as on-quota says: %s', async (onQuota, status, services, red) => {
    const world = worldWith(3, { limit: 3 })
    const run = await deploy(world, { 'on-quota': onQuota })
    expect(run.outcome()?.status).toBe(status)
    expect(run.outcome()?.failure !== undefined).toBe(red)
    expect(world.ink.services.size).toBe(services)
    expect(world.ink.services.has(`${BASE}-pr-3`)).toBe(onQuota !== 'evict-oldest')
    expect(world.ink.services.has(`${BASE}-pr-9`)).toBe(onQuota === 'evict-oldest')
  })

  it('evicts the preview of a closed pull request before any other, and never production', async () => {
    const world = worldWith(2, { limit: 3 })
    world.ink.add(BASE, 'main', { INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: 'acme/web' }, undefined, 99 * hour)
    world.github.setPull(2)
    world.github.setPull(9)
    const run = world.start(opened, { 'on-quota': 'evict-oldest' })
    await world.time.drive(run.done)
    expect(names(world)).toEqual([BASE, `${BASE}-pr-2`, `${BASE}-pr-9`])
  })
})
