import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EventKind, EventOptions, Repository } from '../../sandbox/github/github.ts'
import { type RunResult, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { type StoryStep, tellStory } from '../../sandbox/story.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))

let sandbox: Sandbox
let repository: Repository
let steps: readonly StoryStep[] = []
const runs: RunResult[] = []

async function act(kind: EventKind, options: EventOptions, inputs: Readonly<Record<string, string>> = {}) {
  const event = await repository.event(kind, options)
  const result = await sandbox.run({ repository, event, with: { timeout: '3m', ...inputs } })
  runs.push(result)
  return result
}

const web = (result: RunResult) => JSON.parse(result.outputs.services ?? '{}').web
const page = async (result: RunResult) => (await fetch(web(result).url)).text()

beforeAll(async () => {
  sandbox = await startSandbox({ action, github: { profile: 'gitea' } })
  const stage = {
    ink: sandbox.ink,
    github: sandbox.github,
    run: async (options: Parameters<Sandbox['run']>[0]) => {
      const result = await sandbox.run(options)
      runs.push(result)
      return result
    },
  }
  for await (const step of tellStory(stage)) steps = [...steps, step]
  repository = sandbox.github.repository('acme/hello')
}, 240_000)

afterAll(() => sandbox.stop())

/** One scenario after the other, on the repository whose story was told. */
describe('the bundle on a Gitea of the sandbox', () => {
  it('lives through production, preview, update, broken build, fix and merge', () => {
    expect(steps).toHaveLength(6)
    expect(steps.flatMap(({ checks }) => checks.filter(({ holds }) => !holds).map(({ what }) => what))).toEqual([])
  })

  it('deploys once the label is on that the gate asks for', async () => {
    const parent = await repository.head()
    const full = await readFile(`${action}/examples/workflows/full.yml`, 'utf8')
    const described = await readFile(`${action}/examples/monorepo/ink.yml`, 'utf8')
    const files = {
      'web/greeting.js': "export const greeting = 'Labelled'\n",
      'ink.yml': `${described}previews: { label: preview }\n`,
      '.github/workflows/preview.yml': full.replace(/^name: .*$/m, 'name: Preview'),
    }
    await repository.commit({ branch: 'labelled', parent, files, message: 'Greet otherwise' })
    await repository.openPullRequest({ head: 'labelled', title: 'Greet otherwise' })
    const opened = await act('pull_request', { action: 'opened', number: 2 })
    expect(opened.outputs).toMatchObject({ status: 'skipped' })
    repository.label(2, 'preview')
    const labelled = await act('pull_request', { action: 'labeled', number: 2, label: 'preview' })
    expect(labelled.outputs).toMatchObject({ action: 'preview', status: 'live' })
    expect(await page(labelled)).toContain('Labelled')
  })

  it('obeys a command in a comment of somebody who may write', async () => {
    repository.setCollaborator('bo', 'write')
    const { id: commentId } = repository.comment(2, '/ink deploy', 'bo')
    const deployed = await act('issue_comment', { action: 'created', number: 2, commentId, sender: 'bo' })
    expect(deployed.outputs).toMatchObject({ action: 'preview', status: 'live' })
    expect(repository.reactions(commentId).map(({ content }) => content)).toContain('+1')
  })

  it('goes back to the version before', async () => {
    const back = await act('workflow_dispatch', {}, { command: 'rollback', service: 'web' })
    expect(back.outputs).toMatchObject({ action: 'rollback', status: 'live' })
    const [first] = steps.flatMap(({ runs: some }) => some)
    expect(web(back).commit).toBe(first && web(first).commit)
  })

  it('takes the preview away when the pull request closes', async () => {
    await repository.close(2)
    const closed = await act('pull_request', { action: 'closed', number: 2 })
    expect(closed.outputs).toMatchObject({ action: 'teardown', status: 'removed' })
    for (const name of ['acme-hello-pr-2', 'acme-hello-api-pr-2']) expect(sandbox.ink.service(name)).toBeUndefined()
  })

  it('sweeps, and finds nothing left over', async () => {
    const swept = await act('schedule', {}, { command: 'sweep' })
    expect(swept.outputs).toMatchObject({ action: 'sweep', status: 'swept', removed: '[]' })
    expect(sandbox.ink.services().map(({ name }) => name)).toEqual(['acme-hello-api', 'acme-hello'])
  })

  it('warns of nothing that the forge lacks, and says it in one line of the log at most', () => {
    const broken = steps[3]?.runs ?? []
    const boxes = runs.filter((run) => !broken.includes(run)).flatMap(({ annotations }) => annotations)
    expect(boxes.filter(({ level }) => level === 'warning')).toEqual([])
    for (const { log } of runs) expect(log.match(/This forge is Gitea/g)?.length ?? 0).toBeLessThanOrEqual(1)
    expect(sandbox.github.violations).toEqual([])
  })
})
