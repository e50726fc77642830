import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PullRequest, type Repository, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { sampleAction } from '../sandbox-runner/sample-action.ts'

let sandbox: Sandbox
let repository: Repository
let pull: PullRequest

beforeAll(async () => {
  sandbox = await startSandbox()
  repository = await sandbox.github.createRepository({ owner: 'acme', name: 'web' })
  const parent = await repository.commit({
    branch: 'main',
    files: { 'src/app.ts': 'one\ntwo\nthree\n' },
    message: 'Begin',
  })
  await repository.commit({ branch: 'change', parent, files: { 'b.txt': 'b' }, message: 'Change <b>' })
  pull = await repository.openPullRequest({ head: 'change', title: 'A <script>title</script>', body: 'See @maria.' })
})

afterAll(() => sandbox.stop())

async function get(
  path: string,
): Promise<{ readonly status: number; readonly body: string; readonly headers: Headers }> {
  const response = await fetch(sandbox.pageUrl + path)
  return { status: response.status, body: await response.text(), headers: response.headers }
}

const opened = () => repository.event('pull_request', { number: pull.number, action: 'opened' })

/** A run for the pull request of an action that looks at no checkout. */
const runOf = async ({ directory }: { readonly directory: string }) =>
  sandbox.run({ action: directory, repository, event: await opened(), checkout: false })

describe('the addresses that comments and records link to lead to a page', () => {
  it('of the pull request, with whatever was said escaped', async () => {
    const { status, body } = await get(`/acme/web/pull/${pull.number}`)
    expect(status).toBe(200)
    expect(body).toContain('A &lt;script&gt;title&lt;/script&gt;')
    expect(body).toContain('Change &lt;b&gt;')
    expect(body).not.toContain('<script>title')
  })

  it('of a file at a commit, with an anchor at each line', async () => {
    const { status, body } = await get(`/acme/web/blob/${pull.headSha}/src/app.ts`)
    expect(status).toBe(200)
    expect(body).toMatch(/id="L2">.*two/)
    expect((await get(`/acme/web/blob/${pull.headSha}/src/none.ts`)).status).toBe(404)
  })

  it('of a commit, with what it changed', async () => {
    const { status, body } = await get(`/acme/web/commit/${pull.headSha}`)
    expect(status).toBe(200)
    expect(body).toContain('+b')
  })

  it('of an issue, also at the address of a pull request', async () => {
    const number = repository.nextNumber()
    const now = new Date()
    const user = repository.user('acme')
    const facts = { title: 'Down', body: 'It is **down**', state: 'open', labels: [] } as const
    const ends = { closedAt: undefined, closedBy: undefined }
    repository.issues.set(number, {
      ...facts,
      ...ends,
      labels: [],
      number,
      id: 1,
      user,
      createdAt: now,
      updatedAt: now,
    })
    for (const kind of ['issues', 'pull'])
      expect((await get(`/acme/web/${kind}/${number}`)).body).toContain('<strong>down')
  })

  it.each([
    '/nobody/nothing',
    '/acme/web/pull/99',
    '/acme/web/actions/runs/7',
    '/acme/web/commit/ffffffff',
    '/%E0%A4%A',
  ])('or say that there is none: %s', async (path) => {
    const { status, body } = await get(path)
    expect(status).toBe(404)
    expect(body).toContain('Page not found')
  })

  it('that allows no script but its own, and no change through it', async () => {
    const { headers } = await get('/')
    expect(headers.get('content-security-policy')).toContain("script-src 'self'")
    const response = await fetch(`${sandbox.pageUrl}/acme/web`, { method: 'POST', body: 'x' })
    expect(response.status).toBe(405)
  })
})

describe('a run', () => {
  it('is shown with log, summary, annotations, outputs and conclusion', async () => {
    await using action = await sampleAction({
      main: `import { appendFileSync } from 'node:fs'
        console.log('::group::Build'); console.log('compiling'); console.log('::endgroup::')
        console.log('::error file=src/app.ts,line=2,title=Wrong::Two is wrong')
        appendFileSync(process.env.GITHUB_STEP_SUMMARY, '## All of **it**')
        appendFileSync(process.env.GITHUB_OUTPUT, 'url=http://127.0.0.1:1/\\n')
        process.exitCode = 1`,
    })
    const result = await runOf(action)
    expect(result.conclusion).toBe('failure')
    const { body } = await get(`/acme/web/actions/runs/${result.runId}`)
    for (const part of [
      'compiling',
      `/acme/web/blob/${pull.headSha}/src/app.ts#L2`,
      'Two is wrong',
      'marked',
      '<strong>it',
      'http://127.0.0.1:1/',
      'Failing',
    ]) {
      expect(body).toContain(part)
    }
    expect((await get(`/acme/web/actions/runs/${result.runId}/raw`)).body).toContain('##[group]Build\ncompiling\n')
    expect((await get(`/acme/web/pull/${pull.number}`)).body).toContain('Some checks were not successful')
  })

  it('gets the key and the endpoint of the sandbox, and never shows the key', async () => {
    await using action = await sampleAction({
      inputs: { 'api-key': null, endpoint: null },
      main: "console.log('with', process.env['INPUT_API-KEY'], process.env.INPUT_ENDPOINT)",
    })
    const result = await runOf(action)
    expect(result.rawStdout).toBe(`with ${sandbox.ink.apiKey} ${sandbox.ink.endpoint}\n`)
    const { body } = await get(`/acme/web/actions/runs/${result.runId}`)
    expect(body).toContain(`with *** `)
    expect(body).not.toContain(sandbox.ink.apiKey)
  })

  it('that GitHub would not start is shown with the reason', async () => {
    const event = await repository.event('workflow_dispatch', { ref: 'nowhere' })
    await expect(sandbox.run({ action: '.', repository, event })).rejects.toThrow('nowhere')
    const [last] = sandbox.runs().slice(-1)
    expect(last?.problem).toContain('nowhere')
    expect((await get('/acme/web')).body).toContain('Not started')
  })
})

it('calls a run after what it did', async () => {
  await using action = await sampleAction({
    main: `import { appendFileSync } from 'node:fs'
      appendFileSync(process.env.GITHUB_OUTPUT, 'action=preview\\nstatus=rolled-back\\nservice=web-pr-1\\n')`,
  })
  const { runId } = await runOf(action)
  for (const path of ['/acme/web', `/acme/web/actions/runs/${runId}`, `/acme/web/pull/${pull.number}`])
    expect((await get(path)).body).toContain('Preview rolled back: web-pr-1')
})

it('shows a merged pull request as merged wherever it is listed', async () => {
  await repository.commit({ branch: 'merging', parent: pull.baseSha, files: { 'c.txt': 'c' }, message: 'Merge me' })
  const { number } = await repository.openPullRequest({ head: 'merging', title: 'Merge me' })
  await repository.merge(number)
  for (const path of ['/', '/acme/web', `/acme/web/pull/${number}`])
    expect((await get(path)).body).toMatch(/class="state merged">[Mm]erged</)
})

describe('the checks of a pull request', () => {
  const checks = async () => {
    const { body } = await get(`/acme/web/pull/${pull.number}`)
    return /class="plain checks">(.*?)<\/ul>/s.exec(body)?.[1] ?? ''
  }

  it('show a job as it went last, and earlier runs of it apart', async () => {
    await using failing = await sampleAction({ main: 'process.exitCode = 1' })
    await runOf(failing)
    expect(await checks()).toContain('Failing')
    await using passing = await sampleAction({ main: '' })
    await runOf(passing)
    expect(await checks()).toContain('Successful')
    expect(await checks()).not.toContain('Failing')
  })
})

describe('a deployment record', () => {
  const box = async () => {
    const { body } = await get(`/acme/web/pull/${pull.number}`)
    return /class="box-row deployment-box">(.*?)<\/section>/s.exec(body)?.[1] ?? ''
  }

  it('is shown with its state, its address while that is its own, and no longer once inactive', async () => {
    const bot = repository.user('github-actions[bot]')
    const records = repository.deploymentRecords
    const environment = { environment: 'preview', transientEnvironment: true, productionEnvironment: false }
    const facts = { sha: pull.headSha, ref: pull.headSha, task: 'ink-preview-pr-1', description: null, payload: {} }
    const record = records.create({ ...facts, ...environment }, bot)
    const status = { description: '', environment: undefined, logUrl: '', autoInactive: false }
    expect(await box()).toContain('This branch is being deployed')
    const environmentUrl = 'http://127.0.0.1:9/live'
    records.addStatus(record, { ...status, state: 'success', environmentUrl }, bot)
    expect(await box()).toContain('This branch was successfully deployed')
    expect(await box()).toContain(`<a class="button" href="${environmentUrl}">View deployment</a>`)
    records.addStatus(record, { ...status, state: 'inactive', environmentUrl }, bot)
    expect(await box()).toBe('')
    expect((await get(`/acme/web/pull/${pull.number}`)).body).not.toContain(environmentUrl)
  })
})

describe('whoever looks', () => {
  it('is sent what changes, and only that', async () => {
    const stop = new AbortController()
    const response = await fetch(`${sandbox.pageUrl}/-/updates?path=/acme/web/pull/${pull.number}`, {
      signal: stop.signal,
    })
    const events = regions(response)
    const first = await events.until(({ id }) => id === 'preview')
    expect(first.map(({ id }) => id)).toContain('conversation')
    repository.comment(pull.number, 'Just said', 'jonas')
    const next = await events.until(({ markup }) => markup.includes('Just said'))
    expect(next.map(({ id }) => id)).toEqual(['conversation'])
    stop.abort()
  })
})

describe('a sandbox that ends', () => {
  it('cancels what runs, and leaves no port and no folder', async () => {
    const ending = await startSandbox()
    const own = await ending.github.createRepository({ owner: 'acme', name: 'end' })
    await own.pushTo('main', { a: 'a' })
    await using action = await sampleAction({ main: "console.log('waiting'); setInterval(() => {}, 1000)" })
    let started: (() => void) | undefined
    const waiting = new Promise<void>((resolve) => {
      started = resolve
    })
    const event = await own.event('push')
    const running = ending.run({
      action: action.directory,
      repository: own,
      event,
      checkout: false,
      onLine: (line) => line === 'waiting' && started?.(),
    })
    await waiting
    await ending.stop()
    expect((await running).conclusion).toBe('cancelled')
    for (const address of [ending.pageUrl, ending.ink.endpoint]) await expect(fetch(address)).rejects.toThrow()
    for (const folder of [own.gitDir, ending.ink.root, (await running).folder]) expect(existsSync(folder)).toBe(false)
    await expect(ending.run({ repository: own, event })).rejects.toThrow('stopped')
  })
})

interface SentRegion {
  readonly id: string
  readonly markup: string
}

/** The regions of a stream; `until` takes them up to the first that matches. */
function regions(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  return {
    async until(matches: (region: SentRegion) => boolean): Promise<SentRegion[]> {
      const taken: SentRegion[] = []
      for (;;) {
        const end = rest.indexOf('\n\n')
        if (end < 0) {
          const { value, done } = (await reader?.read()) ?? { done: true }
          if (done) throw new Error('The stream ended.')
          rest += value
          continue
        }
        const data = /^data: (.*)$/m.exec(rest.slice(0, end))?.[1]
        rest = rest.slice(end + 2)
        if (data === undefined) continue
        const region = JSON.parse(data) as SentRegion
        taken.push(region)
        if (matches(region)) return taken
      }
    },
  }
}
