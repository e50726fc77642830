import type { FaultRegistry } from '../../fault.ts'
import type { Account } from '../accounts.ts'
import type { InkFaultName } from '../faults.ts'
import type { Journal } from '../journal.ts'
import { emptyResult, violation } from './schema.ts'
import { readArguments, type Tool, ToolFailure } from './tool.ts'

const INSTRUCTIONS =
  'Ink MCP server deploys most single port apps and many other servers from a git repository and returns the URL of the deployed application. It provisions SQLite databases too.'

/** Newest first; a client that asks for another one gets the newest. */
export const PROTOCOL_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

const INVALID_PARAMS = -32602
/** The code of errors that the platform's server has no code for. */
const NO_CODE = 0

export interface JsonRpcMessage {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
}

type Answer = { readonly result: unknown } | { readonly error: { readonly code: number; readonly message: string } }

export interface McpServerDependencies {
  readonly tools: readonly Tool[]
  readonly faults: FaultRegistry<InkFaultName>
  readonly journal: Journal
}

/** A request for a method that the server does not have: the platform refuses it below JSON-RPC. */
export class UnsupportedMethod extends Error {
  override readonly name = 'UnsupportedMethod'
}

/**
 * Answers one JSON-RPC message; a notification gets no answer.
 *
 * @throws UnsupportedMethod
 */
export async function answerMessage(
  dependencies: McpServerDependencies,
  { id, method = '', params = {} }: JsonRpcMessage,
  account: Account,
): Promise<Answer | undefined> {
  if (id === undefined) return undefined
  switch (method) {
    case 'initialize':
      return { result: introduction(String(params.protocolVersion)) }
    case 'ping':
    case 'logging/setLevel':
      return { result: {} }
    case 'tools/list':
      return { result: { tools: dependencies.tools.map(described).sort((a, b) => (a.name < b.name ? -1 : 1)) } }
    case 'tools/call':
      return callTool(dependencies, params, account)
    default:
      throw new UnsupportedMethod(`JSON RPC not handled: ${JSON.stringify(method)} unsupported`)
  }
}

function introduction(wanted: string): Record<string, unknown> {
  return {
    capabilities: { logging: {}, tools: { listChanged: true } },
    instructions: INSTRUCTIONS,
    protocolVersion: PROTOCOL_VERSIONS.includes(wanted) ? wanted : PROTOCOL_VERSIONS[0],
    serverInfo: {
      name: 'Ink MCP',
      title: 'Ink MCP - deploy your apps and servers on the cloud',
      version: '0.1.0',
    },
  }
}

function described({ name, description, input, output }: Tool) {
  return { name, description, inputSchema: input, outputSchema: output }
}

async function callTool(
  { tools, faults, journal }: McpServerDependencies,
  params: Readonly<Record<string, unknown>>,
  account: Account,
): Promise<Answer> {
  const tool = tools.find(({ name }) => name === params.name)
  if (tool === undefined) return failed(INVALID_PARAMS, `unknown tool ${JSON.stringify(params.name)}`)
  const values = (params.arguments ?? {}) as Record<string, unknown>
  const entry = { kind: 'tool' as const, name: tool.name, arguments: values }
  const note = (detail: string) => journal.add({ ...entry, ok: false, detail })

  const problem = violation(tool.input, values)
  if (problem !== undefined) {
    const message = `invalid params: validating "arguments": validating ${schemaAddress(tool)}: ${problem}`
    note(message)
    return failed(INVALID_PARAMS, message)
  }
  try {
    const failing = faults.strike(
      'ink.tool-error',
      (options) => options.tool === undefined || options.tool === tool.name,
    )
    if (failing !== undefined) throw new ToolFailure(String(failing.options.text ?? 'internal error'))
    const result = await tool.run(readArguments(values), account)
    journal.add({ ...entry, ok: true })
    return { result: { content: [{ type: 'text', text: JSON.stringify(result) }], structuredContent: result } }
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    note(error.message)
    return toolFailed(tool, error.message)
  }
}

/**
 * The platform's server puts an empty result beside the text of a failure, and then validates it like any other: the empty list
 * of its language is `null`, so a tool whose result is a list cannot say why it has failed.
 */
function toolFailed({ output }: Tool, text: string): Answer {
  const structuredContent = emptyResult(output)
  const problem = violation(output, structuredContent)
  if (problem !== undefined) return failed(NO_CODE, `validating tool output: validating root: ${problem}`)
  return { result: { content: [{ type: 'text', text }], structuredContent, isError: true } }
}

function failed(code: number, message: string): Answer {
  return { error: { code, message } }
}

function schemaAddress({ name }: Tool): string {
  return `https://mcp.ml.ink/schemas/${name.replaceAll('_', '-')}-input`
}
