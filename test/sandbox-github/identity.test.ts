import { getOctokit } from '@actions/github'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type GitHub, type Repository, startGitHub, type TokenKind } from '../../sandbox/github/github.ts'

let github: GitHub
let repository: Repository

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
  await repository.openPullRequest({ head: 'feature', author: 'ada' })
})

afterEach(async () => {
  expect(github.violations).toEqual([])
  await github.stop()
})

const at = { owner: 'acme', repo: 'web' }

function as(kind: TokenKind, actor?: string, permissions: Record<string, 'read' | 'write'> = { issues: 'write' }) {
  const token = github.token({ repository, kind, permissions, ...(actor === undefined ? {} : { actor }) })
  return getOctokit(token, { baseUrl: github.apiUrl }).rest
}

describe('who a token belongs to', () => {
  it('is told for a person’s token, and refused for a job’s and an app’s', async () => {
    expect((await as('user', 'ada').users.getAuthenticated()).data).toMatchObject({ login: 'ada', type: 'User' })
    for (const rest of [as('actions'), as('app', 'deployer[bot]')]) {
      await expect(rest.users.getAuthenticated()).rejects.toMatchObject({
        status: 403,
        message: expect.stringContaining('Resource not accessible by integration'),
      })
    }
  })

  it('is told to an app only when it signs in as itself, which no token of a workflow can', async () => {
    for (const rest of [as('actions'), as('app', 'deployer[bot]'), as('user')]) {
      await expect(rest.apps.getAuthenticated()).rejects.toMatchObject({
        status: 401,
        message: expect.stringContaining('JSON web token'),
      })
    }
  })

  it('may be looked up by login, bots included', async () => {
    const { data } = await as('actions').users.getByUsername({ username: 'github-actions[bot]' })
    expect(data).toMatchObject({ id: 41898282, type: 'Bot' })
    await expect(as('actions').users.getByUsername({ username: 'nobody' })).rejects.toMatchObject({ status: 404 })
  })
})

describe('a comment says who wrote it', () => {
  it('with the app, where it was one: GitHub Actions, another app, or none for a person', async () => {
    for (const rest of [as('actions'), as('app', 'deployer[bot]'), as('user', 'ada')]) {
      await rest.issues.createComment({ ...at, issue_number: 1, body: 'Hello' })
    }
    repository.comment(1, 'Update available', 'renovate[bot]')
    const { data } = await as('actions').issues.listComments({ ...at, issue_number: 1 })
    expect(data.map(({ user, performed_via_github_app: app }) => [user?.login, user?.type, app?.slug])).toEqual([
      ['github-actions[bot]', 'Bot', 'github-actions'],
      ['deployer[bot]', 'Bot', 'deployer'],
      ['ada', 'User', undefined],
      ['renovate[bot]', 'Bot', 'renovate'],
    ])
  })

  it('and still says so after a person edited it', async () => {
    const { data: mine } = await as('actions').issues.createComment({ ...at, issue_number: 1, body: 'Preview is live' })
    const body = 'Please look at this\n\nPreview is live'
    await as('user', 'acme').issues.updateComment({ ...at, comment_id: mine.id, body })
    const { data } = await as('actions').issues.getComment({ ...at, comment_id: mine.id })
    expect(data).toMatchObject({
      body,
      user: { login: 'github-actions[bot]' },
      performed_via_github_app: { id: 15368 },
    })
  })
})

describe('what a token may not do is refused', () => {
  it('in words that tell a person’s token from an integration’s', async () => {
    const comment = { ...at, issue_number: 1, body: 'x' }
    await expect(as('user', 'acme', {}).issues.createComment(comment)).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('Resource not accessible by personal access token'),
    })
    await expect(as('app', 'deployer[bot]', {}).issues.createComment(comment)).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('Resource not accessible by integration'),
    })
  })

  it('as 404 where the person may not know that the repository exists', async () => {
    const secret = await github.createRepository({ owner: 'acme', name: 'secret', private: true })
    const inSecret = { owner: 'acme', repo: 'secret' }
    await expect(as('user', 'ada').repos.get(inSecret)).rejects.toMatchObject({ status: 404 })
    secret.setCollaborator('ada', 'read')
    await expect(as('user', 'ada').repos.get(inSecret)).resolves.toMatchObject({ status: 200 })
  })
})
