import { describe, expect, it } from 'vitest'
import type { InkFaultName } from '../../sandbox/ink/faults.ts'
import { systemClock } from '../../src/core/async.ts'
import { Secret } from '../../src/core/secret.ts'
import { finishInterrupted } from '../../src/flows/records.ts'
import { openGitHub } from '../../src/github/github.ts'
import { createSeal } from '../../src/report/state.ts'
import { type Act, type Scene, USUAL } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

/** What the post step does with what a run left behind. */
async function post(scene: Scene, { open }: Act) {
  const { repository } = scene
  const github = openGitHub({
    token: stage.github.token({ repository, permissions: USUAL }),
    apiUrl: stage.github.apiUrl,
    owner: repository.owner.login,
    repo: repository.name,
    log: { warning: () => undefined, info: () => undefined, debug: () => undefined },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
  })
  const [settled] = await finishInterrupted(open, {
    github,
    surroundingsOf: (pullRequest) => {
      const whole = { id: String(repository.id), fullName: repository.fullName }
      const seal = createSeal(new Secret(stage.ink.apiKey), whole, pullRequest)
      return { repositoryUrl: repository.htmlUrl, pullRequest, seal }
    },
    comment: 'sticky',
    now: Date.now(),
  })
  return settled
}

describe('trouble on the way to ml.ink', () => {
  const creation = { tool: 'create_service', times: 1 }
  it.each([
    ['the answer to the creation is lost', { 'mcp.reset-after': creation }],
    [
      'the git host is out of order for a moment, the creation never arrives, and reading fails three times',
      {
        'git.http': { times: 1 },
        'mcp.reset-before': creation,
        'mcp.http': { tool: 'get_service', times: 3, after: 1 },
      },
    ],
    ['half an answer arrives', { 'mcp.cut': creation }],
    ['an event stream ends before the answer', { 'mcp.sse-drop': creation }],
  ])('is overcome when %s', async (_what, faults) => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('hello')
    for (const [fault, options] of Object.entries(faults)) stage.ink.fault(fault as InkFaultName, options)
    const run = await scene.act('pull_request', { action: 'opened', number })
    expect(stage.ink.armedFaults()).toEqual([])
    expect(run.told).toBe('live')
    expect(run.outputs.commit).toBe(sha)
    expect(await scene.page(scene.preview(number))).toBe('hello')
  })

  it('never makes an update look live whose answer was lost and which never happened', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('old')
    await scene.act('pull_request', { action: 'opened', number })
    const { sha, before } = await scene.push(number, 'new')
    stage.ink.fault('mcp.reset-before', { tool: 'update_service', times: 1 })
    const run = await scene.act('pull_request', { action: 'synchronize', number, after: sha, before })
    expect(run.told).toBe('live')
    expect(await scene.page(scene.preview(number))).toBe('new')
  })

  it('that does not end is a red run which says so, in card, record and outputs', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    stage.ink.fault('build.hang', { times: 1 })
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs: { timeout: '8s' } })
    expect(run.outputs.status).toBe('timed-out')
    expect(run.red).toBe(true)
    expect(scene.rows(number)).toMatchObject([{ status: 'timed-out' }])
    expect(scene.repository.deployments()[0]?.statuses.at(-1)?.state).toBe('failure')
    expect(run.remembered).toBeUndefined()
    expect(run.outcome?.failure?.message).toMatch(/building|queued/)
  })

  it('with a service that somebody else makes at the same moment stops before changing it', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    stage.ink.fault('ink.name-taken', { times: 1 })
    const run = await scene.act('pull_request', { action: 'opened', number })
    expect(run.red).toBe(true)
    expect(run.outcome?.failure?.message).toContain('does not carry the marks')
    expect(stage.ink.service(scene.preview(number))?.env).toEqual({})
  })
})

describe('a run that is cancelled', () => {
  async function cancelled(scene: Scene, number: number, meanwhile?: () => Promise<unknown>): Promise<Act> {
    const cancel = new AbortController()
    stage.ink.fault('build.slow', { times: 1, delayMs: 1500 })
    let busy: Promise<unknown> | undefined
    const run = await scene.act(
      'pull_request',
      { action: 'opened', number },
      {
        signal: cancel.signal,
        onLine: (line) => {
          if (line !== 'Build' || busy) return
          busy = Promise.resolve(meanwhile?.()).then(() => cancel.abort(new Error('cancelled')))
        },
      },
    )
    await busy
    return run
  }

  it('is settled as cancelled by the post step, and leaves what it half made to the next run', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('hello')
    const run = await cancelled(scene, number)
    expect(run.thrown).toBeInstanceOf(Error)
    expect(run.outputs.status).toBe('cancelled')
    await post(scene, run)
    expect(scene.rows(number)).toMatchObject([{ status: 'cancelled', commit: sha }])
    expect(scene.activeRecords()).toEqual([])

    const again = await scene.act('pull_request', { action: 'reopened', number })
    expect(again.told).toBe('live')
    expect(scene.rows(number)).toMatchObject([{ status: 'live' }])
    // One that has come to its end has nothing to settle.
    const before = stage.github.journal.length
    await post(scene, again)
    expect(stage.github.journal.length).toBe(before)
  })

  it('is settled as superseded where a newer commit is the reason', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const run = await cancelled(scene, number, () => scene.push(number, 'newer'))
    await post(scene, run)
    const newer = scene.repository.pull(number).headSha
    expect(scene.rows(number)).toMatchObject([{ status: 'superseded', supersededBy: newer }])
  })
})

describe('the monitor', () => {
  it('opens an issue when production is in trouble, keeps it up to date, and closes it when that is over', async () => {
    const scene = await stage.scene()
    await scene.act('push', { after: scene.first })
    // Only where no good answer is to be expected is the time for one short.
    const look = (inputs = {}) => scene.act('schedule', {}, { inputs: { 'health-timeout': '15s', ...inputs } })
    const issues = () =>
      [...scene.repository.issues.values()].filter(({ number }) => !scene.repository.pulls.has(number))
    expect((await look()).red).toBe(false)
    expect(issues()).toEqual([])

    // Another version of ours, which answers with errors.
    stage.ink.fault('app.error', { times: 1, status: 500 })
    stage.ink.deployAsSomebodyElse(scene.production)
    await stage.ink.waitForStatus(scene.production, ['active'])
    for (let count = 0; count < 2; count++) {
      const sick = await look({ 'health-timeout': '1s' })
      expect(sick.outputs.status).toBe('unhealthy')
      expect(sick.red).toBe(true)
      expect(issues().map(({ state }) => state)).toEqual(['open'])
    }
    // To others, who have a production of their own, the service and its log are none of their business.
    const other = await stage.scene()
    expect((await other.act('push', { after: other.first })).told).toBe('live')
    const inputs = { service: scene.production, 'health-timeout': '1s', command: 'monitor' }
    const run = await other.act('workflow_dispatch', {}, { inputs })
    expect(run.told).toBe('nothing')
    expect([...other.repository.issues.values()]).toEqual([])

    stage.ink.deployAsSomebodyElse(scene.production)
    await stage.ink.waitForStatus(scene.production, ['active'])
    expect((await look()).red).toBe(false)
    expect(issues().map(({ state }) => state)).toEqual(['closed'])
  })
})
