import { beforeAll, describe, expect, it } from 'vitest'
import type { Deps } from '../../src/flows/run.ts'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

async function live(): Promise<Scene> {
  const scene = await stage.scene()
  const act = await scene.act('push', { after: scene.first }, { inputs: { env: 'COLOUR=red' } })
  expect(act.told).toBe('live')
  return scene
}

/** Ports on which the status of a commit's deployment is in words that nobody knows, once its URL has been asked. */
function hidingStatusAfterProbe(sha: string): (deps: Deps) => Deps {
  let asked = false
  return (deps) => ({
    ...deps,
    clock: {
      now: deps.clock.now,
      sleep: (ms, signal, isLimit) => deps.clock.sleep(isLimit ? ms : ms / 10, signal, isLimit),
    },
    http: async (...args) => {
      const answer = await deps.http(...args)
      asked = true
      return answer
    },
    openPlatform: async (...args) => {
      const platform = await deps.openPlatform(...args)
      return {
        ...platform,
        service: async (...wanted) => {
          const service = await platform.service(...wanted)
          return service && asked && service.branch?.endsWith(sha) ? { ...service, status: 'rebalancing' } : service
        },
      }
    },
  })
}

describe('production', () => {
  it('takes an older push only as long as nobody deployed a newer one, also when its run is started again', async () => {
    const scene = await live()
    const older = await scene.write('older')
    const olderEvent = await scene.repository.event('push', { before: scene.first, after: older })
    // The workflow leaves this one out, by paths-ignore for example.
    const left = await scene.write('left out')
    expect((await scene.play(olderEvent)).told).toBe('live')
    expect(await scene.page(scene.production)).toBe('older')

    const slowEvent = await scene.repository.event('push', { before: older, after: left })
    const newer = await scene.write('newer')
    expect((await scene.act('push', { before: left, after: newer })).told).toBe('live')
    const slow = await scene.play(slowEvent)
    expect(slow.told).toBe('superseded')
    const reason = `main has moved on to ${newer.slice(0, 7)}`
    expect(slow.outputs['skipped-reason']).toContain(reason)
    expect(slow.notices.join('\n')).toContain(reason)
    expect(slow.log.join('\n')).toContain(reason)
    expect((await scene.branches()).filter((name) => name.includes(left))).toEqual([])

    const again = await scene.play(slowEvent, { runAttempt: 2 })
    expect(again.told).toBe('superseded')
    expect(again.outputs['skipped-reason']).toMatch(
      new RegExp(`${left.slice(0, 7)}.*${newer.slice(0, 7)}.*command: rollback`),
    )
    expect(await scene.page(scene.production)).toBe('newer')
    // GitHub itself retires neither production nor transient records.
    expect(scene.activeRecords()).toEqual(['ink-production'])
  })

  it('that somebody else deploys meanwhile is superseded, and that is not a failure', async () => {
    const scene = await live()
    const sha = await scene.write('second')
    stage.ink.fault('ink.deployed-by-other', { times: 1, branch: `ink/production/${scene.production}/${scene.first}` })
    const run = await scene.act('push', { before: scene.first, after: sha })
    expect(run.told).toBe('superseded')
    expect(run.red).toBe(false)
  })

  describe('whose new version is no good', () => {
    let scene: Scene
    beforeAll(async () => {
      scene = await live()
    })

    it.each([
      ['does not build', 'build.crash', {}],
      ['never answers', 'rollout.unhealthy', {}],
      ['answers with errors', 'app.error', { status: 500 }],
      ['dies after it has started', 'app.dies', { afterMs: 50 }],
    ] as const)('as it %s, is switched back to branch and variables of before', async (_what, fault, options) => {
      const { branch, env } = stage.ink.service(scene.production) ?? {}
      const sha = await scene.write('second')
      // The failed version, and the second try that the platform makes of a build.
      const times = fault === 'build.crash' ? 2 : 1
      if (fault === 'build.crash') stage.ink.fault('build.log-line', { times, lines: ['error: nothing fits'] })
      stage.ink.fault(fault, { times, ...options })
      const inputs = { env: 'COLOUR=blue', 'health-timeout': '2s' }
      const run = await scene.act('push', { before: scene.first, after: sha }, { inputs })
      expect(run.outputs.status).toBe('rolled-back')
      expect(run.red).toBe(true)
      expect(run.outcome?.failure?.message).toContain(scene.first.slice(0, 7))
      expect(stage.ink.service(scene.production)).toMatchObject({ branch, env, status: 'active' })
      expect(branch).toContain(scene.first)
      expect(env).toMatchObject({ COLOUR: 'red' })
      expect(await scene.page(scene.production)).toBe('first')
      expect(run.summary).toContain(scene.first.slice(0, 7))
      // What the failed build said is not said a second time.
      const back = run.log.findIndex((line) => line.startsWith('Going back to'))
      expect(run.log.slice(0, back).includes('error: nothing fits')).toBe(fault === 'build.crash')
      expect(run.log.slice(back)).not.toContain('error: nothing fits')
    })
  })

  it('that could not be confirmed is red, and stays: doubt is not a reason to take away what may be good', async () => {
    const scene = await live()
    const sha = await scene.write('second')
    const run = await scene.act('push', { before: scene.first, after: sha }, { change: hidingStatusAfterProbe(sha) })
    expect(run.told).toContain('it could not be confirmed that this deployment does')
    expect(run.outputs.status).toBe('unhealthy')
    expect(run.red).toBe(true)
    expect(stage.ink.service(scene.production)?.branch).toBe(`ink/production/${scene.production}/${sha}`)
    expect(await scene.page(scene.production)).toBe('second')
  })

  it('without an earlier version stays as it failed, and the run says that there is none', async () => {
    const scene = await stage.scene()
    stage.ink.fault('build.crash')
    const run = await scene.act('push', { after: scene.first })
    expect(run.outputs.status).toBe('failed')
    expect(run.warnings.join()).toContain('no earlier version')
  })

  it('is rolled back by command, version by version, past what never worked unless that is named', async () => {
    const scene = await live()
    const back = (to = '') =>
      scene.act('workflow_dispatch', {}, { inputs: { command: 'rollback', 'rollback-to': to, 'health-timeout': '2s' } })
    const second = await scene.write('second')
    expect((await scene.act('push', { before: scene.first, after: second })).told).toBe('live')
    const bad = await scene.write('bad')
    stage.ink.fault('app.error', { times: 1, status: 500 })
    const inputs = { rollback: 'false', 'health-timeout': '2s' }
    const failed = await scene.act('push', { before: second, after: bad }, { inputs })
    expect(failed.outputs.status).toBe('unhealthy')
    const fourth = await scene.write('fourth')
    expect((await scene.act('push', { before: bad, after: fourth })).told).toBe('live')

    const once = await back()
    expect(once.outputs).toMatchObject({ status: 'live', action: 'rollback', commit: second })
    expect(once.log.join('\n')).toContain(`${bad} is passed over: its deployment failed`)
    expect(await scene.page(scene.production)).toBe('second')
    expect(stage.ink.service(scene.production)?.env).toMatchObject({ INK_GIT_COMMIT_SHA: second })
    // The record speaks of the commit that serves again, and is the only active one.
    const active = scene.repository.deployments().filter(({ statuses }) => statuses.at(-1)?.state === 'success')
    expect(active).toMatchObject([{ sha: second, ref: second, environment: 'production' }])
    expect(once.warnings).toEqual([])

    expect((await back()).outputs).toMatchObject({ status: 'live', commit: scene.first })
    const none = await back()
    expect(none.red).toBe(true)
    expect(await scene.page(scene.production)).toBe('first')

    expect((await back(bad)).outputs).toMatchObject({ status: 'live', commit: bad })
    // Of what does not start any more it says why, as a deployment does; what fails at once is started once more.
    stage.ink.fault('rollout.unhealthy', { times: 2 })
    const broken = await back()
    expect(broken.told).toMatch(/^failed: The app does not start: ./)
    expect(broken.red).toBe(true)
    expect(broken.summary).toContain('**Why:**')
    expect(broken.summary).toContain('**What to do:**')
  })
})

describe('variables', () => {
  it('that were set elsewhere stay when ours are merged, and go when ours replace them', async () => {
    const scene = await live()
    for (const [strategy, COLOUR] of [
      ['merge', 'red'],
      ['replace', undefined],
    ] as const) {
      const after = await scene.write(strategy)
      const inputs = { env: 'SIZE=big', 'env-strategy': strategy }
      const run = await scene.act('push', { before: scene.first, after }, { inputs })
      expect(run.told, strategy).toBe('live')
      const env = stage.ink.service(scene.production)?.env
      expect({ COLOUR: env?.COLOUR, SIZE: env?.SIZE }, strategy).toEqual({ COLOUR, SIZE: 'big' })
      expect(env).toMatchObject({ INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: scene.repository.fullName })
    }
  })
})

describe('a database', () => {
  it('is made once for production, masked, found again, and outlives every preview', async () => {
    const scene = await stage.scene()
    const inputs = { database: 'sqlite' }
    await scene.act('push', { after: scene.first }, { inputs })
    const name = `${scene.production}-db`
    const database = stage.ink.databases().find((one) => one.name === name)
    expect(stage.ink.service(scene.production)?.env).toMatchObject({
      DATABASE_URL: database?.url,
      DATABASE_AUTH_TOKEN: database?.authToken,
    })
    const { number } = await scene.open('preview')
    const opened = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    const own = stage.ink.databases().find((one) => one.name === `${scene.preview(number)}-db`)
    expect(own?.url).not.toBe(database?.url)
    expect(opened.secrets).toContain(own?.authToken)
    expect(
      [...opened.log, opened.summary, ...scene.repository.comments(number).map(({ body }) => body)].join(),
    ).not.toContain(own?.authToken)
    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number }, { inputs })
    expect(closed.told).toBe('removed')
    expect(stage.ink.databases().map((one) => one.name)).toEqual([name])
    const sha = await scene.write('second')
    await scene.act('push', { before: scene.first, after: sha }, { inputs })
    expect(stage.ink.service(scene.production)?.env.DATABASE_URL).toBe(database?.url)
  })
})
