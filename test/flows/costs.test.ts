import { describe, expect, it } from 'vitest'
import { costOf } from '../../src/flows/resources/account.ts'
import type { DatabaseType } from '../../src/plan/settings.ts'

const size = { memory: '1Gi', vcpus: '1' }
const pricing = { build: {}, prices: { vcpuMinute: 0.001, gbMinute: 0.002 } } as Parameters<typeof costOf>[1]
const platform = { defaultSize: { memory: '256Mi', vcpus: '0.25' } }
const database = (type: DatabaseType) => ({ type, env: new Map([['DATABASE_URL', 'url']]), seed: undefined })
const minutes = 24 * 60

describe('what a service costs a day', () => {
  it.each(['postgres', 'mysql', 'redis', 'mongodb'] as const)('has its %s in it, a service of its own', (type) => {
    const both = costOf(size, { ...pricing, database: database(type) }, platform)
    expect(both).toBeCloseTo(minutes * (0.003 + 0.25 * 0.001 + 0.25 * 0.002), 9)
    const env = { DATABASE_URL: 'postgresql://…' }
    expect(costOf({ ...size, env }, { ...pricing, database: database(type) }, platform)).toBe(both)
  })

  it.each([
    ['no database', undefined, undefined],
    ['sqlite, which runs in no service', database('sqlite'), undefined],
    ['a database asked for later than it was made', database('postgres'), { GREETING: 'hello' }],
  ])('is its own alone with %s', (_what, wanted, env) => {
    expect(costOf({ ...size, env }, { ...pricing, database: wanted }, platform)).toBeCloseTo(minutes * 0.003, 9)
  })

  it.each([
    ['the inputs', { memory: '512Mi' }, 0.25 * 0.001 + 0.5 * 0.002],
    ['the server’s default', {}, 0.25 * 0.001 + 0.25 * 0.002],
  ])('is that of %s where the platform tells no size', (_what, build, perMinute) => {
    const unknown = { memory: undefined, vcpus: undefined }
    expect(costOf(unknown, { ...pricing, build } as typeof pricing, platform)).toBeCloseTo(minutes * perMinute, 9)
  })

  it('is not shown where no estimate is wanted', () => {
    const prices = { vcpuMinute: 0, gbMinute: 0 }
    expect(costOf(size, { ...pricing, prices, database: database('postgres') }, platform)).toBeUndefined()
  })
})
