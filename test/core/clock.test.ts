import { getEventListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { signalWithin, systemClock, TimeLimitError, withinTime } from '../../src/core/async.ts'

describe('the wall clock', () => {
  it('rejects a sleep with the reason of the abort, before and during it', async () => {
    const controller = new AbortController()
    const sleeping = systemClock.sleep(60_000, controller.signal)
    controller.abort(new Error('SIGTERM'))
    await expect(sleeping).rejects.toThrow('SIGTERM')
    await expect(systemClock.sleep(60_000, controller.signal)).rejects.toThrow('SIGTERM')
  })

  it('sleeps for what was asked', async () => {
    const startedAt = systemClock.now()
    await systemClock.sleep(30, new AbortController().signal)
    expect(systemClock.now() - startedAt).toBeGreaterThanOrEqual(25)
  })
})

describe('work under a time limit', () => {
  const signal = new AbortController().signal

  it('is aborted when the limit passes or somebody cancels, and its own wording of that is not believed', async () => {
    const reasons: unknown[] = []
    const wrapping = (limited: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        limited.addEventListener('abort', () => {
          reasons.push(limited.reason)
          reject(new Error('request failed'))
        })
      })
    await expect(withinTime(systemClock, 10, signal, wrapping)).rejects.toBeInstanceOf(TimeLimitError)
    const outer = new AbortController()
    const cancelled = withinTime(systemClock, 2 ** 30, outer.signal, wrapping)
    outer.abort(new Error('cancelled'))
    await expect(cancelled).rejects.toThrow('cancelled')
    expect(reasons).toEqual([expect.any(TimeLimitError), outer.signal.reason])
  })

  it('ends with the outer signal even where it does not listen', async () => {
    const outer = new AbortController()
    const deaf = withinTime(systemClock, 2 ** 30, outer.signal, () => new Promise<never>(() => undefined))
    outer.abort(new Error('cancelled'))
    await expect(deaf).rejects.toThrow('cancelled')
  })

  it('leaves nothing on the outer signal, and is no leak to Node however much is under way', async () => {
    const outer = new AbortController().signal
    const warnings: Error[] = []
    const note = (warning: Error) => void warnings.push(warning)
    process.on('warning', note)
    await Promise.all(Array.from({ length: 30 }, () => withinTime(systemClock, 10_000, outer, () => pause(1))))
    process.off('warning', note)
    expect(warnings).toEqual([])
    expect(getEventListeners(outer, 'abort')).toEqual([])
  })

  it('passes results and errors on', async () => {
    expect(await withinTime(systemClock, 1_000, signal, () => Promise.resolve(7))).toBe(7)
    await expect(withinTime(systemClock, 1_000, signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  })
})

describe('a signal with a time limit', () => {
  const collectGarbage = (): void => {
    setFlagsFromString('--expose-gc')
    runInNewContext('gc')()
  }
  const whenAborted = (signal: AbortSignal) =>
    new Promise<unknown>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }))

  it('aborts when the time is over, also after the garbage was collected', async () => {
    const aborted = whenAborted(signalWithin(50, new AbortController().signal))
    // The timer alone does not keep a process going.
    const going = setInterval(collectGarbage, 10)
    expect(await aborted).toMatchObject({ name: 'TimeoutError' })
    clearInterval(going)
  })

  it('aborts with the others, for their reason', async () => {
    const other = new AbortController()
    const aborted = whenAborted(signalWithin(60_000, other.signal))
    other.abort(new Error('cancelled'))
    expect(await aborted).toMatchObject({ message: 'cancelled' })
  })
})
