import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Repository, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { whyNoGo } from '../support/go.ts'
import { runWorkflow, type WorkflowRun } from './act.ts'

const reason = whyNoGo()
if (reason !== undefined) console.log(`npm run test:runner: ${reason}`)

const root = new URL('../..', import.meta.url)
const examples = (await readdir(new URL('examples/workflows', root))).filter((name) => name.endsWith('.yml'))
const readme = await readFile(new URL('README.md', root), 'utf8')
/** The first workflow of the README, which is the one to begin with. */
const firstWorkflow = /```yaml\n(# \.github\/workflows\/[\s\S]*?)```/.exec(readme)?.[1] ?? ''

/** Every workflow that the project shows to its users. */
const written = [
  ['the README’s first workflow', firstWorkflow] as const,
  ...(await Promise.all(
    examples.map(async (name) => [name, await readFile(new URL(`examples/workflows/${name}`, root), 'utf8')] as const),
  )),
]

const lock = {
  name: 'site',
  version: '1.0.0',
  lockfileVersion: 3,
  requires: true,
  packages: { '': { name: 'site', version: '1.0.0' } },
}
const build =
  "const { mkdirSync, writeFileSync } = require('node:fs'); mkdirSync('dist', { recursive: true }); writeFileSync('dist/index.html', '<h1>built</h1>')"
/** What every workflow finds something to deploy in: a page. */
const files = {
  'index.html': '<h1>Hello</h1>\n',
}
/** The same with a build of one's own, for workflows that build before they deploy. */
const filesToBuild = {
  ...files,
  'build.cjs': `${build}\n`,
  'package.json': JSON.stringify({ name: 'site', version: '1.0.0', scripts: { build: 'node build.cjs' } }),
  'package-lock.json': JSON.stringify(lock),
}

describe.skipIf(reason !== undefined)('in nektos/act', () => {
  let sandbox: Sandbox
  let repository: Repository
  let last = 0

  beforeAll(async () => {
    sandbox = await startSandbox()
  })

  afterAll(async () => {
    expect(sandbox.github.violations).toEqual([])
    await sandbox.stop()
  })

  /** A repository of its own for each test, with a pull request that changes everything. */
  async function openRepository(given: Readonly<Record<string, string>> = files): Promise<number> {
    last += 1
    repository = await sandbox.github.createRepository({ owner: 'acme', name: `site-${last}` })
    const parent = await repository.commit({ branch: 'main', files: given, message: 'Start' })
    const changed = { 'index.html': '<h1>Changed</h1>\n' }
    await repository.commit({ branch: 'feature', parent, files: changed, message: 'Change' })
    const { number } = await repository.openPullRequest({ head: 'feature', labels: ['preview'] })
    return number
  }

  const play = (event: WorkflowRun['event'], workflow: string, more: Partial<WorkflowRun> = {}) =>
    runWorkflow({ sandbox, repository, event, workflow, ...more })
  const push = () => repository.event('push')
  const pull = (number: number, action: string) => repository.event('pull_request', { action, number })

  it.each(written)('%s deploys a push, previews a pull request and takes it down', async (_, workflow) => {
    const number = await openRepository(workflow.includes('npm ci') ? filesToBuild : files)
    const secrets = { API_TOKEN: 'a-token-of-the-app' }
    const kind = workflow.includes('pull_request_target:') ? 'pull_request_target' : 'pull_request'
    const production = await play(await push(), workflow, { secrets })
    expect(production.succeeded, production.log).toBe(true)
    expect(production.outputs).toMatchObject({ action: 'production', status: 'live' })
    const opened = await play(await repository.event(kind, { action: 'opened', number }), workflow, { secrets })
    expect(opened.succeeded, opened.log).toBe(true)
    expect(opened.outputs).toMatchObject({ action: 'preview', status: 'live' })
    const address = opened.outputs.url ?? ''
    expect((await fetch(address)).status).toBe(200)
    await repository.close(number)
    const closed = await play(await repository.event(kind, { action: 'closed', number }), workflow, { secrets })
    expect(closed.succeeded, closed.log).toBe(true)
    expect(closed.outputs).toMatchObject({ action: 'teardown', status: 'removed' })
    expect(closed.log).not.toContain(secrets.API_TOKEN)
  })

  it('the full example obeys a comment and a dispatch with inputs, and leaves other comments alone', async () => {
    const number = await openRepository()
    const workflow = await readFile(new URL('examples/workflows/full.yml', root), 'utf8')
    const comment = async (body: string) => {
      const { id } = repository.comment(number, body, 'acme')
      return play(await repository.event('issue_comment', { number, commentId: id, sender: 'acme' }), workflow)
    }
    expect((await comment('Looks good')).jobs).toEqual({})
    const deployed = await comment('/ink deploy')
    expect(deployed.succeeded, deployed.log).toBe(true)
    expect(deployed.outputs).toMatchObject({ action: 'preview', status: 'live' })
    const inputs = { 'pr-number': String(number), command: 'auto', 'rollback-to': '' }
    const dispatched = await play(await repository.event('workflow_dispatch', { inputs }), workflow)
    expect(dispatched.outputs).toMatchObject({ action: 'preview' })
  })

  /** The job of a workflow that deploys, with steps before or after. */
  const job = (steps: string) => `name: Test
on: [push, pull_request]
permissions: { contents: read, pull-requests: write, deployments: write }
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
${steps}`
  const deploy = `      - uses: OWNER/ink-deploy@v1
        id: ink
        with:
          api-key: \${{ secrets.INK_API_KEY }}
`

  it('a later step and a later job see the outputs', async () => {
    await openRepository()
    const workflow = job(`${deploy}      - run: |
          test "$(curl -s -o /dev/null -w '%{http_code}' '\${{ steps.ink.outputs.url }}')" = 200
          echo "::notice::tested \${{ steps.ink.outputs.status }}"
    outputs:
      url: \${{ steps.ink.outputs.url }}
  after:
    needs: deploy
    runs-on: ubuntu-latest
    steps:
      - run: echo "then \${{ needs.deploy.outputs.url }}"
`)
    const result = await play(await push(), workflow)
    expect(result.succeeded, result.log).toBe(true)
    expect(result.log).toContain('tested live')
    expect(result.log).toContain(`then ${result.outputs.url}`)
  })

  it('a failed deployment fails its step with outputs, runs `if: failure()` and skips the rest', async () => {
    await openRepository()
    await repository.pushTo('main', {
      'package.json': '{ "name": "broken", "scripts": { "build": "exit 1" } }',
      'server.js': '',
    })
    const more = `      - if: failure()
        run: echo "broke with \${{ steps.ink.outputs.status }}"
      - run: echo "never said"
`
    const result = await play(await push(), job(deploy + more))
    expect(result.succeeded).toBe(false)
    expect(result.jobs).toEqual({ 'Test/deploy': 'failure' })
    expect(result.log).toContain('broke with failed')
    expect(result.log).not.toContain('never said\n')
  })

  it('a matrix deploys each of its services under a name of its own', async () => {
    await openRepository()
    const matrix = `name: Test
on: push
jobs:
  deploy:
    runs-on: ubuntu-latest
    strategy:
      max-parallel: 1
      matrix:
        service: [one, two]
    steps:
      - uses: actions/checkout@v6
      - uses: OWNER/ink-deploy@v1
        with:
          api-key: \${{ secrets.INK_API_KEY }}
          service: matrix-\${{ matrix.service }}
`
    const result = await play(await push(), matrix)
    expect(result.succeeded, result.log).toBe(true)
    const names = sandbox.ink.services().map((service) => service.name)
    expect(names).toEqual(expect.arrayContaining(['matrix-one', 'matrix-two']))
  })

  it('a reusable workflow deploys with the secrets that it is handed, and hands its output back', async () => {
    const number = await openRepository()
    const called = `on:
  workflow_call:
    inputs:
      service: { type: string, required: true }
    secrets:
      key: { required: true }
    outputs:
      url: { value: "\${{ jobs.deploy.outputs.url }}" }
jobs:
  deploy:
    runs-on: ubuntu-latest
    outputs:
      url: \${{ steps.ink.outputs.url }}
    steps:
      - uses: actions/checkout@v6
      - uses: OWNER/ink-deploy@v1
        id: ink
        with:
          api-key: \${{ secrets.key }}
          service: \${{ inputs.service }}
`
    const caller = `name: Caller
on: pull_request
jobs:
  call:
    uses: ./.github/workflows/called.yml
    with: { service: reused }
    secrets: { key: "\${{ secrets.INK_API_KEY }}" }
  after:
    needs: call
    runs-on: ubuntu-latest
    steps:
      - run: echo "then \${{ needs.call.outputs.url }}"
`
    const result = await play(await pull(number, 'opened'), caller, {
      files: { '.github/workflows/called.yml': called },
    })
    expect(result.succeeded, result.log).toBe(true)
    expect(result.outputs).toMatchObject({ action: 'preview', service: `reused-pr-${number}` })
    expect(result.log).toContain(`then ${result.outputs.url}`)
  })

  it('a composite action wraps the deployment, inputs and outputs passed through', async () => {
    await openRepository()
    const folder = await mkdtemp(join(tmpdir(), 'composite-'))
    await writeFile(
      join(folder, 'action.yml'),
      `name: Wrapper
description: Deploys as we do it here
inputs:
  key: { required: true, description: Key }
outputs:
  address: { description: Address, value: "\${{ steps.ink.outputs.url }}" }
runs:
  using: composite
  steps:
    - uses: OWNER/ink-deploy@v1
      id: ink
      with:
        api-key: \${{ inputs.key }}
`,
    )
    const steps = `      - uses: acme/wrapper@v1
        id: wrapped
        with:
          key: \${{ secrets.INK_API_KEY }}
      - run: echo "wrapped \${{ steps.wrapped.outputs.address }}"
`
    const result = await play(await push(), job(steps), { actions: { 'acme/wrapper@v1': folder } })
    await rm(folder, { recursive: true })
    expect(result.succeeded, result.log).toBe(true)
    expect(result.log).toMatch(/wrapped http:\/\/127\.0\.0\.1:\d+/)
  })
})
