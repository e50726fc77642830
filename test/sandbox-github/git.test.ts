import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AccessLevel, type GitHub, type Repository, startGitHub } from '../../sandbox/github/github.ts'
import { isolatedGitEnvironment } from '../../sandbox/github/state/git.ts'

let github: GitHub
let repository: Repository
let folder: string

beforeEach(async () => {
  github = await startGitHub()
  folder = await mkdtemp(join(tmpdir(), 'git-test-'))
  repository = await github.createRepository({ owner: 'acme', name: 'web' })
  await repository.commit({
    branch: 'main',
    files: { 'a.txt': '1\n', 'dir/b.bin': Buffer.from([0, 255, 10]) },
    message: 'Start',
  })
})

afterEach(async () => {
  await github.stop()
  await rm(folder, { recursive: true, force: true })
})

const identity = Object.fromEntries(
  ['AUTHOR', 'COMMITTER'].flatMap((who) => [
    [`GIT_${who}_NAME`, 'Ada'],
    [`GIT_${who}_EMAIL`, 'ada@example.com'],
  ]),
)

async function git(...args: string[]): Promise<string> {
  const env = isolatedGitEnvironment({ ...identity, HOME: folder })
  return (await promisify(execFile)('git', args, { cwd: folder, env })).stdout.trim()
}

function remote(permissions: Record<string, AccessLevel> | undefined, of = repository): string {
  if (!permissions) return of.cloneUrl
  const url = new URL(of.cloneUrl)
  url.username = 'x-access-token'
  url.password = github.token({ repository: of, permissions })
  return url.href
}

describe('git over HTTP', () => {
  it('clones without a token what is public, whole, shallow or without its blobs', async () => {
    await repository.pushTo('main', { 'a.txt': '2\n' })
    await git('clone', '-q', '--depth=1', remote(undefined), 'shallow')
    expect(await git('-C', 'shallow', 'rev-list', '--count', 'HEAD')).toBe('1')
    expect(await readFile(join(folder, 'shallow/dir/b.bin'))).toEqual(Buffer.from([0, 255, 10]))
    await git('clone', '-q', '--bare', '--filter=blob:none', remote(undefined), 'bare')
    expect(await git('-C', 'bare', 'rev-list', '--objects', '--missing=print', '--all')).toContain('?')
  })

  it('serves any commit that is asked for by its SHA', async () => {
    const old = await repository.head()
    await repository.pushTo('main', { 'a.txt': '2\n' })
    await git('init', '-q', 'work')
    await git('-C', 'work', 'fetch', '-q', '--depth=1', remote(undefined), old)
    expect(await git('-C', 'work', 'rev-parse', 'FETCH_HEAD')).toBe(old)
  })

  it('hides a private repository from everyone without a token for it', async () => {
    const hidden = await github.createRepository({ owner: 'acme', name: 'hidden', private: true })
    await hidden.commit({ branch: 'main', files: { a: '1' }, message: 'Start' })
    await expect(git('ls-remote', remote(undefined, hidden))).rejects.toThrow(
      /terminal prompts disabled|Authentication failed/,
    )
    await expect(git('ls-remote', remote({ issues: 'write' }, hidden))).rejects.toThrow(/not found/)
    expect(await git('ls-remote', remote({ contents: 'read' }, hidden), 'main')).toContain('refs/heads/main')
  })

  it('takes a push only with contents: write, and pull requests learn of it', async () => {
    await repository.commit({
      branch: 'feature',
      parent: await repository.head(),
      files: { c: '1' },
      message: 'Change',
    })
    const pull = await repository.openPullRequest({ head: 'feature' })
    await git('clone', '-q', '--branch=feature', remote(undefined), 'work')
    await writeFile(join(folder, 'work/new.txt'), 'new\n')
    await git('-C', 'work', 'add', '.')
    await git('-C', 'work', 'commit', '-q', '-m', 'More')
    await expect(git('-C', 'work', 'push', '-q', remote({ contents: 'read' }), 'feature')).rejects.toThrow(/403/)
    const before = await repository.resolve('refs/pull/1/merge')
    await git('-C', 'work', 'push', '-q', remote({ contents: 'write' }), 'feature')
    const sha = await git('-C', 'work', 'rev-parse', 'HEAD')
    expect(pull.headSha).toBe(sha)
    expect(await repository.resolve('refs/pull/1/head')).toBe(sha)
    expect(await repository.resolve('refs/pull/1/merge')).not.toBe(before)
  })

  it('is in the journal, with nobody’s token', async () => {
    await git('ls-remote', remote({ contents: 'read' }))
    expect(github.journal.map((entry) => [entry.operation, entry.status])).toContainEqual(['git', 200])
    expect(JSON.stringify(github.journal)).not.toContain('ghs_')
  })
})

describe('pull requests', () => {
  it('keep their test merge up to date and lose it on a conflict', async () => {
    await repository.commit({
      branch: 'feature',
      parent: await repository.head(),
      files: { 'a.txt': '2\n' },
      message: 'Change',
    })
    const pull = await repository.openPullRequest({ head: 'feature' })
    const parents = async () => git('-C', repository.gitDir, 'show', '-s', '--format=%P', 'refs/pull/1/merge')
    const merged = async (path: string) => git('-C', repository.gitDir, 'show', `refs/pull/1/merge:${path}`)
    expect(await parents()).toBe(`${await repository.head()} ${pull.headSha}`)
    expect(await merged('a.txt')).toBe('2')
    await repository.pushTo('main', { 'other.txt': '1\n' })
    expect(await parents()).toBe(`${await repository.head()} ${pull.headSha}`)
    expect([await merged('a.txt'), await merged('other.txt')]).toEqual(['2', '1'])
    await repository.pushTo('main', { 'a.txt': '3\n' })
    expect(pull.mergeable).toBe(false)
    expect(await repository.resolve('refs/pull/1/merge')).toBeUndefined()
    await repository.pushTo('main', { 'a.txt': '1\n' })
    expect(pull.mergeable).toBe(true)
    expect(await parents()).toBe(`${await repository.head()} ${pull.headSha}`)
  })

  it('come from forks, whose commits are then here too', async () => {
    const fork = await github.createRepository({ owner: 'eve', name: 'web', fork: repository })
    await fork.commit({ branch: 'patch', parent: await fork.head(), files: { c: '1' }, message: 'Patch' })
    const pull = await repository.openPullRequest({ head: 'patch', fromFork: fork })
    expect(pull.user.login).toBe('eve')
    expect(await repository.resolve('refs/pull/1/head')).toBe(await fork.head('patch'))
    const moved = await fork.pushTo('patch', { c: '2' })
    expect(await repository.resolve('refs/pull/1/head')).toBe(moved)
    const { payload } = await repository.event('pull_request', { action: 'synchronize', number: 1 })
    expect(payload).toMatchObject({
      pull_request: { head: { label: 'eve:patch', sha: moved, repo: { full_name: 'eve/web', fork: true } } },
      repository: { full_name: 'acme/web' },
    })
  })

  it('are merged by a commit with two parents, or with one when squashed', async () => {
    for (const [branch, method, parents] of [
      ['one', 'merge', 2],
      ['two', 'squash', 1],
    ] as const) {
      await repository.commit({ branch, parent: await repository.head(), files: { [branch]: '1' }, message: branch })
      const pull = await repository.openPullRequest({ head: branch })
      const sha = await repository.merge(pull.number, { method })
      expect(await repository.head()).toBe(sha)
      expect((await git('-C', repository.gitDir, 'show', '-s', '--format=%P', sha)).split(' ')).toHaveLength(parents)
      expect(pull).toMatchObject({ state: 'closed', merged: true, mergeCommitSha: sha })
    }
  })
})

describe('commits are written without a work tree', () => {
  it('with executables, links, submodules, deletions and awkward names', async () => {
    const commit = await repository.head()
    await repository.pushTo('main', {
      'run.sh': { mode: '100755', content: '#!/bin/sh\n' },
      link: { mode: '120000', content: 'a.txt' },
      sub: { mode: '160000', commit },
      'a.txt': null,
      'with "quotes" and \\ and ü.txt': 'x',
    })
    const tree = await git('-C', repository.gitDir, 'ls-tree', '-z', 'main')
    const entries = tree.split('\0').filter((line) => line !== '')
    expect(entries.map((entry) => entry.replace(/ .*\t/, ' '))).toEqual([
      '040000 dir',
      '120000 link',
      '100755 run.sh',
      '160000 sub',
      '100644 with "quotes" and \\ and ü.txt',
    ])
  })

  it('and none is lost when many are written at once', async () => {
    await Promise.all(Array.from({ length: 8 }, (_, index) => repository.pushTo('main', { [`f${index}`]: 'x' })))
    expect(await git('-C', repository.gitDir, 'rev-list', '--count', 'main')).toBe('9')
  })
})

it('nothing is left when it has been stopped', async () => {
  const { gitDir } = repository
  await github.stop()
  await expect(readdir(gitDir)).rejects.toThrow(/ENOENT/)
  await expect(fetch(github.serverUrl)).rejects.toThrow(/fetch failed/)
})

it('what is neither API nor git is left to the pages that people see', async () => {
  const pages = (_: unknown, response: { end(text: string): void }, url: URL) =>
    Promise.resolve(response.end(`page ${url.pathname}`))
  await using shown = await startGitHub({ pages })
  const page = await fetch(`${shown.serverUrl}/acme/web/pull/1`)
  expect(await page.text()).toBe('page /acme/web/pull/1')
  expect((await fetch(`${github.serverUrl}/acme/web/pull/1`)).status).toBe(404)
})

it('a port that is taken is an error', async () => {
  const port = Number(new URL(github.serverUrl).port)
  await expect(startGitHub({ port })).rejects.toThrow(/EADDRINUSE/)
})

describe('the server of git', () => {
  const ask = (path: string, init: RequestInit = {}) => fetch(`${repository.cloneUrl}/${path}`, init)

  it('begins as each version of the protocol does', async () => {
    const refs = 'info/refs?service=git-upload-pack'
    expect(await (await ask(refs)).text()).toMatch(/^001e# service=git-upload-pack\n0000[0-9a-f]{44} HEAD/)
    const second = await ask(refs, { headers: { 'git-protocol': 'version=2' } })
    expect(await second.text()).toMatch(/^000eversion 2\n/)
    expect(second.headers.get('content-type')).toBe('application/x-git-upload-pack-advertisement')
  })

  it('understands a compressed request, and refuses what is none', async () => {
    const headers = { 'content-type': 'application/x-git-upload-pack-request', 'git-protocol': 'version=2' }
    const body = gzipSync('0014command=ls-refs\n0000')
    const packed = await ask('git-upload-pack', {
      method: 'POST',
      headers: { ...headers, 'content-encoding': 'gzip' },
      body,
    })
    expect(await packed.text()).toContain(`${await repository.head()} refs/heads/main`)
    expect((await ask('git-upload-pack', { method: 'POST', body: '0000' })).status).toBe(415)
    expect((await ask('git-upload-pack')).status).toBe(405)
    expect((await ask('info/refs')).status).toBe(405)
  })
})
