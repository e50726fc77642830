import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { type CallToolResult, McpError, type Tool } from '@modelcontextprotocol/sdk/types.js'
import { errorMessage } from '../core/errors.ts'
import { isTransient, PlatformError, ToolError } from './errors.ts'
import { paymentTerms } from './payment-terms.ts'
import { type Fetch, platformFetch } from './wire.ts'

/** Time, injected so that waiting can be tested without waiting. */
export interface Clock {
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** What a session needs to talk to ml.ink. */
export interface SessionOptions {
  /** The MCP endpoint, used exactly as given: `/mcp` is neither added nor removed. */
  endpoint: string
  apiKey: string
  fetch: Fetch
  clock: Clock
  /** Uniform in [0, 1); spreads retries so that parallel jobs do not come back together. */
  random: () => number
  /** For the log of a debug run; gets tool names and durations, never arguments. */
  debug: (line: string) => void
}

/** One conversation with ml.ink. Must be closed, or the process does not end. */
export interface Session {
  readonly tools: readonly Tool[]
  /** The account-independent name the server gave itself, for the log. */
  readonly server: string
  /**
   * Calls a tool and returns its result as data.
   * @param options.repeatable whether asking twice is harmless: such calls are retried after every transient failure, others only
   * when the request cannot have been carried out
   * @throws ToolError when the tool says no, PlatformError for everything below it
   */
  call(
    tool: string,
    args: Record<string, unknown>,
    options: { repeatable: boolean; signal: AbortSignal },
  ): Promise<unknown>
  close(): Promise<void>
}

const requestTimeoutMs = 25_000
const attempts = 4
const firstPauseMs = 500
const longestPauseMs = 20_000

/** Connects to ml.ink over MCP Streamable HTTP and reads the tool list. */
export async function openSession(options: SessionOptions, signal: AbortSignal): Promise<Session> {
  const redact = (text: string) => text.replaceAll(options.apiKey, '***')
  const fetch = platformFetch(options.fetch, requestTimeoutMs, redact)
  const { client, tools } = await withRetries(options, signal, isTransient, () => connect(options, fetch, signal))
  return {
    tools,
    server: [client.getServerVersion()?.name, client.getServerVersion()?.version].filter(Boolean).join(' '),
    call: async (tool, args, { repeatable, signal: callSignal }) => {
      const retry = (error: unknown) => isTransient(error) && (repeatable || neverCarriedOut(error))
      return withRetries(options, callSignal, retry, async () => {
        const startedAt = options.clock.now()
        const result = await translate(() =>
          client.callTool({ name: tool, arguments: args }, undefined, {
            signal: ownSignal(callSignal),
            timeout: requestTimeoutMs * 2,
          }),
        )
        options.debug(`${tool}: answered in ${options.clock.now() - startedAt} ms`)
        return readResult(tool, result as CallToolResult, redact)
      })
    },
    close: () => client.close(),
  }
}

// The client leaves a listener on the signal of every request. On one signal for the whole run they would pile up, and
// Node would warn of a leak in the middle of the user's log.
function ownSignal(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal])
}

async function connect(
  options: SessionOptions,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<{ client: Client; tools: Tool[] }> {
  const client = new Client({ name: 'ink-deploy', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(options.endpoint), {
    fetch,
    requestInit: { headers: { Authorization: `Bearer ${options.apiKey}`, 'X-Ink-Client': 'ink-deploy' } },
  })
  try {
    return await translate(async () => {
      // The transport declares its optional members as `T | undefined`, which exactOptionalPropertyTypes tells apart.
      await client.connect(transport as Parameters<Client['connect']>[0], {
        signal: ownSignal(signal),
        timeout: requestTimeoutMs * 2,
      })
      return { client, tools: await listTools(client, signal) }
    })
  } catch (error) {
    await client.close()
    throw error
  }
}

async function listTools(client: Client, signal: AbortSignal): Promise<Tool[]> {
  const tools: Tool[] = []
  let cursor: string | undefined
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor }, { signal: ownSignal(signal) })
    tools.push(...page.tools)
    cursor = page.nextCursor
  } while (cursor)
  return tools
}

async function translate<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (thrown) {
    if (thrown instanceof PlatformError || (thrown instanceof Error && thrown.name === 'AbortError')) throw thrown
    if (thrown instanceof McpError) throw rpcError(thrown)
    throw new PlatformError('protocol', `ml.ink gave an answer we do not understand: ${errorMessage(thrown)}`, {
      cause: thrown,
      hint: 'Check that `endpoint` is an MCP endpoint of ml.ink; the usual one is https://mcp.ml.ink/mcp.',
    })
  }
}

const rpcTimeout = -32001
const rpcClosed = -32000

function rpcError(error: McpError): PlatformError {
  const lost = error.code === rpcTimeout || error.code === rpcClosed
  return new PlatformError(lost ? 'lost-answer' : 'protocol', `ml.ink did not answer the request: ${error.message}`, {
    cause: error,
    hint: lost
      ? 'Run the job again; what was started meanwhile is found again.'
      : 'The server speaks another dialect of MCP than expected; check `endpoint`.',
  })
}

/** Results arrive as `structuredContent` and as JSON text; some servers send only one of the two. */
function readResult(tool: string, result: CallToolResult, redact: (text: string) => string): unknown {
  const text = (result.content ?? []).map((block) => (block.type === 'text' ? block.text : '')).join('\n')
  if (result.isError) throw new ToolError(tool, refusal(redact(text.trim())))
  if (result.structuredContent) return result.structuredContent
  try {
    return JSON.parse(text)
  } catch {
    return { message: text } // a plain sentence is a legal result; what needs fields finds none and says so
  }
}

/** A tool that wants to be paid answers with the terms alone (x402 over MCP). */
function refusal(text: string): string {
  const terms = paymentTerms(text)
  return terms === undefined ? text || 'no reason given' : `payment required. Its terms: ${terms}`
}

function neverCarriedOut(error: PlatformError): boolean {
  return error.failure === 'unreachable' || error.failure === 'rate-limited'
}

async function withRetries<T>(
  { clock, random, debug }: Pick<SessionOptions, 'clock' | 'random' | 'debug'>,
  signal: AbortSignal,
  retry: (error: unknown) => boolean,
  act: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      if (attempt >= attempts || !retry(error) || signal.aborted) throw error
      const asked = error instanceof PlatformError ? error.retryAfterMs : undefined
      if (asked !== undefined && asked > longestPauseMs) throw error
      const pauseMs = asked ?? firstPauseMs * 2 ** (attempt - 1) * (0.5 + random())
      debug(`ml.ink: ${errorMessage(error)}; asking again in ${Math.round(pauseMs)} ms`)
      await clock.sleep(pauseMs, signal)
    }
  }
}
