import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Autoscale, decideStep, parseAutoscale, whyUnchanged } from '../../src/plan/autoscale.ts'
import { type Load, noLoad, withBreak, withoutOldBreak, withStep, withUsage } from '../../src/plan/monitor-memory.ts'
import { memorySizesMi, vcpuSizes } from '../../src/plan/values.ts'

const now = 29_000_000
const day = 24 * 60
const autoscale: Autoscale = { memoryMi: { from: 256, to: 1024 }, vcpus: { from: 0.5, to: 2 } }
const size = { memoryMi: 512, vcpus: 1 }
const decide = (given: Partial<Parameters<typeof decideStep>[0]>) =>
  decideStep({ autoscale, size, usage: undefined, load: noLoad, running: true, killed: undefined, now, ...given })

describe('the bounds', () => {
  it.each([
    ['memory 256Mi..1024Mi, vcpus 0.5..2', autoscale],
    ['vcpus 0.5..2\nmemory 256Mi..1Gi', autoscale],
    ['memory 128Mi .. 4Gi', { memoryMi: { from: 128, to: 4096 }, vcpus: undefined }],
    ['vcpus 0.1..4', { memoryMi: undefined, vcpus: { from: 0.1, to: 4 } }],
  ])('%j are understood', (text, value) => {
    expect(parseAutoscale(text)).toEqual({ value })
  })
})

describe('a step', () => {
  it('is made at once for a service that was killed for memory', () => {
    expect(decide({ killed: '“Killed”' })).toEqual({
      what: 'memory',
      from: 512,
      to: 1024,
      why: 'it was killed for memory (“Killed”)',
    })
  })

  it('up needs three high readings in a row', () => {
    const readings = (...shares: (number | undefined)[]) =>
      shares.reduce<Load>(
        (load, memory, index) => withUsage(load, { memory, cpu: undefined }, now + index * 30),
        noLoad,
      )
    expect(decide({ load: readings(0.9, 0.9) })).toBeUndefined()
    expect(decide({ load: readings(0.9, 0.9, 0.86) })).toMatchObject({ what: 'memory', to: 1024 })
    expect(decide({ load: readings(0.9, 0.85, 0.9, 0.9) })).toBeUndefined()
    expect(decide({ load: readings(0.9, undefined, 0.9, 0.9) })).toBeUndefined()
  })

  it('down needs low readings over a whole day', () => {
    const low = (minutes: readonly number[], share = 0.1) =>
      minutes.reduce<Load>((load, minute) => withUsage(load, { memory: 0.5, cpu: share }, now + minute), noLoad)
    expect(decide({ load: low([0, 60, day - 1]), now: now + day - 1 })).toBeUndefined()
    expect(decide({ load: low([0, day]), now: now + day })).toBeUndefined()
    expect(decide({ load: low([0, 60, day]), now: now + day })).toMatchObject({ what: 'vcpus', from: 1, to: 0.5 })
    expect(decide({ load: low([0, 60, day], 0.3), now: now + day })).toBeUndefined()
  })

  it('gives memory before it takes vCPUs, and takes none from what was killed for it', () => {
    const load: Load = { ...noLoad, memoryLow: 50, memoryLowSince: now - 2 * day, cpuHigh: 9 }
    expect(decide({ load, killed: 'x' })).toMatchObject({ what: 'memory', to: 1024 })
    expect(decide({ load })).toMatchObject({ what: 'vcpus', to: 2 })
    const full = { memoryMi: 1024, vcpus: 2 }
    expect(decide({ load: { ...load, cpuHigh: 0 }, killed: 'x', size: full })).toBeUndefined()
  })

  it('is not made soon after another, nor where the size is not known', () => {
    expect(decide({ killed: 'x', load: { ...noLoad, changedAt: now - 29 } })).toBeUndefined()
    expect(decide({ killed: 'x', load: { ...noLoad, changedAt: now - 30 } })).toBeDefined()
    expect(decide({ killed: 'x', size: { memoryMi: undefined, vcpus: 1 } })).toBeUndefined()
  })

  it('leads from outside of the bounds to their nearer end, at once, and says so', () => {
    const within: Autoscale = { memoryMi: { from: 1024, to: 4096 }, vcpus: { from: 1, to: 2 } }
    expect(decide({ autoscale: within, size: { memoryMi: 256, vcpus: 1 } })).toEqual({
      what: 'memory',
      from: 256,
      to: 1024,
      why: '256Mi is less than the least that `autoscale` allows (1024Mi..4096Mi)',
    })
    expect(decide({ autoscale: within, size: { memoryMi: 256, vcpus: 1 }, killed: 'x' })).toMatchObject({
      to: 1024,
      why: 'it was killed for memory (x)',
    })
    expect(decide({ size: { memoryMi: 4096, vcpus: 1 } })).toMatchObject({
      to: 1024,
      why: '4096Mi is more than the most that `autoscale` allows (256Mi..1024Mi)',
    })
    expect(decide({ size: { memoryMi: 512, vcpus: 0.1 } })).toMatchObject({ what: 'vcpus', to: 0.5 })
    expect(decide({ size: { memoryMi: 512, vcpus: 4 } })).toMatchObject({ what: 'vcpus', to: 2 })
  })

  it('is not made into the bounds where that takes what is in use, was killed for memory, or does not run', () => {
    const large = { memoryMi: 4096, vcpus: 1 }
    expect(decide({ size: large, usage: { memory: 0.25, cpu: undefined } })).toBeUndefined()
    expect(decide({ size: large, usage: { memory: 0.2, cpu: undefined } })).toMatchObject({ to: 1024 })
    expect(decide({ size: large, killed: 'x' })).toBeUndefined()
    expect(decide({ size: large, running: false })).toBeUndefined()
    expect(decide({ size: large, load: { ...noLoad, changedAt: now - 29 } })).toBeUndefined()
  })

  it('is not made to a size that broke the service, nor past it, for a month', () => {
    const low: Load = { ...noLoad, memoryLow: 50, memoryLowSince: now - 2 * day }
    const broke = (to: number) => withBreak(low, { what: 'memory', to }, now - day)
    expect(decide({ load: low })).toMatchObject({ to: 256 })
    expect(decide({ load: broke(256) })).toBeUndefined()
    expect(decide({ load: broke(512), size: { memoryMi: 1024, vcpus: 1 } })).toBeUndefined()
    expect(decide({ load: broke(1024), killed: 'x' })).toBeUndefined()
    expect(decide({ load: broke(512), killed: 'x' })).toMatchObject({ to: 1024 }) // it has that size
    const later = { size, running: true, now: now + 29 * day }
    expect(decide({ load: withoutOldBreak(broke(256), later) })).toMatchObject({ to: 256 })
    expect(withoutOldBreak(broke(256), { ...later, now: later.now - 1 }).brokeMemoryMi).toBe(256)
    expect(withoutOldBreak(broke(512), { size, running: true, now }).brokeAt).toBeUndefined()
    expect(withoutOldBreak(broke(512), { size, running: false, now }).brokeMemoryMi).toBe(512)
  })

  it('is one step of the platform’s, never past the bounds, whatever is read', () => {
    const bounds = <T>(sizes: readonly T[], read: (size: T) => number) =>
      fc
        .tuple(fc.constantFrom(...sizes), fc.constantFrom(...sizes))
        .map(([a, b]) => ({ from: Math.min(read(a), read(b)), to: Math.max(read(a), read(b)) }))
    const share = fc.option(fc.double({ min: 0, max: 3, noNaN: true }), { nil: undefined })
    const reading = fc.record({
      memory: share,
      cpu: share,
      killed: fc.boolean(),
      after: fc.integer({ min: 1, max: day }),
    })
    fc.assert(
      fc.property(
        bounds(memorySizesMi, Number),
        bounds(vcpuSizes, Number),
        fc.constantFrom(...memorySizesMi),
        fc.constantFrom(...vcpuSizes),
        fc.array(reading, { maxLength: 40 }),
        (memoryMi, vcpus, memory, cores, readings) => {
          let state = { memoryMi: memory, vcpus: Number(cores) }
          let load = noLoad
          let at = now
          for (const { after, killed, ...usage } of readings) {
            at += after
            load = withUsage(load, usage, at)
            const given = {
              autoscale: { memoryMi, vcpus },
              size: state,
              usage,
              load,
              running: true,
              killed: killed ? 'x' : undefined,
              now: at,
            }
            const step = decideStep(given)
            if (!step) continue
            const [sizes, bound] = step.what === 'memory' ? [memorySizesMi, memoryMi] : [vcpuSizes.map(Number), vcpus]
            const isWithin = step.from >= bound.from && step.from <= bound.to
            if (isWithin) expect(Math.abs(sizes.indexOf(step.to) - sizes.indexOf(step.from))).toBe(1)
            else expect(step.to).toBe(step.from < bound.from ? bound.from : bound.to)
            expect(step.to).toBeGreaterThanOrEqual(bound.from)
            expect(step.to).toBeLessThanOrEqual(bound.to)
            load = withStep(load, step, at, state)
            state = { ...state, [step.what === 'memory' ? 'memoryMi' : 'vcpus']: step.to }
          }
        },
      ),
      { seed: 11, numRuns: 300 },
    )
  })
})

describe('why no step was made', () => {
  const why = (given: Partial<Parameters<typeof whyUnchanged>[0]>) =>
    whyUnchanged({ autoscale, size, usage: undefined, load: noLoad, running: true, killed: undefined, now, ...given })

  it('is said as it is', () => {
    expect(why({})).toContain('no metrics')
    expect(why({ usage: { memory: 0.5, cpu: 0.2 } })).toBe('50 % of the memory and 20 % of the vCPUs in use')
    expect(why({ size: { memoryMi: undefined, vcpus: 1 } })).toContain('ml.ink does not tell it')
    expect(why({ load: { ...noLoad, changedAt: now - 10 } })).toContain('20 minutes off')
    expect(why({ running: false })).toContain('it is not running')
    expect(why({ size: { memoryMi: 4096, vcpus: 1 }, usage: { memory: 0.9, cpu: 0.1 } })).toBe(
      '4096Mi of memory are outside of the bounds, and what they allow broke it or is in use: 90 % of the memory and 10 % of the vCPUs in use',
    )
  })

  it('of a service that was killed for memory is what keeps it from having more', () => {
    const killed = '“Killed”'
    expect(why({ killed, autoscale: { ...autoscale, memoryMi: undefined } })).toContain('has no bounds for memory')
    expect(why({ killed, size: { memoryMi: 1024, vcpus: 1 } })).toContain('has all that the bounds allow (1024Mi)')
    expect(why({ killed, size: { memoryMi: 4096, vcpus: 1 } })).toContain('more than the bounds allow already (4096Mi)')
    const load = withBreak(noLoad, { what: 'memory', to: 1024 }, now - day)
    expect(why({ killed, load })).toContain('did not come up with 1024Mi')
  })
})
