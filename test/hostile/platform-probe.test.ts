import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createMcpProbe } from '../../src/watch/requests.ts'
import { type Asked, type McpServer, type Reply, startMcpServer } from './mcp-server.ts'

const signal = new AbortController().signal
const listMcpTools = createMcpProbe(fetch)

const servers: McpServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]()
})

/** The address of an app that is an MCP server, of whatever kind. */
async function app(reply: (asked: Asked) => Reply | undefined): Promise<URL> {
  const server = await startMcpServer(reply)
  servers.push(server)
  return new URL(server.url)
}

describe('an app that answers the handshake is healthy', () => {
  it('whatever it does when it is told that the session is over', async () => {
    const url = await app(({ method }) =>
      method === 'initialize'
        ? (response, id) => {
            response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'one' })
            const result = {
              protocolVersion: '2025-06-18',
              capabilities: { tools: {} },
              serverInfo: { name: 'x', version: '1' },
            }
            response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
          }
        : undefined,
    )
    // In front of it: what asks for the end of a session gets no answer.
    const front = createServer(async (request, response) => {
      if (request.method === 'DELETE') return
      const body = await new Response(request as never).text()
      const answer = await fetch(url, { method: 'POST', body })
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
    })
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    const address = new URL(`http://127.0.0.1:${(front.address() as AddressInfo).port}/mcp`)
    expect(await listMcpTools(address, signal)).toEqual(['list_services'])
    front.closeAllConnections()
    front.close()
  })

  it('though it lists tools without end', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => ({ name: `tool_${index}`, inputSchema: {} }))
    const url = await app(({ method }) =>
      method === 'tools/list' ? { result: { tools: many, nextCursor: 'again' } } : undefined,
    )
    expect(await listMcpTools(url, signal)).toHaveLength(2_000)
  })

  it('though its list of tools is a flood, of which little is read', async () => {
    let sent = 0
    const url = await app(({ method }) =>
      method === 'tools/list'
        ? (response) => {
            response.writeHead(200, { 'content-type': 'application/json' })
            const chunk = `{"name":"${'x'.repeat(100_000)}"},`
            const more = () => {
              while (!response.destroyed && response.write(chunk)) sent += chunk.length
            }
            response.on('drain', more)
            response.write('{"jsonrpc":"2.0","id":1,"result":{"tools":[')
            more()
          }
        : undefined,
    )
    expect(await listMcpTools(url, signal)).toEqual([])
    expect(sent).toBeLessThan(100_000_000)
  })

  it('though it fails to list them, or lists what are none', async () => {
    const failing = await app(({ method }) =>
      method === 'tools/list' ? { error: { code: -32603, message: 'no' } } : undefined,
    )
    expect(await listMcpTools(failing, signal)).toEqual([])
    const odd = { name: 'odd', inputSchema: 7, outputSchema: { type: 'array', pattern: '^(a+)+$' } }
    const mixed = await app(({ method }) =>
      method === 'tools/list' ? { result: { tools: [null, { name: 7 }, odd] } } : undefined,
    )
    expect(await listMcpTools(mixed, signal)).toEqual(['odd'])
  })
})
