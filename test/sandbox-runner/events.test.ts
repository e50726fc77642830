import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Repository, WebhookEvent } from '../../sandbox/github/github.ts'
import { type RunnerWorld, runnerWorld } from './world.ts'

let world: RunnerWorld
let repository: Repository
let fork: Repository

beforeAll(async () => {
  world = await runnerWorld()
  repository = world.repository
  await repository.setReference('refs/tags/v1', await repository.head('main~1'))
  fork = await world.github.createRepository({ owner: 'eve', name: 'web', fork: repository })
  await fork.commit({ branch: 'patch', parent: await fork.head(), files: { patch: '1\n' }, message: 'Patch' })
  await repository.openPullRequest({ head: 'patch', fromFork: fork })
  await repository.commit({ branch: 'bump', parent: await repository.head(), files: { bump: '1\n' }, message: 'Bump' })
  await repository.openPullRequest({ head: 'bump', author: 'dependabot[bot]' })
})

afterAll(() => world[Symbol.asyncDispose]())

async function environmentOf(event: WebhookEvent): Promise<Record<string, string>> {
  const { rawStdout } = await world.run('console.log(JSON.stringify(process.env))', { event })
  return JSON.parse(rawStdout) as Record<string, string>
}

async function expectReference(event: WebhookEvent, ref: string, sha: string | undefined): Promise<void> {
  const environment = await environmentOf(event)
  expect([environment.GITHUB_REF, environment.GITHUB_SHA]).toEqual([ref, sha])
}

describe('GITHUB_REF and GITHUB_SHA follow the event', () => {
  it('push of a branch and of a tag', async () => {
    await expectReference(await repository.event('push'), 'refs/heads/main', await repository.head())
    const tag = await repository.event('push', { ref: 'refs/tags/v1' })
    await expectReference(tag, 'refs/tags/v1', await repository.resolve('refs/tags/v1'))
    expect(await environmentOf(tag)).toMatchObject({ GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v1' })
  })

  it('workflow_dispatch: the branch it was started on', async () => {
    const event = await repository.event('workflow_dispatch', { ref: 'feature' })
    await expectReference(event, 'refs/heads/feature', await repository.head('feature'))
  })

  it('release: its tag', async () => {
    const event = await repository.event('release', { tag: 'v1' })
    await expectReference(event, 'refs/tags/v1', await repository.resolve('refs/tags/v1'))
  })

  it('schedule, issue_comment, delete, pull_request_target: the default branch', async () => {
    const { id } = repository.comment(1, '/ink deploy', 'ada')
    const sha = await repository.head()
    for (const event of [
      await repository.event('schedule'),
      await repository.event('issue_comment', { number: 1, commentId: id }),
      await repository.event('delete', { ref: 'refs/heads/gone' }),
      await repository.event('pull_request_target', { action: 'opened', number: 1 }),
    ]) {
      await expectReference(event, 'refs/heads/main', sha)
    }
  })

  it('pull_request: the test merge, and after merging the base branch', async () => {
    const branch = 'short'
    await repository.commit({ branch, parent: await repository.head(), files: { short: '1\n' }, message: 'Short' })
    const { number } = await repository.openPullRequest({ head: branch })
    const closed = () => repository.event('pull_request', { action: 'closed', number })
    await repository.close(number)
    const merge = await repository.resolve(`refs/pull/${number}/merge`)
    await expectReference(await closed(), `refs/pull/${number}/merge`, merge)
    await repository.reopen(number)
    const merged = await repository.merge(number)
    await expectReference(await closed(), 'refs/heads/main', merged)
  })
})

describe('GitHub starts no run', () => {
  it('for a pull request that conflicts', async () => {
    const branch = 'conflict'
    await repository.commit({
      branch,
      parent: await repository.head(),
      files: { 'README.md': 'theirs\n' },
      message: 'Theirs',
    })
    const { number } = await repository.openPullRequest({ head: branch })
    await repository.pushTo('main', { 'README.md': 'ours\n' })
    const event = await repository.event('pull_request', { action: 'synchronize', number })
    await expect(world.run('', { event })).rejects.toThrow(/starts no run.*conflicts with main/)
  })

  it('for the deletion of a branch', async () => {
    const event = await repository.event('push', {
      ref: 'refs/heads/gone',
      before: await repository.head(),
      after: '0'.repeat(40),
    })
    await expect(world.run('', { event })).rejects.toThrow('refs/heads/gone was deleted')
  })

  it('on a branch that is gone', async () => {
    const event = await repository.event('workflow_dispatch', { ref: 'nowhere' })
    await expect(world.run('', { event })).rejects.toThrow(/has no refs\/heads\/nowhere/)
  })
})

describe('secrets', () => {
  const key = `dk_test_${randomBytes(16).toString('hex')}`
  const parts = {
    inputs: { 'api-key': null },
    main: "console.log('key', process.env['INPUT_API-KEY'], process.env.KEY)",
  }

  it.each([
    ['reach a pull request of the repository’s own', 1, 'pull_request', true],
    ['do not reach a fork’s', 2, 'pull_request', false],
    ['do not reach Dependabot’s', 3, 'pull_request', false],
    ['reach a fork’s pull_request_target', 2, 'pull_request_target', true],
  ] as const)('%s', async (_, number, kind, reaches) => {
    const event = await repository.event(kind, { action: 'opened', number })
    const { rawStdout, log, masks } = await world.run(parts, {
      event,
      secrets: { INK_API_KEY: key },
      with: { 'api-key': `\${{ secrets.INK_API_KEY }}` },
      env: { KEY: `\${{ secrets.INK_API_KEY }}` },
    })
    expect(rawStdout).toBe(reaches ? `key ${key} ${key}\n` : 'key  \n')
    expect(masks.includes(key)).toBe(reaches)
    expect(log).not.toContain(key)
  })
})

describe('the token', () => {
  const comment = {
    inputs: { token: { default: `\${{ github.token }}` } },
    main: `const { GITHUB_API_URL, GITHUB_REPOSITORY, INPUT_TOKEN } = process.env
      const answer = await fetch(GITHUB_API_URL + '/repos/' + GITHUB_REPOSITORY + '/issues/1/comments', {
        method: 'POST', headers: { authorization: 'Bearer ' + INPUT_TOKEN }, body: JSON.stringify({ body: 'Hello' })
      })
      console.log(answer.status)`,
  }
  const permissions = { contents: 'read', 'pull-requests': 'write' } as const

  it.each([
    ['may write what the job’s permissions say', 1, 'pull_request', '201'],
    ['may only read for a fork’s pull request', 2, 'pull_request', '403'],
    ['may only read for Dependabot’s', 3, 'pull_request', '403'],
    ['may write for a fork’s pull_request_target', 2, 'pull_request_target', '201'],
  ] as const)('%s', async (_, number, kind, status) => {
    const event = await repository.event(kind, { action: 'opened', number })
    const { rawStdout } = await world.run(comment, { event, permissions })
    expect(rawStdout.trim()).toBe(status)
  })

  it('may only read contents when the job says nothing', async () => {
    expect((await world.run(comment)).rawStdout.trim()).toBe('403')
  })
})
