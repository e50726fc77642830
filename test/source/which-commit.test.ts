import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chooseCommit } from '../../src/source/checkout.ts'
import { deploy, pushedFile } from './deploying.ts'
import { setStage } from './deployment.ts'
import { commitFiles, git, headOf, newRepository } from './scratch.ts'

describe('the commit that is deployed', () => {
  it('is the one on purpose checked out, and the snapshot says why', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const wanted = await commitFiles(stage.workspace, { 'a.txt': 'main\n' })
    await git(stage.workspace, 'checkout', '-qb', 'release')
    const release = await commitFiles(stage.workspace, { 'a.txt': 'release\n' })
    await using source = stage.open()
    const { snapshot, branch } = await deploy(stage, source, wanted)
    expect(snapshot).toMatchObject({ sourceSha: release })
    expect(snapshot.why).toContain(
      `checked out ${release.slice(0, 7)} (refs/heads/release) and not ${wanted.slice(0, 7)}`,
    )
    expect(await pushedFile(stage, branch, 'a.txt')).toBe('release')
  })

  it('is named by its own name when what was checked out is on no branch', () => {
    const [head, wanted] = ['b'.repeat(40), { sha: 'a'.repeat(40) }]
    const checkout = {
      directory: '/w',
      objectsDirectory: '/w/.git/objects',
      gitDirectory: '/w/.git',
      format: 'sha1',
      head,
      headRef: undefined,
      originUrl: undefined,
    } as const
    expect(chooseCommit(checkout, { wanted, ordinaryCheckouts: [] })).toMatchObject({ sha: head })
    expect(chooseCommit(checkout, { wanted, ordinaryCheckouts: [head] })).toEqual(wanted)
  })

  it('comes from the checkout in a folder of the workspace, not from others beside it', async () => {
    await using stage = await setStage()
    const other = await newRepository(join(stage.workspace, 'a-tool'))
    await commitFiles(other, { 'tool.txt': 'tool\n' })
    await git(other, 'remote', 'add', 'origin', stage.origin.url('acme/tool'))
    const web = await newRepository(join(stage.workspace, 'apps', 'web'))
    await git(web, 'remote', 'add', 'origin', stage.origin.url('Acme/Web'))
    const sha = await commitFiles(web, { 'web.txt': 'web\n' })
    await using source = stage.open({ origin: undefined })
    const { snapshot, branch } = await deploy(stage, source, sha)
    expect(snapshot.why).toBeUndefined()
    expect(await pushedFile(stage, branch, 'web.txt')).toBe('web')
  })

  it('is fetched when only other repositories lie in folders of the workspace', async () => {
    await using stage = await setStage()
    const other = await newRepository(join(stage.workspace, 'a-tool'))
    await commitFiles(other, { 'tool.txt': 'tool\n' })
    await git(other, 'remote', 'add', 'origin', stage.origin.url('acme/tool'))
    const work = await newRepository(join(stage.path, 'work'))
    const sha = await commitFiles(work, { 'web.txt': 'web\n' })
    await git(work, 'push', '-q', stage.originRepository, 'main')
    await using source = stage.open()
    const { snapshot } = await deploy(stage, source, sha)
    expect(snapshot).toMatchObject({ sourceSha: sha, why: expect.stringContaining('not checked out in the workspace') })
    expect(stage.origin.requests.length).toBeGreaterThan(0)
  })

  it('is found in a worktree and in a repository with its .git elsewhere', async () => {
    await using stage = await setStage()
    const home = await newRepository(join(stage.path, 'home'))
    const sha = await commitFiles(home, { 'a.txt': 'a\n' })
    await git(home, 'worktree', 'add', '-q', '--detach', join(stage.workspace, 'tree'), sha)
    await using source = stage.open({ workspace: join(stage.workspace, 'tree'), origin: undefined })
    const { snapshot } = await deploy(stage, source, sha)
    expect(snapshot.sourceSha).toBe(sha)
  })

  it('brings only the contents that the merge commit’s checkout lacks', async () => {
    await using stage = await setStage()
    const work = await newRepository(join(stage.path, 'work'))
    const large = randomBytes(10_000).toString('hex')
    await commitFiles(work, { 'large.txt': large, 'b.txt': 'b\n' })
    await git(work, 'checkout', '-qb', 'feature')
    const head = await commitFiles(work, { 'a.txt': 'a\n' })
    await git(work, 'checkout', '-q', 'main')
    await commitFiles(work, { 'b.txt': 'moved on\n' })
    await git(work, 'merge', '-q', '--no-ff', '-m', 'Merge', 'feature')
    const merge = await headOf(work)
    await git(work, 'push', '-q', stage.originRepository, `${head}:refs/pull/1/head`, `${merge}:refs/pull/1/merge`)
    await newRepository(stage.workspace)
    await git(stage.workspace, 'fetch', '-q', '--depth=1', `file://${stage.originRepository}`, 'refs/pull/1/merge')
    await git(stage.workspace, 'checkout', '-q', 'FETCH_HEAD')
    await using source = stage.open()
    const { branch } = await deploy(stage, source, head, { ordinaryCheckouts: [merge] })
    expect(await pushedFile(stage, branch, 'b.txt')).toBe('b')
    expect(await pushedFile(stage, branch, 'large.txt')).toBe(large)
    expect(stage.origin.bytesSent).toBeLessThan(large.length / 2)
  })

  it('is whole, too, when the checkout is sparse and without most contents', async () => {
    await using stage = await setStage()
    const work = await newRepository(join(stage.path, 'work'))
    const sha = await commitFiles(work, { 'top.txt': 'top\n', 'inside/a.txt': 'a\n', 'outside/b.txt': 'b\n' })
    await git(work, 'push', '-q', stage.originRepository, 'main')
    const address = `file://${stage.originRepository}`
    await git(stage.path, 'clone', '-q', '--depth=1', '--filter=blob:none', '--sparse', address, 'workspace')
    await git(stage.workspace, 'sparse-checkout', 'set', 'inside')
    await using source = stage.open()
    const { branch } = await deploy(stage, source, sha)
    expect(await pushedFile(stage, branch, 'outside/b.txt')).toBe('b')
    expect(await git(stage.workspace, 'ls-files', '-t', 'outside')).toMatch(/^S /)
  })

  it('works for repositories whose objects are named by SHA-256', async () => {
    await using stage = await setStage()
    await git(stage.workspace, 'init', '--quiet', '--object-format=sha256')
    const sha = await commitFiles(stage.workspace, { 'a.txt': 'a\n', 'dir/b.txt': 'b\n' }, 'In SHA-256')
    expect(sha).toHaveLength(64)
    await using source = stage.open({ origin: undefined })
    const { branch, snapshot } = await deploy(stage, source, sha)
    expect(branch).toBe(`ink/production/acme-web/${sha}`)
    expect(snapshot).toMatchObject({ subject: 'In SHA-256', files: 2, bytes: 4 })
    expect(await pushedFile(stage, branch, 'dir/b.txt')).toBe('b')
  })

  it('is fetched from a GHES host that lives under a path', async () => {
    await using stage = await setStage()
    const work = await newRepository(join(stage.path, 'work'))
    const sha = await commitFiles(work, { 'web.txt': 'web\n' })
    const repository = await stage.origin.repository('ghes/acme/web')
    await git(work, 'push', '-q', repository, 'main')
    await using source = stage.open({ origin: { url: stage.origin.url('ghes/acme/web'), token: stage.originToken } })
    expect((await deploy(stage, source, sha)).snapshot.sourceSha).toBe(sha)
  })

  it('is an error that says what to do when it is nowhere to be had', async () => {
    await using stage = await setStage()
    await using source = stage.open({ origin: { url: stage.origin.url('acme/web'), token: 'wrong' } })
    const request = { wanted: { sha: 'a'.repeat(40) }, ordinaryCheckouts: [] }
    await expect(source.snapshot(request, stage.signal)).rejects.toMatchObject({
      name: 'SourceError',
      code: 'no-commit',
      message: expect.stringContaining('a'.repeat(40)),
      hint: expect.stringContaining('contents: read'),
    })
    await using alone = stage.open({ origin: undefined })
    await expect(alone.snapshot(request, stage.signal)).rejects.toMatchObject({ code: 'no-commit' })
  })

  it('is not looked for in folders that are not repositories', async () => {
    await using stage = await setStage()
    await mkdir(join(stage.workspace, 'broken', '.git'), { recursive: true })
    const work = await newRepository(join(stage.path, 'work'))
    const sha = await commitFiles(work, { 'web.txt': 'web\n' })
    await git(work, 'push', '-q', stage.originRepository, 'main')
    await using source = stage.open()
    expect((await deploy(stage, source, sha)).snapshot.sourceSha).toBe(sha)
  })
})

describe('a file of the commit', () => {
  it('is the one of exactly that path, and neither a directory nor the first file in one', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, { '0.sql': 'first\n', 'db/seed "é".sql': 'seed\n' })
    await using source = stage.open({ origin: undefined })
    const wanted = { wanted: { sha }, ordinaryCheckouts: [] }
    const snapshot = await source.snapshot(wanted, stage.signal)
    expect(String(await source.read(snapshot, 'db/seed "é".sql', stage.signal))).toBe('seed\n')
    for (const path of ['.', 'db', 'db/', 'nowhere']) {
      expect(await source.read(snapshot, path, stage.signal)).toBeUndefined()
      expect(await source.readCommitted(wanted, path, stage.signal)).toMatchObject({ file: 'absent' })
    }
  })
})
