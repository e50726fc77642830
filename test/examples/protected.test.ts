import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Repository, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { filesOf } from '../../sandbox/story.ts'
import { runExample } from './run-example.ts'

const example = resolve(import.meta.dirname, '../../examples/protected')

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ ink: { timing: { queueMs: 10, rolloutMs: 10, deletionMs: 60, edgeDelayMs: 20 } } })
})
afterAll(() => sandbox.stop())

async function openPullRequest(name: string): Promise<{ repository: Repository; first: string; head: string }> {
  const repository = await sandbox.github.createRepository({ owner: 'acme', name })
  const first = await repository.pushTo('main', await filesOf(example))
  const change = { branch: 'change', parent: first, files: { 'NOTES.md': 'x' }, message: 'Change' }
  const head = await repository.commit(change)
  await repository.openPullRequest({ head: 'change', title: 'Change' })
  return { repository, first, head }
}

/** The status that a path answers to this user and password. */
async function enter(url: string, path: string, login?: string): Promise<number> {
  const headers = login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
  return (await fetch(new URL(path, url), { headers })).status
}

it('a preview asks for the password that only previews are given, and its health check needs none', async () => {
  const { repository, first, head } = await openPullRequest('guarded')
  const secrets = { PREVIEW_PASSWORD: 'open # sesame' }
  const opened = await repository.event('pull_request', { action: 'opened', number: 1 })
  const preview = await runExample(sandbox, { example, repository, event: opened, secrets })
  expect(preview.outputs.status ?? preview.log).toBe('live')
  const { url = '' } = preview.outputs
  expect(await (await fetch(new URL('/healthz', url))).text()).toBe(`ok ${head}\n`)
  expect([
    await enter(url, '/'),
    await enter(url, '/', 'preview:guess'),
    await enter(url, '/', 'preview:open # sesame'),
  ]).toEqual([401, 401, 200])

  const pushed = await repository.event('push', { after: first })
  const production = await runExample(sandbox, { example, repository, event: pushed, secrets })
  expect(production.outputs.status ?? production.log).toBe('live')
  expect(await enter(production.outputs.url ?? '', '/')).toBe(200)
}, 90_000)

it('a preview whose password is missing is live and lets nobody in', async () => {
  const { repository } = await openPullRequest('forgotten')
  const event = await repository.event('pull_request', { action: 'opened', number: 1 })
  const { outputs, log } = await runExample(sandbox, { example, repository, event })
  expect(outputs.status ?? log).toBe('live')
  expect([await enter(outputs.url ?? '', '/'), await enter(outputs.url ?? '', '/', 'preview:')]).toEqual([401, 401])
}, 60_000)
