import { access, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import type { InkPlatform } from '../../sandbox/ink/platform.ts'
import { startInkPlatform } from '../../sandbox/ink/platform.ts'
import { costPerDay } from '../../src/ink/account.ts'
import { findCommand } from '../../src/plan/event.ts'
import { settingTable } from '../../src/plan/setting-table.ts'
import { parseSettings } from '../../src/plan/settings.ts'
import { decodeState } from '../../src/report/state.ts'
import { readInputs } from '../../src/runner/load-run.ts'
import { openStage, type Scene, type Stage } from '../flows/stage.ts'
import { inputDefaults } from '../plan/plan-inputs.ts'
import { nodeApp, writeFiles } from '../sandbox-ink/harness.ts'
import { readDocument, skillFolder } from './document.ts'
import { codeSpans } from './markdown.ts'
import { connect, openReader, type Reader } from './reader.ts'

const skill = await readDocument('SKILL.md')
/** What the skill leads to where a task asks for it. */
const [connecting, apps, domains, refusals, action] = await Promise.all(
  ['connect', 'apps', 'domains', 'refusals', 'action'].map((name) => readDocument(`references/${name}.md`)),
)
const all = [skill, connecting, apps, domains, refusals, action]
const together = {
  snippets: all.flatMap((document) => document?.snippets ?? []),
  tables: all.flatMap((document) => document?.tables ?? []),
  codes: all.flatMap((document) => document?.codes ?? []),
  text: all.map((document) => document?.text).join('\n'),
}
const cleaning = skill.instructions.findIndex((one) => one.kind === 'call' && one.call.tool === 'delete_service')
/** The skill in its order, and before it cleans up what it leads to. */
const instructions = [
  ...skill.instructions.slice(0, cleaning),
  ...[connecting, apps, domains, refusals, action].flatMap((document) => document?.instructions ?? []),
  ...skill.instructions.slice(cleaning),
]
const current = await readDocument('references/current-generation.md')
const root = resolve(skillFolder, '../..')

// As much of an MCP server as a look at its tools takes. A real one is in examples/mcp-server, with a test of its own.
const listsTools = `import { createServer } from 'node:http'
  const result = { tools: [{ name: 'count_words', inputSchema: { type: 'object' } }] }
  createServer((request, response) => {
    if (request.method !== 'POST' || request.url !== '/mcp') return response.writeHead(404).end()
    response.setHeader('content-type', 'application/json')
    request.resume().on('end', () => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result })))
  }).listen(process.env.PORT)`

/** What the skill calls the reader’s own. */
async function writeApps(folder: string): Promise<void> {
  const api = nodeApp()
  await writeFiles(folder, {
    'my-site/index.html': 'First version',
    'my-api/package.json': api['package.json'],
    'my-api/app.mjs': api['app.mjs'].replace('GREETING', 'DATABASE_URL'),
    'my-shop/web/index.html': 'the shop',
    'my-shop/api/package.json': api['package.json'],
    'my-shop/api/app.mjs': api['app.mjs'],
    'my-mcp-server/package.json': api['package.json'],
    'my-mcp-server/app.mjs': listsTools,
  })
}

const folders: string[] = []
async function workFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skill-'))
  folders.push(folder)
  await writeApps(folder)
  return folder
}
afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})

function reach(ink: InkPlatform) {
  return { url: ink.endpoint, headers: { Authorization: `Bearer ${ink.apiKey}` } }
}

describe('every call and every command of the skill, in its order', () => {
  let stage: Stage
  let scene: Scene
  let reader: Reader
  let folder: string
  beforeAll(async () => {
    stage = await openStage({ credits: { balance_usd: 20 } })
    stage.ink.delegateZone('example.com')
    scene = await stage.scene()
    const { number } = await scene.open('hello')
    await scene.act('pull_request', { action: 'opened', number })
    folder = await workFolder()
    const client = await connect(reach(stage.ink))
    const { repository } = scene
    reader = await openReader(client, folder, {
      INK_API_KEY: stage.ink.apiKey,
      REPO: repository.fullName,
      PULL: String(number),
      GH_TOKEN: stage.github.token({ repository, kind: 'user', permissions: { 'pull-requests': 'write' } }),
      STAND_IN_ENDPOINT: stage.ink.endpoint,
      STAND_IN_GITHUB: stage.github.apiUrl,
      STAND_IN_CLAUDE: join(folder, 'claude.json'),
      STAND_IN_SECRET: join(folder, 'secret.json'),
    })
    for (const instruction of instructions) await reader.follow(instruction)
    await client.close()
  }, 60_000)
  afterAll(async () => stage[Symbol.asyncDispose]())

  it('works, and prints what the reader wants to see', () => {
    const [tools, site, mcpTools] = reader.printed.filter((output) => /"tools":|^First version/.test(output))
    expect(tools).toContain('"create_service"')
    expect(site).toBe('First version')
    expect(mcpTools).toContain('"count_words"')
  })

  it('uses each tool that the platform has', async () => {
    const client = await connect(reach(stage.ink))
    const listed = (await client.listTools()).tools.map(({ name }) => name)
    await client.close()
    expect(listed.filter((name) => !reader.called.has(name))).toEqual([])
  })

  it('leaves nothing behind that it made', async () => {
    const left = () => stage.ink.services().filter(({ name }) => name !== scene.preview(1))
    await expect.poll(left).toEqual([])
    expect(stage.ink.databases()).toEqual([])
  })

  it('configures Claude Code so that it reaches the tools', async () => {
    await expectTools(JSON.parse(await readFile(join(folder, 'claude.json'), 'utf8')), stage.ink)
  })

  it('saves the key as a secret', async () => {
    expect(JSON.parse(await readFile(join(folder, 'secret.json'), 'utf8'))).toEqual({
      repo: scene.repository.fullName,
      name: 'INK_API_KEY',
      value: stage.ink.apiKey,
    })
  })

  it('asks for a command in a comment, and reads the state of the action’s own', () => {
    const comments = scene.repository.comments(1)
    expect(comments.map(({ body }) => findCommand(body)?.name)).toContain('logs')
    const card = comments.find(({ body }) => body.includes('ink-deploy:card'))?.body ?? ''
    expect(JSON.parse(reader.printed.at(-1) ?? '')).toEqual({ version: 1, rows: decodeState(card) })
    expect(decodeState(card)).toMatchObject([{ status: 'live', url: expect.any(String) }])
  })
})

it('every call and every command for the current generation works in its order, uses each tool, and leaves nothing', async () => {
  const timing = { queueMs: 10, rolloutMs: 10, deletionMs: 60, edgeDelayMs: 20 }
  await using ink = await startInkPlatform({ profile: 'g2', insight: true, timing })
  ink.delegateZone('example.com')
  const folder = await workFolder()
  const client = await connect(reach(ink))
  const reader = await openReader(client, folder, {})
  for (const instruction of current.instructions) await reader.follow(instruction)
  const listed = (await client.listTools()).tools.map(({ name }) => name)
  await client.close()
  expect(reader.printed).toContain('First version')
  expect(listed.filter((name) => !reader.called.has(name))).toEqual([])
  await expect.poll(() => ink.services()).toEqual([])
  expect(ink.volumes()).toEqual([])
})

describe('the names of both generations', () => {
  const [, ...rows] = current.tables[0] ?? []
  it.each([
    ['g1', 1],
    ['g2', 2],
  ] as const)('%s: each tool that the platform has is in the table', async (profile, column) => {
    await using ink = await startInkPlatform({ profile, credits: {}, insight: true })
    const client = await connect(reach(ink))
    const listed = (await client.listTools()).tools.map(({ name }) => name)
    await client.close()
    const told = rows.flatMap((row) => codeSpans(row[column] ?? ''))
    expect(listed.filter((name) => !told.includes(name))).toEqual([])
  })
})

/** A server of a client’s configuration; Hermes and Cursor take the transport from `url`. */
const server = z.strictObject({
  type: z.literal('http').optional(),
  url: z.literal('https://mcp.ml.ink/mcp'),
  headers: z.strictObject({ Authorization: z.string() }),
})

async function expectTools(configured: unknown, ink: InkPlatform): Promise<void> {
  const { headers } = server.parse(configured)
  const client = await connect({ url: ink.endpoint, headers })
  expect((await client.listTools()).tools.length).toBeGreaterThan(10)
  await client.close()
}

describe('set-up', () => {
  const hermes = z.strictObject({ mcp_servers: z.strictObject({ ink: server }) })
  const others = z.strictObject({ mcpServers: z.strictObject({ ink: server }) })
  const configured = together.snippets.flatMap(({ content }) => {
    if (content.includes('mcp_servers')) return [hermes.parse(parse(content)).mcp_servers.ink]
    return content.includes('mcpServers') ? [others.parse(JSON.parse(content)).mcpServers.ink] : []
  })

  it('is there for Hermes Agent, Claude Code and Cursor, in the variables that each knows', () => {
    expect(configured.map(({ headers }) => headers.Authorization)).toEqual([
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are the clients’ own
      'Bearer ${INK_API_KEY}',
      'Bearer ${INK_API_KEY}',
      'Bearer ${env:INK_API_KEY}',
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are the clients’ own
    ])
  })

  it('reaches the tools', async () => {
    await using ink = await startInkPlatform()
    for (const { headers, ...rest } of configured) {
      const filled = headers.Authorization.replace(/\$\{(env:)?INK_API_KEY\}/, ink.apiKey)
      await expectTools({ ...rest, headers: { Authorization: filled } }, ink)
    }
  })
})

describe('what the skill says of the action', () => {
  it('is the workflow of the README', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8')
    const workflow = together.snippets.find(({ content }) => content.includes('runs-on'))
    expect(readme).toContain(`\`\`\`yaml\n${workflow?.content}\n\`\`\``)
  })

  it('names inputs and values that there are', () => {
    const table = together.tables.find(([head]) => head?.[1]?.includes('with:')) ?? []
    const spans = table.slice(1).flatMap((row) => codeSpans(row[1] ?? ''))
    // Keys of the workflow itself.
    const given = spans.filter((code) => !/^(on|schedule):$/.test(code)).map((code) => code.split(/:\s*/))
    expect(given.length).toBeGreaterThan(5)
    for (const [name, value] of given) {
      expect(Object.keys(inputDefaults)).toContain(name)
      const environment = { [`INPUT_${name?.toUpperCase()}`]: value }
      const defaults = Object.fromEntries(
        Object.entries(inputDefaults).map(([input, preset]) => [`INPUT_${input.toUpperCase()}`, preset]),
      )
      const parsed = parseSettings(readInputs({ ...defaults, ...environment }), {
        secretsWithheld: false,
      })
      expect(parsed.ok ? [] : parsed.problems).toEqual([])
    }
  })

  it('finds the state as its description says, and logs in as the README says', async () => {
    const [state, readme] = await Promise.all(
      ['docs/state.md', 'README.md'].map((path) => readFile(join(root, path), 'utf8')),
    )
    const filter = /--jq '.+'/.exec(together.text)?.[0] ?? 'no filter'
    expect(state).toContain(filter)
    const login = together.codes.find((code) => code.endsWith(' login')) ?? 'no command'
    expect(login).toMatch(/^npx https:/)
    expect(readme).toContain(`\n${login}\n`)
  })

  it('names commands that there are', () => {
    const commands = together.codes.filter((code) => code.startsWith('/ink '))
    expect(commands.length).toBeGreaterThan(3)
    for (const command of commands) expect(findCommand(command)).not.toMatchObject({ unknown: expect.any(String) })
  })
})

it('the prices are those that the action estimates with', () => {
  const rates = {
    vcpuMinute: Number(settingTable['price-vcpu-minute'].fallback),
    gbMinute: Number(settingTable['price-gb-minute'].fallback),
  }
  const table = skill.tables.find(([head]) => head?.[0] === 'memory') ?? []
  expect(table.length).toBeGreaterThan(3)
  for (const [memory = '', vcpus = '', ...prices] of table.slice(1)) {
    const perDay = costPerDay({ memory, vcpus }, rates) ?? Number.NaN
    expect(prices).toEqual([`$${perDay.toFixed(2)}`, `$${(30 * perDay).toFixed(2)}`])
  }
  for (const rate of Object.values(rates)) expect(skill.text).toContain(`$${rate}`)
})

it('the skill is of the form that agents load', () => {
  const front = z.strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      .max(64),
    description: z.string().min(50).max(1024),
    license: z.string(),
  })
  expect(front.parse(parse(skill.front)).name).toBe(basename(skillFolder))
  expect(skill.text.split('\n').length).toBeLessThanOrEqual(221)
})

it.each([
  ['SKILL.md', skill],
  ['references/current-generation.md', current],
  ['references/connect.md', connecting],
  ['references/apps.md', apps],
  ['references/domains.md', domains],
  ['references/refusals.md', refusals],
  ['references/action.md', action],
])('every link of %s leads somewhere', async (name, document) => {
  const links = document?.links ?? []
  const ours = /^https:\/\/github\.com\/OWNER\/ink-deploy(?:\/(?:blob|tree)\/v1)?(?:\/|$)/
  for (const link of links) {
    if (ours.test(link)) await access(join(root, link.replace(ours, '')))
    if (link.startsWith('https://')) continue
    const path = resolve(skillFolder, name, '..', link)
    // The directory is copied away from the repository.
    expect(relative(skillFolder, path)).not.toMatch(/^\.\./)
    await access(path)
  }
})
