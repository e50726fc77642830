import { readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EventKind, EventOptions, Repository } from '../../sandbox/github/github.ts'
import { type RunResult, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { visible } from '../../sandbox/story.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))

let sandbox: Sandbox
let repository: Repository
const runs: RunResult[] = []
/** Git's configuration of each checkout, as the run left it. */
const persisted: string[] = []

async function act(kind: EventKind, options: EventOptions, inputs: Readonly<Record<string, string>> = {}) {
  const event = await repository.event(kind, options)
  const result = await sandbox.run({ repository, event, with: { timeout: '3m', ...inputs }, keepWorkspace: true })
  runs.push(result)
  persisted.push(await readFile(`${result.workspace}/.git/config`, 'utf8'))
  await rm(result.folder, { recursive: true })
  return result
}

const page = async (result: RunResult) => (await fetch(result.outputs.url ?? '')).text()
const greet = (branch: string, greeting: string, parent?: string) =>
  repository.commit({
    branch,
    files: { 'page.html': greeting, 'build.js': build },
    message: `Say ${greeting}`,
    ...(parent && { parent }),
  })

const build = "require('node:fs').cpSync('page.html', 'out/index.html')\n"
const inkYml = `services: { web: { build: { command: node build.js, publish: out } } }
previews: { label: preview }
`

beforeAll(async () => {
  // A push to the tracked branch is meant to deploy, and on the platform as it was seen it starts nothing, as elsewhere.
  sandbox = await startSandbox({ action, ink: { trackedPush: 'deploys' }, github: { profile: 'gitea' } })
  repository = await sandbox.github.createRepository({ owner: 'acme', name: 'hello' })
})

afterAll(() => sandbox.stop())

/** The life of a pull request: each test goes on where the one before has ended. */
describe('the bundle on a Gitea of the sandbox', () => {
  let first: string
  let head: string

  beforeAll(async () => {
    const full = await readFile(`${action}/examples/workflows/full.yml`, 'utf8')
    const deploy = full.replace(/^name: .*$/m, 'name: Preview')
    const files = { 'ink.yml': inkYml, 'package.json': '{}', '.github/workflows/preview.yml': deploy }
    const start = await repository.commit({ branch: 'main', files, message: 'Start' })
    first = await greet('main', 'One', start)
  })
  const card = () => {
    const comments = repository.comments(1).map(({ body }) => visible(body))
    expect(comments).toHaveLength(1)
    return comments[0]
  }

  it('deploys a pull request once the label is on that the gate asks for', async () => {
    head = await greet('change', 'Two', first)
    await repository.openPullRequest({ head: 'change', title: 'Greet otherwise' })
    repository.label(1, 'preview')
    const labelled = await act('pull_request', { action: 'labeled', number: 1, label: 'preview' })
    expect(labelled.outputs).toMatchObject({ action: 'preview', status: 'live', commit: head })
    expect(await page(labelled)).toBe('Two')
    expect(card()).toContain('Preview is live')
  })

  it('is red where a commit breaks the build, says why at its line, and leaves the preview as it was', async () => {
    const files = { 'build.js': 'const greeting = "Hello\n' }
    const broken = await repository.commit({ branch: 'change', files, message: 'Break the build' })
    const url = sandbox.ink.service('acme-hello-pr-1')?.url ?? ''
    const red = await act('pull_request', { action: 'synchronize', number: 1, before: head, after: broken })
    expect(red).toMatchObject({ conclusion: 'failure', outputs: { status: 'failed' } })
    expect(red.annotations.map(({ file, line }) => `${file}:${line}`)).toContain('build.js:1')
    expect(card()).toContain('SyntaxError')
    expect(card()).toContain(head.slice(0, 7))
    expect(await (await fetch(url)).text()).toBe('Two')
    runs.splice(runs.indexOf(red), 1)
  })

  it('deploys the fix on a command in a comment of somebody who may write', async () => {
    head = await greet('change', 'Three')
    repository.setCollaborator('bo', 'write')
    const { id: commentId } = repository.comment(1, '/ink deploy', 'bo')
    const deployed = await act('issue_comment', { action: 'created', number: 1, commentId, sender: 'bo' })
    expect(deployed.outputs).toMatchObject({ action: 'preview', status: 'live', commit: head })
    expect(await page(deployed)).toBe('Three')
    expect(repository.reactions(commentId).map(({ content }) => content)).toContain('+1')
  })

  it('puts main into production on the merge, and takes the preview away', async () => {
    const merged = await repository.merge(1)
    const [production, teardown] = await Promise.all([
      act('push', { before: first, after: merged }),
      act('pull_request', { action: 'closed', number: 1 }),
    ])
    expect(production.outputs).toMatchObject({ action: 'production', status: 'live', commit: merged })
    expect(await page(production)).toBe('Three')
    expect(teardown.outputs).toMatchObject({ action: 'teardown', status: 'removed' })
    expect(sandbox.ink.services().map(({ name }) => name)).toEqual(['acme-hello'])
    expect(Object.keys(await sandbox.ink.branches('hello')).filter((name) => name.includes('/pr-1/'))).toEqual([])
  })

  it('warns of nothing that the forge lacks, and says it in one line of the log at most', () => {
    const boxes = runs.flatMap(({ annotations }) => annotations)
    expect(boxes.filter(({ level }) => level === 'warning')).toEqual([])
    for (const { log } of runs) expect(log.match(/This forge is Gitea/g)?.length ?? 0).toBeLessThanOrEqual(1)
    expect(sandbox.github.violations).toEqual([])
  })

  it('shows no secret and writes nothing to the error stream', () => {
    const written = runs.flatMap(({ log, summary, outputs }) => [log, summary, JSON.stringify(outputs)])
    expect(written.filter((text) => /mlg_[\w-]{20,}|dk_test_[0-9a-f]{20,}/.test(text))).toEqual([])
    expect(runs.map(({ rawStderr }) => rawStderr).join('')).toBe('')
  })

  it('leaves no secret in the git configuration of a checkout', () => {
    expect(persisted).toHaveLength(5)
    expect(persisted.filter((config) => /mlg_|ink-token|x-git-token/.test(config))).toEqual([])
  })
})
