import { describe, expect, it } from 'vitest'
import { ToolError } from '../../src/ink/errors.ts'
import { EARLIER, LostAnswer, OURS, Passing, reading, stage } from './stage.ts'

const refusal = (why: string) => new ToolError('update_service', `service updated but redeploy failed: ${why}`)

describe('a status counts only with our branch and after our trigger', () => {
  it('ends live when our branch is active after the trigger was acknowledged', async () => {
    const play = stage({
      read: (_count, ms) =>
        reading({
          status: ms < 2_000 ? 'queued' : ms < 9_000 ? 'building' : ms < 12_000 ? 'deploying' : 'active',
          url: 'https://a.test',
        }),
    })
    const verdict = await play.watch()
    expect(verdict).toMatchObject({ kind: 'live', url: 'https://a.test' })
    expect(play.phases.map(({ phase }) => phase)).toEqual(['queue', 'build', 'roll-out', 'probe'])
    expect(play.clock.pending).toBe(0)
  })

  it('never trusts an active status that was read before the trigger', async () => {
    // Before the trigger the service shows our own branch as active.
    const play = stage({ read: () => reading({ status: 'failed' }) })
    const verdict = await play.watch({ before: { branch: OURS } })
    expect(verdict.kind).toBe('failed')
    expect(play.readAt[0]).toBeGreaterThanOrEqual(play.triggeredAt[0] ?? Number.POSITIVE_INFINITY)
  })

  it('is superseded as soon as another branch shows up', async () => {
    const play = stage({
      read: (_count, ms) =>
        ms < 3_000 ? reading({ status: 'building' }) : reading({ branch: 'main', status: 'active' }),
    })
    expect(await play.watch()).toEqual({ kind: 'superseded', branch: 'main', sent: true })
  })

  it('takes one missing service for a late replica and two for a deletion', async () => {
    const once = stage({ read: (count) => (count === 1 ? undefined : reading({ status: 'active' })) })
    expect((await once.watch()).kind).toBe('live')
    const twice = stage({ read: () => undefined })
    expect(await twice.watch()).toEqual({ kind: 'gone' })
  })

  it('waits on through an unknown status and warns of it once', async () => {
    const play = stage({ read: (count) => reading({ status: count < 5 ? 'defragmenting' : 'active' }) })
    expect((await play.watch()).kind).toBe('live')
    expect(play.warnings).toHaveLength(1)
    expect(play.warnings[0]).toContain('defragmenting')
  })

  it('does not believe a platform that tells no branch, unless it tells our commit', async () => {
    const silent = stage({ read: () => reading({ branch: undefined, status: 'active' }) })
    expect((await silent.watch()).kind).toBe('timed-out')
    const telling = stage({ read: () => reading({ branch: undefined, status: 'active', commitHash: 'abc1234' }) })
    expect((await telling.watch({ commitHash: 'abc1234def' })).kind).toBe('live')
  })

  it('does not believe an active status that names another commit', async () => {
    const lying = stage({ read: () => reading({ status: 'active', commitHash: 'fff0000' }) })
    expect(await lying.watch({ commitHash: 'abc1234' })).toMatchObject({
      kind: 'failed',
      errorMessage: expect.stringContaining('another commit than the one pushed'),
    })
    const late = stage({
      read: (_count, ms) => reading({ status: 'active', commitHash: ms < 5_000 ? 'fff0000' : 'abc1234' }),
    })
    expect((await late.watch({ commitHash: 'abc1234' })).kind).toBe('live')
  })
})

describe('a trigger whose answer was lost', () => {
  const lostOnce = (count: number) => (count === 1 ? new LostAnswer('socket hang up') : undefined)

  it('is repeated when the service still shows the branch from before', async () => {
    const play = stage({
      trigger: lostOnce,
      read: () => reading(play.triggeredAt.length === 1 ? { branch: EARLIER, status: 'active' } : { status: 'active' }),
    })
    expect((await play.watch()).kind).toBe('live')
    expect(play.triggeredAt).toHaveLength(2)
  })

  it('is repeated when an update left our branch: the status may be the old deployment’s', async () => {
    const play = stage({
      trigger: lostOnce,
      read: () => reading({ status: play.triggeredAt.length === 1 ? 'active' : 'failed' }),
    })
    expect((await play.watch({ before: { branch: OURS } })).kind).toBe('failed')
    expect(play.triggeredAt.length).toBeGreaterThan(1)
  })

  it('is not repeated when a service that did not exist is now being deployed from our branch', async () => {
    const play = stage({ trigger: lostOnce, read: (count) => reading({ status: count < 3 ? 'building' : 'active' }) })
    expect((await play.watch({ before: 'no-service' })).kind).toBe('live')
    expect(play.triggeredAt).toHaveLength(1)
  })

  it('is repeated when the service was created but never deployed', async () => {
    const play = stage({
      trigger: lostOnce,
      read: () => reading({ status: play.triggeredAt.length === 1 ? 'pending' : 'active' }),
    })
    expect((await play.watch({ before: 'no-service' })).kind).toBe('live')
    expect(play.triggeredAt).toHaveLength(2)
  })

  it('is repeated when there still is no service', async () => {
    const play = stage({
      trigger: lostOnce,
      read: () => (play.triggeredAt.length === 1 ? undefined : reading({ status: 'active' })),
    })
    expect((await play.watch({ before: 'no-service' })).kind).toBe('live')
    expect(play.triggeredAt).toHaveLength(2)
  })

  it('gives way to somebody who has deployed a third branch since', async () => {
    const play = stage({ trigger: lostOnce, read: () => reading({ branch: 'ink/pr-7/newer', status: 'building' }) })
    expect(await play.watch()).toEqual({ kind: 'superseded', branch: 'ink/pr-7/newer', sent: false })
    expect(play.triggeredAt).toHaveLength(1)
  })

  it('ends unreachable when every answer is lost', async () => {
    const play = stage({
      trigger: () => new LostAnswer('socket hang up'),
      read: () => reading({ branch: EARLIER, status: 'active' }),
    })
    const verdict = await play.watch()
    expect(verdict).toMatchObject({ kind: 'failed', phase: 'triggering', errorMessage: 'socket hang up' })
  })
})

describe('a trigger that is refused', () => {
  it('never ends as the old active when the redeploy failed', async () => {
    const play = stage({
      trigger: () => refusal('workflow engine is down'),
      read: () => reading({ status: 'active' }),
    })
    const verdict = await play.watch()
    expect(verdict).toMatchObject({ kind: 'failed', phase: 'triggering' })
    expect(verdict).toHaveProperty(
      'errorMessage',
      expect.stringContaining('service updated but redeploy failed: workflow engine is down'),
    )
    expect(play.triggeredAt.length).toBeGreaterThan(1)
  })

  it('goes on when asking again helps', async () => {
    const play = stage({
      trigger: (count) => (count === 1 ? refusal('busy') : undefined),
      read: () => reading({ status: 'active' }),
    })
    expect((await play.watch()).kind).toBe('live')
  })

  it('throws what asking again cannot fix', async () => {
    const play = stage({ trigger: () => new Error('invalid build_pack: cobol'), read: () => reading() })
    await expect(play.watch()).rejects.toThrow('invalid build_pack: cobol')
    expect(play.triggeredAt).toHaveLength(1)
  })

  it('waits as long as the platform asks before trying again', async () => {
    const play = stage({
      trigger: (count) => (count === 1 ? new Passing('429', 42_000) : undefined),
      read: () => reading({ status: 'active' }),
    })
    await play.watch()
    expect(play.triggeredAt[1]).toBe(42_000)
  })
})
