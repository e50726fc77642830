import { getOctokit } from '@actions/github'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type AccessLevel,
  type GitHub,
  type Repository,
  startGitHub,
  type TokenKind,
} from '../../sandbox/github/github.ts'

let github: GitHub
let open: Repository
let closed: Repository

beforeAll(async () => {
  github = await startGitHub()
  open = await github.createRepository({ owner: 'acme', name: 'open' })
  closed = await github.createRepository({ owner: 'acme', name: 'closed', private: true })
  for (const repository of [open, closed]) {
    await repository.commit({ branch: 'main', files: { a: '1\n' }, message: 'Start' })
    await repository.commit({
      branch: 'feature',
      parent: await repository.head(),
      files: { a: '2\n' },
      message: 'Change',
    })
    await repository.openPullRequest({ head: 'feature' })
  }
})

afterEach(() => {
  expect(github.violations).toEqual([])
})

afterAll(() => github.stop())

const client = (token: string) => getOctokit(token, { baseUrl: github.apiUrl }).rest

function as(repository: Repository, permissions: Record<string, AccessLevel>, kind: TokenKind = 'actions') {
  return client(github.token({ repository, permissions, kind }))
}

const inOpen = { owner: 'acme', repo: 'open' }
const inClosed = { owner: 'acme', repo: 'closed' }

describe('a token may do what its job’s permissions say, and is refused in GitHub’s words', () => {
  it('writing without permission is 403 and names the permissions that would do', async () => {
    const refused = as(open, { contents: 'read' }).issues.createComment({ ...inOpen, issue_number: 1, body: 'Hello' })
    await expect(refused).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('Resource not accessible by integration'),
      response: { headers: { 'x-accepted-github-permissions': 'issues=write; pull_requests=write' } },
    })
    expect(open.comments(1)).toEqual([])
  })

  it('either of two permissions is enough for a comment', async () => {
    for (const subject of ['issues', 'pull-requests']) {
      const { status } = await as(open, { [subject]: 'write' }).issues.createComment({
        ...inOpen,
        issue_number: 1,
        body: subject,
      })
      expect(status).toBe(201)
    }
  })

  it('read is not write', async () => {
    const refused = as(open, { deployments: 'read' }).repos.createDeployment({ ...inOpen, ref: 'main' })
    await expect(refused).rejects.toMatchObject({
      status: 403,
      response: { headers: { 'x-accepted-github-permissions': 'deployments=write' } },
    })
  })

  it('what is public may be read with no permission at all, what is private may not', async () => {
    await expect(as(open, {}).pulls.get({ ...inOpen, pull_number: 1 })).resolves.toMatchObject({ status: 200 })
    await expect(as(closed, {}).pulls.get({ ...inClosed, pull_number: 1 })).rejects.toMatchObject({ status: 403 })
    await expect(
      as(closed, { pull_requests: 'read' }).pulls.get({ ...inClosed, pull_number: 1 }),
    ).resolves.toMatchObject({
      status: 200,
    })
  })

  it('another repository’s token does not even learn that a private one exists', async () => {
    await expect(as(open, { contents: 'write' }).repos.get(inClosed)).rejects.toMatchObject({ status: 404 })
  })

  it('a token that does not exist, or no longer, is 401 Bad credentials', async () => {
    const token = github.token({ repository: open, permissions: { contents: 'read' } })
    await expect(client(token).repos.get(inOpen)).resolves.toMatchObject({ status: 200 })
    github.revokeToken(token)
    await expect(client(token).repos.get(inOpen)).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining('Bad credentials'),
    })
  })

  it('GET /user is for people: an installation token is refused', async () => {
    await expect(as(open, { contents: 'write' }).users.getAuthenticated()).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('Resource not accessible by integration'),
    })
    await expect(as(open, {}, 'user').users.getAuthenticated()).resolves.toMatchObject({ data: { login: 'acme' } })
  })

  it('says what somebody may do here, in the four old words and the new ones', async () => {
    open.setCollaborator('mia', 'maintain')
    const permissionOf = async (username: string) =>
      (await as(open, {}).repos.getCollaboratorPermissionLevel({ ...inOpen, username })).data
    await expect(permissionOf('mia')).resolves.toMatchObject({ permission: 'write', role_name: 'maintain' })
    await expect(permissionOf('stranger')).resolves.toMatchObject({ permission: 'read', role_name: 'read' })
    await expect(permissionOf('acme')).resolves.toMatchObject({ permission: 'admin' })
  })
})
