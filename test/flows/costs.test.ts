import { describe, expect, it } from 'vitest'
import { costOf } from '../../src/flows/resources/budget.ts'
import type { DatabaseType } from '../../src/plan/settings.ts'

const size = { memory: '1Gi', vcpus: '1' }
const pricing = { build: {}, prices: { vcpuMinute: 0.001, gbMinute: 0.002 } } as Parameters<typeof costOf>[1]
const database = (type: DatabaseType) => ({ type, env: new Map([['DATABASE_URL', 'url']]), seed: undefined })
const minutes = 24 * 60

describe('what a service costs a day', () => {
  it.each(['postgres', 'mysql', 'redis', 'mongodb'] as const)('has its %s in it, a service of its own', (type) => {
    const both = costOf(size, { ...pricing, database: database(type) })
    expect(both).toBeCloseTo(minutes * (0.003 + 0.25 * 0.001 + 0.25 * 0.002), 9)
    expect(costOf({ ...size, env: { DATABASE_URL: 'postgresql://…' } }, { ...pricing, database: database(type) })).toBe(
      both,
    )
  })

  it.each([
    ['no database', undefined, undefined],
    ['sqlite, which runs in no service', database('sqlite'), undefined],
    ['a database asked for later than it was made', database('postgres'), { GREETING: 'hello' }],
  ])('is its own alone with %s', (_what, wanted, env) => {
    expect(costOf({ ...size, env }, { ...pricing, database: wanted })).toBeCloseTo(minutes * 0.003, 9)
  })

  it('is not shown where no estimate is wanted', () => {
    const prices = { vcpuMinute: 0, gbMinute: 0 }
    expect(costOf(size, { ...pricing, prices, database: database('postgres') })).toBeUndefined()
  })
})
