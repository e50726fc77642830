import { describe, expect, it } from 'vitest'
import { type Confirmation, confirmLive } from '../../src/watch/confirm-live.ts'
import type { ProbeResult } from '../../src/watch/probe.ts'
import type { ServiceReading } from '../../src/watch/readings.ts'
import { OURS, reading } from './stage.ts'
import { VirtualClock } from './virtual-clock.ts'

interface Confirmed {
  readonly confirmation: Confirmation
  readonly tookMs: number
  readonly warnings: readonly string[]
}

/** Confirms while a probe of `probeMs` runs and readings answer as scripted by virtual time. */
async function confirm(
  read: (elapsedMs: number) => ServiceReading | undefined | Error,
  probe: { result?: ProbeResult; ms?: number; signal?: AbortSignal } = {},
): Promise<Confirmed> {
  const clock = new VirtualClock()
  const startedAt = clock.now()
  const warnings: string[] = []
  const confirmation = await clock.run(
    confirmLive({
      probe: async (signal) => {
        await clock.sleep(probe.ms ?? 30_000, signal)
        return probe.result ?? { outcome: 'healthy', attempts: 3, status: 200 }
      },
      branch: OURS,
      read: async () => {
        const answer = read(clock.now() - startedAt)
        if (answer instanceof Error) throw answer
        return answer
      },
      clock,
      random: () => 0.5,
      signal: probe.signal ?? new AbortController().signal,
      warning: (text) => warnings.push(text),
    }),
  )
  expect(clock.pending).toBe(0)
  return { confirmation, tookMs: clock.now() - startedAt, warnings }
}

const active = reading({ status: 'active' })

describe('while a live deployment is probed', () => {
  it('it is confirmed when it stays ours', async () => {
    const { confirmation } = await confirm(() => active)
    expect(confirmation).toMatchObject({ kind: 'probed', probe: { outcome: 'healthy' } })
  })

  it('a crash ends the probe at once, with the runtime log', async () => {
    const { confirmation, tookMs } = await confirm((ms) =>
      ms < 5_000 ? active : reading({ status: 'crashed', errorMessage: 'exit 1', runtimeLogs: ['TypeError: boom'] }),
    )
    expect(confirmation).toEqual({
      kind: 'lost',
      loss: { kind: 'crashed', status: 'crashed', errorMessage: 'exit 1' },
      runtimeLog: ['TypeError: boom'],
    })
    expect(tookMs).toBeLessThan(10_000)
  })

  it.each([
    ['another branch', reading({ branch: 'main', status: 'active' }), { kind: 'superseded', branch: 'main' }],
    ['no service', undefined, { kind: 'gone' }],
    ['a removed service', reading({ status: 'removed' }), { kind: 'gone' }],
    [
      'a suspended service',
      reading({ status: 'suspended' }),
      { kind: 'crashed', status: 'suspended', errorMessage: undefined },
    ],
  ])('%s is a loss', async (_what, later, loss) => {
    const { confirmation } = await confirm((ms) => (ms < 5_000 ? active : later))
    expect(confirmation).toMatchObject({ kind: 'lost', loss })
  })

  it('a take-over between the last answer and the verdict is a loss', async () => {
    const { confirmation } = await confirm(
      (ms) => (ms < 1_000 ? active : reading({ branch: 'main', status: 'active' })),
      { ms: 1_000 },
    )
    expect(confirmation).toMatchObject({ kind: 'lost', loss: { kind: 'superseded' } })
  })

  it.each(['queued', 'building', 'failed', 'cancelled', 'active'])(
    'another deployment of the same branch that is %s is no loss: ours still answers',
    async (status) => {
      const { confirmation } = await confirm(() => reading({ status }))
      expect(confirmation.kind).toBe('probed')
    },
  )

  it('an unhealthy probe brings the runtime log along', async () => {
    const { confirmation } = await confirm(
      () => reading({ status: 'active', runtimeLogs: ['::error::x', 'GET / 500'] }),
      {
        result: { outcome: 'unhealthy', attempts: 9, status: 500 },
      },
    )
    expect(confirmation).toMatchObject({ kind: 'probed', runtimeLog: [': :error::x', 'GET / 500'] })
  })

  it.each([
    ['cannot be read', () => new Error('503 from the edge'), '503 from the edge'],
    ['is unknown', () => reading({ status: 'rebalancing' }), 'rebalancing'],
    ['comes without a branch', () => ({ ...active, branch: undefined }), 'which branch'],
  ])('answers of the URL are not enough when the status %s, again and again', async (_what, read, why) => {
    const { confirmation } = await confirm(read)
    expect(confirmation).toMatchObject({
      kind: 'lost',
      loss: { kind: 'unconfirmed', why: expect.stringContaining(why) },
    })
  })

  it('a status that is unknown at first is read again: what follows decides', async () => {
    const { confirmation } = await confirm(
      (ms) => (ms < 8_000 ? reading({ status: 'rebalancing' }) : reading({ status: 'crashed' })),
      { ms: 1_000 },
    )
    expect(confirmation).toMatchObject({ kind: 'lost', loss: { kind: 'crashed' } })
  })

  it('a status that cannot be read while the URL is unhealthy is a warning', async () => {
    const { confirmation, warnings } = await confirm(() => new Error('503 from the edge'), {
      result: { outcome: 'unhealthy', attempts: 9, status: 500 },
    })
    expect(confirmation).toMatchObject({ kind: 'probed', probe: { outcome: 'unhealthy' } })
    expect(warnings[0]).toContain('503 from the edge')
  })

  it('an interruption ends it with the reason', async () => {
    const controller = new AbortController()
    const interrupted = confirm(
      (ms) => {
        if (ms > 4_000) controller.abort(new Error('SIGTERM'))
        return active
      },
      { signal: controller.signal },
    )
    await expect(interrupted).rejects.toThrow('SIGTERM')
  })
})
