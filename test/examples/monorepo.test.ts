import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { filesOf } from '../../sandbox/story.ts'
import { runExample } from './run-example.ts'

const example = resolve(import.meta.dirname, '../../examples/monorepo')

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ ink: { timing: { queueMs: 10, rolloutMs: 10, deletionMs: 60, edgeDelayMs: 20 } } })
})
afterAll(() => sandbox.stop())

it('a pull request gets front end and API with a database, wired to each other, and its close takes all of it away', async () => {
  const repository = await sandbox.github.createRepository({ owner: 'acme', name: 'shop' })
  const first = await repository.pushTo('main', await filesOf(example))
  const head = await repository.commit({
    branch: 'change',
    parent: first,
    files: { 'web/greeting.js': "export const greeting = 'Hello, you'\n" },
    message: 'Greet',
  })
  const { number } = await repository.openPullRequest({ head: 'change', title: 'Greet' })
  const event = await repository.event('pull_request', { action: 'opened', number })
  const opened = await runExample(sandbox, { example, repository, event })
  expect(opened.outputs.status ?? opened.log).toBe('live')
  const services = JSON.parse(opened.outputs.services ?? '{}')
  expect(services).toMatchObject({
    web: { status: 'live', commit: head, service: `acme-shop-pr-${number}` },
    api: { status: 'live', commit: head, service: `acme-shop-api-pr-${number}` },
  })
  const page = await (await fetch(services.web.url)).text()
  expect(page).toContain('Hello, you')
  expect(page).toContain('The API says: <em>read from a database of its own</em>')
  expect(page).toContain(head)

  await repository.close(number)
  const closing = await repository.event('pull_request', { action: 'closed', number })
  const closed = await runExample(sandbox, { example, repository, event: closing })
  expect(closed.outputs.status ?? closed.log).toBe('removed')
  expect(sandbox.ink.services()).toEqual([])
  expect(sandbox.github.violations).toEqual([])
}, 120_000)
