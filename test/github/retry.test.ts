import { describe, expect, it } from 'vitest'
import { whenToRepeat } from '../../src/github/failures.ts'
import { openStand } from './stand.ts'

const READ = { nowMs: 1_000_000, repeatable: true }
const call = (status: number | undefined, headers: Record<string, string> = {}, message = '') => ({
  status,
  headers,
  message,
})

describe('the pause before a repetition', () => {
  it('is the usual one after a fault that passes', () => {
    for (const status of [undefined, 408, 500, 502, 503]) expect(whenToRepeat(call(status), READ)).toBe(true)
  })

  it('is what Retry-After says, in seconds or as a date', () => {
    expect(whenToRepeat(call(503, { 'retry-after': '7' }), READ)).toBe(7000)
    expect(whenToRepeat(call(429, { 'retry-after': new Date(1_005_000).toUTCString() }), READ)).toBe(5000)
  })

  it('lasts until the primary limit is lifted', () => {
    const exhausted = call(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1030' })
    expect(whenToRepeat(exhausted, READ)).toBe(30_000)
  })

  it('is a minute for a secondary limit that names no time', () => {
    expect(whenToRepeat(call(403, {}, 'You have exceeded a secondary rate limit.'), READ)).toBe(60_000)
  })

  it('does not come for what will not change', () => {
    for (const status of [400, 401, 403, 404, 409, 410, 422]) expect(whenToRepeat(call(status), READ)).toBe(false)
  })

  it('does not come for a write that may have happened, but does for one that was turned away', () => {
    const write = { ...READ, repeatable: false }
    expect(whenToRepeat(call(undefined), write)).toBe(false)
    expect(whenToRepeat(call(502), write)).toBe(false)
    expect(whenToRepeat(call(429, { 'retry-after': '1' }), write)).toBe(1000)
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

  it('that a decision hangs on is repeated for as long as the run has time', async () => {
    await using stand = await openStand()
    stand.server.fault('github.http', { status: 403, times: 1, message: 'You have exceeded a secondary rate limit.' })
    const { github, pausesMs, warnings } = stand.open()
    expect(await github.pullRequests.get(stand.pull.number)).toBeUndefined()
    stand.server.fault('github.http', { status: 403, times: 3, message: 'You have exceeded a secondary rate limit.' })
    warnings.length = 0
    pausesMs.length = 0
    const patience = { deadlineAt: Date.now() + 20 * 60_000 }
    expect(await github.pullRequests.get(stand.pull.number, patience)).toMatchObject({ open: true })
    expect(pausesMs).toEqual([60_000, 60_000, 60_000])
    expect(warnings).toEqual([])
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

  it('has all of its time, however long the one before it took', async () => {
    await using stand = await openStand()
    stand.server.fault('github.rate-limit', { times: 1, retryAfterSeconds: 50 })
    const failing: typeof fetch = async (url, init) =>
      String(url).endsWith('/pulls/999') ? Response.json({ message: 'broken' }, { status: 502 }) : fetch(url, init)
    const { github } = stand.open({ fetch: failing })
    const [before, after] = await Promise.all([
      github.pullRequests.get(999),
      github.pullRequests.get(stand.pull.number),
    ])
    expect(before).toBeUndefined()
    expect(after).toMatchObject({ open: true })
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
