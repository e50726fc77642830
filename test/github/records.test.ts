import { describe, expect, it } from 'vitest'
import type { NewRecord } from '../../src/github/records.ts'
import { openStand, type Stand } from './stand.ts'

const TASK = 'ink-preview-pr-1'
const RUN_URL = 'https://github.com/acme/shop/actions/runs/71'
const URL = 'https://acme-shop-pr-1.ml.ink/'

function preview(stand: Stand): NewRecord {
  return { environment: 'preview', task: TASK, sha: stand.pull.headSha, production: false, description: 'ml.ink: web' }
}

function states(stand: Stand, id: number | undefined): string[] {
  return stand.repository.statuses(id ?? 0).map(({ state }) => state)
}

describe('a deployment record', () => {
  it('leads from the head commit to the preview and to the log, once that is live', async () => {
    await using stand = await openStand()
    const { records } = stand.open().github
    const id = (await records.open(preview(stand))) ?? 0
    await records.setStatus(id, { state: 'in_progress', logUrl: RUN_URL }, false)
    await records.setStatus(id, { state: 'success', environmentUrl: URL, logUrl: RUN_URL }, false)
    expect(stand.repository.deployments()).toMatchObject([
      {
        sha: stand.pull.headSha,
        ref: stand.pull.headSha,
        task: TASK,
        environment: 'preview',
        transientEnvironment: true,
        productionEnvironment: false,
      },
    ])
    expect(states(stand, id)).toEqual(['in_progress', 'success'])
    expect(stand.repository.statuses(id).at(-1)).toMatchObject({ environmentUrl: URL, logUrl: RUN_URL })
    expect(stand.server.violations).toEqual([])
  })

  it('merges nothing into the branch, which lacks a commit of the base', async () => {
    await using stand = await openStand()
    await stand.repository.pushTo('main', { 'other.txt': 'later' })
    const head = await stand.repository.head('feature')
    const { records } = stand.open().github
    expect(await records.open({ ...preview(stand), sha: head })).toBeDefined()
    expect(await stand.repository.head('feature')).toBe(head)
  })

  it('leaves the previews of other pull requests active when it succeeds', async () => {
    await using stand = await openStand()
    const { records } = stand.open().github
    const other = (await records.open({ ...preview(stand), task: 'ink-preview-pr-2' })) ?? 0
    await records.setStatus(other, { state: 'success' }, false)
    const mine = (await records.open(preview(stand))) ?? 0
    await records.setStatus(mine, { state: 'success' }, false)
    await records.retireOlder(TASK, mine, undefined)
    expect(states(stand, other)).toEqual(['success'])
  })

  it('retires the active one before it across failures, and asks no further than the last retired one', async () => {
    await using stand = await openStand()
    const { records } = stand.open().github
    const make = async (...told: ('success' | 'failure' | 'inactive')[]) => {
      const id = (await records.open(preview(stand))) ?? 0
      for (const state of told) await records.setStatus(id, { state }, false)
      return id
    }
    await make('success', 'inactive')
    const retired = await make('success', 'inactive')
    const active = await make('success')
    const failed = await make('failure')
    const mine = await make('success')
    stand.calls()
    await records.retireOlder(TASK, mine, undefined)
    expect([states(stand, retired), states(stand, active), states(stand, failed)]).toEqual([
      ['success', 'inactive'],
      ['success', 'inactive'],
      ['failure'],
    ])
    expect(stand.calls()).toEqual([
      'GET /deployments',
      `GET /deployments/${failed}/statuses`,
      `GET /deployments/${active}/statuses`,
      `POST /deployments/${active}/statuses`,
      `GET /deployments/${retired}/statuses`,
    ])
  })

  it('costs an update four calls when the one before is known to have succeeded', async () => {
    await using stand = await openStand()
    const before = stand.open().github.records
    const old = (await before.open(preview(stand))) ?? 0
    await before.setStatus(old, { state: 'success' }, false)
    stand.calls()
    const { records } = stand.open().github
    expect(await records.jobHasEnvironment({ runId: 71, shas: [stand.pull.headSha], runnerName: '' })).toBe(false)
    const id = (await records.open(preview(stand))) ?? 0
    await records.setStatus(id, { state: 'success', environmentUrl: URL }, false)
    await records.retireOlder(TASK, id, preview(stand).sha)
    expect(states(stand, old)).toEqual(['success', 'inactive'])
    expect(stand.calls()).toHaveLength(4)
  })

  it('of production is the only active one, although GitHub never retires those by itself', async () => {
    await using stand = await openStand()
    const { records } = stand.open().github
    const production: NewRecord = {
      environment: 'production',
      task: 'ink-production',
      sha: stand.pull.headSha,
      production: true,
      description: 'x',
    }
    const old = (await records.open(production)) ?? 0
    await records.setStatus(old, { state: 'success' }, true)
    const now = (await records.open(production)) ?? 0
    await records.setStatus(now, { state: 'success' }, true)
    await records.retireOlder('ink-production', now, undefined)
    expect(states(stand, old).at(-1)).toBe('inactive')
    expect(states(stand, now)).toEqual(['success'])
  })

  it('of a failed production leaves the one that still serves active', async () => {
    await using stand = await openStand()
    const { records } = stand.open().github
    const production: NewRecord = {
      environment: 'production',
      task: 'ink-production',
      sha: stand.pull.headSha,
      production: true,
      description: 'x',
    }
    const old = (await records.open(production)) ?? 0
    await records.setStatus(old, { state: 'success' }, true)
    await records.setStatus((await records.open(production)) ?? 0, { state: 'failure' }, true)
    expect(states(stand, old)).toEqual(['success'])
  })

  it('goes, with all of its task and nothing else, when the preview goes', async () => {
    await using stand = await openStand()
    const { records } = stand.open().github
    for (const state of ['success', 'failure', 'success'] as const)
      await records.setStatus((await records.open(preview(stand))) ?? 0, { state }, false)
    await records.open(preview(stand))
    const other = await records.open({ ...preview(stand), task: 'ink-preview-pr-12' })
    expect(await records.remove(TASK)).toEqual({ removed: 4, left: 0 })
    expect(stand.repository.deployments().map(({ id }) => id)).toEqual([other])
    expect(stand.server.violations).toEqual([])
  })

  it('is found again when the answer to its making was lost', async () => {
    await using stand = await openStand()
    stand.server.fault('github.reset', { operation: 'repos/create-deployment', processed: true, times: 1 })
    const { github, warnings } = stand.open()
    const id = await github.records.open(preview(stand))
    expect(stand.repository.deployments().map((record) => record.id)).toEqual([id])
    expect(warnings).toEqual([])
  })

  it('fits a description of any length', async () => {
    await using stand = await openStand()
    const { github, warnings } = stand.open()
    const id = (await github.records.open({ ...preview(stand), description: 'é'.repeat(500) })) ?? 0
    expect(await github.records.setStatus(id, { state: 'failure', description: '🙂'.repeat(500) }, false)).toBe(true)
    expect(warnings).toEqual([])
    expect(stand.server.violations).toEqual([])
  })

  it('is left out with one warning where the ref is unknown to GitHub', async () => {
    await using stand = await openStand()
    const { github, warnings } = stand.open()
    expect(await github.records.open({ ...preview(stand), sha: '0'.repeat(40) })).toBeUndefined()
    expect(warnings).toEqual([expect.stringMatching(/deployment record.*No ref found/)])
  })
})

describe('a job with an environment of its own', () => {
  const ACTIONS = 'https://github.com/acme/shop/actions/runs'

  async function runnerRecord(
    stand: Stand,
    logUrl: string,
    state: 'in_progress' | 'success' = 'in_progress',
  ): Promise<void> {
    const { records } = stand.open().github
    const id = (await records.open({ ...preview(stand), task: 'deploy', environment: 'review' })) ?? 0
    await records.setStatus(id, { state, logUrl }, false)
  }

  /** Answers which runner each job of the run has. */
  const jobsOn = (runners: Readonly<Record<number, string>>) => ({
    fetch: async (url: string | URL | Request, init?: RequestInit) =>
      String(url).includes('/actions/runs/71/jobs')
        ? Response.json({
            jobs: Object.entries(runners).map(([id, runner_name]) => ({ id: Number(id), runner_name })),
          })
        : fetch(url, init),
  })

  it('is not taken for one because of another job of the same run', async () => {
    await using stand = await openStand()
    await runnerRecord(stand, `${ACTIONS}/71/job/5`)
    const has = (runners: Readonly<Record<number, string>>) =>
      stand
        .open(jobsOn(runners))
        .github.records.jobHasEnvironment({ runId: 71, shas: [stand.pull.headSha], runnerName: 'Runner 2' })
    expect(await has({ 5: 'Runner 1', 6: 'Runner 2' })).toBe(false)
    expect(await has({ 5: 'Runner 2', 6: 'Runner 1' })).toBe(true)
  })

  it('is not taken for one because pages are published from the same commit', async () => {
    await using stand = await openStand()
    const { records } = stand.open().github
    const id = (await records.open({ ...preview(stand), task: 'deploy', environment: 'github-pages' })) ?? 0
    await records.setStatus(id, { state: 'in_progress', logUrl: `${ACTIONS}/71/job/5` }, false)
    expect(await asked(stand)).toBe(false)
  })

  function asked(stand: Stand, shas = [stand.pull.headSha]): Promise<boolean> {
    return stand.open().github.records.jobHasEnvironment({ runId: 71, shas, runnerName: '' })
  }

  it('is known by the record that the runner has made for this run', async () => {
    await using stand = await openStand()
    await runnerRecord(stand, `${ACTIONS}/71/job/5`)
    expect(await asked(stand)).toBe(true)
  })

  it('is known on an older server, whose links do not name the run, by a record at work on this commit', async () => {
    await using stand = await openStand()
    await runnerRecord(stand, 'https://git.corp.example/acme/shop/runs/4687056418?check_suite_focus=true')
    expect(await asked(stand)).toBe(true)
  })

  it('is not taken for one because of another run, another commit, or a job that is over', async () => {
    await using stand = await openStand()
    await runnerRecord(stand, `${ACTIONS}/710/job/5`)
    await runnerRecord(stand, `${ACTIONS}/71/job/4`, 'success')
    expect(await asked(stand)).toBe(false)
    await runnerRecord(stand, `${ACTIONS}/71/job/5`)
    expect(await asked(stand, ['0'.repeat(40)])).toBe(false)
  })
})
