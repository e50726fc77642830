import { describe, expect, it } from 'vitest'
import type { SettingName } from '../../src/plan/settings.ts'
import { pullRequestEvent, pullRequestOf, push, repository } from '../plan/plan-inputs.ts'
import { commitOf } from './virtual-github.ts'
import { BASE, openWorld, type VirtualWorld } from './virtual-world.ts'

const before = { ...repository, id: '77' }
const renamed = { ...before, owner: 'acme', name: 'shop', fullName: 'acme/shop' }
const transferred = { ...before, owner: 'umbrella', fullName: 'umbrella/web' }
const head = { sha: commitOf('head'), ref: 'change', repository: 'acme/web' }
const opened = pullRequestEvent('opened', { pullRequest: pullRequestOf({ number: 9, head }) })

type Started = Parameters<VirtualWorld['start']>

async function run(world: VirtualWorld, ...[event, inputs, as]: Started) {
  const started = world.start(event, inputs, as)
  await world.time.drive(started.done)
  return started
}

/** A repository with production and one preview, deployed under its first name. */
async function settled(inputs: Partial<Record<SettingName, string>> = {}): Promise<VirtualWorld> {
  const world = openWorld({ inputs })
  world.github.setPull(9, { open: true, head })
  await run(world, push('refs/heads/main', undefined, commitOf('a')), {}, before)
  await run(world, opened, {}, before)
  expect(world.ink.services.size).toBe(2)
  return world
}

describe.each([
  ['renamed', renamed],
  ['transferred', transferred],
])('a repository that was %s', (_how, now) => {
  it('keeps its production, under the name it has, and says so once', async () => {
    const world = await settled()
    for (const text of ['b', 'c']) {
      const done = await run(world, push('refs/heads/main', undefined, commitOf(text)), {}, now)
      expect(done.outcome()?.status).toBe('live')
      expect(done.notices.filter((line) => line.includes('was called acme/web'))).toHaveLength(1)
      expect(done.outputs.service).toBe(BASE)
      expect(world.ink.services.get(BASE)?.serves).toBe(commitOf(text))
    }
    expect([...world.ink.services.keys()].sort()).toEqual([BASE, `${BASE}-pr-9`])
    expect([...world.ink.repositories]).toEqual(['web'])
    expect(world.ink.services.get(BASE)?.env).toMatchObject({
      INK_GIT_REPOSITORY: now.fullName,
      INK_GIT_REPOSITORY_ID: '77',
      INK_GIT_FORMER_REPOSITORY: 'acme/web',
    })
    // The records go on where they were.
    expect(new Set(world.github.records.map(({ task }) => task))).toEqual(
      new Set(['ink-production', 'ink-preview-pr-9']),
    )
  })

  it('takes its previews down as before', async () => {
    const world = await settled()
    world.github.setPull(9, { open: false, head })
    const closed = pullRequestEvent('closed', { pullRequest: pullRequestOf({ number: 9, head, state: 'closed' }) })
    const done = await run(world, closed, {}, now)
    expect(done.outcome()?.status).toBe('removed')
    expect([...world.ink.services.keys()]).toEqual([BASE])
  })

  it('sweeps those of before', async () => {
    const world = await settled()
    world.github.setPull(9, { open: false, head })
    const done = await run(world, { kind: 'schedule', cron: '17 3 * * *' }, { command: 'sweep' }, now)
    expect(done.outcome()?.status).toBe('swept')
    expect([...world.ink.services.keys()]).toEqual([BASE])
  })

  it('needs no adopt where the workflow names the service', async () => {
    const world = await settled({ service: 'site' })
    const done = await run(world, push('refs/heads/main', undefined, commitOf('b')), {}, now)
    expect(done.outcome()?.status).toBe('live')
    expect(world.ink.services.get('site')?.serves).toBe(commitOf('b'))
  })
})

it('a repository that took over the name of another one gets none of its services', async () => {
  const world = await settled()
  const done = await run(world, push('refs/heads/main', undefined, commitOf('b')), {}, { ...before, id: '99' })
  expect(done.outcome()?.failure?.message).toContain('belongs to another repository that was called acme/web before')
  expect(world.ink.services.get(BASE)?.serves).toBe(commitOf('a'))
})
