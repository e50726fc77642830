import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { getOctokit } from '@actions/github'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type GitHub, type Repository, startGitHub } from '../../sandbox/github/github.ts'
import { isolatedGitEnvironment } from '../../sandbox/github/state/git.ts'

let github: GitHub
let repository: Repository
let token: string

beforeEach(async () => {
  github = await startGitHub()
  repository = await github.createRepository({ owner: 'acme', name: 'web' })
  await repository.commit({ branch: 'main', files: { a: '1\n' }, message: 'Start' })
  await repository.commit({
    branch: 'feature',
    parent: await repository.head(),
    files: { a: '2\n' },
    message: 'Change',
  })
  await repository.openPullRequest({ head: 'feature' })
  token = github.token({ repository, permissions: { issues: 'write' } })
})

afterEach(async () => {
  expect(github.violations).toEqual([])
  await github.stop()
})

const ask = (path: string, init: RequestInit = {}) =>
  fetch(github.apiUrl + path, { redirect: 'manual', headers: { authorization: `Bearer ${token}` }, ...init })

describe('a repository that was renamed or transferred', () => {
  it('keeps its number, and events say its new name', async () => {
    const { id } = repository
    repository.rename('site')
    repository.transfer('umbrella')
    const { payload } = await repository.event('pull_request', { action: 'synchronize', number: 1 })
    expect(payload.repository).toMatchObject({ id, full_name: 'umbrella/site', owner: { login: 'umbrella' } })
    expect(payload.pull_request).toMatchObject({ head: { repo: { id, full_name: 'umbrella/site' } } })
  })

  it('is redirected to by its number: 301 for reading, 307 for writing', async () => {
    repository.rename('site')
    const reading = await ask('/repos/acme/web/pulls?state=open')
    expect([reading.status, reading.headers.get('location')]).toEqual([
      301,
      `${github.apiUrl}/repositories/${repository.id}/pulls?state=open`,
    ])
    const writing = await ask('/repos/acme/web/issues/1/comments', { method: 'POST', body: '{"body":"x"}' })
    expect(writing.status).toBe(307)
    expect(repository.comments(1)).toEqual([])
  })

  it('answers there, so that a client that follows notices nothing', async () => {
    repository.transfer('umbrella')
    const { rest } = getOctokit(token, { baseUrl: github.apiUrl })
    const { data } = await rest.pulls.list({ owner: 'acme', repo: 'web' })
    expect(data.map((pull) => pull.base.repo.full_name)).toEqual(['umbrella/web'])
  })

  it('is found under its old name by git as well', async () => {
    const old = repository.cloneUrl
    repository.rename('site')
    const run = promisify(execFile)('git', ['ls-remote', old, 'main'], { env: isolatedGitEnvironment() })
    expect((await run).stdout).toContain(await repository.head())
  })

  it('is out of the way of a new one of its old name', async () => {
    repository.rename('site')
    const other = await github.createRepository({ owner: 'acme', name: 'web' })
    expect(other.id).not.toBe(repository.id)
    const answer = (await (await ask('/repos/acme/web')).json()) as { id: number }
    expect(answer.id).toBe(other.id)
  })
})
