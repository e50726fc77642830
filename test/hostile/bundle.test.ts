import { afterAll, describe, expect, it } from 'vitest'
import { startMcpServer } from './mcp-server.ts'
import { expectBounded, keepFigures, longestMs, runAgainst } from './run-bundle.ts'
import { hostileServers } from './servers.ts'

const figures = {}
afterAll(() => keepFigures(figures, 'platform'))

describe('a platform that', () => {
  it.each(hostileServers.map((server) => [server.name, server] as const))(
    '%s ends the run in time, in little memory, and with a reason',
    { timeout: longestMs + 20_000 },
    async (name, { reply }) => {
      await using server = await startMcpServer(reply)
      const reason = expectBounded(await runAgainst({ endpoint: server.url }), figures, `a platform that ${name}`)
      expect(reason).toMatch(/ml\.ink|127\.0\.0\.1|Not done within 6s; the time was over in the phase “prepare”/)
    },
  )
})
