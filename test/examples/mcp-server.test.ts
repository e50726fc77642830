import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { type Repository, type Sandbox, startSandbox, type WebhookEvent } from '../../sandbox/index.ts'
import { decodeState } from '../../src/report/state.ts'
import { bundleMcpServer, mcpServer } from './mcp-server-bundle.ts'
import { runExample } from './run-example.ts'

const manifest = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()),
})
let sandbox: Sandbox
let folder: string
beforeAll(async () => {
  sandbox = await startSandbox({ ink: { timing: { queueMs: 10, rolloutMs: 10, deletionMs: 60, edgeDelayMs: 20 } } })
  folder = await mkdtemp(join(tmpdir(), 'mcp-server-'))
  await bundleMcpServer(folder)
}, 60_000)
afterAll(async () => {
  await sandbox.stop()
  await rm(folder, { recursive: true, force: true })
})

async function sources(): Promise<Record<string, string>> {
  const names = (await readdir(mcpServer)).filter((name) => /\.(js|json|md)$/.test(name))
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(mcpServer, name), 'utf8')] as const)),
  )
}

/** With what the example's build step leaves behind. */
function run(repository: Repository, event: WebhookEvent) {
  return runExample(sandbox, {
    example: mcpServer,
    repository,
    event,
    prepare: async (workspace) => {
      if (event.payload.action !== 'closed') await cp(folder, join(workspace, 'dist'), { recursive: true })
    },
  })
}

async function callOverMcp(url: string, name: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const client = new Client({ name: 'example-test', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url))
  await client.connect(transport as Parameters<Client['connect']>[0])
  try {
    return (await client.callTool({ name, arguments: args })).content
  } finally {
    await client.close()
  }
}

it('the example is live once its handshake worked, says how many tools it has, and is removed with its pull request', async () => {
  const repository = await sandbox.github.createRepository({ owner: 'acme', name: 'tools' })
  const first = await repository.pushTo('main', await sources())
  const head = await repository.commit({
    branch: 'change',
    parent: first,
    files: { 'NOTES.md': 'x' },
    message: 'Change',
  })
  const { number } = await repository.openPullRequest({ head: 'change', title: 'Change' })

  const opened = await run(repository, await repository.event('pull_request', { action: 'opened', number }))
  expect(opened.outputs.status ?? opened.log).toBe('live')
  const card = repository.comments(number).find(({ body }) => body.includes('ink-deploy:card'))?.body ?? ''
  expect(card).toContain('2 MCP tools')
  expect(decodeState(card)).toMatchObject([{ status: 'live', health: { tools: 2 } }])
  expect(opened.log).toContain('2 MCP tools')

  const url = opened.outputs.url ?? ''
  expect(await callOverMcp(url, 'deployed_commit')).toEqual([{ type: 'text', text: head }])
  expect(await callOverMcp(url, 'count_words', { text: 'one two  three' })).toEqual([{ type: 'text', text: '3' }])

  await repository.close(number)
  const closed = await run(repository, await repository.event('pull_request', { action: 'closed', number }))
  expect(closed.outputs.status).toBe('removed')
  expect(sandbox.ink.services()).toEqual([])
})

it('the example is built and run with the versions that it pins', async () => {
  const read = async (path: string) => manifest.parse(JSON.parse(await readFile(path, 'utf8')))
  const example = await read(join(mcpServer, 'package.json'))
  const own = await read(join(mcpServer, '../../package.json'))
  const all = { ...own.dependencies, ...own.devDependencies }
  const wanted = { ...example.dependencies, ...example.devDependencies }
  expect(wanted).toEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, all[name]])))
})
