import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Repository } from '../../sandbox/github/github.ts'
import { enterGroup } from '../../sandbox/runner/concurrency.ts'
import { type RunnerWorld, runnerWorld } from './world.ts'

let world: RunnerWorld
let repository: Repository

beforeEach(async () => {
  world = await runnerWorld()
  repository = world.repository
})

afterEach(async () => {
  expect(world.github.violations).toEqual([])
  await world[Symbol.asyncDispose]()
})

const printEnvironment = `import { readFileSync } from 'node:fs'
  const payload = JSON.parse(readFileSync(process.env.GITHUB_EVENT_PATH, 'utf8'))
  console.log(JSON.stringify({ ...process.env, head: payload.pull_request?.head.sha }))`

describe('a run that is started again', () => {
  it('has its number, event and commit of before, the next attempt, and who started it again', async () => {
    const first = await world.run(printEnvironment)
    const before = JSON.parse(first.rawStdout) as Record<string, string>
    await repository.pushTo('feature', { 'index.html': 'three\n' })
    const event = await repository.event('pull_request', { action: 'synchronize', number: 1 })
    const second = await world.run(printEnvironment, { event, rerunOf: first.runId, actor: 'grace' })
    const after = JSON.parse(second.rawStdout) as Record<string, string>
    const same = ['GITHUB_RUN_ID', 'GITHUB_RUN_NUMBER', 'GITHUB_SHA', 'GITHUB_REF', 'GITHUB_ACTOR', 'head']
    for (const name of same) expect(after[name], name).toBe(before[name])
    expect(before).toMatchObject({ GITHUB_RUN_ATTEMPT: '1', GITHUB_TRIGGERING_ACTOR: 'ada' })
    expect(after).toMatchObject({ GITHUB_RUN_ATTEMPT: '2', GITHUB_TRIGGERING_ACTOR: 'grace' })
    expect(after.head).not.toBe(repository.pull(1).headSha)
  })

  it('can only be one that there was', async () => {
    await expect(world.run('', { rerunOf: 5 })).rejects.toThrow('acme/web has no run 5')
  })
})

describe('a concurrency group', () => {
  const enter = (group: string, cancelInProgress = false, cancelled: () => void = () => undefined) =>
    enterGroup(world.github, repository, { group, cancelInProgress }, cancelled)

  it('lets one run begin at a time, and of those who wait only the newest', async () => {
    const leave = await enter('preview-1')
    const second = enter('preview-1').catch((error: unknown) => String(error))
    const third = enter('PREVIEW-1')
    expect(await second).toContain('GitHub cancelled this run: a newer run waits for the concurrency group PREVIEW-1.')
    const other = await enter('preview-2')
    other()
    leave()
    const leaveThird = await third
    leaveThird()
  })

  it('cancels the run that is going on when the newer one says so', async () => {
    const concurrency = { group: 'preview-1', cancelInProgress: true }
    let started: () => void = () => undefined
    const begun = new Promise<void>((resolve) => {
      started = resolve
    })
    const onLine = (line: string) => void (line === 'started' && started())
    const main = "console.log('started')\nawait new Promise((resolve) => setTimeout(resolve, 600_000))"
    const first = world.run(main, { concurrency, onLine, graceFactor: 0.05 })
    await begun
    const second = await world.run("console.log('second')", { concurrency })
    expect((await first).conclusion).toBe('cancelled')
    expect([second.conclusion, second.rawStdout]).toEqual(['success', 'second\n'])
  })
})

it('a runner’s clock may be wrong; everybody else’s is right', async () => {
  const main = 'console.log(Date.now(), new Date().getTime(), new Date(5).getTime(), new Date() instanceof Date)'
  const { rawStdout } = await world.run(main, { clockSkewMs: 600_000 })
  const [now = 0, date = 0, fixed, isDate] = rawStdout
    .trim()
    .split(' ')
    .map((part) => (part === 'true' ? 1 : Number(part)))
  for (const time of [now, date]) expect(time - Date.now()).toBeGreaterThan(500_000)
  expect([fixed, isDate]).toEqual([5, 1])
  expect((repository.runs.get(9_000_000_001)?.createdAt.getTime() ?? 0) - Date.now()).toBeLessThan(1000)
})

it('another job of the run with an environment has a record of its own, by GitHub itself', async () => {
  await world.run('', { otherJobs: [{ name: 'pages', environment: 'github-pages' }, { name: 'lint' }] })
  const [record, ...others] = repository.deployments()
  expect(others).toEqual([])
  expect(record).toMatchObject({ environment: 'github-pages', creator: { login: 'github-actions[bot]' } })
  expect(repository.statuses(record?.id ?? 0).map((status) => status.state)).toEqual(['in_progress', 'success'])
  const jobs = [...repository.runs.values()].flatMap((run) => run.jobs.map((job) => job.name))
  expect(jobs).toEqual(['pages', 'lint', 'preview'])
})

it('the event that closes a fork’s pull request brings no secrets, and a token that can only read', async () => {
  const fork = await world.github.createRepository({ owner: 'eve', name: 'web', fork: repository })
  await fork.commit({ branch: 'patch', parent: await fork.head(), files: { patch: '1\n' }, message: 'Patch' })
  const { number } = await repository.openPullRequest({ head: 'patch', fromFork: fork })
  await repository.close(number)
  const parts = { inputs: { key: null }, main: "console.log('[' + process.env.INPUT_KEY + ']')" }
  const key = `\${{ secrets.KEY }}`
  const options = { secrets: { KEY: 'a-secret-value' }, with: { key } }
  const closed = (kind: 'pull_request' | 'pull_request_target') => repository.event(kind, { action: 'closed', number })
  expect((await world.run(parts, { event: await closed('pull_request'), ...options })).rawStdout).toBe('[]\n')
  const trusted = await world.run(parts, { event: await closed('pull_request_target'), ...options })
  expect(trusted.rawStdout).toBe('[a-secret-value]\n')
})
