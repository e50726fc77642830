import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/plan/event.ts'
import type { SettingName } from '../../src/plan/settings.ts'
import { decodeState } from '../../src/report/state.ts'
import { pullRequestEvent, pullRequestOf } from '../plan/plan-inputs.ts'
import { commitOf } from './virtual-github.ts'
import { BASE, openWorld, type VirtualWorld } from './virtual-world.ts'

const head = { sha: commitOf('head'), ref: 'change', repository: 'acme/web' }
const opened = pullRequestEvent('opened', { pullRequest: pullRequestOf({ number: 9, head }) })

interface Silence {
  readonly event?: RunEvent
  readonly serviceName?: string
  readonly silentMs: number
  /** What happens on GitHub in the silence. */
  readonly meanwhile?: () => void
}

/** Deploys while GitHub, from the moment that the deployment has started, answers nothing for so long. */
async function deployWithSilence(world: VirtualWorld, silence: Silence) {
  const { event = opened, serviceName = `${BASE}-pr-9`, silentMs, meanwhile } = silence
  world.github.setPull(9, { open: true, head })
  const run = world.start(event, { timeout: '10m' })
  const trouble = async () => {
    while (!world.ink.services.has(serviceName)) await world.time.clock.sleep(50, new AbortController().signal)
    world.github.silent = true
    meanwhile?.()
    await world.time.clock.sleep(silentMs, new AbortController().signal)
    world.github.silent = false
    await run.done
  }
  await world.time.drive(trouble())
  return run.outcome()
}

describe('a preview whose pull request', () => {
  async function preview(inputs: Partial<Record<SettingName, string>> = {}): Promise<VirtualWorld> {
    const world = openWorld({ inputs })
    world.github.setPull(9, { open: true, head })
    const run = world.start(opened)
    await world.time.drive(run.done)
    expect(run.outcome()?.status).toBe('live')
    return world
  }

  it('becomes a draft goes, where drafts have none', async () => {
    const world = await preview({ 'preview-drafts': 'false' })
    const pull = world.github.pulls.get(9)
    if (pull) world.github.pulls.set(9, { ...pull, draft: true })
    const drafted = pullRequestOf({ number: 9, head, draft: true })
    const run = world.start(pullRequestEvent('converted_to_draft', { pullRequest: drafted }))
    await world.time.drive(run.done)
    expect(run.outcome()?.status).toBe('removed')
    expect(world.ink.services.size).toBe(0)
  })

  it('closes in a run without secrets is warned of: it still runs, and what removes it is said on the card', async () => {
    const world = await preview()
    world.github.setPull(9, { open: false, head })
    const fork = { ...head, repository: 'eve/web' }
    const closed = pullRequestOf({ number: 9, head: fork, state: 'closed' })
    const run = world.start(pullRequestEvent('closed', { pullRequest: closed }), { 'api-key': '' })
    await world.time.drive(run.done)
    expect(run.outcome()).toMatchObject({ status: 'skipped' })
    expect(run.outcome()?.failure).toBeUndefined()
    const said = /preview of pull request #9, if there is one, still runs.*sweep.*\/ink stop.*pull_request_target/
    expect(run.warnings.join()).toMatch(said)
    expect(run.notices).toEqual([])
    expect(world.github.cards.get(9)).toMatch(/still runs and is billed/)
    expect(decodeState(world.github.cards.get(9) ?? '')).toMatchObject([{ status: 'live' }])
  })
})

describe('one service name in two projects', () => {
  it('has two rows on the card and two deployment records', async () => {
    const world = openWorld()
    world.github.setPull(9, { open: true, head })
    for (const project of ['one', 'two']) {
      const run = world.start(opened, { project })
      await world.time.drive(run.done)
      expect(run.outcome()?.status).toBe('live')
    }
    expect(decodeState(world.github.cards.get(9) ?? '')?.map(({ place, status }) => [place, status])).toEqual([
      ['one', 'live'],
      ['two', 'live'],
    ])
    expect(world.github.records.map(({ task, states }) => [task, states.at(-1)])).toEqual([
      ['ink-preview-pr-9@one', 'success'],
      ['ink-preview-pr-9@two', 'success'],
    ])
  })
})

describe('whether a pull request still wants its preview', () => {
  it('is waited for as long as a deployment may take', async () => {
    const world = openWorld()
    expect((await deployWithSilence(world, { silentMs: 240_000 }))?.status).toBe('live')
  })

  it('decides also when the answer comes late: what was closed meanwhile is taken down again', async () => {
    const world = openWorld()
    expect(
      (
        await deployWithSilence(world, {
          silentMs: 240_000,
          meanwhile: () => world.github.setPull(9, { open: false, head }),
        })
      )?.status,
    ).toBe('removed')
    expect(world.ink.services.has(`${BASE}-pr-9`)).toBe(false)
  })

  it('makes the run red when GitHub never answers: nothing is called live', async () => {
    const world = openWorld()
    const outcome = await deployWithSilence(world, { silentMs: 7_200_000 })
    expect(outcome?.status).toBe('timed-out')
    expect(outcome?.failure?.message).toContain('is not known whether pull request #9 still wants this preview')
  })
})

describe('a preview that cannot be made, whose pull request was closed meanwhile', () => {
  it('leaves nothing of what was made for it', async () => {
    const world = openWorld({ limit: 0, inputs: { database: 'sqlite' } })
    world.github.setPull(9, { open: true, head })
    const run = world.start(opened)
    const closing = async () => {
      while (!world.ink.databases.has(`${BASE}-pr-9-db`)) await world.time.clock.sleep(10, new AbortController().signal)
      world.github.setPull(9, { open: false, head })
      await run.done
    }
    await world.time.drive(closing())
    expect(run.outcome()?.status).toBe('removed')
    expect([...world.ink.databases.keys(), ...world.ink.branches.keys()]).toEqual([])
    expect(run.warnings.join('\n')).toContain('service limit reached')
  })
})

describe('whether a newer commit of production is there already', () => {
  const sha = commitOf('older')
  const push: RunEvent = { kind: 'push', ref: 'refs/heads/main', before: commitOf('before'), after: sha }
  const silent = { event: push, serviceName: BASE }

  function production(): VirtualWorld {
    const world = openWorld()
    world.github.tips.set('main', sha)
    return world
  }

  it('is waited for as long as a deployment may take', async () => {
    expect((await deployWithSilence(production(), { ...silent, silentMs: 240_000 }))?.status).toBe('live')
  })

  it('makes the run red when GitHub never answers: nothing is called live', async () => {
    const outcome = await deployWithSilence(production(), { ...silent, silentMs: 7_200_000 })
    expect(outcome?.status).toBe('timed-out')
    expect(outcome?.failure?.message).toContain(`is not known whether main is still at ${sha.slice(0, 7)}`)
  })

  it('is not asked for in vain: a branch that the token may not read holds nobody up', async () => {
    const world = openWorld()
    const run = world.start(push, { timeout: '10m' })
    await world.time.drive(run.done)
    expect(run.outcome()?.status).toBe('live')
  })
})

describe('whether a deleted branch is there again', () => {
  const deleted: RunEvent = { kind: 'delete', refType: 'branch', ref: 'develop' }
  const service = `${BASE}-staging`
  const env = {
    INK_MANAGED_BY: 'ink-deploy',
    INK_GIT_REPOSITORY: 'acme/web',
    INK_ENVIRONMENT: 'staging',
    INK_ENVIRONMENT_BRANCH: 'develop',
  }

  async function retireWithSilence(silentMs: number, tip?: string) {
    const world = openWorld()
    world.ink.add(service, `ink/env-staging/${service}/${commitOf('develop')}`, env)
    world.github.silent = true
    const run = world.start(deleted, { timeout: '10m' })
    const trouble = async () => {
      await world.time.clock.sleep(silentMs, new AbortController().signal)
      if (tip !== undefined) world.github.tips.set('develop', tip)
      world.github.silent = false
      await run.done
    }
    await world.time.drive(trouble())
    return { outcome: run.outcome(), isThere: world.ink.services.has(service) }
  }

  it('is waited for before its environment goes', async () => {
    const gone = await retireWithSilence(240_000)
    expect([gone.outcome?.status, gone.isThere]).toEqual(['removed', false])
    const back = await retireWithSilence(240_000, commitOf('develop'))
    expect([back.outcome?.failure, back.isThere]).toEqual([undefined, true])
  })

  it('makes the run red when GitHub never answers, and nothing is removed', async () => {
    const { outcome, isThere } = await retireWithSilence(7_200_000)
    expect(outcome?.failure?.message).toContain('is not known whether develop is there again')
    expect(isThere).toBe(true)
  })
})
