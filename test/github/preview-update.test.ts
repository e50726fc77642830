import { describe, expect, it } from 'vitest'
import { foldCard } from '../../src/report/comments.ts'
import { CARD_MARKER, decodeState } from '../../src/report/state.ts'
import { laterRun, row, SURROUNDINGS } from '../report/rows.ts'
import { type Opened, openStand, type Stand } from './stand.ts'

/** What a short run of an update asks of GitHub, guards included. */
async function update({ github }: Opened, stand: Stand, run: number): Promise<void> {
  const { number, headSha: sha } = stand.pull
  const live = row({ service: 'web', target: `pr-${number}`, commit: sha, run: laterRun(run) })
  const task = `ink-preview-pr-${number}`
  let wasLive = false
  await github.pullRequests.get(number)
  await github.records.jobHasEnvironment({ runId: run, shas: [sha], runnerName: '' })
  const id =
    (await github.records.open({ environment: 'preview', task, sha, production: false, description: 'ml.ink: web' })) ??
    0
  await github.pullRequests.get(number)
  await github.comments.upsert({
    pullRequest: number,
    marker: CARD_MARKER,
    fold: (bodies) => {
      const folded = foldCard(bodies, [live], SURROUNDINGS)
      wasLive = folded.before(live)?.status === 'live'
      return folded
    },
  })
  await github.records.setStatus(id, { state: 'success', environmentUrl: live.url, logUrl: live.runUrl }, false)
  await github.records.retireOlder(task, id, wasLive ? sha : undefined)
}

describe('an update of a preview', () => {
  it('needs eight calls to GitHub, however many went before', async () => {
    await using stand = await openStand()
    await update(stand.open(), stand, 1)
    await update(stand.open(), stand, 2)
    stand.calls()
    await update(stand.open(), stand, 3)
    expect(stand.calls()).toHaveLength(8)
    const active = stand.repository.deployments().filter(({ statuses }) => statuses.at(-1)?.state === 'success')
    expect(active).toHaveLength(1)
    expect(stand.server.violations).toEqual([])
  })
})

describe('a matrix of services', () => {
  it('ends with a row for each, each in its last state', { timeout: 60_000 }, async () => {
    await using stand = await openStand()
    const services = ['admin', 'api', 'docs', 'web', 'worker']
    await Promise.all(
      services.map(async (service) => {
        const { comments } = stand.open({ realTime: true }).github
        for (const status of ['building', 'live'] as const) {
          const mine = row({ service, status, target: 'pr-1', updatedAt: new Date().toISOString() })
          const fold = (bodies: readonly string[]) => foldCard(bodies, [mine], SURROUNDINGS)
          await comments.upsert({ pullRequest: stand.pull.number, marker: CARD_MARKER, fold })
        }
      }),
    )
    const bodies = stand.repository.comments(stand.pull.number).map(({ body }) => body)
    expect(bodies).toHaveLength(1)
    expect(decodeState(bodies[0] ?? '')?.map(({ service, status }) => `${service} ${status}`)).toEqual(
      services.map((service) => `${service} live`),
    )
  })
})
