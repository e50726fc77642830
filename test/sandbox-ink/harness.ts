import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { type CallToolResult, McpError } from '@modelcontextprotocol/sdk/types.js'
import { layOutRepository } from '../../sandbox/empty-repository.ts'
import { type InkOptions, type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { headOf, treeEntry, writeObject } from '../source/scratch.ts'
import { compileOnce } from '../support/compile-once.ts'

const execute = promisify(execFile)

/** Timing that keeps the tests quick without making anything instantaneous. */
const QUICK = { queueMs: 10, rolloutMs: 10, deletionMs: 150, edgeDelayMs: 80, windDownMs: 100, healthGateMs: 10_000 }

export interface Ink extends AsyncDisposable {
  readonly platform: InkPlatform
  readonly client: Client
  /** Calls a tool; returns its structured result, or throws with its text when it failed. */
  call(tool: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>
  /** Calls a tool and returns the text of its failure. */
  refusal(tool: string, args?: Record<string, unknown>): Promise<string>
  /** Calls a tool and returns the code and text of the JSON-RPC error. */
  rpcError(tool: string, args?: Record<string, unknown>): Promise<[code: number, text: string]>
  raw(tool: string, args?: Record<string, unknown>): Promise<CallToolResult>
  /** Creates a repository and pushes a commit with these files to a branch; returns the commit. */
  push(repo: string, files: Record<string, string>, branch?: string): Promise<string>
  /** A working tree with these files, committed, whose index is made by the first `git add`; removed with the harness. */
  workingTree(files: Record<string, string>): Promise<string>
}

/** Starts a platform and a real MCP client on it. */
export async function startInk(options: InkOptions = {}): Promise<Ink> {
  const platform = await startInkPlatform({ ...options, timing: { ...QUICK, ...options.timing } })
  const client = await connect(platform.endpoint, platform.apiKey)
  const folders: string[] = []
  const raw = async (tool: string, args: Record<string, unknown> = {}) =>
    (await client.callTool({ name: tool, arguments: args })) as CallToolResult

  async function call(tool: string, args?: Record<string, unknown>) {
    const result = await raw(tool, args)
    if (result.isError) throw new Error(textOf(result))
    return result.structuredContent as Record<string, unknown>
  }
  async function workingTree(files: Record<string, string>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'ink-test-'))
    folders.push(folder)
    await layOutRepository(join(folder, '.git'), { branch: 'main', bare: false })
    await writeFiles(folder, files)
    await commitFirst(folder, files)
    return folder
  }
  return {
    platform,
    client,
    call,
    raw,
    workingTree,
    async refusal(tool, args) {
      const result = await raw(tool, args)
      return result.isError ? textOf(result) : `no refusal: ${textOf(result)}`
    },
    async rpcError(tool, args) {
      try {
        return [0, `no error: ${textOf(await raw(tool, args))}`]
      } catch (error) {
        if (!(error instanceof McpError)) throw error
        return [error.code, error.message.replace(/^MCP error -?\d+: /, '')]
      }
    },
    async push(repo, files, branch = 'main') {
      const { git_remote: remote } = await call('create_repo', { name: repo })
      const folder = await workingTree(files)
      await git(folder, 'push', '--quiet', '--force', String(remote), `HEAD:refs/heads/${branch}`)
      return await headOf(folder)
    },
    async [Symbol.asyncDispose]() {
      await client.close().catch(() => {})
      await platform.stop()
      await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
    },
  }
}

export async function connect(endpoint: string, apiKey: string): Promise<Client> {
  const client = new Client({ name: 'sandbox-test', version: '1.0.0' }, { jsonSchemaValidator: compileOnce })
  const transport = new StreamableHTTPClientTransport(new URL(endpoint), {
    requestInit: { headers: { Authorization: `Bearer ${apiKey}` } },
  })
  await client.connect(transport as Parameters<typeof client.connect>[0])
  return client
}

/** The JSON-RPC answer of a response, which comes as JSON or as the one event of a stream. */
export async function messageOf(response: Response): Promise<unknown> {
  const body = await response.text()
  return JSON.parse(/^data: (.*)$/m.exec(body)?.[1] ?? body)
}

export function textOf(result: CallToolResult): string {
  const [first] = result.content
  return first?.type === 'text' ? first.text : ''
}

export async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
}

export async function commitAll(folder: string): Promise<string> {
  await git(folder, 'add', '--all')
  await git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'Change')
  return await headOf(folder)
}

/** Commits files to the main branch of a new repository, of which there are more than a hundred, without starting git. */
async function commitFirst(folder: string, files: Record<string, string>): Promise<void> {
  const person = `${identity.name} <${identity.email}> ${Math.floor(Date.now() / 1000)} +0000`
  const tree = await writeTree(folder, files)
  const commit = await writeObject(folder, 'commit', `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\nChange\n`)
  await writeFile(join(folder, '.git/refs/heads/main'), `${commit}\n`)
}

async function writeTree(repository: string, files: Record<string, string>): Promise<string> {
  const entries = new Map<string, Buffer>()
  const folders = new Map<string, Record<string, string>>()
  for (const [path, content] of Object.entries(files)) {
    const [, folder, rest = ''] = /^(.+?)\/(.+)$/.exec(path) ?? []
    if (folder !== undefined) folders.set(folder, { ...folders.get(folder), [rest]: content })
    else entries.set(path, treeEntry('100644', path, await writeObject(repository, 'blob', content)))
  }
  for (const [folder, inside] of folders)
    entries.set(`${folder}/`, treeEntry('40000', folder, await writeTree(repository, inside)))
  // Git sorts folders as if their names ended in a slash.
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
  return await writeObject(repository, 'tree', Buffer.concat(sorted.map(([, entry]) => entry)))
}

const identity = { name: 'Test', email: 'test@example.invalid' }

/** Runs git away from the machine's configuration; what it fails with is in the error's message. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute('git', args, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      // Otherwise a commit starts a process to see whether there is to tidy up.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'maintenance.auto',
      GIT_CONFIG_VALUE_0: 'false',
      GIT_AUTHOR_NAME: identity.name,
      GIT_AUTHOR_EMAIL: identity.email,
      GIT_COMMITTER_NAME: identity.name,
      GIT_COMMITTER_EMAIL: identity.email,
    },
  })
  return stdout
}

/** Waits until a condition holds; fails with its description after `timeoutMs`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 25_000): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/**
 * Waits until an app has printed a text and returns its log. An app is reached as soon as it listens; what it prints is read a
 * moment later, so that nothing else may be waited for.
 */
export async function untilSaid(ink: Ink, service: string, text: string): Promise<readonly string[]> {
  const log = () => ink.platform.service(service)?.runtimeLog ?? []
  await until(`${service} says ${text}`, () => log().some((line) => line.includes(text)))
  return log()
}

/** Fetches a URL and returns status and body, without keeping the connection. */
export async function get(url: string): Promise<{ status: number; body: string }> {
  const response = await fetch(url, { headers: { connection: 'close' } })
  return { status: response.status, body: await response.text() }
}

export async function untilAnswers(url: string, status = 200): Promise<string> {
  let body = ''
  await until(`${url} answers ${status}`, async () => {
    const answer = await get(url)
    body = answer.body
    return answer.status === status
  })
  return body
}

/** A Node app without dependencies that answers with a variable of its environment; `extra` is added to its code. */
export function nodeApp(extra = ''): Record<'package.json' | 'app.mjs', string> {
  return {
    'package.json': JSON.stringify({ main: 'app.mjs' }),
    'app.mjs': `import { createServer } from 'node:http'
      createServer((request, response) => response.end(process.env.GREETING ?? 'hello')).listen(process.env.PORT)
      ${extra}`,
  }
}
