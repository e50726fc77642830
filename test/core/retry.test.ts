import { expect, test } from 'vitest'
import { retry, retryAfterMs } from '../../src/core/async.ts'

function virtualClock() {
  let now = 0
  return {
    now: () => now,
    sleep: async (ms: number, signal: AbortSignal) => {
      signal.throwIfAborted()
      now += ms
    },
  }
}

const random = () => 0.5
const live = new AbortController().signal

test('a request is made again for as long as the deadline allows, however often that is', async () => {
  const clock = virtualClock()
  let attempts = 0
  const answer = await retry(
    async () => {
      attempts += 1
      if (clock.now() < 61_000) throw new Error('502')
      return 'up again'
    },
    { clock, random, signal: live, deadlineAt: 1_200_000, again: () => true },
  )
  expect(answer).toBe('up again')
  expect(attempts).toBeGreaterThan(5)
})

test('the last error is thrown when no other attempt fits before the deadline', async () => {
  const clock = virtualClock()
  const request = retry(
    async (attempt) => {
      throw new Error(`attempt ${attempt}`)
    },
    { clock, random, signal: live, deadlineAt: 4_000, again: () => true },
  )
  await expect(request).rejects.toThrow('attempt 4')
  expect(clock.now()).toBeLessThanOrEqual(4_000)
})

test('a final failure is not repeated, and a server that asks for a pause gets it', async () => {
  const clock = virtualClock()
  const pauses: number[] = []
  const request = retry(
    async (attempt) => {
      throw new Error(String(attempt))
    },
    {
      clock,
      random,
      signal: live,
      deadlineAt: 1_000_000,
      again: (_error, attempt) => (attempt < 2 ? 40_000 : false),
      onRetry: (_error, pauseMs) => pauses.push(pauseMs),
    },
  )
  await expect(request).rejects.toThrow('2')
  expect(pauses).toEqual([40_000])
})

test('an abort during a pause ends it with the reason', async () => {
  const stop = new AbortController()
  const request = retry(
    async () => {
      throw new Error('503')
    },
    {
      random,
      signal: stop.signal,
      deadlineAt: Date.now() + 60_000,
      again: () => 30_000,
      onRetry: () => stop.abort(new Error('cancelled')),
    },
  )
  await expect(request).rejects.toThrow('cancelled')
})

test.each([
  ['3', 3_000],
  ['Thu, 01 Jan 1970 00:00:10 GMT', 9_000],
  ['soon', undefined],
  ['', undefined],
])('Retry-After %j is %s ms', (value, ms) => {
  expect(retryAfterMs(value, 1_000)).toBe(ms)
})
