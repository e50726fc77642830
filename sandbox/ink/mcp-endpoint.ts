import type { IncomingMessage, ServerResponse } from 'node:http'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js'
import type { FaultRegistry } from '../fault.ts'
import type { Account, Accounts } from './accounts.ts'
import type { InkFaultName } from './faults.ts'
import type { Journal } from './journal.ts'
import { isLocal } from './local-only.ts'
import { spoilAnswer, sufferBeforehand } from './mcp-faults.ts'
import type { createAuthorizationServer } from './oauth/authorization-server.ts'
import { emptyResult, readArguments, type Tool, ToolFailure } from './tools/tool.ts'

const INSTRUCTIONS =
  'Ink MCP server deploys most single port apps and many other servers from a git repository and returns the URL of the deployed application. It provisions SQLite databases too.'

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

/** Answers MCP over Streamable HTTP without sessions, as the platform does: a server for each request, POST only. */
export function createMcpHandler(dependencies: McpEndpointDependencies) {
  const { accounts, faults, journal } = dependencies

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://mcp.invalid')
    const refuse = (status: number, text: string, headers: Record<string, string> = {}) => {
      journal.add({ kind: 'http', name: `${request.method} ${pathname}`, ok: false, detail: { status, text } })
      request.resume()
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`)
    }
    if (!isLocal(request)) return refuse(403, 'the sandbox answers to localhost only')
    const oauth = dependencies.oauth(pathname)
    if (oauth !== undefined) return oauth(request, response)
    if (pathname !== '/mcp') return refuse(404, '404 page not found')

    const body = await readBody(request)
    const call = calledTool(body)
    // A client opens a standing stream (GET) whenever it pleases; faults are meant for its messages.
    if (request.method === 'POST' && sufferBeforehand(faults, journal, request, response, call)) return

    const account = authenticate(accounts, request.headers.authorization)
    if (typeof account === 'string') {
      const resource = `Bearer resource_metadata="${dependencies.origin()}/.well-known/oauth-protected-resource"`
      return refuse(401, account, account === 'missing authorization header' ? { 'www-authenticate': resource } : {})
    }
    if (request.method !== 'POST') return refuse(405, 'Method Not Allowed', { allow: 'POST' })

    const spoiled = spoilAnswer(faults, journal, response, call)
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse: dependencies.answers === 'json' && !spoiled.asStream,
    })
    const server = createServer(dependencies, account)
    response.once('close', () => void server.close())
    // The SDK's own declaration of its transport does not fit its interface under exactOptionalPropertyTypes.
    await server.connect(transport as Parameters<typeof server.connect>[0])
    await transport.handleRequest(request, response, body)
  }
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

function createServer(dependencies: McpEndpointDependencies, account: Account): Server {
  const { tools } = dependencies
  const server = new Server(
    { name: 'Ink MCP', title: 'Ink MCP - deploy your apps and servers on the cloud', version: '0.1.0' },
    { capabilities: { tools: { listChanged: true }, logging: {} }, instructions: INSTRUCTIONS },
  )
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, description, input, output }) => ({
      name,
      description,
      inputSchema: {
        ...input,
        type: 'object' as const,
        properties: { ...input.properties },
        required: [...(input.required ?? [])],
      },
      outputSchema: {
        ...output,
        type: 'object' as const,
        properties: { ...output.properties },
        required: [...(output.required ?? [])],
      },
    })),
  }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    const tool = tools.find((candidate) => candidate.name === params.name)
    if (tool === undefined) throw new McpError(ErrorCode.InvalidParams, `unknown tool "${params.name}"`)
    return callTool(dependencies, tool, params.arguments ?? {}, account)
  })
  return server
}

async function callTool(
  { faults, journal }: McpEndpointDependencies,
  tool: Tool,
  values: Record<string, unknown>,
  account: Account,
): Promise<CallToolResult> {
  const entry = { kind: 'tool' as const, name: tool.name, arguments: values }
  try {
    const failing = faults.strike(
      'ink.tool-error',
      (options) => options.tool === undefined || options.tool === tool.name,
    )
    if (failing !== undefined) throw new ToolFailure(String(failing.options.text ?? 'internal error'))
    const result = await tool.run(readArguments(tool.input, values), account)
    journal.add({ ...entry, ok: true })
    return { structuredContent: result, content: [{ type: 'text', text: JSON.stringify(result) }] }
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    journal.add({ ...entry, ok: false, detail: error.message })
    // The platform's server fills in an empty result beside the text of a failure.
    return {
      isError: true,
      structuredContent: emptyResult(tool.output),
      content: [{ type: 'text', text: error.message }],
    }
  }
}

/** The name of the tool that a JSON-RPC request calls, or its method. */
function calledTool(body: unknown): string {
  const message = (Array.isArray(body) ? body[0] : body) as { method?: string; params?: { name?: string } } | undefined
  return message?.method === 'tools/call' ? (message.params?.name ?? '') : (message?.method ?? '')
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
