import { describe, expect, it } from 'vitest'
import { pullRequestEvent, pullRequestOf } from '../plan/plan-inputs.ts'
import { BASE, commitOf, openWorld, type VirtualWorld } from './virtual-world.ts'

const head = { sha: commitOf('head'), ref: 'change', repository: 'acme/web' }
const opened = pullRequestEvent('opened', { pullRequest: pullRequestOf({ number: 9, head }) })

function setPull(world: VirtualWorld, open: boolean): void {
  const { labels, draft, title, htmlUrl, author, base } = pullRequestOf({ number: 9 })
  const rest = { labels, draft, title, htmlUrl, author, base, merged: false, updatedAt: '2026-11-22T10:00:00Z' }
  world.github.pulls.set(9, { ...rest, number: 9, open, head })
}

/** Deploys while GitHub, from the moment that the deployment has started, answers nothing for so long. */
async function deployWithSilence(world: VirtualWorld, silentMs: number, closedMeanwhile = false) {
  setPull(world, true)
  const run = world.start(opened, { timeout: '10m' })
  const trouble = async () => {
    while (!world.ink.services.has(`${BASE}-pr-9`)) await world.time.clock.sleep(50, new AbortController().signal)
    world.github.silent = true
    if (closedMeanwhile) setPull(world, false)
    await world.time.clock.sleep(silentMs, new AbortController().signal)
    world.github.silent = false
    await run.done
  }
  await world.time.drive(trouble())
  return run.outcome()
}

describe('whether a pull request still wants its preview', () => {
  it('is waited for as long as a deployment may take', async () => {
    const world = openWorld()
    expect((await deployWithSilence(world, 240_000))?.status).toBe('live')
  })

  it('decides also when the answer comes late: what was closed meanwhile is taken down again', async () => {
    const world = openWorld()
    expect((await deployWithSilence(world, 240_000, true))?.status).toBe('removed')
    expect(world.ink.services.has(`${BASE}-pr-9`)).toBe(false)
  })

  it('makes the run red when GitHub never answers: nothing is called live', async () => {
    const world = openWorld()
    const outcome = await deployWithSilence(world, 7_200_000)
    expect(outcome?.status).toBe('failed')
    expect(outcome?.failure?.message).toContain('did not say whether pull request #9 still wants this preview')
  })
})
