import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type MonitorMemory,
  memoryBranch,
  noLoad,
  recall,
  serviceOfMemoryBranch,
  uptimeOf,
  withCheck,
} from '../../src/plan/monitor-memory.ts'
import { parseDeploymentBranch } from '../../src/plan/names.ts'

const now = 29_000_000
const day = 24 * 60

describe('what the monitor remembers', () => {
  it('comes back from the name of its branch as it was', () => {
    const minute = fc.integer({ min: now - 90 * day, max: now })
    const count = fc.integer({ min: 0, max: 100_000 })
    const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
    const stretch = fc
      .record({ since: minute, asked: count, healthy: count })
      .map(({ since, asked, healthy }) => ({ since, asked: asked + healthy, healthy }))
    const memory = fc.record({
      lastAt: fc.constant(now),
      current: stretch,
      former: maybe(stretch),
      load: fc.record({
        memoryHigh: count,
        cpuHigh: count,
        memoryLow: count,
        memoryLowSince: maybe(minute),
        cpuLow: count,
        cpuLowSince: maybe(minute),
        changedAt: maybe(minute),
        memoryMi: maybe(count),
        centiVcpus: maybe(count),
        brokeAt: maybe(minute),
        brokeMemoryMi: maybe(count),
        brokeCentiVcpus: maybe(count),
      }),
    })
    fc.assert(
      fc.property(memory, (value) => {
        const branch = memoryBranch('acme-web', value)
        expect(recall('acme-web', ['main', branch], now)).toEqual(value)
        expect(branch).toMatch(/^ink\/monitor\/acme-web\/[a-z0-9_-]{1,200}$/)
        expect(parseDeploymentBranch(branch)).toBeUndefined()
      }),
      { seed: 7, numRuns: 200 },
    )
  })

  it('is forgotten when it is garbled or speaks of the future, and counting starts anew', () => {
    const good = memoryBranch('web', withCheck(undefined, { at: now, healthy: true }))
    const garbled = [
      'ink/monitor/web',
      'ink/monitor/web/',
      'ink/monitor/web/v2_1_1_1_1',
      good.replace('v1', 'v9'),
      good.slice(0, -2),
      good.slice(0, -4),
      good.slice(0, -'_-_-_-'.length),
      `${good}_1`,
      good.replace(/_1_1_/, '_1_2_'), // more healthy than asked
      memoryBranch('web', withCheck(undefined, { at: now + 3 * day, healthy: true })),
    ]
    for (const branch of garbled) expect(recall('web', [branch], now)).toBeUndefined()
    expect(recall('web', [...garbled, good], now)?.current.asked).toBe(1)
    expect(recall('web-2', [good], now)).toBeUndefined()
  })

  it('is the latest of several, as two monitors at the same moment leave them', () => {
    const earlier = withCheck(undefined, { at: now - 60, healthy: true })
    const later = withCheck(earlier, { at: now, healthy: false })
    const branches = [earlier, later].map((memory) => memoryBranch('web', memory))
    expect(recall('web', branches, now)).toEqual(later)
    expect(recall('web', branches.toReversed(), now)).toEqual(later)
  })

  it('counts every check, and drops the oldest stretch after a month or two', () => {
    let memory: MonitorMemory | undefined
    const every = day / 4
    for (let check = 0; check < 4 * 100; check++)
      memory = withCheck(memory, { at: now + check * every, healthy: check >= 20 })
    const { since, asked, healthy } = uptimeOf(
      memory ?? { lastAt: 0, current: { since: 0, asked: 0, healthy: 0 }, former: undefined, load: noLoad },
    )
    const coveredDays = (now + 4 * 100 * every - since) / day
    expect(coveredDays).toBeGreaterThanOrEqual(30)
    expect(coveredDays).toBeLessThanOrEqual(60)
    expect(asked).toBe(coveredDays * 4)
    expect(healthy).toBe(asked) // the failures of the first days are forgotten
  })

  it('knows which service a branch speaks of', () => {
    expect(serviceOfMemoryBranch('ink/monitor/acme-web/v1_x')).toBe('acme-web')
    for (const other of ['main', 'ink/production/abc', 'ink/monitor', 'ink/monitor//v1'])
      expect(serviceOfMemoryBranch(other)).toBeUndefined()
  })
})
