import { expect, it } from 'vitest'
import * as z from 'zod'
import { McpClient } from '../../src/core/mcp.ts'
import { startMcpServer } from '../hostile/mcp-server.ts'

const limits = { signal: new AbortController().signal }

/** A server that speaks this version, whatever it is asked for. */
const speaking = (protocolVersion: string) =>
  startMcpServer(({ method }) => {
    const serverInfo = { name: 'Ink MCP', version: '0.1.0' }
    return method === 'initialize' ? { result: { protocolVersion, capabilities: {}, serverInfo } } : undefined
  })

it.each(['2024-11-05', '2025-03-26', '2025-06-18'])(
  'a server of %s is told its version with all that is asked',
  async (version) => {
    await using server = await speaking(version)
    const client = new McpClient(new URL(server.url), { fetch, requestInit: {} })
    await client.open(limits)
    await client.request({ method: 'tools/list' }, z.looseObject({}), limits)
    await client.close()
    expect(client.server?.serverInfo.name).toBe('Ink MCP')
    expect(server.asked.map(({ method, headers }) => [method, headers['mcp-protocol-version']])).toEqual([
      ['initialize', undefined],
      ['notifications/initialized', version],
      ['tools/list', version],
    ])
  },
)

it('a server of a version that is not known is refused, and asked for nothing more', async () => {
  await using server = await speaking('1999-01-01')
  const client = new McpClient(new URL(server.url), { fetch, requestInit: {} })
  await expect(client.open(limits)).rejects.toThrow('version is not supported: 1999-01-01')
  await client.close()
  expect(server.asked.map(({ method }) => method)).toEqual(['initialize'])
})
