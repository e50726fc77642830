import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A JSON-RPC request as it arrived. */
export interface Asked {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  readonly headers: IncomingMessage['headers']
}

/** What a server answers: a result, a JSON-RPC error, or whatever it does to the response by its own hand. */
export type Reply =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string } }
  | ((response: ServerResponse, id: unknown) => void)

/** An MCP server that keeps to the protocol where it is not told otherwise. */
export interface McpServer extends AsyncDisposable {
  readonly url: string
  readonly asked: Asked[]
}

/** Starts a server on loopback. What `reply` leaves undefined is answered as an honest server would. */
export async function startMcpServer(reply: (asked: Asked) => Reply | undefined): Promise<McpServer> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { id, method, params = {} } = JSON.parse(Buffer.concat(chunks).toString())
    const one = { method, params, headers: request.headers }
    asked.push(one)
    const answer = reply(one) ?? honest(one)
    if (typeof answer === 'function') return answer(response, id)
    if (id === undefined) return void response.writeHead(202).end()
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function honest({ method, params }: Asked): Reply {
  switch (method) {
    case 'initialize':
      return {
        result: {
          protocolVersion: params.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: 'Ink MCP', version: '0.1.0' },
        },
      }
    case 'tools/list':
      return { result: { tools: [listServices] } }
    case 'tools/call':
      return { result: { content: [], structuredContent: { services: [] } } }
    default:
      return { result: {} }
  }
}

export const listServices = { name: 'list_services', inputSchema: { type: 'object', properties: {} } }
