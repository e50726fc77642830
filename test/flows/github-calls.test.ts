import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Repository } from '../../src/plan/context.ts'
import { openStand, type Stand } from '../github/stand.ts'
import { pullRequestEvent, pullRequestOf, repository } from '../plan/plan-inputs.ts'
import { openWorld } from './virtual-world.ts'

const SHOP: Repository = { ...repository, name: 'shop', fullName: 'acme/shop' }

/** Deploys a preview twice and returns what the second run asked of a GitHub that answers over HTTP; the rest is virtual. */
async function update(stand: Stand, buildMs: number): Promise<{ readonly calls: readonly string[]; status: string }> {
  let underWay = 0
  const world = openWorld({
    latencyMs: () => (buildMs - 2_000) / 40,
    // Virtual time stands still while GitHub answers.
    turn: async () => {
      do await pause(1)
      while (underWay > 0)
    },
    openGitHub: (clock, signal) =>
      stand.open({
        clock,
        signal,
        fetch: (input, init) => {
          underWay += 1
          return fetch(input, init).finally(() => {
            underWay -= 1
          })
        },
      }).github,
  })
  const run = async () => {
    const { number, headSha: sha, headRef: ref } = stand.repository.pull(stand.pull.number)
    const pullRequest = pullRequestOf({ number, head: { sha, ref, repository: 'acme/shop' } })
    const act = world.start(pullRequestEvent('synchronize', { pullRequest }), {}, SHOP)
    await world.time.drive(act.done)
    return act.outcome()?.status ?? 'nothing'
  }
  await run()
  await stand.repository.commit({ branch: 'feature', files: { 'index.html': 'three' }, message: 'Again' })
  stand.calls()
  const status = await run()
  return { calls: stand.calls(), status }
}

describe('an update of a preview', () => {
  it('whose build takes 12 s asks GitHub eight times, and says everything once', async () => {
    await using stand = await openStand()
    const { calls, status } = await update(stand, 12_000)
    expect(status).toBe('live')
    expect(calls.map(withoutIds)).toEqual([
      'GET /deployments',
      'POST /deployments',
      'GET /pulls/#',
      'GET /pulls/#',
      'POST /deployments/#/statuses',
      'GET /issues/#/comments',
      'PATCH /issues/comments/#',
      'POST /deployments/#/statuses',
    ])
    expect(statesOf(stand)).toEqual([['success', 'inactive'], ['success']])
  })

  it('that takes a minute says on card and record that it is under way, and how it ended', async () => {
    await using stand = await openStand()
    const { calls, status } = await update(stand, 60_000)
    expect(status).toBe('live')
    expect(calls.filter((call) => call.startsWith('PATCH'))).toHaveLength(2)
    expect(calls.length).toBeLessThanOrEqual(12)
    expect(statesOf(stand)).toEqual([
      ['in_progress', 'success', 'inactive'],
      ['in_progress', 'success'],
    ])
  })
})

const withoutIds = (call: string) => call.replace(/\d+/, '#')

function statesOf({ repository }: Stand): readonly (readonly string[])[] {
  const states = repository.deployments().map(({ statuses }) => statuses.map(({ state }) => state))
  return states.toSorted((a, b) => b.length - a.length)
}
