import { spawn } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { type CallToolResult, ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js'
import { expect } from 'vitest'
import { compileOnce } from '../support/compile-once.ts'
import type { Instruction, SkillCall } from './document.ts'

/** How an MCP server is reached, as a client’s configuration says it. */
export interface Connection {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** Connects as an agent’s client would. Close it when done. */
export async function connect({ url, headers }: Connection): Promise<Client> {
  const client = new Client({ name: 'skill-test', version: '1.0.0' }, { jsonSchemaValidator: compileOnce })
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
  await client.connect(transport as Parameters<Client['connect']>[0])
  return client
}

/** Somebody who does what a document says, in its order. */
export interface Reader {
  /** Tools called so far. */
  readonly called: ReadonlySet<string>
  /** What the commands printed, in order. */
  readonly printed: readonly string[]
  follow(instruction: Instruction): Promise<void>
}

const RECOGNISED = ['curl', 'gh', 'claude']

/** @param folder - where commands start; it gets a folder `bin` of stand-ins */
export async function openReader(
  client: Client,
  folder: string,
  variables: Readonly<Record<string, string>>,
): Promise<Reader> {
  const listed = new Set((await client.listTools()).tools.map(({ name }) => name))
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  for (const name of RECOGNISED) await standIn(bin, name)
  const kept: Record<string, string> = { ...variables }
  const called = new Set<string>()
  const printed: string[] = []

  async function call({ tool, arguments: args, keep = {}, until, refusal, optional }: SkillCall): Promise<void> {
    if (optional && !listed.has(tool)) return
    called.add(tool)
    const ask = () => answerOf(client, tool, filledIn(args, kept))
    const what = `${tool} ${JSON.stringify(args)}`
    const answer = until === undefined ? await ask() : await askUntil(ask, until, what)
    const expectedRefusal = refusal ?? (typeof until === 'string' ? until : undefined)
    if (expectedRefusal !== undefined) return expect(answer.refused, what).toContain(expectedRefusal)
    expect(answer.refused, what).toBeUndefined()
    for (const [name, path] of Object.entries(keep)) {
      kept[name] = String(inside(answer, path))
      expect(kept[name], `${path} of the answer of ${tool}`).not.toBe('undefined')
    }
  }

  async function shell(script: string, fails: string | undefined): Promise<void> {
    const { code, output } = await run(script, folder, { ...kept, PATH: `${bin}:${process.env.PATH}` })
    printed.push(output)
    if (fails === undefined) return expect(code, `${script}\n→ ${output}`).toBe(0)
    expect(code, script).not.toBe(0)
    expect(output).toContain(fails)
  }

  return {
    called,
    printed,
    follow: (instruction) =>
      instruction.kind === 'call' ? call(instruction.call) : shell(instruction.script, instruction.fails),
  }
}

async function standIn(bin: string, name: string): Promise<void> {
  const program = join(import.meta.dirname, 'stand-ins', `${name}.mjs`)
  await writeFile(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  await chmod(join(bin, name), 0o755)
}

/** Agents ask every few seconds; here things are quicker. */
const PAUSE_MS = 20
const PATIENCE_MS = 15_000

async function askUntil(
  ask: () => Promise<Record<string, unknown>>,
  until: NonNullable<SkillCall['until']>,
  what: string,
): Promise<Record<string, unknown>> {
  const endAt = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await ask()
    const satisfied = typeof until === 'string' ? String(answer.refused).includes(until) : holds(answer, until)
    if (satisfied) return answer
    if (Date.now() > endAt)
      throw new Error(`${what}: not ${JSON.stringify(until)} within ${PATIENCE_MS} ms, but ${JSON.stringify(answer)}`)
    await pause(PAUSE_MS)
  }
}

function holds(answer: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return answer === wanted
  return Object.entries(wanted).every(([key, value]) =>
    holds((answer as Record<string, unknown> | undefined)?.[key], value),
  )
}

async function answerOf(client: Client, name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const asked = client.callTool({ name, arguments: args }) as Promise<CallToolResult>
  const result = await asked.catch((error: unknown) => {
    if (error instanceof McpError && error.code === ErrorCode.InvalidParams) return error.message
    throw error
  })
  if (typeof result === 'string') return { refused: result }
  const [first] = result.content
  if (result.isError) return { refused: first?.type === 'text' ? first.text : 'no text' }
  return result.structuredContent ?? {}
}

function filledIn(args: Record<string, unknown>, kept: Readonly<Record<string, string>>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(args), (_key, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith('$')) return value
    const known = kept[value.slice(1)]
    if (known === undefined) throw new Error(`${value} was not kept by any call before`)
    return known
  })
}

function inside(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((one, key) => (one as Record<string, unknown> | undefined)?.[key], value)
}

function run(
  script: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const identity = { name: 'Reader', email: 'reader@example.invalid' }
  const child = spawn('sh', ['-e', '-c', script], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...env,
      HOME: cwd,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: identity.name,
      GIT_AUTHOR_EMAIL: identity.email,
      GIT_COMMITTER_NAME: identity.name,
      GIT_COMMITTER_EMAIL: identity.email,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
