import { describe, expect, it } from 'vitest'
import { OURS, Passing, reading, stage } from './stage.ts'

describe('how a deployment ends', () => {
  it.each([
    ['failed', 'failed'],
    ['error', 'failed'],
    ['completed', 'failed'],
    ['stopped', 'failed'],
    ['suspended', 'failed'],
  ])('as %s it is %s', async (status, kind) => {
    const play = stage({
      read: (_count, ms) => reading({ status: ms < 20_000 ? 'building' : status, errorMessage: 'exit status 1' }),
    })
    expect(await play.watch()).toMatchObject({ kind, errorMessage: 'exit status 1', phase: 'building' })
  })

  it('as crashed it brings the runtime log along', async () => {
    const play = stage({
      read: (_count, ms) => reading({ status: ms < 5_000 ? 'deploying' : 'crashed', runtimeLogs: ['TypeError: boom'] }),
    })
    expect(await play.watch()).toMatchObject({ kind: 'crashed', runtimeLog: ['TypeError: boom'] })
  })

  it('as removed it is gone, as superseded somebody took over', async () => {
    expect(await stage({ read: () => reading({ status: 'removed' }) }).watch()).toEqual({ kind: 'gone' })
    expect(await stage({ read: () => reading({ status: 'superseded' }) }).watch()).toEqual({
      kind: 'superseded',
      branch: undefined,
      sent: true,
    })
  })

  it('is tried once more when cancelled right after the trigger, and only once', async () => {
    const play = stage({ read: () => reading({ status: 'cancelled' }) })
    expect((await play.watch()).kind).toBe('cancelled')
    expect(play.triggeredAt).toHaveLength(2)
    const lucky = stage({ read: () => reading({ status: lucky.triggeredAt.length === 1 ? 'cancelled' : 'active' }) })
    expect((await lucky.watch()).kind).toBe('live')
  })

  it('is not started again when somebody cancels it later', async () => {
    const play = stage({ read: (_count, ms) => reading({ status: ms < 60_000 ? 'building' : 'cancelled' }) })
    expect((await play.watch()).kind).toBe('cancelled')
    expect(play.triggeredAt).toHaveLength(1)
  })

  it('is tried again when it failed at once, before any build', async () => {
    const play = stage({ read: () => reading({ status: play.triggeredAt.length === 1 ? 'failed' : 'active' }) })
    expect((await play.watch()).kind).toBe('live')
  })

  it('is tried again, with growing pauses, while the platform says that an earlier build winds down', async () => {
    const errorMessage = 'child workflow execution already started'
    const play = stage({
      read: () => reading({ status: play.triggeredAt.length < 3 ? 'failed' : 'active', errorMessage }),
    })
    expect((await play.watch()).kind).toBe('live')
    const [first = 0, second = 0, third = 0] = play.triggeredAt
    expect(third - second).toBeGreaterThan(second - first)
  })

  it('is not tried again when a build was seen to fail', async () => {
    const play = stage({ read: (count) => reading({ status: count === 1 ? 'building' : 'failed' }) })
    expect((await play.watch()).kind).toBe('failed')
    expect(play.triggeredAt).toHaveLength(1)
  })

  it('waits a little for the lines that arrive after a failed status', async () => {
    const play = stage({
      read: (count) =>
        reading({
          status: count === 1 ? 'building' : 'failed',
          deployLogs: count < 3 ? ['installing'] : ['installing', 'npm error code E404'],
        }),
    })
    expect(await play.watch()).toMatchObject({ kind: 'failed', deployLog: ['installing', 'npm error code E404'] })
  })

  it('passes on that the image came from the cache', async () => {
    const quick = stage({ read: (count) => reading({ status: count === 1 ? 'deploying' : 'active' }) })
    expect(await quick.watch()).toMatchObject({ timings: { fromCache: true } })
    const said = stage({
      read: (count) =>
        reading({
          status: count === 1 ? 'building' : 'active',
          deployLogs: ['Image of abc exists already, skipping the build'],
        }),
    })
    expect(await said.watch()).toMatchObject({ timings: { fromCache: true } })
    const built = stage({
      read: (count) => reading({ status: count === 1 ? 'building' : 'active', deployLogs: ['npm ci'] }),
    })
    expect(await built.watch()).toMatchObject({ timings: { fromCache: false } })
  })
})

describe('the deadline', () => {
  it('ends the wait with the phase in which the time went', async () => {
    const play = stage({
      read: (_count, ms) => reading({ status: ms < 60_000 ? 'queued' : 'building', deployLogs: ['step 1'] }),
    })
    const verdict = await play.watch({ deadlineAt: play.clock.now() + 300_000 })
    expect(verdict).toMatchObject({ kind: 'timed-out', phase: 'building', deployLog: ['step 1'] })
    expect(play.elapsed()).toBe(300_000)
    const spent: Record<string, number> | undefined = verdict.kind === 'timed-out' ? verdict.perPhaseMs : undefined
    expect(spent?.building).toBeGreaterThan(230_000)
    expect(Object.values(spent ?? {}).reduce((sum, ms) => sum + ms, 0)).toBe(300_000)
  })

  it('also ends a trigger and a reading that never answer', async () => {
    const never = new Promise<never>(() => undefined)
    const hanging = stage({ read: () => never })
    expect(await hanging.watch({ deadlineAt: hanging.clock.now() + 50_000 })).toMatchObject({
      kind: 'timed-out',
      phase: 'triggering',
    })
    const stuck = stage({ read: () => reading() })
    expect(await stuck.watch({ trigger: () => never, deadlineAt: stuck.clock.now() + 50_000 })).toMatchObject({
      kind: 'timed-out',
      phase: 'triggering',
    })
    expect(stuck.elapsed()).toBe(50_000)
  })
})

describe('interruption', () => {
  it('rejects at once with the reason, leaving no alarm behind', async () => {
    const controller = new AbortController()
    const play = stage({
      read: (_count, ms) => {
        if (ms > 10_000) controller.abort(new Error('SIGTERM'))
        return reading({ status: 'building' })
      },
    })
    await expect(play.watch({ signal: controller.signal })).rejects.toThrow('SIGTERM')
    expect(play.clock.pending).toBe(0)
    expect(play.elapsed()).toBeLessThan(12_000)
  })
})

describe('a platform that fails to answer', () => {
  it('is asked again until it does', async () => {
    const play = stage({ read: (count) => (count < 6 ? new Passing('503') : reading({ status: 'active' })) })
    expect((await play.watch()).kind).toBe('live')
    expect(play.warnings.join()).toContain('has not answered')
  })

  it('counts as unreachable once the session gives a reading up', async () => {
    const play = stage({ read: () => new Passing('503 from the edge') })
    expect(await play.watch()).toMatchObject({ kind: 'failed', errorMessage: '503 from the edge' })
    expect(play.elapsed()).toBeLessThan(5 * 60_000)
  })

  it('for a minute does not end a deployment that has twenty, however often it does so', async () => {
    const play = stage({
      read: (_count, ms) =>
        ms < 600_000 && ms % 120_000 > 60_000
          ? new Passing('503')
          : reading({ status: ms < 900_000 ? 'building' : 'active' }),
    })
    expect((await play.watch()).kind).toBe('live')
    expect(play.triggeredAt).toHaveLength(1)
  })

  it('ends with the deadline at the latest, whatever the session’s patience', async () => {
    const play = stage({ read: () => new Passing('503') })
    const deadlineAt = play.clock.now() + 90_000
    expect(await play.watch({ deadlineAt, patienceMs: 3_600_000 })).toMatchObject({ kind: 'timed-out' })
    expect(play.elapsed()).toBe(90_000)
  })

  it('is not asked before Retry-After has passed', async () => {
    const play = stage({ read: (count) => (count === 1 ? new Passing('429', 33_000) : reading({ status: 'active' })) })
    await play.watch()
    const [first = 0, second = 0] = play.readAt
    expect(second - first).toBeGreaterThanOrEqual(33_000)
  })

  it('is given up at once when the error is not passing', async () => {
    const play = stage({ read: () => new Error('invalid api key') })
    await expect(play.watch()).rejects.toThrow('invalid api key')
    expect(play.readAt).toHaveLength(1)
  })

  it('that hangs is asked anew after the reading’s own limit', async () => {
    const play = stage({
      read: (count) => (count === 1 ? new Promise<never>(() => undefined) : reading({ status: 'active' })),
    })
    expect((await play.watch()).kind).toBe('live')
    expect(play.elapsed()).toBeLessThan(30_000)
  })
})

describe('the pace', () => {
  it('is 1 s at first and slows down to 5 s in a long build', async () => {
    const play = stage({ read: (_count, ms) => reading({ status: ms < 600_000 ? 'building' : 'active' }) })
    await play.watch()
    const gaps = play.readAt.map((at, index) => at - (play.readAt[index - 1] ?? 0))
    expect(gaps[2]).toBe(1_000)
    expect(Math.max(...gaps)).toBe(5_000)
    expect(play.readAt.length).toBeLessThan(200)
  })

  it('begins at once after a creation, and not before an update can show', async () => {
    const updated = stage({ read: () => reading({ status: 'active' }) })
    await updated.watch()
    expect(updated.readAt).toEqual([250])
    const created = stage({ read: () => reading({ status: 'active' }) })
    await created.watch({ before: 'no-service' })
    expect(created.readAt).toEqual([0])
  })

  it('looks again at once after a change', async () => {
    const play = stage({
      read: (_count, ms) => reading({ status: ms < 100_000 ? 'building' : ms < 200_000 ? 'deploying' : 'active' }),
    })
    await play.watch()
    const change = play.readAt.findIndex((at) => at >= 100_000)
    expect((play.readAt[change + 1] ?? 0) - (play.readAt[change] ?? 0)).toBe(250)
  })

  it('never has two requests in flight', async () => {
    let inFlight = 0
    let most = 0
    const play = stage({ read: () => reading() })
    await play.watch({
      read: async (_lines, signal) => {
        inFlight += 1
        most = Math.max(most, inFlight)
        await play.clock.sleep(7_000, signal)
        inFlight -= 1
        return reading({ status: play.elapsed() > 60_000 ? 'active' : 'building' })
      },
    })
    expect(most).toBe(1)
  })
})

describe('the log during the watch', () => {
  it('shows each line of ours once, sanitized, and none of an earlier deployment', async () => {
    const secret = `s3cr3t-${Math.random().toString(36).slice(2)}`
    const log = ['old 1', 'old 2', 'Cloning', '::error::not a command', `token ${secret}`, 'done']
    const play = stage({
      read: (count) => reading({ status: count < 6 ? 'building' : 'active', deployLogs: log.slice(0, 1 + count) }),
    })
    await play.watch({ logBaseline: log.slice(0, 2), secrets: [secret] })
    expect(play.lines).toEqual(['Cloning', ': :error::not a command', 'token ***', 'done'])
  })

  it('is not taken from a reading of another branch', async () => {
    const play = stage({
      read: (count) =>
        count === 1 ? reading({ deployLogs: ['ours'] }) : reading({ branch: 'main', deployLogs: ['ours', 'theirs'] }),
    })
    expect((await play.watch()).kind).toBe('superseded')
    expect(play.lines).toEqual(['ours'])
    expect(OURS).not.toBe('main')
  })
})
