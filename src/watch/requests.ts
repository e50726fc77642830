import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import * as z from 'zod'
import { systemClock, withinTime } from '../core/async.ts'
import { type Fetch, limitAnswers } from '../core/http.ts'
import { McpClient } from '../core/mcp.ts'
import type { HttpRequest, McpProbe } from './probe.ts'

/** A page says by then what it has to say, and the body may be endless. */
const LONGEST_BODY_BYTES = 1_000_000
const USER_AGENT = 'ink-deploy (health check)'

/** {@link HttpRequest} over a `fetch` that sends neither cookies nor credentials by itself. */
export function createHttpRequest(fetch: Fetch): HttpRequest {
  return async (url, signal, wanted) => {
    const headers = { 'user-agent': USER_AGENT, accept: '*/*', 'cache-control': 'no-cache' }
    const response = await fetch(url, { redirect: 'manual', credentials: 'omit', headers, signal })
    const { status } = response
    const location = response.headers.get('location')
    const contains = wanted === undefined ? undefined : await says(response, wanted)
    const text = wanted === undefined && status >= 400 ? await beginning(response) : undefined
    // A body left unread keeps its connection open.
    await response.body?.cancel()
    return {
      status,
      ...(location !== null && { location }),
      ...(contains !== undefined && { contains }),
      ...(text !== undefined && { text }),
    }
  }
}

/** The pieces of a body, until so many bytes have come. */
async function* piecesOf({ body }: Response, mostBytes: number) {
  let bytes = 0
  for await (const piece of body?.values({ preventCancel: true }) ?? []) {
    yield piece
    bytes += piece.byteLength
    if (bytes >= mostBytes) return
  }
}

/** Enough to tell whose words they are. */
const BEGINNING_BYTES = 2_000

async function beginning(response: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of piecesOf(response, BEGINNING_BYTES)) pieces.push(piece)
  return new TextDecoder().decode(Buffer.concat(pieces).subarray(0, BEGINNING_BYTES))
}

/** Reads no further than to where the text stands. */
async function says(response: Response, wanted: string): Promise<boolean> {
  if ([...response.headers].some(([name, value]) => `${name}: ${value}`.includes(wanted))) return true
  const decoder = new TextDecoder()
  let seen = ''
  for await (const piece of piecesOf(response, LONGEST_BODY_BYTES)) {
    // What stands in two pieces is found as well.
    seen = seen.slice(-wanted.length) + decoder.decode(piece, { stream: true })
    if (seen.includes(wanted)) return true
  }
  return false
}

/** Enough for a report; a server may page without end, and name as many tools as it likes. */
const MOST_PAGES = 10
const MOST_TOOLS = 2_000
const LIMITS = { messageBytes: 4_000_000, totalBytes: 8_000_000 }
const LISTING_LIMIT_MS = 10_000
const FAREWELL_LIMIT_MS = 2_000

/**
 * {@link McpProbe} over Streamable HTTP, without credentials. A server that has shaken
 * hands is there, however it then lists its tools: what is known of them by then is the answer.
 */
export function createMcpProbe(transportFetch: Fetch): McpProbe {
  return async (url, signal) => {
    const fetch = withoutStandingStream(limitAnswers(transportFetch, LIMITS))
    const client = new McpClient(url, { fetch, requestInit: { redirect: 'error' } })
    // Without close() the process would not end; a hanging server must not keep it either.
    const close = () => void client.close()
    signal.addEventListener('abort', close, { once: true })
    try {
      await client.open({ signal })
      return await toolNames(client, signal)
    } catch (error) {
      throw explained(error)
    } finally {
      signal.removeEventListener('abort', close)
      // However the server takes that, the session is over for us.
      const farewell = () => client.terminate()
      await withinTime(systemClock, FAREWELL_LIMIT_MS, new AbortController().signal, farewell).catch(() => undefined)
      await client.close()
    }
  }
}

/** A probe wants no messages from the server; the answer is that of a server which sends none. */
function withoutStandingStream(fetch: Fetch): Fetch {
  return async (url, init) => (init?.method === 'GET' ? new Response(null, { status: 405 }) : fetch(url, init))
}

const page = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().optional().catch(undefined) })
const tool = z.object({ name: z.string() })

async function toolNames(client: McpClient, signal: AbortSignal): Promise<readonly string[]> {
  const names: string[] = []
  if (client.server?.capabilities.tools === undefined) return names
  try {
    await withinTime(systemClock, LISTING_LIMIT_MS, signal, async (inTime) => {
      let cursor: string | undefined
      for (let count = 0; count < MOST_PAGES && names.length < MOST_TOOLS; count += 1) {
        const params = cursor === undefined ? {} : { cursor }
        const answer = await client.request({ method: 'tools/list', params }, page, { signal: inTime })
        names.push(...answer.tools.flatMap((one) => tool.safeParse(one).data?.name ?? []))
        cursor = answer.nextCursor
        if (cursor === undefined) break
      }
    })
  } catch {
    signal.throwIfAborted()
  }
  return names.slice(0, MOST_TOOLS)
}

function explained(error: unknown): unknown {
  if (!(error instanceof StreamableHTTPError)) return error
  if (error.code === 401 || error.code === 403) {
    const hint = 'it asks for authorization; give health in ink.yml a path, and the status 401, instead'
    return new Error(`HTTP ${error.code}, ${hint}`)
  }
  return error.code === undefined ? error : new Error(`HTTP ${error.code}`)
}
