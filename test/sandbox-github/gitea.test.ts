import { getOctokit } from '@actions/github'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type EventKind,
  type EventOptions,
  type GitHub,
  type Repository,
  startGitHub,
} from '../../sandbox/github/github.ts'

let forge: GitHub
let repository: Repository
let token: string

beforeAll(async () => {
  forge = await startGitHub({ profile: 'gitea' })
  repository = await forge.createRepository({ owner: 'acme', name: 'web' })
  await repository.commit({ branch: 'main', files: { a: '1\n' }, message: 'Start' })
  await repository.commit({
    branch: 'feature/x',
    parent: await repository.head(),
    files: { a: '2\n' },
    message: 'Change',
  })
  await repository.openPullRequest({ head: 'feature/x', author: 'ada', labels: ['preview'] })
  for (let index = 0; index < 60; index += 1) repository.conversation.defineLabel(`label-${index}`)
  const permissions = { contents: 'write', issues: 'write', pull_requests: 'write', deployments: 'write' } as const
  token = forge.token({ repository, permissions })
})

afterAll(async () => {
  expect(forge.violations).toEqual([])
  await forge.stop()
})

const at = '/repos/acme/web'

async function ask(path: string, init: RequestInit = {}) {
  const answer = await fetch(forge.apiUrl + path, { headers: { authorization: `token ${token}` }, ...init })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false
  return { status: answer.status, headers: answer.headers, body: (isJson ? JSON.parse(text) : text) as unknown }
}

describe('the API of a Gitea', () => {
  it('is under /api/v1 and says which version it is', async () => {
    expect(forge.apiUrl).toBe(`${forge.serverUrl}/api/v1`)
    expect((await ask('/version')).body).toEqual({ version: expect.stringMatching(/^1\./) })
  })

  it.each([
    ['deployment records', `${at}/deployments`],
    ['git/ref', `${at}/git/ref/heads/main`],
    ['an issue’s events', `${at}/issues/1/events`],
    ['the API of GitHub Enterprise Server', `/../v3${at}`],
  ])('has no %s', async (_, path) => {
    expect((await ask(path)).status).toBe(404)
  })

  it('tells a branch’s commit, also of one with a slash', async () => {
    const { body } = await ask(`${at}/branches/feature/x`)
    expect(body).toMatchObject({ name: 'feature/x', commit: { id: await repository.head('feature/x') } })
    expect((await ask(`${at}/branches/gone`)).status).toBe(404)
  })

  it('compares without a list of files', async () => {
    const { body } = await ask(`${at}/compare/main...feature/x`)
    expect(Object.keys(body as object)).toEqual(['total_commits', 'commits'])
    expect(body).toMatchObject({ total_commits: 1 })
  })

  it('does not tell a job’s token who may do what', async () => {
    const { status, body } = await ask(`${at}/collaborators/ada/permission`)
    expect([status, body]).toEqual([403, expect.objectContaining({ message: expect.stringContaining('Only admins') })])
  })

  it('tells no type of a user, and calls the job’s own gitea-actions', async () => {
    const { body } = await ask('/user')
    expect(body).toMatchObject({ id: -2, login: 'gitea-actions', username: 'gitea-actions' })
    expect(body).not.toHaveProperty('type')
    const pull = (await ask(`${at}/pulls/1`)).body as { user: object }
    expect(pull.user).toMatchObject({ login: 'ada' })
    expect(pull.user).not.toHaveProperty('type')
  })

  it('pages lists by limit, at most 50, and says in X-Total-Count how many there are, without a Link', async () => {
    const lengthOf = async (query: string) => {
      const { body, headers } = await ask(`${at}/labels${query}`)
      return [(body as unknown[]).length, headers.get('x-total-count'), headers.get('link')]
    }
    expect(await lengthOf('')).toEqual([30, '61', null])
    expect(await lengthOf('?per_page=100')).toEqual([30, '61', null])
    expect(await lengthOf('?limit=100')).toEqual([50, '61', null])
    expect(await lengthOf('?limit=50&page=2')).toEqual([11, '61', null])
  })

  it('takes comments and edits of them, and knows of no app', async () => {
    const rest = getOctokit(token, { baseUrl: forge.apiUrl }).rest
    const where = { owner: 'acme', repo: 'web' }
    const { data } = await rest.issues.createComment({ ...where, issue_number: 1, body: 'Building' })
    await rest.issues.updateComment({ ...where, comment_id: data.id, body: 'Live' })
    const comments = (await ask(`${at}/issues/1/comments`)).body as { body: string; user: { login: string } }[]
    expect(comments.map((one) => [one.body, one.user.login])).toEqual([['Live', 'gitea-actions']])
    expect(comments[0]).not.toHaveProperty('performed_via_github_app')
  })

  it('has labels in the timeline, with times, under names of its own', async () => {
    const entries = (await ask(`${at}/issues/1/timeline`)).body as { type: string; created_at: string }[]
    expect(entries.find((entry) => entry.type === 'label')).toMatchObject({
      body: '1',
      label: { name: 'preview' },
      user: { login: 'ada' },
      created_at: expect.stringMatching(/^\d{4}-/),
    })
    expect(entries[0]).not.toHaveProperty('event')
  })

  it('refuses a token that is no longer valid', async () => {
    const old = forge.token({ repository, permissions: {} })
    forge.revokeToken(old)
    expect((await ask('/user', { headers: { authorization: `token ${old}` } })).status).toBe(401)
  })
})

describe('the events of a Gitea', () => {
  const payloadOf = async (kind: EventKind, options: EventOptions) => (await repository.event(kind, options)).payload

  it('call pull request activities by names of their own, and tell labels only as they are now', async () => {
    const actionOf = async (action: string) =>
      (await payloadOf('pull_request', { action, number: 1, label: 'preview' })).action
    expect(
      await Promise.all(['opened', 'synchronize', 'labeled', 'unlabeled', 'closed', 'ready_for_review'].map(actionOf)),
    ).toEqual(['opened', 'synchronized', 'label_updated', 'label_updated', 'closed', 'edited'])
    const labeled = await payloadOf('pull_request', { action: 'labeled', number: 1, label: 'preview' })
    expect(labeled).not.toHaveProperty('label')
    expect(labeled).toMatchObject({ pull_request: { labels: [{ name: 'preview' }] } })
    const synchronized = await payloadOf('pull_request', { action: 'synchronize', number: 1 })
    expect(synchronized).not.toHaveProperty('before')
    expect(synchronized).toMatchObject({ commit_id: repository.pull(1).headSha })
  })

  it('have a bare reference in a dispatch, and users without a type', async () => {
    const payload = await payloadOf('workflow_dispatch', {})
    expect(payload).toMatchObject({ ref: 'main', sender: { login: 'acme' } })
    expect(payload.sender).not.toHaveProperty('type')
  })

  it('come without a test merge, whether or not there is a conflict', async () => {
    expect(await repository.resolve('refs/pull/1/merge')).toBeUndefined()
    expect(await repository.resolve('refs/pull/1/head')).toBe(repository.pull(1).headSha)
  })
})
