import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Repository, type RunResult, type Sandbox, type SandboxRun, startSandbox } from '../../sandbox/index.ts'
import { fileTextOf } from '../../src/plan/file/ink-file.ts'
import { decodeState } from '../../src/report/state.ts'
import { node24 } from '../support/node-24.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))
let sandbox: Sandbox
let repositories = 0

beforeAll(async () => {
  sandbox = await startSandbox({ action, node: await node24() })
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

describe('a glob that matches no file', () => {
  it('is warned of when it leaves a commit out', async () => {
    const house = await House.open({ paths: 'index.html\nsite/**' })
    await house.repository.commit({
      branch: 'notes',
      parent: house.first,
      files: { 'NOTES.md': 'note' },
      message: 'Note',
    })
    const { number } = await house.repository.openPullRequest({ head: 'notes' })
    // As checked out by default: the merge commit, without its parents.
    const opened = await house.act(['pull_request', { action: 'opened', number }])
    expect(told(opened)).toBe('skipped')
    expect(warnings(opened)).toMatch(/`watch` has what matches no file of this commit: site\/\*\*\./)
  })
})

/** Two runs of one pull request: the first on a runner whose clock is wrong, the second in a job with an environment. */
describe('a pull request whose workflow has jobs with environments of their own', () => {
  let house: House
  let after: string
  /** What each run said, and how many records of ours there were then. */
  const seen: { readonly status: string; readonly records: number }[] = []

  beforeAll(async () => {
    house = await House.open()
    const { number, sha } = await house.open()
    const act = async (event: Event, more: More) => {
      const status = told(await house.act(event, more))
      const ours = house.repository.deployments().filter(({ task }) => task === `ink-preview-pr-${number}`)
      seen.push({ status, records: ours.length })
    }
    const otherJobs = [
      { name: 'pages', environment: 'github-pages' },
      { name: 'docs', environment: 'docs' },
    ]
    await act(['pull_request', { action: 'opened', number }], { otherJobs, clockSkewMs: 600_000 })
    after = await house.write('two', 'change')
    const environment = { job: { name: 'deploy', environment: 'preview' } }
    await act(['pull_request', { action: 'synchronize', number, before: sha, after }], environment)
  })

  it('has a record of ours beside those of other jobs’ environments', () => {
    expect(seen[0]).toEqual({ status: 'live', records: 1 })
  })

  it('leaves the record of our own job’s environment to the runner', () => {
    expect(seen[1]).toEqual({ status: 'live', records: 1 })
  })

  it('has the newest run on its card, although the one before came from ten minutes ahead', () => {
    expect(house.rows(1)).toMatchObject([{ status: 'live', commit: after }])
  })
})
