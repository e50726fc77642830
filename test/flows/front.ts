import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a request looked like when it arrived. */
export interface SeenRequest {
  readonly path: string
  readonly authorization: string | undefined
}

/** A server that stands in front of the platform’s and differs from it. */
export interface Front extends AsyncDisposable {
  readonly origin: string
  readonly seen: readonly SeenRequest[]
}

export interface FrontOptions {
  /** The only path that it answers at. Default: `/mcp`. */
  readonly path?: string
  /** Tools of the platform that it does not have. */
  readonly without?: readonly string[]
  /** Where it sends requests for other paths; without it they are not found. */
  readonly redirectTo?: string
}

interface Listing {
  readonly result?: { readonly tools?: readonly { readonly name: string }[] }
}

/** Starts a front for an MCP endpoint. */
export async function startFront(behind: string, options: FrontOptions = {}): Promise<Front> {
  const { path = '/mcp', without = [], redirectTo } = options
  const seen: SeenRequest[] = []
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization, accept = '', 'content-type': type = 'application/json' } = request.headers
    seen.push({ path: request.url ?? '', authorization })
    const body = await bodyOf(request)
    if (request.url !== path) {
      if (redirectTo === undefined) response.writeHead(404).end('404 page not found\n')
      else response.writeHead(307, { location: redirectTo }).end()
      return
    }
    const { tool, method } = calledIn(body)
    if (tool !== undefined && without.includes(tool)) {
      response.writeHead(400).end(`unknown tool "${tool}"`)
      return
    }
    const headers = { accept, 'content-type': type, ...(authorization === undefined ? {} : { authorization }) }
    const behindIt = await fetch(behind, { method: request.method ?? 'POST', headers, body })
    const text = await behindIt.text()
    response.writeHead(behindIt.status, { 'content-type': behindIt.headers.get('content-type') ?? 'text/plain' })
    response.end(method === 'tools/list' ? withoutTools(text, without) : text)
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Takes tools out of a listing, which is a JSON document or the one event of a stream. */
function withoutTools(text: string, without: readonly string[]): string {
  return text.replace(/\{.*\}/, (json) => {
    const listing = JSON.parse(json) as Listing
    const tools = listing.result?.tools?.filter(({ name }) => !without.includes(name))
    return JSON.stringify({ ...listing, result: { ...listing.result, tools } })
  })
}

function calledIn(body: string): { readonly method: string | undefined; readonly tool: string | undefined } {
  const message = (body === '' ? {} : JSON.parse(body)) as { method?: string; params?: { name?: string } }
  return { method: message.method, tool: message.method === 'tools/call' ? message.params?.name : undefined }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
