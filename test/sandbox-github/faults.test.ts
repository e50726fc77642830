import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { getOctokit } from '@actions/github'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type GitHub, type Repository, startGitHub } from '../../sandbox/github/github.ts'
import { isolatedGitEnvironment } from '../../sandbox/github/state/git.ts'

let github: GitHub
let repository: Repository
let rest: ReturnType<typeof getOctokit>['rest']

beforeAll(async () => {
  github = await startGitHub()
  repository = await github.createRepository({ owner: 'acme', name: 'web' })
  await repository.commit({ branch: 'main', files: { a: '1\n' }, message: 'Start' })
  for (const branch of ['one', 'two', 'three']) {
    await repository.commit({ branch, parent: await repository.head(), files: { [branch]: '1\n' }, message: 'Change' })
    await repository.openPullRequest({ head: branch })
  }
  const token = github.token({ repository, permissions: { issues: 'write', contents: 'write' } })
  rest = getOctokit(token, { baseUrl: github.apiUrl }).rest
})

afterEach(() => {
  github.clearFaults()
  expect(github.violations).toEqual([])
})

afterAll(() => github.stop())

const at = { owner: 'acme', repo: 'web' }
const comment = (body = 'Hello') => rest.issues.createComment({ ...at, issue_number: 1, body })

describe('the API can be told to', () => {
  it('fail with a status, as often as wanted, without doing anything', async () => {
    const before = repository.comments(1).length
    github.fault('github.http', { status: 502, times: 2 })
    await expect(comment()).rejects.toMatchObject({ status: 502 })
    await expect(comment()).rejects.toMatchObject({ status: 502 })
    expect(repository.comments(1)).toHaveLength(before)
    await expect(comment()).resolves.toMatchObject({ status: 201 })
  })

  it('fail for one operation only', async () => {
    github.fault('github.http', { status: 500, operation: 'issues/create-comment' })
    await expect(rest.issues.get({ ...at, issue_number: 1 })).resolves.toMatchObject({ status: 200 })
    await expect(comment()).rejects.toMatchObject({ status: 500 })
  })

  it('say that too much was asked of it, and when to come back', async () => {
    github.fault('github.rate-limit', { retryAfterSeconds: 7, times: 1 })
    await expect(comment()).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('secondary rate limit'),
      response: { headers: { 'retry-after': '7' } },
    })
  })

  it('say so without a word on when to come back, and as 429', async () => {
    github.fault('github.rate-limit', { retryAfterSeconds: null, times: 1 })
    const refused = await comment().catch((error: unknown) => error)
    expect(refused).toMatchObject({ status: 403, message: expect.stringContaining('secondary rate limit') })
    expect(refused).not.toHaveProperty('response.headers.retry-after')
    github.fault('github.rate-limit', { status: 429, times: 1 })
    await expect(comment()).rejects.toMatchObject({ status: 429, response: { headers: { 'retry-after': '60' } } })
  })

  it('answer with a gateway’s page of 12 000 characters instead of JSON', async () => {
    github.fault('github.http', { status: 502, html: true, times: 1 })
    const answer = await fetch(`${github.apiUrl}/repos/acme/web`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([502, 'text/html; charset=utf-8'])
    const page = await answer.text()
    expect(page).toMatch(/^<!DOCTYPE html>/)
    expect(page.length).toBeGreaterThan(10_000)
  })

  it('compare without a list of files, or with a part of it', async () => {
    const compare = () => rest.repos.compareCommitsWithBasehead({ ...at, basehead: 'main...one' })
    expect((await compare()).data.files).toHaveLength(1)
    github.fault('github.compare-files', { keep: 0, times: 1 })
    expect((await compare()).data.files).toEqual([])
    github.fault('github.compare-files', { missing: true, times: 1 })
    const { data } = await compare()
    expect(data).not.toHaveProperty('files')
    expect(data.total_commits).toBe(1)
  })

  it('say that the hour’s requests are used up, and when the next hour begins', async () => {
    github.fault('github.rate-limit', { primary: true, times: 1 })
    await expect(comment()).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('rate limit exceeded'),
      response: { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': expect.stringMatching(/^\d{10}$/) } },
    })
  })

  it('refuse a permission that the token has, as 403 or as 404', async () => {
    github.fault('github.forbidden', { times: 1 })
    await expect(comment()).rejects.toMatchObject({
      status: 403,
      response: { headers: { 'x-accepted-github-permissions': 'issues=write; pull_requests=write' } },
    })
    github.fault('github.not-found', { times: 1 })
    await expect(comment()).rejects.toMatchObject({ status: 404 })
  })

  it('cut the connection before a request has had its effect, or after', async () => {
    const before = repository.comments(1).length
    github.fault('github.reset', { times: 1, method: 'POST' })
    await expect(comment()).rejects.toThrow(/other side closed|socket|fetch failed/i)
    expect(repository.comments(1)).toHaveLength(before)
    github.fault('github.reset', { times: 1, method: 'POST', processed: true })
    await expect(comment()).rejects.toThrow(/other side closed|socket|fetch failed/i)
    expect(repository.comments(1)).toHaveLength(before + 1)
  })

  it('keep silent for a while', async () => {
    github.fault('github.silence', { ms: 30_000, times: 1 })
    const { apiUrl } = github
    const patience = AbortSignal.timeout(50)
    await expect(fetch(`${apiUrl}/repos/acme/web`, { signal: patience })).rejects.toThrow(/timeout/)
  })
})

describe('meanwhile somebody else', () => {
  it('deletes a comment just before it is edited', async () => {
    const { id } = repository.comment(1, 'Building')
    github.fault('github.comment-deleted', { operation: 'issues/update-comment', id })
    const edit = rest.issues.updateComment({ ...at, comment_id: id, body: 'Live' })
    await expect(edit).rejects.toMatchObject({ status: 404 })
  })

  it('edits a comment just before it is read', async () => {
    repository.comment(1, 'Building')
    github.fault('github.comment-edited', { operation: 'issues/list-comments', number: 1, body: 'Mine now', times: 1 })
    const { data } = await rest.issues.listComments({ ...at, issue_number: 1, per_page: 100 })
    expect(data.at(-1)?.body).toBe('Mine now')
  })

  it('closes or merges the pull request just before it is looked at', async () => {
    github.fault('github.pull-closed', { operation: 'pulls/get', number: 1, after: 1 })
    const state = async (pull_number: number) => (await rest.pulls.get({ ...at, pull_number })).data
    expect((await state(1)).state).toBe('open')
    expect((await state(1)).state).toBe('closed')
    github.clearFaults()
    github.fault('github.pull-closed', { operation: 'pulls/get', number: 2, merged: true, times: 1 })
    expect(await state(2)).toMatchObject({ state: 'closed', merged: true })
  })

  it('pushes to the pull request just before it is looked at', async () => {
    const before = repository.pull(3).headSha
    github.fault('github.pull-pushed', { operation: 'pulls/get', number: 3, times: 1 })
    const { data } = await rest.pulls.get({ ...at, pull_number: 3 })
    expect(data.head.sha).not.toBe(before)
    expect(data.head.sha).toBe(await repository.head('three'))
  })
})

describe('git over HTTP can be told to', () => {
  const lsRemote = () =>
    promisify(execFile)('git', ['ls-remote', repository.cloneUrl], { env: isolatedGitEnvironment() })

  it('fail with a status', async () => {
    github.fault('github.git', { status: 503, times: 1 })
    await expect(lsRemote()).rejects.toThrow(/503/)
    await expect(lsRemote()).resolves.toMatchObject({ stdout: expect.stringContaining('refs/heads/main') })
  })

  it('fail for writing only', async () => {
    github.fault('github.git', { status: 500, service: 'write' })
    await expect(lsRemote()).resolves.toMatchObject({ stderr: '' })
  })

  it('cut the connection', async () => {
    github.fault('github.git-reset', { times: 1 })
    await expect(lsRemote()).rejects.toThrow(/Empty reply|reset|unable to access/i)
  })
})

it('a misspelt fault is an error, not a test that proves nothing', () => {
  expect(() => github.fault('github.htpp' as 'github.http')).toThrow(/no fault named/)
})
