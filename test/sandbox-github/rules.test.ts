import { getOctokit } from '@actions/github'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type GitHub, type Repository, startGitHub } from '../../sandbox/github/github.ts'

let github: GitHub
let repository: Repository
let rest: ReturnType<typeof getOctokit>['rest']

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
  const permissions = { contents: 'write', issues: 'write', deployments: 'write', pull_requests: 'write' } as const
  rest = getOctokit(github.token({ repository, permissions }), { baseUrl: github.apiUrl }).rest
})

afterEach(async () => {
  await github.stop()
})

const at = { owner: 'acme', repo: 'web' }

describe('lists come in pages', () => {
  it('of 30, at most 100, oldest comment first, with links to the neighbours', async () => {
    for (let index = 1; index <= 205; index += 1) repository.comment(1, `Comment ${index}`)
    const first = await rest.issues.listComments({ ...at, issue_number: 1 })
    expect(first.data).toHaveLength(30)
    expect(first.data[0]?.body).toBe('Comment 1')
    const second = await rest.issues.listComments({ ...at, issue_number: 1, per_page: 100, page: 2 })
    expect(second.data).toHaveLength(100)
    expect(second.headers.link).toMatch(/page=1>; rel="prev".*page=3>; rel="next".*page=3>; rel="last"/)
    const last = await rest.issues.listComments({ ...at, issue_number: 1, per_page: 100, page: 3 })
    expect(last.data.map((comment) => comment.body)).toEqual([201, 202, 203, 204, 205].map((n) => `Comment ${n}`))
    expect(last.headers.link).not.toContain('next')
    const tooMany = await rest.issues.listComments({ ...at, issue_number: 1, per_page: 500 })
    expect(tooMany.data).toHaveLength(100)
  })

  it('and a client that pages finds everything', async () => {
    for (let index = 1; index <= 101; index += 1) repository.comment(1, `Comment ${index}`)
    const octokit = getOctokit(github.token({ repository, permissions: {} }), { baseUrl: github.apiUrl })
    const all = await octokit.paginate(octokit.rest.issues.listComments, { ...at, issue_number: 1 })
    expect(all).toHaveLength(101)
  })
})

describe('the files of a pull request', () => {
  it('say what became of each, renames and binary files included', async () => {
    const long = Array.from({ length: 20 }, (_, line) => `line ${line}\n`).join('')
    await repository.pushTo('main', { 'old name.txt': long, 'gone.txt': 'x\n', 'picture.png': Buffer.from([0, 1, 2]) })
    await repository.commit({
      branch: 'moves',
      parent: await repository.head(),
      message: 'Move',
      files: {
        'old name.txt': null,
        'dir/new name.txt': `${long}more\n`,
        'gone.txt': null,
        'picture.png': Buffer.from([0, 1, 3]),
        'run.sh': { mode: '100755', content: '#!/bin/sh\n' },
      },
    })
    const { number } = await repository.openPullRequest({ head: 'moves' })
    const { data } = await rest.pulls.listFiles({ ...at, pull_number: number })
    expect(data.map((file) => [file.filename, file.status, file.additions, file.deletions])).toEqual([
      ['dir/new name.txt', 'renamed', 1, 0],
      ['gone.txt', 'removed', 0, 1],
      ['picture.png', 'modified', 0, 0],
      ['run.sh', 'added', 1, 0],
    ])
    expect(data[0]?.previous_filename).toBe('old name.txt')
    expect(github.violations).toEqual([])
  })
})

describe('comments', () => {
  it('longer than 65536 characters are refused', async () => {
    const create = (length: number) => rest.issues.createComment({ ...at, issue_number: 1, body: 'x'.repeat(length) })
    await expect(create(65_536)).resolves.toMatchObject({ status: 201 })
    await expect(create(65_537)).rejects.toMatchObject({ status: 422, message: expect.stringContaining('too long') })
  })

  it('that somebody deleted are 404 for who wants to edit them', async () => {
    const { id } = repository.comment(1, 'Mine')
    repository.conversation.deleteComment(id)
    await expect(rest.issues.updateComment({ ...at, comment_id: id, body: 'x' })).rejects.toMatchObject({ status: 404 })
  })

  it('take one reaction of a kind from each: the second request finds the first one', async () => {
    const { id } = repository.comment(1, '/ink deploy', 'ada')
    const react = () => rest.reactions.createForIssueComment({ ...at, comment_id: id, content: 'eyes' })
    expect([(await react()).status, (await react()).status]).toEqual([201, 200])
    expect(repository.reactions(id)).toHaveLength(1)
  })
})

describe('writing', () => {
  it('more than 80 times a minute is refused as the secondary limit does; reading is not, and a minute later all is well', async () => {
    let clock = Date.now()
    await using busy = await startGitHub({ now: () => new Date(clock) })
    const there = await busy.createRepository({ owner: 'acme', name: 'web' })
    await there.commit({ branch: 'main', files: { a: '1\n' }, message: 'Start' })
    await there.commit({ branch: 'feature', parent: await there.head(), files: { a: '2\n' }, message: 'Change' })
    await there.openPullRequest({ head: 'feature' })
    const client = getOctokit(busy.token({ repository: there, permissions: { issues: 'write' } }), {
      baseUrl: busy.apiUrl,
    }).rest
    const write = () => client.issues.createComment({ ...at, issue_number: 1, body: 'x' })
    for (let index = 0; index < 80; index += 1) await write()
    await expect(write()).rejects.toMatchObject({ status: 403, response: { headers: { 'retry-after': '60' } } })
    expect(there.comments(1)).toHaveLength(80)
    await expect(client.issues.get({ ...at, issue_number: 1 })).resolves.toMatchObject({ status: 200 })
    clock += 60_000
    await expect(write()).resolves.toMatchObject({ status: 201 })
    expect(busy.violations).toEqual([])
  })
})

describe('deployment records', () => {
  const create = async (more: Record<string, unknown> = {}) => {
    const { data } = await rest.repos.createDeployment({
      ...at,
      ref: 'main',
      auto_merge: false,
      required_contexts: [],
      ...more,
    })
    return (data as { id: number }).id
  }
  const setState = (deployment_id: number, state: 'success' | 'inactive' | 'in_progress', more = {}) =>
    rest.repos.createDeploymentStatus({ ...at, deployment_id, state, ...more })
  const states = (id: number) => repository.statuses(id).map((status) => status.state)

  it('that are active can be deleted only when there is no other', async () => {
    const one = await create({ environment: 'preview' })
    const two = await create({ environment: 'preview' })
    await setState(one, 'success', { auto_inactive: false })
    const deletion = () => rest.repos.deleteDeployment({ ...at, deployment_id: one })
    await expect(deletion()).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('active deployment'),
    })
    await setState(one, 'inactive')
    await deletion()
    expect(repository.deployments().map((deployment) => deployment.id)).toEqual([two])
    await setState(two, 'success')
    await rest.repos.deleteDeployment({ ...at, deployment_id: two })
    expect(repository.deployments()).toEqual([])
  })

  it('turn inactive when a newer one of their environment succeeds, unless they are production, transient, or it was asked not to', async () => {
    const [old, transient, production, other] = [
      await create({ environment: 'staging' }),
      await create({ environment: 'staging', transient_environment: true }),
      await create({ environment: 'staging', production_environment: true }),
      await create({ environment: 'elsewhere' }),
    ]
    for (const id of [old, transient, production, other]) await setState(id, 'success', { auto_inactive: false })
    const quiet = await create({ environment: 'staging' })
    await setState(quiet, 'success', { auto_inactive: false })
    expect(states(old)).toEqual(['success'])
    await setState(await create({ environment: 'staging' }), 'success')
    expect([old, transient, production, other, quiet].map((id) => states(id).at(-1))).toEqual([
      'inactive',
      'success',
      'success',
      'success',
      'inactive',
    ])
  })

  it('are found by sha, ref, task and environment, newest first', async () => {
    const sha = await repository.head()
    const first = await create({ environment: 'preview', task: 'ink-preview-pr-1', ref: sha })
    const second = await create({ environment: 'preview', task: 'ink-preview-pr-1', ref: 'main' })
    await create({ environment: 'preview', task: 'ink-preview-pr-2' })
    const found = async (query: Record<string, string>) =>
      (await rest.repos.listDeployments({ ...at, ...query })).data.map((deployment) => deployment.id)
    expect(await found({ task: 'ink-preview-pr-1' })).toEqual([second, first])
    expect(await found({ task: 'ink-preview-pr-1', ref: sha })).toEqual([first])
    expect(await found({ environment: 'production' })).toEqual([])
  })

  it('need a reference that exists', async () => {
    await expect(create({ ref: 'nowhere' })).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('No ref found'),
    })
  })

  it('merge the default branch into one that lacks its commits, and then record nothing, unless auto_merge is false', async () => {
    await repository.pushTo('main', { b: 'new\n' })
    const before = await repository.head('feature')
    const { status } = await rest.repos.createDeployment({ ...at, ref: 'feature', required_contexts: [] })
    expect(status).toBe(202)
    expect(await repository.head('feature')).not.toBe(before)
    expect(repository.deployments()).toEqual([])
  })

  it('describe a status in 140 characters at most', async () => {
    const id = await create()
    await setState(id, 'success', { description: 'x'.repeat(140) })
    await expect(setState(id, 'success', { description: 'x'.repeat(141) })).rejects.toMatchObject({ status: 422 })
  })
})

describe('what GitHub’s description does not allow', () => {
  const requests: readonly (readonly [string, string, string, unknown])[] = [
    ['a path that GitHub does not describe', 'GET', '/repos/acme/web/nonsense', undefined],
    ['a query parameter that it does not describe', 'GET', '/repos/acme/web/pulls?stat=open', undefined],
    ['a query value of the wrong kind', 'GET', '/repos/acme/web/pulls?state=gone', undefined],
    ['a path value of the wrong kind', 'GET', '/repos/acme/web/pulls/first', undefined],
    ['a body without what is required', 'POST', '/repos/acme/web/issues/1/comments', {}],
    ['a body with what is not described', 'POST', '/repos/acme/web/issues/1/comments', { body: 'x', bodyy: 'y' }],
    ['a body value of the wrong kind', 'POST', '/repos/acme/web/deployments', { ref: 'main', auto_merge: 'no' }],
    ['a described call that the stand-in does not know', 'GET', '/repos/acme/web/hooks', undefined],
  ]

  it.each(requests)('%s is answered 500 and recorded', async (_, method, path, body) => {
    const token = github.token({ repository, permissions: { issues: 'write', deployments: 'write' } })
    const answer = await fetch(github.apiUrl + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    expect(answer.status).toBe(500)
    expect(github.violations).toHaveLength(1)
    expect(github.violations[0]).toMatchObject({ method })
  })
})
