import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { HttpRequest, McpProbe } from './probe.ts'

/** More is of no use in a report, and the body may be endless. */
const LONGEST_BODY_BYTES = 4_096
const TEXT = /^(?:text\/|application\/(?:[\w.+-]*\+)?(?:json|xml)\b)/i
const USER_AGENT = 'ink-deploy (health check)'

/** {@link HttpRequest} over the global `fetch`, which sends neither cookies nor credentials by itself. */
export const fetchOnce: HttpRequest = async (url, signal) => {
  const response = await fetch(url, {
    redirect: 'manual',
    credentials: 'omit',
    headers: { 'user-agent': USER_AGENT, accept: '*/*', 'cache-control': 'no-cache' },
    signal,
  })
  const location = response.headers.get('location')
  const isText = TEXT.test(response.headers.get('content-type') ?? '')
  const body = isText ? await beginning(response) : undefined
  // A body left unread keeps its connection open.
  if (!isText) await response.body?.cancel()
  return {
    status: response.status,
    ...(location === null ? {} : { location }),
    ...(body === undefined ? {} : { body }),
  }
}

async function beginning(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  while (length < LONGEST_BODY_BYTES) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    length += value.byteLength
  }
  await reader.cancel()
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, LONGEST_BODY_BYTES), { stream: true })
}

/** Enough for a report; a server may page without end. */
const MOST_PAGES = 10

/** {@link McpProbe} over Streamable HTTP with the MCP SDK's own client, without credentials. */
export const listMcpTools: McpProbe = async (url, signal) => {
  const client = new Client({ name: 'ink-deploy', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { redirect: 'error' } })
  // Without close() the process would not end; a hanging server must not keep it either.
  const close = () => void client.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    await client.connect(transport, { signal })
    return await toolNames(client, signal)
  } catch (error) {
    throw explained(error)
  } finally {
    signal.removeEventListener('abort', close)
    // Servers need not support ending a session (the specification allows 405), and it is over for us either way.
    await transport.terminateSession().catch(() => undefined)
    await client.close()
  }
}

async function toolNames(client: Client, signal: AbortSignal): Promise<readonly string[]> {
  if (client.getServerCapabilities()?.tools === undefined) return []
  const names: string[] = []
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await client.listTools(cursor === undefined ? {} : { cursor }, { signal })
    names.push(...answer.tools.map((tool) => tool.name))
    cursor = answer.nextCursor
    if (cursor === undefined) break
  }
  return names
}

function explained(error: unknown): unknown {
  if (!(error instanceof StreamableHTTPError)) return error
  if (error.code === 401 || error.code === 403) {
    const hint = 'it asks for authorization; use a health-path with health-status 401 instead'
    return new Error(`HTTP ${error.code}, ${hint}`)
  }
  return error.code === undefined ? error : new Error(`HTTP ${error.code}`)
}
