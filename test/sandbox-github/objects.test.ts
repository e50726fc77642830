import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GitHub, type Repository, startGitHub } from '../../sandbox/github/github.ts'
import { git } from '../../sandbox/github/state/git.ts'

let github: GitHub
let repository: Repository

beforeAll(async () => {
  github = await startGitHub()
  repository = await github.createRepository({ owner: 'acme', name: 'web' })
  await repository.pushTo('main', { a: '1\n' })
})

afterAll(() => github.stop())

const complaints = (of = repository) => git(of.gitDir, ['fsck', '--strict', '--no-dangling'])

describe('git takes for its own what is written without it', () => {
  it('with files in place of directories, directories in place of files, and none that is empty', async () => {
    const files = { 'a/b/c.txt': 'c', 'a.txt': 'x', 'a-b': 'x', 'd/only': 'x', 'ü/～': 'x', 'ü/😀': 'x', f: 'x' }
    await repository.commit({ branch: 'trees', parent: null, files, message: 'Start' })
    const paths = () =>
      git(repository.gitDir, ['-c', 'core.quotePath=false', 'ls-tree', '-r', '-t', '--name-only', 'trees'])
    expect((await paths()).split('\n')).toEqual([
      'a-b',
      'a.txt',
      'a',
      'a/b',
      'a/b/c.txt',
      'd',
      'd/only',
      'f',
      'ü',
      'ü/～',
      'ü/😀',
    ])
    await repository.pushTo('trees', { 'd/only': null, 'f/g': 'x', a: 'a file', 'a-b/none': null, 'none/at': null })
    expect((await paths()).split('\n')).toEqual(['a', 'a-b', 'a.txt', 'f', 'f/g', 'ü', 'ü/～', 'ü/😀'])
    await repository.pushTo('trees', { a: null, 'a-b': null, 'a.txt': null, f: null, ü: null })
    expect(await paths()).toBe('')
    expect(await complaints()).toBe('')
  })

  it('into a repository that it has packed, and into one that commits of a fork are copied to', async () => {
    const packed = await github.createRepository({ owner: 'acme', name: 'packed' })
    await packed.pushTo('main', { 'dir/a': '1\n' })
    await git(packed.gitDir, ['gc', '--quiet'])
    const first = await packed.head()
    await packed.commit({ branch: 'feature', parent: first, files: { 'dir/b': '2\n' }, message: 'Change' })
    const fork = await github.createRepository({ owner: 'eve', name: 'packed', fork: packed })
    await fork.commit({ branch: 'patch', parent: await fork.head('feature'), files: { c: '3\n' }, message: 'Patch' })
    await packed.openPullRequest({ head: 'patch', fromFork: fork })
    expect((await packed.event('pull_request', { number: 1 })).payload).toMatchObject({
      pull_request: { commits: 2, additions: 2, changed_files: 2, base: { sha: first } },
    })
    expect(await git(fork.gitDir, ['for-each-ref', '--format=%(refname)'])).not.toContain('refs/pull')
    await fork.destroy()
    expect(await complaints(packed)).toBe('')
    expect(await git(packed.gitDir, ['show', 'refs/pull/1/merge:c'])).toBe('3')
  })

  it('and what it would refuse is refused before anything is moved', async () => {
    const references = () => git(repository.gitDir, ['for-each-ref'])
    const before = await references()
    for (const branch of ['a..b', 'a b', '.a', 'a/', 'a//b', 'a.lock', 'a.', '../../escaped', 'a~1', 'a@{1}', ''])
      await expect(repository.pushTo(branch, { a: '2\n' }), branch).rejects.toThrow('Git allows no reference')
    for (const path of ['../a', 'a//b', '.git/config', 'a/.GIT/b', './a', ''])
      await expect(repository.pushTo('main', { [path]: 'x' }), path).rejects.toThrow('Git allows no file')
    await expect(
      repository.commit({ branch: 'main', parent: 'f'.repeat(40), files: {}, message: 'On nothing' }),
    ).rejects.toThrow('There is no commit ffff')
    expect(await references()).toBe(before)
  })

  it('and no branch is made where another one is a folder, or would have to be one', async () => {
    const other = await github.createRepository({ owner: 'acme', name: 'folders' })
    await other.pushTo('main', { a: '1\n' })
    await other.pushTo('dir/loose', { a: '2\n' })
    const refused = async (branch: string, beside: string) =>
      await expect(other.pushTo(branch, { a: '3\n' }), branch).rejects.toThrow(`beside refs/heads/${beside}`)
    for (let packed = 0; packed < 2; packed += 1) {
      await refused('main/below/it', 'main')
      await refused('dir', 'dir/')
      await git(other.gitDir, ['pack-refs', '--all'])
    }
    expect(await readdir(`${other.gitDir}/refs/heads`)).toEqual([])
    await other.deleteReference('refs/heads/dir/loose')
    await other.pushTo('dir', { a: '3\n' })
    expect(await git(other.gitDir, ['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/dir\nrefs/heads/main')
  })
})

describe('what a commit changed', () => {
  it('is told of a push by the names of its files', async () => {
    const start = { 'dir/gone': '1\n', 'dir/kept': '1\n', mode: '1\n', link: '1\n', turned: '1\n' }
    const before = await repository.commit({ branch: 'pushed', parent: null, files: start, message: 'Start' })
    const named = async (options: object) => {
      const { payload } = await repository.event('push', { ref: 'pushed', ...options })
      const commits = payload.commits as { added: string[]; removed: string[]; modified: string[] }[]
      return commits.map(({ added, removed, modified }) => ({ added, removed, modified }))
    }
    expect(await named({})).toEqual([{ added: Object.keys(start).sort(), removed: [], modified: [] }])
    await repository.pushTo('pushed', {
      'dir/gone': null,
      'dir/new/a': '1\n',
      mode: { mode: '100755', content: '1\n' },
      link: { mode: '120000', content: 'mode' },
      turned: null,
      'turned/into': '1\n',
    })
    await repository.pushTo('pushed', { 'dir/kept': '2\n' })
    expect(await named({ before })).toEqual([
      { added: ['dir/new/a', 'turned/into'], removed: ['dir/gone', 'turned'], modified: ['mode'] },
      { added: [], removed: [], modified: ['dir/kept'] },
    ])
    await expect(named({ after: 'f'.repeat(40) })).rejects.toThrow('There is no commit ffff')
    const tagger = { GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.com' }
    await git(repository.gitDir, ['tag', '--annotate', '--message', 'Release', 'v1', 'pushed'], { env: tagger })
    const after = await git(repository.gitDir, ['rev-parse', 'v1'])
    expect(await named({ ref: 'refs/tags/v1', after })).toEqual([{ added: [], removed: [], modified: ['dir/kept'] }])
  })

  it('is told of all commits where branches were merged on the way', async () => {
    const base = await repository.commit({ branch: 'trunk', parent: null, files: { a: '1\n' }, message: 'Start' })
    for (const branch of ['topic', 'side'])
      await repository.commit({ branch, parent: base, files: { [branch]: '1\n' }, message: branch })
    const side = await repository.openPullRequest({ head: 'side', base: 'topic' })
    await repository.merge(side.number)
    const { number } = await repository.openPullRequest({ head: 'topic', base: 'trunk' })
    const { payload } = await repository.event('pull_request', { number })
    expect(payload.pull_request).toMatchObject({ commits: 3, additions: 2, changed_files: 2 })
  })

  it('is one change where a file has only another name', async () => {
    const base = await repository.pushTo('base', { 'old name': 'a\nb\n' })
    const files = { 'old name': null, 'new name': 'a\nb\n' }
    await repository.commit({ branch: 'renamed', parent: base, files, message: 'Rename' })
    const { number } = await repository.openPullRequest({ head: 'renamed', base: 'base' })
    const { payload } = await repository.event('pull_request', { number })
    expect(payload.pull_request).toMatchObject({ additions: 0, deletions: 0, changed_files: 1 })
  })

  it.each([
    ['a line between others', 'a\nb\n', 'a\nx\nb\n'],
    ['a line twice', 'a\nb\n', 'a\na\nb\n'],
    ['other lines', 'a\nb\nc\n', 'a\nx\ny\nc\n'],
    ['no line end any more', 'a\nb\n', 'a\nb'],
    ['nothing', 'a\n\n\nb', ''],
    ['lines in another order', 'a\nb\nc\nd\n', 'd\nc\na\nb\n'],
    ['a change at either end', 'a\nb\nc\n', 'x\nb\ny\n'],
    ['a byte that is no text', 'a\nb\n', 'a\n\0\n'],
    ['one of the lines that end in carriage returns', 'a\r\nb\r\n', 'a\r\nc\r\n'],
  ])('is counted as git counts it: %s', async (title, before, after) => {
    const [from, to] = ['from', 'to'].map((side) => `${side}/${title.replaceAll(' ', '-')}`) as [string, string]
    const base = await repository.commit({ branch: from, parent: null, files: { file: before }, message: 'Start' })
    const tip = await repository.commit({ branch: to, parent: base, files: { file: after }, message: title })
    const { number } = await repository.openPullRequest({ head: to, base: from })
    const [additions = '', deletions = ''] = (await git(repository.gitDir, ['diff', '--numstat', base, tip])).split(
      '\t',
    )
    const { payload } = await repository.event('pull_request', { number })
    expect(payload.pull_request).toMatchObject({
      additions: Number(additions) || 0,
      deletions: Number(deletions) || 0,
      changed_files: 1,
      commits: 1,
    })
  })
})
