import { describe, expect, it } from 'vitest'
import { pauseBeforeRetry } from '../../src/github/retry.ts'
import { openStand } from './stand.ts'

const FIRST = { attempt: 1, nowMs: 1_000_000, random: () => 0.5, repeatable: true }
const call = (status: number | undefined, headers: Record<string, string> = {}, message = '') => ({
  status,
  headers,
  message,
})

describe('the pause before a repetition', () => {
  it('grows with each attempt and ends', () => {
    const pauses = [1, 2, 3, 4, 5, 6].map((attempt) => pauseBeforeRetry(call(502), { ...FIRST, attempt }))
    expect(pauses).toEqual([750, 1500, 3000, 6000, 12_000, undefined])
  })

  it('is what Retry-After says, in seconds or as a date', () => {
    expect(pauseBeforeRetry(call(503, { 'retry-after': '7' }), FIRST)).toBe(7000)
    expect(pauseBeforeRetry(call(429, { 'retry-after': new Date(1_005_000).toUTCString() }), FIRST)).toBe(5000)
  })

  it('lasts until the primary limit is lifted', () => {
    const exhausted = call(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1030' })
    expect(pauseBeforeRetry(exhausted, FIRST)).toBe(30_000)
  })

  it('is a minute for a secondary limit that names no time', () => {
    expect(pauseBeforeRetry(call(403, {}, 'You have exceeded a secondary rate limit.'), FIRST)).toBe(60_000)
  })

  it('does not come for what will not change', () => {
    for (const status of [400, 401, 403, 404, 409, 410, 422])
      expect(pauseBeforeRetry(call(status), FIRST)).toBeUndefined()
  })

  it('does not come for a write that may have happened, but does for one that was turned away', () => {
    const write = { ...FIRST, repeatable: false }
    expect(pauseBeforeRetry(call(undefined), write)).toBeUndefined()
    expect(pauseBeforeRetry(call(502), write)).toBeUndefined()
    expect(pauseBeforeRetry(call(429, { 'retry-after': '1' }), write)).toBe(1000)
  })
})

describe('a call to GitHub', () => {
  it('is repeated through resets, 5xx and the secondary limit', async () => {
    await using stand = await openStand()
    stand.server.fault('github.reset', { times: 1 })
    stand.server.fault('github.http', { status: 502, times: 1 })
    stand.server.fault('github.rate-limit', { times: 1, retryAfterSeconds: 3 })
    const { github, warnings, pausesMs } = stand.open()
    expect(await github.pullRequests.get(stand.pull.number)).toMatchObject({ open: true })
    expect(pausesMs).toHaveLength(3)
    expect(pausesMs).toContain(3000)
    expect(warnings).toEqual([])
  })

  it('is given up when waiting would take longer than it may', async () => {
    await using stand = await openStand()
    stand.server.fault('github.rate-limit', { retryAfterSeconds: 3600 })
    const { github, pausesMs } = stand.open()
    expect(await github.pullRequests.get(stand.pull.number)).toBeUndefined()
    expect(pausesMs).toEqual([])
  })

  it('waits for the one before it', async () => {
    await using stand = await openStand()
    let inFlight = 0
    let most = 0
    const counting: typeof fetch = async (...request) => {
      most = Math.max(most, ++inFlight)
      try {
        return await fetch(...request)
      } finally {
        inFlight--
      }
    }
    const { github } = stand.open({ fetch: counting })
    await Promise.all([1, 2, 3, 4].map(() => github.pullRequests.get(stand.pull.number)))
    expect(most).toBe(1)
    expect(stand.calls()).toHaveLength(4)
  })

  it('ends at once when the run is cancelled', async () => {
    await using stand = await openStand()
    stand.server.fault('github.silence', { ms: 20_000 })
    const cancel = new AbortController()
    const { github } = stand.open({ signal: cancel.signal })
    const reading = github.pullRequests.get(stand.pull.number)
    setImmediate(() => cancel.abort())
    expect(await reading).toBeUndefined()
  })

  it('whose answer is not as documented is a warning that names the field', async () => {
    await using stand = await openStand()
    const odd: typeof fetch = async () => Response.json({ number: 'one' })
    const { github, warnings } = stand.open({ fetch: odd })
    expect(await github.pullRequests.get(stand.pull.number)).toBeUndefined()
    expect(warnings).toEqual([expect.stringContaining('number')])
  })
})
