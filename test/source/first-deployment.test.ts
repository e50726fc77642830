import { describe, expect, it } from 'vitest'
import { quickClock, setStage } from './deployment.ts'
import { commitFiles, git, headOf, newRepository } from './scratch.ts'

describe('a first deployment', () => {
  it('puts the tree of the commit on the branch, as one commit without parents', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    await commitFiles(stage.workspace, { 'old.txt': 'old\n' }, 'First')
    const sha = await commitFiles(stage.workspace, { 'index.html': '<h1>hi</h1>\n' }, 'Say hi\n\nAt length.')
    await using source = stage.open()
    const snapshot = await source.snapshot({ wanted: { sha }, ordinaryCheckouts: [sha] }, stage.signal)
    const branch = `ink/production/acme-web/${sha}`
    const result = await source.push({ snapshot, remote: stage.remote, branch }, stage.signal)
    expect(result).toMatchObject({ kind: 'pushed', incremental: false, objects: 4 })
    const pushed = await git(stage.platformRepository, 'cat-file', 'commit', `refs/heads/${branch}`)
    expect(pushed.split('\n')).toEqual([
      `tree ${await git(stage.workspace, 'rev-parse', 'HEAD^{tree}')}`,
      'author Ada Author <ada@example.org> 1700000000 +0130',
      'committer Carl Committer <carl@example.org> 1700000100 -0800',
      '',
      'Say hi',
      '',
      `Source-Commit: ${sha}`,
    ])
    expect(await source.branches(stage.remote, stage.signal)).toEqual(new Map([[branch, snapshot.sha]]))
    expect(await source.push({ snapshot, remote: stage.remote, branch }, stage.signal)).toMatchObject({
      kind: 'already-there',
      bytes: 0,
    })
    await source.deleteBranches(stage.remote, [branch, 'ink/pr-1/gone'], stage.signal)
    expect(await source.branches(stage.remote, stage.signal)).toEqual(new Map())
    await source[Symbol.asyncDispose]()
    expect(await stage.leftovers()).toEqual([])
  })

  it('finds no branches in a repository that was made and never pushed to, which answers HTTP 500', async () => {
    await using stage = await setStage()
    stage.platform.failOn = /git-upload-pack/
    await using source = stage.open({ clock: quickClock().clock, deadlineAt: 30_000 })
    expect(await source.branches(stage.remote, stage.signal)).toEqual(new Map())
  })

  it('does not take a server in trouble for a repository without branches', async () => {
    await using stage = await setStage()
    const tree = await git(stage.platformRepository, 'hash-object', '-t', 'tree', '-w', '/dev/null')
    const commit = await git(stage.platformRepository, 'commit-tree', '-m', 'x', tree)
    await git(stage.platformRepository, 'update-ref', 'refs/heads/main', commit)
    stage.platform.failOn = /git-upload-pack/
    await using source = stage.open({ clock: quickClock().clock, deadlineAt: 30_000 })
    await expect(source.branches(stage.remote, stage.signal)).rejects.toMatchObject({ code: 'unreachable' })
  })

  it.for([
    ['the merge commit, credentials persisted or not', 'refs/pull/1/merge'],
    ['nothing', undefined],
  ])('deploys the head of a pull request when the checkout holds %s', async ([, checkedOut]) => {
    await using stage = await setStage()
    const work = await newRepository(`${stage.path}/work`)
    await commitFiles(work, { 'a.txt': 'a\n', 'b.txt': 'b\n' })
    await git(work, 'checkout', '-qb', 'feature')
    const head = await commitFiles(work, { 'a.txt': 'changed\n', 'same.txt': 'same\n' }, 'Head')
    await git(work, 'checkout', '-q', 'main')
    await commitFiles(work, { 'b.txt': 'moved on\n' })
    await git(work, 'merge', '-q', '--no-ff', '-m', 'Merge', 'feature')
    const merge = await headOf(work)
    await git(work, 'push', '-q', stage.originRepository, `${head}:refs/pull/1/head`, `${merge}:refs/pull/1/merge`)
    if (checkedOut !== undefined) {
      await newRepository(stage.workspace)
      await git(stage.workspace, 'remote', 'add', 'origin', stage.origin.url('acme/web'))
      await git(stage.workspace, 'fetch', '-q', '--depth=1', `file://${stage.originRepository}`, checkedOut)
      await git(stage.workspace, 'checkout', '-q', 'FETCH_HEAD')
      // As actions/checkout persists it: a second header of this kind is refused.
      const persisted = `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${stage.originToken}`).toString('base64')}`
      await git(stage.workspace, 'config', `http.${stage.origin.address}/.extraheader`, persisted)
    }
    await using source = stage.open()
    const snapshot = await source.snapshot({ wanted: { sha: head }, ordinaryCheckouts: [merge, head] }, stage.signal)
    expect(snapshot).toMatchObject({ sourceSha: head, subject: 'Head', files: 3 })
    expect(stage.origin.requests.map(({ authorization }) => authorization.length)).not.toContain(2)
    expect(stage.origin.requests.length).toBeGreaterThan(0)
    const branch = `ink/pr-1/acme-web-pr-1/${head}`
    await source.push({ snapshot, remote: stage.remote, branch }, stage.signal)
    expect(await git(stage.platformRepository, 'rev-parse', `${branch}^{tree}`)).toBe(
      await git(work, 'rev-parse', `${head}^{tree}`),
    )
    expect(await git(stage.platformRepository, 'show', `${branch}:a.txt`)).toBe('changed')
  })
})
