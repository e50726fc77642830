import { McpError } from '@modelcontextprotocol/sdk/types.js'
import * as z from 'zod'
import { type Clock, retry, signalWithin, systemClock, withinTime } from '../core/async.ts'
import { errorMessage } from '../core/errors.ts'
import { type Fetch, limitAnswers, parseJson, usualLimits } from '../core/http.ts'
import { McpClient } from '../core/mcp.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import { isSilence, isTransient, neverCarriedOut, PlatformError, protocolError, rpcError, ToolError } from './errors.ts'
import { ifFits, optionalText } from './fields.ts'
import { paymentTerms, platformFetch } from './wire.ts'

/** What a session needs to talk to ml.ink. */
export interface SessionOptions {
  /** The MCP endpoint, used exactly as given: `/mcp` is neither added nor removed. */
  endpoint: string
  apiKey: string
  fetch: Fetch
  clock: Clock
  /** Milliseconds since the epoch; nothing is asked again after it. Twenty minutes from now unless told otherwise. */
  deadlineAt?: number | undefined
  /** Uniform in [0, 1); spreads retries so that parallel jobs do not come back together. */
  random: () => number
  /** For the log of a debug run; gets tool names and durations, never arguments. */
  debug: (line: string) => void
  /** Told once, with the reason, when ml.ink does not answer for a while and is asked again. */
  warning?: ((text: string) => void) | undefined
}

/** A tool as `tools/list` declares it. What servers say beyond this is not read: their `outputSchema` least of all. */
export interface Tool {
  readonly name: string
  readonly inputSchema: {
    readonly type?: unknown
    readonly properties?: Readonly<Record<string, unknown>> | undefined
    readonly required?: readonly string[] | undefined
  }
}

/** How a tool is called. */
interface Asking {
  readonly repeatable: boolean
  readonly signal: AbortSignal
  readonly deadlineAt?: number
}

const requestTimeoutMs = 25_000
/** A fault that is over sooner is nobody's concern. */
const warnAfterMs = 5_000
const listingTimeoutMs = 60_000
const usualDeadlineMs = 20 * 60_000
/** An endpoint that has never answered is more likely wrong than away. */
const firstContactMs = 2 * 60_000
const mostTools = 2_000
const mostPages = 50

/** One conversation with ml.ink. */
export type Session = Awaited<ReturnType<typeof openSession>>

/** Connects to ml.ink over MCP Streamable HTTP and reads the tool list. Must be closed, or the process does not end. */
export async function openSession(options: SessionOptions, signal: AbortSignal) {
  const { clock, random, debug, apiKey } = options
  const redact = (text: string) => text.replaceAll(apiKey, '***')
  const limits = { ...usualLimits }
  const fetch = platformFetch(limitAnswers(options.fetch, limits), requestTimeoutMs, redact)
  const deadlineAt = options.deadlineAt ?? clock.now() + usualDeadlineMs
  let warned = false
  /** How one request, which begins now, is asked again. */
  const policy = (of: AbortSignal, until = deadlineAt) => {
    const startedAt = clock.now()
    const onRetry = (error: unknown, pauseMs: number) => {
      debug(`ml.ink: ${errorMessage(error)}; asking again in ${Math.round(pauseMs)} ms`)
      if (warned || clock.now() + pauseMs - startedAt < warnAfterMs) return
      warned = true
      const what = `ml.ink does not answer as it should (${errorMessage(error)})`
      options.warning?.(`${what}; it is asked again until it does.`)
    }
    return { deadlineAt: until, clock, random, onRetry, signal: of }
  }

  let client = await firstContact(options, () => connect(options, fetch, signal), policy(signal))
  const tools = await retry(() => listTools(client, signal), { ...policy(signal), again: pauseAfter }).catch(
    async (error: unknown) => {
      await client.close()
      throw error
    },
  )
  let renewal: Promise<void> | undefined

  const closing = new AbortController()
  /** Begins a new session; calls that find the same one ended share it, so that none of them ends it for the others. */
  const renew = async (ended: McpClient, callSignal: AbortSignal) => {
    debug('ml.ink has ended the session; a new one is begun')
    if (client !== ended) return
    renewal ??= connect(options, fetch, closing.signal)
      .then((fresh) => {
        client = fresh
        return ended.close()
      })
      .finally(() => {
        renewal = undefined
      })
    const shared = renewal
    await withinTime(systemClock, Number.POSITIVE_INFINITY, callSignal, () => shared)
  }

  async function attempt(tool: string, args: Record<string, unknown>, callSignal: AbortSignal): Promise<unknown> {
    const startedAt = clock.now()
    const request = { method: 'tools/call' as const, params: { name: tool, arguments: args } }
    const ask = async () => {
      const result = await translate(tool, () => client.request(request, resultSchema, requestOptions(callSignal)))
      return readResult(tool, result, redact)
    }
    const used = client
    const result = await ask().catch(async (error: unknown) => {
      if (!(error instanceof PlatformError) || error.failure !== 'session-ended') throw error
      await renew(used, callSignal)
      return await ask()
    })
    debug(`${tool}: answered in ${clock.now() - startedAt} ms`)
    return result
  }

  const { name, version } = client.server?.serverInfo ?? {}
  return {
    tools,
    /** The account-independent name the server gave itself, for the log. */
    server: sanitizePhrase([name, version].filter(Boolean).join(' ')),
    /**
     * Calls a tool and returns its result as data. Transient failures are repeated until the deadline.
     * @param options.repeatable whether asking twice is harmless: such calls are repeated after every transient failure, others
     * only when the request cannot have been carried out
     * @param options.deadlineAt milliseconds since the epoch; that of the session unless told otherwise
     * @throws ToolError when the tool says no, PlatformError for everything below it
     */
    call: async (
      tool: string,
      args: Record<string, unknown>,
      { repeatable, signal: callSignal, deadlineAt: until }: Asking,
    ): Promise<unknown> => {
      const again = (error: unknown) => (repeatable || neverCarriedOut(error)) && pauseAfter(error)
      return retry(() => attempt(tool, args, callSignal), { ...policy(callSignal, until), again })
    },
    /** For one more that asks here: as much again may be answered. */
    admit: (): void => {
      limits.totalBytes += usualLimits.totalBytes
    },
    close: (): Promise<void> => {
      closing.abort()
      return client.close()
    },
  }
}

/** Whether asking again can help, and the pause that the server asked for. */
function pauseAfter(error: unknown): boolean | number {
  return isTransient(error) && (error.retryAfterMs ?? true)
}

/** An endpoint that answers with trouble is waited for until the deadline, one that does not answer at all is not. */
async function firstContact<T>(
  { clock, endpoint }: SessionOptions,
  act: () => Promise<T>,
  policy: Omit<Parameters<typeof retry>[1], 'again'>,
): Promise<T> {
  const startedAt = clock.now()
  let answered = false
  try {
    return await retry(act, {
      ...policy,
      again: (error) => {
        answered ||= !isSilence(error)
        return (answered || clock.now() - startedAt < firstContactMs) && pauseAfter(error)
      },
    })
  } catch (error) {
    const waitedMs = clock.now() - startedAt
    if (answered || !isSilence(error) || waitedMs < firstContactMs) throw error
    const minutes = Math.round(waitedMs / 60_000)
    const what = `Nothing has answered at ${new URL(endpoint).host} for ${minutes} minutes: ${errorMessage(error)}`
    throw new PlatformError('unreachable', what, { cause: error, hint: error.hint })
  }
}

/** Options of a request. The client would wait for a minute, where our `fetch` has an answer or an error much sooner. */
function requestOptions(signal: AbortSignal) {
  // The client leaves a listener on the signal of every request. On one signal for the whole run they would pile up, and
  // Node would warn of a leak in the middle of the user's log.
  return { signal: AbortSignal.any([signal]), timeout: requestTimeoutMs * 2 }
}

async function connect(options: SessionOptions, fetch: Fetch, signal: AbortSignal): Promise<McpClient> {
  if (!URL.canParse(options.endpoint)) throw protocolError('The MCP endpoint of ml.ink is not a URL')
  const client = new McpClient(new URL(options.endpoint), {
    fetch,
    requestInit: { headers: { Authorization: `Bearer ${options.apiKey}`, 'X-Ink-Client': 'ink-deploy' } },
  })
  try {
    await translate('initialize', () => client.open(requestOptions(signal)))
    return client
  } catch (error) {
    await client.close()
    throw error
  }
}

const pageSchema = z.looseObject({ tools: z.array(z.unknown()), nextCursor: optionalText })
const inputSchema = z.object({
  properties: ifFits(z.record(z.string(), z.unknown())),
  required: ifFits(z.array(z.string())),
})
const toolSchema = z.object({ name: z.string(), inputSchema: ifFits(inputSchema).transform((schema) => schema ?? {}) })

async function listTools(client: McpClient, signal: AbortSignal): Promise<Tool[]> {
  const inTime = signalWithin(listingTimeoutMs, signal)
  const tools: Tool[] = []
  let cursor: string | undefined
  for (let page = 1; ; page++) {
    const request = { method: 'tools/list' as const, params: cursor === undefined ? {} : { cursor } }
    const answer = await translate('tools/list', () =>
      client.request(request, pageSchema, requestOptions(inTime)),
    ).catch((error: unknown) => {
      if (inTime.aborted && !signal.aborted) throw endlessList(`within ${listingTimeoutMs / 1000} s`)
      throw error
    })
    // Before any is read: to check tens of thousands takes more memory than their text.
    if (tools.length + answer.tools.length > mostTools) throw endlessList(`after ${mostTools} tools`)
    tools.push(...answer.tools.flatMap((tool) => toolSchema.safeParse(tool).data ?? []))
    if (answer.nextCursor === undefined) return tools
    if (page === mostPages || answer.nextCursor === cursor) throw endlessList(`after ${page} pages`)
    cursor = answer.nextCursor
  }
}

function endlessList(where: string): PlatformError {
  return protocolError(`ml.ink’s list of tools does not end ${where}`)
}

const resultSchema = z.looseObject({
  content: ifFits(z.array(z.unknown())),
  structuredContent: ifFits(z.record(z.string(), z.unknown())),
  isError: ifFits(z.boolean()),
})

async function translate<T>(method: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (thrown) {
    if (thrown instanceof PlatformError || (thrown instanceof Error && thrown.name === 'AbortError')) throw thrown
    if (thrown instanceof McpError) throw rpcError(method, thrown)
    const reason = thrown instanceof z.ZodError ? 'its fields are not those of MCP' : errorMessage(thrown)
    throw protocolError(`ml.ink’s answer to ${method} is not understood: ${sanitizePhrase(reason)}`, thrown)
  }
}

/** Results arrive as `structuredContent` and as JSON text; some servers send only one of the two. */
function readResult(tool: string, result: z.output<typeof resultSchema>, redact: (text: string) => string): unknown {
  const blocks = (result.content ?? []).map((block) => blockSchema.safeParse(block).data?.text ?? '')
  const whole = blocks.join('\n')
  if (result.isError) throw new ToolError(tool, refusal(redact(whole.trim())))
  if (result.structuredContent) return result.structuredContent
  try {
    return parseJson(whole)
  } catch {
    return { message: whole } // a plain sentence is a legal result; what needs fields finds none and says so
  }
}

const blockSchema = z.object({ type: z.literal('text'), text: z.string() })

/** A tool that wants to be paid answers with the terms alone (x402 over MCP). */
function refusal(text: string): string {
  const terms = paymentTerms(text)
  return terms === undefined ? text || 'no reason given' : `payment required. Its terms: ${terms}`
}
