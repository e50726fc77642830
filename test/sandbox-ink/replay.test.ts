import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { until } from './harness.ts'

/**
 * The recorded calls (see recordings/README.md), made to the sandbox in the same order. What it answers is what the platform has
 * answered, but for what the recordings call neutral.
 */

interface RecordedCall {
  readonly name: string
  readonly tool?: string
  readonly arguments?: Record<string, unknown>
  readonly http?: { method: string; path: string; headers: Record<string, string>; body?: string }
  readonly answer: unknown
}

const read = (file: string) => JSON.parse(readFileSync(new URL(`recordings/${file}`, import.meta.url), 'utf8'))
const calls = read('g1-calls.json') as RecordedCall[]

let ink: InkPlatform
/** `<owner>/<slug>` of the first repository, which the recordings write as OWNER/web-SLUG. */
let repository = ''
let records: { id: string }[] = []

beforeAll(async () => {
  ink = await startInkPlatform({
    github: false,
    databaseAddress: (_user, name) => `libsql://me-${name}-org.turso.io`,
    timing: { queueMs: 20, windDownMs: 0, deletionMs: 1, buildRetryMs: 3_000 },
  })
})
afterAll(async () => {
  await ink.stop()
})

const gone = () =>
  until('svc1 is gone', () => !ink.services().some(({ name, project }) => name === 'svc1' && project === 'default'))

/** What had happened between two calls when they were recorded. */
const meanwhile: Readonly<Record<string, () => unknown>> = {
  'get_service ok': () => ink.waitForStatus('svc1', ['building']),
  'get_service later': () => until('all have failed', () => ink.services().every(({ status }) => status === 'failed')),
  'get right after delete': gone,
  'get after delete': gone,
  'list_delegations 2': () => {
    ink.delegateZone('zone.example.com')
    ink.delegateZone('zone.example.net', 'pending_verification')
  },
}

/** Arguments that were lost in recording. */
const lost: Readonly<Record<string, () => Record<string, unknown>>> = {
  'create empty memory': () => ({ memory: '' }),
  'dns delete': () => ({ record_id: records[0]?.id }),
}

test.each(calls.map((call) => [call.name, call] as const))('%s', async (name, call) => {
  await meanwhile[name]?.()
  const answer = call.http === undefined ? await callTool(call) : await send(call.http)
  expect(neutral(answer)).toEqual(neutral(call.answer))
})

async function callTool({ name, tool, arguments: args }: RecordedCall): Promise<unknown> {
  const filled = { ...(JSON.parse(fill(JSON.stringify(args))) as object), ...lost[name]?.() }
  const { body } = await send({
    method: 'POST',
    path: '',
    headers: {
      authorization: 'Bearer KEY',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: filled } }),
  })
  const { result, error } = JSON.parse(/^data: (.*)$/m.exec(body)?.[1] ?? body)
  if (error !== undefined) return { rpcError: error }
  const [{ text }] = result.content
  if (result.isError) return { error: text, structured: result.structuredContent, keys: Object.keys(result) }
  const { structuredContent: ok } = result
  if (repository === '' && tool === 'create_repo') repository = new URL(ok.git_remote).pathname.slice(1, -'.git'.length)
  if (tool === 'list_dns_records') records = ok.records
  return { ok, textSame: isDeepStrictEqual(JSON.parse(text), ok), textJson: true, n: result.content.length }
}

async function send({ method, path, headers, body }: NonNullable<RecordedCall['http']>) {
  const response = await fetch(new URL(path, ink.endpoint), {
    method,
    headers: JSON.parse(fill(JSON.stringify(headers))) as Record<string, string>,
    ...(body === undefined ? {} : { body }),
  })
  // What every HTTP server adds by itself was not recorded.
  const added = new Set(['date', 'connection', 'keep-alive', 'content-length'])
  const told = [...response.headers].filter(([name]) => !added.has(name))
  return { status: response.status, headers: Object.fromEntries(told), body: await response.text() }
}

/** Puts what is true here in place of what the recordings made neutral. */
function fill(text: string): string {
  const [, slug = ''] = repository.split('/')
  return text.replaceAll('OWNER/web-SLUG', repository).replaceAll('web-SLUG', slug).replaceAll('KEY', ink.apiKey)
}

/** Makes neutral what was made neutral in the recordings. A body that was cut there (…) is cut here. */
function neutral(answer: unknown): unknown {
  const text = JSON.stringify(answer, (key, value: unknown) => {
    if (/^(.*_)?id$/.test(key) && typeof value === 'string' && value !== '') return 'ID'
    if (key === 'mcp-session-id') return 'SESSION'
    if (key === 'auth_token' && String(value).startsWith('ey')) return 'JWT'
    return value
  })
  const owner = repository.split('/')[0] || 'OWNER'
  const plain = text
    .replaceAll(/http:\/\/(x-git-token:[^@"]*@)?127\.0\.0\.1:\d+/g, 'http://$1HOST')
    .replaceAll(/mlg_[\w-]{43}/g, 'mlg_TOKEN')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
    .replaceAll(new RegExp(`(?<=[/"])${owner}/`, 'g'), 'OWNER/')
    .replaceAll(/(web|Web|c)-(?:[a-z0-9]{4}|SLUG)\b/g, '$1-SLUG')
    .replaceAll(/(workflow_id: deploy|workflowID: build|\/tmp\/build)-[\w-]+/g, '$1-ID')
    .replaceAll(/runID: [\w-]+/g, 'runID: ID')
    .replaceAll(/identity: [^)]+\)/g, 'identity: WORKER)')
    .replaceAll(/validating \S+\/([a-z-]+-input):/g, 'validating SCHEMA/$1:')
    .replaceAll(/\bme\.example\b/g, 'zone.example')
    .replaceAll(/("body":".*?\\"listChanged\\":true\}\},)[^…].*?\\n\\n"/g, '$1…"')
  return JSON.parse(plain)
}

test('tools/list is what was recorded', async () => {
  const { body } = await send({
    method: 'POST',
    path: '',
    headers: {
      authorization: 'Bearer KEY',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  })
  const { result } = JSON.parse(/^data: (.*)$/m.exec(body)?.[1] ?? body)
  const bare = JSON.parse(
    JSON.stringify(result.tools, (key, value) =>
      key === 'description' && typeof value === 'string' ? undefined : value,
    ),
  )
  expect(bare).toEqual(read('g1-tools.json'))
})
