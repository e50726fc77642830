import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FaultRegistry } from '../../fault.ts'
import type { Account, Accounts } from '../accounts.ts'
import type { InkFaultName } from '../faults.ts'
import { shortId } from '../identifiers.ts'
import type { Journal } from '../journal.ts'
import { isLocal } from '../listener.ts'
import type { createAuthorizationServer } from '../oauth/authorization-server.ts'
import { spoilAnswer, sufferBeforehand } from './faults.ts'
import { answerMessage, type JsonRpcMessage, PROTOCOL_VERSIONS, UnsupportedMethod } from './server.ts'
import type { Tool } from './tool.ts'

export interface McpEndpointDependencies {
  readonly tools: readonly Tool[]
  readonly accounts: Accounts
  readonly answers: 'json' | 'sse'
  readonly faults: FaultRegistry<InkFaultName>
  readonly journal: Journal
  readonly origin: () => string
  /** What answers a path of the authorization server, which lives on the same port. */
  readonly oauth: ReturnType<typeof createAuthorizationServer>
}

/**
 * Answers MCP over Streamable HTTP as the platform's server does, on every path that is not the authorization server's. The
 * server keeps no sessions: it hands out an id and does not ask for it. Written by hand because the platform's server is not
 * built on the SDK that this project uses, and answers bad requests in other ways than that SDK would.
 */
export function createMcpHandler(dependencies: McpEndpointDependencies) {
  const { accounts, faults, journal } = dependencies

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://mcp.invalid')
    const refuse = (status: number, text: string, headers: Record<string, string> = {}) => {
      journal.add({ kind: 'http', name: `${request.method} ${pathname}`, ok: false, detail: { status, text } })
      request.resume()
      const plain = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
      response
        .writeHead(status, { ...plain, ...headers, 'content-length': Buffer.byteLength(text) + 1 })
        .end(`${text}\n`)
    }
    if (!isLocal(request)) return refuse(403, 'the sandbox answers to localhost only')
    const oauth = dependencies.oauth(pathname)
    if (oauth !== undefined) return oauth(request, response)

    response.setHeader('vary', 'Origin')
    const body = await readBody(request)
    const messages = parseMessages(body)
    const call = calledTool(messages)
    // A client opens a stream of its own (GET) whenever it pleases; faults are meant for its messages.
    if (request.method === 'POST' && sufferBeforehand(faults, journal, request, response, call)) return

    const account = authenticate(accounts, request.headers.authorization)
    if (typeof account === 'string') {
      const resource = `Bearer resource_metadata="${dependencies.origin()}/.well-known/oauth-protected-resource"`
      return refuse(401, account, account === 'missing authorization header' ? { 'www-authenticate': resource } : {})
    }
    if (request.method === 'DELETE') {
      if (request.headers['mcp-session-id'] !== undefined) return void response.writeHead(204).end()
      return refuse(400, 'Bad Request: DELETE requires an Mcp-Session-Id header')
    }
    if (request.method !== 'POST') return refuse(405, `${request.method} requires an active session`)
    const problem = headerProblem(request)
    if (problem !== undefined) return refuse(400, problem)
    if (typeof messages === 'string') return refuse(400, `malformed payload: ${messages}`)

    const spoiled = spoilAnswer(faults, journal, response, call)
    try {
      const answers = await answerAll(dependencies, messages, account)
      send(response, dependencies.answers === 'sse' || spoiled.asStream ? 'sse' : 'json', messages, answers)
    } catch (error) {
      if (!(error instanceof UnsupportedMethod)) throw error
      refuse(400, error.message)
    }
  }
}

async function answerAll(
  dependencies: McpEndpointDependencies,
  messages: readonly JsonRpcMessage[],
  account: Account,
): Promise<readonly unknown[]> {
  const answers: unknown[] = []
  for (const message of messages) {
    const answer = await answerMessage(dependencies, message, account)
    if (answer !== undefined) answers.push({ jsonrpc: '2.0', id: message.id, ...answer })
  }
  return answers
}

function send(
  response: ServerResponse,
  format: 'json' | 'sse',
  messages: readonly JsonRpcMessage[],
  answers: readonly unknown[],
): void {
  if (answers.length === 0) return void response.writeHead(202, { 'content-length': 0 }).end()
  const session = messages.some(({ method }) => method === 'initialize') ? { 'mcp-session-id': shortId() } : {}
  if (format === 'json') {
    const body = answers.length === 1 ? answers[0] : answers
    return void response.writeHead(200, { 'content-type': 'application/json', ...session }).end(JSON.stringify(body))
  }
  response.writeHead(200, {
    'cache-control': 'no-cache, no-transform',
    'content-type': 'text/event-stream',
    ...session,
  })
  for (const answer of answers) response.write(`event: message\ndata: ${JSON.stringify(answer)}\n\n`)
  response.end()
}

function headerProblem({ headers }: IncomingMessage): string | undefined {
  const accepted = (headers.accept ?? '*/*').split(',').map((range) => range.split(';')[0]?.trim())
  const accepts = (...ranges: string[]) => accepted.some((range) => range === '*/*' || ranges.includes(range ?? ''))
  if (!accepts('application/json', 'application/*') || !accepts('text/event-stream', 'text/*')) {
    return "Accept must contain both 'application/json' and 'text/event-stream'"
  }
  const version = headers['mcp-protocol-version']
  if (version === undefined || PROTOCOL_VERSIONS.includes(String(version))) return undefined
  return `Bad Request: Unsupported protocol version (supported versions: ${PROTOCOL_VERSIONS.join(',')})`
}

function authenticate(accounts: Accounts, header: string | undefined): Account | string {
  if (header === undefined || header === '') return 'missing authorization header'
  const [scheme, key, ...rest] = header.split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || key === undefined || rest.length > 0)
    return 'invalid authorization header format'
  const account = accounts.byApiKey(key)
  if (account === 'vanished') return 'user not found'
  return account ?? 'invalid api key'
}

/** The name of the tool that a JSON-RPC request calls, or its method. */
function calledTool(messages: readonly JsonRpcMessage[] | string): string {
  const message = typeof messages === 'string' ? undefined : messages[0]
  const method = message?.method ?? ''
  return method === 'tools/call' ? String(message?.params?.name ?? '') : method
}

/** The messages of a body, or what is wrong with it. */
function parseMessages(body: string): readonly JsonRpcMessage[] | string {
  try {
    return [JSON.parse(body)].flat() as JsonRpcMessage[]
  } catch (error) {
    const cutOff = (error as Error).message.startsWith('Unexpected end')
    const reason = cutOff ? 'unexpected end of JSON input' : 'invalid character'
    return `unmarshaling jsonrpc message: ${reason}`
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
