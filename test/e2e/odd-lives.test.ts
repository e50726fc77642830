import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Repository, type RunResult, type Sandbox, type SandboxRun, startSandbox } from '../../sandbox/index.ts'
import { fileTextOf } from '../../src/plan/file/ink-file.ts'
import { decodeState } from '../../src/report/state.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))
let sandbox: Sandbox
let repositories = 0

beforeAll(async () => {
  sandbox = await startSandbox({ action })
})
afterEach(async () => {
  await sandbox.ink.clearFaults()
  sandbox.github.clearFaults()
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
    return this.play(await this.repository.event(...event), more)
  }

  play(event: SandboxRun['event'], more: More = {}): Promise<RunResult> {
    const inputs = { 'build-pack': 'static', ...more.with }
    return sandbox.run({ repository: this.repository, event, ...more, with: inputs })
  }

  write(text: string, branch = 'main'): Promise<string> {
    return this.repository.commit({ branch, files: { 'index.html': text }, message: `Say ${text}` })
  }

  /** Deploys `main` as it is. */
  async live(more: More = {}): Promise<House> {
    expect(told(await this.act(['push', { after: this.first }], more))).toBe('live')
    return this
  }

  async open(branch = 'change', more: { readonly sha?: string } = {}): Promise<{ number: number; sha: string }> {
    const files = { 'index.html': branch }
    const sha = more.sha ?? (await this.repository.commit({ branch, parent: this.first, files, message: branch }))
    const { number } = await this.repository.openPullRequest({ head: branch })
    return { number, sha }
  }

  async previewed(more: More = {}): Promise<{ number: number; sha: string }> {
    const opened = await this.open()
    expect(told(await this.act(['pull_request', { action: 'opened', number: opened.number }], more))).toBe('live')
    return opened
  }

  async page(serviceName: string): Promise<string> {
    const url = sandbox.ink.service(serviceName)?.url
    return url === undefined ? 'no address' : (await fetch(url)).text()
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

function said({ annotations }: RunResult, level: 'warning' | 'notice'): string {
  return annotations.flatMap((one) => (one.level === level ? one.message : [])).join('\n')
}

describe('GitHub, at its secondary limit', { timeout: 60_000 }, () => {
  const limit = (operation: string) => sandbox.github.fault('github.rate-limit', { operation, retryAfterSeconds: null })

  it('lets no push go live while it does not say whether a newer one is there', async () => {
    const house = await (await House.open()).live()
    const after = await house.write('second')
    limit('git/get-ref')
    const run = await house.act(['push', { before: house.first, after }], { with: { timeout: '6s' } })
    expect(told(run)).toMatch(/^(?:failed|timed-out): .*not known whether main is still at/)
    expect(await house.page(house.production)).toBe('first')
  })

  it('lets no preview go live while it does not say whether the pull request is open', async () => {
    const house = await House.open()
    const { number } = await house.open()
    limit('pulls/get')
    const run = await house.act(['pull_request', { action: 'opened', number }], { with: { timeout: '6s' } })
    expect(told(run)).toMatch(/^(?:failed|timed-out): .*not known whether pull request #1 still wants this preview/)
    expect(sandbox.ink.service(house.preview(number))).toBeUndefined()
  })
})

describe('a glob that matches no file', { timeout: 60_000 }, () => {
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
      expect(said(run, 'warning')).toMatch(/`watch` has what matches no file of this commit: site\/\*\*\./)
    }
    const without = await house.act(['push', { before: house.first, after }], { checkout: false })
    expect([told(without), said(without, 'warning')]).toEqual(['skipped', ''])
  })
})

describe('the preview of a fork that a label approved', { timeout: 60_000 }, () => {
  async function approved() {
    const house = await House.open({ 'preview-label': 'preview' })
    const fork = await sandbox.github.createRepository({
      owner: 'eve',
      name: house.repository.name,
      fork: house.repository,
    })
    const gift = { branch: 'gift', parent: house.first, files: { 'index.html': 'gift' }, message: 'A gift' }
    const sha = await fork.commit(gift)
    const opening = { head: 'gift', fromFork: fork, title: 'A gift', author: 'eve' }
    const { number } = await house.repository.openPullRequest(opening)
    house.repository.label(number, 'preview', 'acme')
    const labeled = { action: 'labeled', number, label: 'preview', sender: 'acme' }
    expect(told(await house.act(['pull_request_target', labeled], { checkout: false }))).toBe('live')
    return { house, number, sha }
  }

  it('and its card stay as they are whatever other label is put on or taken off', async () => {
    const { house, number, sha } = await approved()
    const state = () => ({
      comments: house.repository.comments(number).map(({ body }) => body),
      deployments: sandbox.ink.service(house.preview(number))?.deployments.length,
    })
    const before = state()
    expect(house.rows(number)).toMatchObject([{ status: 'live', commit: sha }])
    house.repository.label(number, 'documentation', 'acme')
    for (const action of ['labeled', 'unlabeled']) {
      const event: Event = ['pull_request_target', { action, number, label: 'documentation', sender: 'acme' }]
      const run = await house.act(event, { checkout: false })
      expect([run.conclusion, told(run)]).toEqual(['success', expect.stringMatching(/^(nothing|skipped)$/)])
    }
    expect(state()).toEqual(before)
  })

  it('is said to run on when it closes without secrets, and goes under pull_request_target', async () => {
    const { house, number } = await approved()
    await house.repository.close(number)
    const event = await house.repository.event('pull_request', { action: 'closed', number })
    const keyless = await house.play(event, { with: { 'api-key': '' } })
    expect(said(keyless, 'warning')).toMatch(/still runs.*sweep.*\/ink stop.*pull_request_target/)
    expect(sandbox.ink.service(house.preview(number))).toBeDefined()
    const closed = await house.act(['pull_request_target', { action: 'closed', number }], { checkout: false })
    expect(told(closed)).toBe('removed')
  })
})

describe('deployment records', { timeout: 120_000 }, () => {
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

  it('of hundreds go within GitHub’s limits for writing, the newest first, the rest with the sweep', async () => {
    const house = await House.open()
    const { number, sha } = await house.previewed()
    const { fullName } = house.repository
    for (let count = 0; count < 250; count++) {
      // Each run has a token of its own, and the limit is each token's.
      const token = sandbox.github.token({ repository: fullName, permissions: { deployments: 'write' } })
      const made = await fetch(`${sandbox.github.apiUrl}/repos/${fullName}/deployments`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ref: sha, task: 'ink-preview-pr-1', environment: 'preview', auto_merge: false }),
      })
      expect(made.status).toBe(201)
    }
    const ids = () => house.repository.deployments().map(({ id }) => id)
    const newest = ids().toSorted((a, b) => b - a)
    await house.repository.close(number)
    const journal = sandbox.github.journal.length
    const closed = await house.act(['pull_request', { action: 'closed', number }])
    expect(told(closed)).toBe('removed')
    const writes = sandbox.github.journal.slice(journal).filter(({ method }) => method !== 'GET' && method !== 'git')
    expect(writes.length).toBeLessThan(80)
    expect(writes.filter(({ status }) => status >= 400)).toEqual([])
    const left = ids()
    expect(left.length).toBeLessThan(newest.length - 25)
    expect(newest.slice(0, newest.length - left.length).filter((id) => left.includes(id))).toEqual([])
    expect(closed.log).toMatch(/deployment records of .* left: .*The next sweep/)
    const swept = await house.act(['schedule', {}])
    expect(told(swept)).toBe('swept')
    expect(ids().length).toBeLessThan(left.length - 25)
  })
})

describe('a runner whose clock is ten minutes ahead', { timeout: 60_000 }, () => {
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

describe('GitHub’s page for a fault', { timeout: 60_000 }, () => {
  it('is one short line in log, warning and summary, and the preview is live', async () => {
    const house = await House.open()
    const { number } = await house.open()
    sandbox.github.fault('github.http', { path: '/comments', status: 403, html: true })
    const run = await house.act(['pull_request', { action: 'opened', number }])
    expect(told(run)).toBe('live')
    expect(said(run, 'warning')).toMatch(/GitHub: 403 Unicorn! &middot; GitHub\)/)
    expect(run.log + run.summary).not.toMatch(/<!DOCTYPE|base64/)
    const longest = Math.max(...`${run.log}\n${run.summary}`.split('\n').map(({ length }) => length))
    expect(longest).toBeLessThan(2000)
  })
})

describe('a run that is overtaken', { timeout: 60_000 }, () => {
  it('says so in log, notice and skipped-reason, and pushes nothing', async () => {
    const house = await (await House.open()).live()
    const older = await house.write('older')
    const olderEvent = await house.repository.event('push', { before: house.first, after: older })
    const newer = await house.write('newer')
    expect(told(await house.act(['push', { before: older, after: newer }]))).toBe('live')
    const run = await house.play(olderEvent)
    expect(told(run)).toBe('superseded')
    const reason = `main has moved on to ${newer.slice(0, 7)}`
    expect(run.outputs['skipped-reason']).toContain(reason)
    expect(said(run, 'notice')).toContain(reason)
    expect(run.log).toContain(reason)
    const branches = Object.keys(await sandbox.ink.branches(house.repository.name))
    expect(branches.filter((name) => name.includes(older))).toEqual([])
    expect(await house.page(house.production)).toBe('newer')
  })

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

describe('our comment', { timeout: 60_000 }, () => {
  it('stays ours when a person has written above the marker', async () => {
    const house = await House.open()
    const { number, sha } = await house.previewed()
    const [card] = house.repository.comments(number)
    const edited = `Please test this one.\r\n${card?.body.replaceAll('\n', '\r\n')}`
    sandbox.github.fault('github.comment-edited', { times: 1, number, body: edited, operation: 'pulls/get' })
    const after = await house.write('two', 'change')
    expect(told(await house.act(['pull_request', { action: 'synchronize', number, before: sha, after }]))).toBe('live')
    expect(house.repository.comments(number).map(({ id }) => id)).toEqual([card?.id])
    expect(house.rows(number)).toMatchObject([{ status: 'live', commit: after }])
  })

  it('decides nothing: without it the record of before is retired all the same', async () => {
    const house = await House.open()
    const { number, sha } = await house.previewed()
    sandbox.github.fault('github.comment-deleted', { times: 1, number, operation: 'pulls/get' })
    const after = await house.write('two', 'change')
    expect(told(await house.act(['pull_request', { action: 'synchronize', number, before: sha, after }]))).toBe('live')
    const active = house.repository.deployments().filter(({ statuses }) => statuses.at(-1)?.state === 'success')
    expect(active.map((one) => one.sha)).toEqual([after])
  })
})

describe('a session that ml.ink has forgotten', { timeout: 60_000 }, () => {
  it('is begun anew, and the deployment goes on', async () => {
    const house = await House.open()
    sandbox.ink.fault('mcp.http', { status: 404, body: 'session not found', tool: 'create_service', times: 1 })
    expect(told(await house.act(['push', { after: house.first }]))).toBe('live')
    expect(sandbox.ink.service(house.production)?.deployments).toHaveLength(1)
  })
})

describe('a pull request', { timeout: 60_000 }, () => {
  it('loses its preview when it goes back to draft and drafts have none', async () => {
    const house = await House.open({ 'preview-drafts': 'false' })
    const { number } = await house.previewed()
    house.repository.setDraft(number, true)
    expect(told(await house.act(['pull_request', { action: 'converted_to_draft', number }]))).toBe('removed')
    expect(sandbox.ink.service(house.preview(number))).toBeUndefined()
  })

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
