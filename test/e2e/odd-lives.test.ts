import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Repository, type RunResult, type Sandbox, type SandboxRun, startSandbox } from '../../sandbox/index.ts'
import { fileTextOf } from '../../src/plan/file/ink-file.ts'
import { decodeState } from '../../src/report/state.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))
let sandbox: Sandbox
let repositories = 0

beforeAll(async () => {
  sandbox = await startSandbox({ action })
})
afterAll(() => sandbox.stop())

type Event = Parameters<Repository['event']>
type More = Partial<Omit<SandboxRun, 'repository' | 'event'>>

/** A repository with a commit on `main`, and runs of the bundle for what happens in it. */
class House {
  readonly repository: Repository
  readonly first: string

  private constructor(repository: Repository, first: string) {
    this.repository = repository
    this.first = first
  }

  /** @param settings those that stand in `ink.yml` */
  static async open(settings: Parameters<typeof fileTextOf>[0] = {}): Promise<House> {
    const repository = await sandbox.github.createRepository({ owner: 'acme', name: `odd${++repositories}` })
    const files = { 'index.html': 'first', 'ink.yml': fileTextOf({ 'health-timeout': '20s', ...settings }) }
    const first = await repository.commit({ branch: 'main', files, message: 'Start' })
    return new House(repository, first)
  }

  get production(): string {
    return `acme-${this.repository.name}`
  }

  preview(number: number): string {
    return `${this.production}-pr-${number}`
  }

  async act(event: Event, more: More = {}): Promise<RunResult> {
    const inputs = { 'build-pack': 'static', ...more.with }
    return sandbox.run({
      repository: this.repository,
      event: await this.repository.event(...event),
      ...more,
      with: inputs,
    })
  }

  write(text: string, branch: string): Promise<string> {
    return this.repository.commit({ branch, files: { 'index.html': text }, message: `Say ${text}` })
  }

  /** Deploys `main` as it is. */
  async live(): Promise<House> {
    expect(told(await this.act(['push', { after: this.first }]))).toBe('live')
    return this
  }

  async open(branch = 'change'): Promise<{ number: number; sha: string }> {
    const sha = await this.repository.commit({
      branch,
      parent: this.first,
      files: { 'index.html': branch },
      message: branch,
    })
    const { number } = await this.repository.openPullRequest({ head: branch })
    return { number, sha }
  }

  rows(number: number) {
    return decodeState(this.repository.comments(number).at(-1)?.body ?? '') ?? []
  }
}

/** The status, and for a run that is red why. */
function told({ conclusion, outputs, annotations }: RunResult): string {
  const reasons = annotations.filter(({ level }) => level === 'error').map(({ message }) => message)
  return [outputs.status ?? 'no status', ...(conclusion === 'success' ? [] : reasons)].join(': ')
}

function warnings({ annotations }: RunResult): string {
  return annotations.flatMap((one) => (one.level === 'warning' ? one.message : [])).join('\n')
}

describe.concurrent('a glob that matches no file', { timeout: 60_000 }, () => {
  it('is warned of when it leaves a commit out, on a push and on a pull request', async () => {
    const house = await (await House.open({ paths: 'index.html\nsite/**' })).live()
    const notes = { files: { 'NOTES.md': 'note' }, message: 'Note' }
    const after = await house.repository.commit({ branch: 'main', ...notes })
    const push = await house.act(['push', { before: house.first, after }])
    await house.repository.commit({ branch: 'notes', parent: house.first, ...notes })
    const { number } = await house.repository.openPullRequest({ head: 'notes' })
    // As checked out by default: the merge commit, without its parents.
    const opened = await house.act(['pull_request', { action: 'opened', number }])
    for (const run of [push, opened]) {
      expect(told(run)).toBe('skipped')
      expect(warnings(run)).toMatch(/`watch` has what matches no file of this commit: site\/\*\*\./)
    }
    const without = await house.act(['push', { before: house.first, after }], { checkout: false })
    expect([told(without), warnings(without)]).toEqual(['skipped', ''])
  })
})

describe.concurrent('deployment records', { timeout: 120_000 }, () => {
  it('are ours beside those of another job’s environment, and left to the runner for our own', async () => {
    const house = await House.open()
    const { number } = await house.open()
    const opened: Event = ['pull_request', { action: 'opened', number }]
    const pages = { otherJobs: [{ name: 'pages', environment: 'github-pages' }] }
    const docs = { otherJobs: [{ name: 'docs', environment: 'docs' }] }
    const tasks = () => house.repository.deployments().filter(({ task }) => task === 'ink-preview-pr-1').length
    expect(told(await house.act(opened, pages))).toBe('live')
    expect(tasks()).toBe(1)
    expect(told(await house.act(opened, docs))).toBe('live')
    expect(tasks()).toBe(2)
    expect(told(await house.act(opened, { job: { name: 'deploy', environment: 'preview' } }))).toBe('live')
    expect(tasks()).toBe(2)
  })
})

describe.concurrent('a runner whose clock is ten minutes ahead', { timeout: 60_000 }, () => {
  it('does not keep the runs after it from the card', async () => {
    const house = await House.open()
    const { number, sha } = await house.open()
    const early = await house.act(['pull_request', { action: 'opened', number }], { clockSkewMs: 600_000 })
    expect(told(early)).toBe('live')
    const after = await house.write('two', 'change')
    const update = await house.act(['pull_request', { action: 'synchronize', number, before: sha, after }])
    expect(told(update)).toBe('live')
    expect(house.rows(number)).toMatchObject([{ status: 'live', commit: after }])
  })
})

// Alone, as it counts what reaches the platform.
describe('quoting in env', { timeout: 60_000 }, () => {
  it('that would cut a value off is refused before anything is touched, with both ways to write it', async () => {
    const house = await House.open()
    const journal = sandbox.ink.journal.length
    const event: Event = ['push', { after: house.first }]
    const run = await house.act(event, { with: { env: 'A=abc #def' } })
    expect(run.conclusion).toBe('failure')
    expect(told(run)).toMatch(/env, line 1: the # would start a comment.* quotes, or, .* a space before and after/)
    expect(sandbox.ink.journal).toHaveLength(journal)
    const meant = { env: `A='abc #def'\nB="say \\"hi\\""` }
    expect(told(await house.act(event, { with: meant }))).toBe('live')
    expect(sandbox.ink.service(house.production)?.env).toMatchObject({ A: 'abc #def', B: 'say "hi"' })
  })
})

describe.concurrent('a run that is overtaken', { timeout: 60_000 }, () => {
  it('leaves nothing for the post step to claim, and neither does one that was refused', async () => {
    const house = await House.open()
    const event: Event = ['push', { after: house.first }]
    for (const inputs of [{ timeout: 'soon' }, { 'api-key': '' }]) {
      const run = await house.act(event, { with: inputs })
      expect(run.conclusion).toBe('failure')
      expect(run.post?.log ?? '').not.toMatch(/Marked|cancelled|superseded/)
    }
    expect(house.repository.deployments()).toEqual([])
  })
})

describe.concurrent('a pull request', { timeout: 60_000 }, () => {
  it('is the one that workflow_run names, where two share a head', async () => {
    const house = await House.open()
    const { sha } = await house.open('one')
    await house.repository.commit({ branch: 'other', parent: house.first, files: { x: 'x' }, message: 'Other' })
    await house.repository.setReference('refs/heads/two', sha)
    const { number } = await house.repository.openPullRequest({ head: 'two', base: 'main' })
    const tests = await house.act(['pull_request', { action: 'opened', number }], { with: { 'dry-run': 'true' } })
    const event: Event = ['workflow_run', { runId: tests.runId, number }]
    expect(told(await house.act(event))).toBe('live')
    expect(sandbox.ink.service(house.preview(number))).toBeDefined()
    expect(sandbox.ink.service(house.preview(1))).toBeUndefined()
  })
})
