import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { openSession, type Session } from '../../src/ink/session.ts'

const signal = new AbortController().signal
let ink: InkPlatform
let session: Session
beforeAll(async () => {
  ink = await startInkPlatform()
  session = await openSession(
    {
      endpoint: ink.endpoint,
      apiKey: ink.apiKey,
      fetch,
      clock: { now: Date.now, sleep: async () => undefined },
      random: () => 0.5,
      debug: () => undefined,
    },
    signal,
  )
})
afterEach(async () => ink.clearFaults())
afterAll(async () => {
  await session.close()
  await ink.stop()
})

/** How often the platform carried out a tool. */
function carriedOut(tool: string): number {
  return ink.journal.filter(({ kind, name }) => kind === 'tool' && name === tool).length
}

describe('a call whose answer was lost', () => {
  it.each(['mcp.reset-after', 'mcp.cut', 'mcp.sse-drop'] as const)(
    'by %s is never sent again when that could do it twice',
    async (fault) => {
      const before = carriedOut('create_repo')
      ink.fault(fault, { times: 1, tool: 'create_repo' })
      const call = session.call('create_repo', { name: 'shop' }, { repeatable: false, signal })
      await expect(call).rejects.toMatchObject({ failure: 'lost-answer' })
      expect(carriedOut('create_repo')).toBe(before + 1)
    },
  )

  it('is sent again when asking twice is harmless', async () => {
    const before = carriedOut('whoami')
    ink.fault('mcp.reset-after', { times: 1, tool: 'whoami' })
    await expect(session.call('whoami', {}, { repeatable: true, signal })).resolves.toHaveProperty('user_id')
    expect(carriedOut('whoami')).toBe(before + 2)
  })
})

describe('a call that must not be done twice', () => {
  it('is not sent again after an answer that leaves it open whether it was done', async () => {
    ink.fault('mcp.http', { times: 1, status: 503, tool: 'create_repo' })
    const before = carriedOut('create_repo')
    const call = session.call('create_repo', { name: 'shop' }, { repeatable: false, signal })
    await expect(call).rejects.toMatchObject({ failure: 'unavailable' })
    expect(carriedOut('create_repo')).toBe(before)
  })

  it('is sent again when it was certainly not looked at', async () => {
    ink.fault('mcp.http', { times: 1, status: 429, tool: 'create_repo' })
    const before = carriedOut('create_repo')
    await expect(session.call('create_repo', { name: 'shop' }, { repeatable: false, signal })).resolves.toBeDefined()
    expect(carriedOut('create_repo')).toBe(before + 1)
  })
})
