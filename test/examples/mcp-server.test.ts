import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { runAction } from '../../sandbox/runner/runner.ts'
import { decodeState } from '../../src/report/state.ts'
import { useStage } from '../flows/use-stage.ts'
import { exampleFolder, openPullRequest, ownWorkflow, readStep, runExample } from './run-example.ts'

const example = 'mcp-server'
const own = resolve(import.meta.dirname, '../..')
const manifest = z.object({
  scripts: z.object({ build: z.string() }),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()),
})
const manifestIn = async (folder: string) =>
  manifest.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')))

const stage = useStage({ timing: { healthGateMs: 60_000 } })
let built: string
beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'mcp-server-'))
  await build(built)
})
afterAll(async () => rm(built, { recursive: true, force: true }))

/**
 * Does what `npm run build` does, in a copy of the example. Its dependencies are those of this repository, in the same
 * versions, so that nothing has to be fetched.
 */
async function build(folder: string): Promise<void> {
  const isSource = (path: string) => !/[\\/](node_modules|dist)$/.test(path)
  await cp(exampleFolder(example), folder, { recursive: true, filter: isSource })
  await symlink(join(own, 'node_modules'), join(folder, 'node_modules'))
  const { scripts } = await manifestIn(folder)
  const PATH = [join(own, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  await promisify(execFile)('sh', ['-c', scripts.build], { cwd: folder, env: { ...process.env, PATH } })
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
  const { scene, head, number } = await openPullRequest(stage, example, { 'NOTES.md': 'x' })
  const { repository } = scene
  const { ink, github } = stage
  const event = await repository.event('pull_request', { action: 'opened', number })
  const { permissions, inputs } = await readStep(stage, ownWorkflow(example), event)
  // By the bundle, which speaks MCP with an app here alone.
  const opened = await runAction({
    action: own,
    github,
    repository,
    event,
    permissions,
    with: { endpoint: ink.endpoint, ...inputs },
    secrets: [ink.apiKey],
    prepare: (workspace) => cp(join(built, 'dist'), join(workspace, 'dist'), { recursive: true }),
  })
  expect(opened.outputs.status ?? opened.log).toBe('live')
  const card = repository.comments(number).find(({ body }) => body.includes('ink-deploy:card'))?.body ?? ''
  expect(card).toContain('2 MCP tools')
  expect(decodeState(card)).toMatchObject([{ status: 'live', health: { tools: 2 } }])
  expect(opened.log).toContain('2 MCP tools')

  const url = opened.outputs.url ?? ''
  expect(await callOverMcp(url, 'deployed_commit')).toEqual([{ type: 'text', text: head }])
  expect(await callOverMcp(url, 'count_words', { text: 'one two  three' })).toEqual([{ type: 'text', text: '3' }])

  // At its close nothing has been built.
  await repository.close(number)
  const closing = await repository.event('pull_request', { action: 'closed', number })
  expect((await runExample(stage, example, scene, closing)).told).toBe('removed')
  expect(ink.services()).toEqual([])
})

it('the example is built and run with the versions that it pins', async () => {
  const pinned = await manifestIn(exampleFolder(example))
  const here = manifest.omit({ scripts: true }).parse(JSON.parse(await readFile(join(own, 'package.json'), 'utf8')))
  const all = { ...here.dependencies, ...here.devDependencies }
  const wanted = { ...pinned.dependencies, ...pinned.devDependencies }
  expect(wanted).toEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, all[name]])))
})
