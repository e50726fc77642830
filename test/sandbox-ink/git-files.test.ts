import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { layOutRepository } from '../../sandbox/empty-repository.ts'
import { advertising, type GitService } from '../../sandbox/git-service.ts'
import { checkOut } from '../../sandbox/ink/git/checkout.ts'
import { createGitCommand, type GitCommand } from '../../sandbox/ink/git/command.ts'
import { createReferences } from '../../sandbox/ink/git/references.ts'
import { headOf } from '../source/scratch.ts'
import { commitAll, git, writeFiles } from './harness.ts'

let root: string
let work: string
let older: string
let newer: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ink-test-'))
  work = join(root, 'work')
  await writeFiles(work, { 'a.txt': 'a' })
  await layOutRepository(join(work, '.git'), { branch: 'main', bare: false })
  older = await commitAll(work)
  newer = await commitAll(work)
  await git(work, 'tag', '--annotate', '--message', 'The first', 'v1', older)
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** Git as the sandbox runs it, which counts how often it is asked. */
function countingGit(): { readonly command: GitCommand; asked: number } {
  const command = createGitCommand(process.env.PATH ?? '', root)
  const counting = {
    asked: 0,
    command: {
      ...command,
      read: (...args: Parameters<GitCommand['read']>) => {
        counting.asked += 1
        return command.read(...args)
      },
    },
  }
  return counting
}

async function repository(name: string, ...pushed: string[]): Promise<string> {
  const directory = join(root, `${name}.git`)
  await layOutRepository(directory, { branch: 'master', bare: true })
  if (pushed.length > 0) await git(work, 'push', '--quiet', directory, ...pushed)
  return directory
}

const nested = ['main', 'ink/pr-1/0abc', 'ink-2', 'ink.3', 'ink/pr', 'Z'].map((name) => `main:refs/heads/${name}`)

test.each<[shape: string, make: () => Promise<string>, written: boolean]>([
  ['that is empty', () => repository('empty'), true],
  ['of one branch', () => repository('one', 'main'), true],
  ['of branches in folders', () => repository('nested', ...nested), true],
  ['whose HEAD is there', () => repository('head', 'main', 'main~1:refs/heads/master'), true],
  [
    'from which branches were deleted',
    async () => {
      const directory = await repository('deleted', ...nested)
      await git(work, 'push', '--quiet', directory, ':ink/pr-1/0abc', ':ink/pr', ':Z')
      return directory
    },
    true,
  ],
  [
    'that git is writing a branch of',
    async () => {
      const directory = await repository('locked', 'main')
      await writeFile(join(directory, 'refs/heads/next.lock'), `${older}\n`)
      return directory
    },
    true,
  ],
  ['with a tag', () => repository('tagged', 'main', 'v1'), false],
  ['of a branch with an accent', () => repository('accent', 'main', 'main:refs/heads/café'), false],
  [
    'whose branches are packed',
    async () => {
      const directory = await repository('packed', 'main')
      await git(directory, 'pack-refs', '--all')
      await git(work, 'push', '--quiet', directory, 'main~1:refs/heads/loose')
      return directory
    },
    false,
  ],
  [
    'with a branch that stands for another',
    async () => {
      const directory = await repository('symbolic', 'main')
      await git(directory, 'symbolic-ref', 'refs/heads/also', 'refs/heads/main')
      return directory
    },
    false,
  ],
  [
    'that borrows objects',
    async () => {
      const directory = await repository('borrowing', 'main')
      await writeFiles(directory, { 'objects/info/alternates': `${work}/.git/objects\n` })
      return directory
    },
    false,
  ],
])('a repository %s is advertised byte for byte as by git', async (_shape, make, written) => {
  const directory = await make()
  const { command } = countingGit()
  for (const service of ['git-upload-pack', 'git-receive-pack'] satisfies GitService[]) {
    const own = await command.read(advertising(service), { cwd: directory })
    const counting = countingGit()
    const references = createReferences(counting.command)
    // The first of a kind is git's own, from which what it can do is learnt.
    await references.advertisement(await repository('plain', 'main'), service)
    await references.advertisement(directory, service)
    counting.asked = 0
    expect((await references.advertisement(directory, service)).toString()).toBe(own.toString())
    expect(counting.asked).toBe(written ? 0 : 1)
  }
})

test('branches are told with a process only where something else than branches is there', async () => {
  const counting = countingGit()
  const references = createReferences(counting.command)
  const plain = await repository('mixed', 'main', 'main~1:refs/heads/ink/pr-1')
  const branches = new Map([
    ['ink/pr-1', older],
    ['main', newer],
  ])
  expect(await references.branches(plain)).toEqual(branches)
  expect(counting.asked).toBe(0)
  await git(plain, 'pack-refs', '--all')
  expect(await references.branches(plain)).toEqual(branches)
  expect(counting.asked).toBe(1)
})

/** Paths with their modes, and what is in them. */
async function readFolder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const told = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name)
    const { mode } = await lstat(path)
    const content = entry.isSymbolicLink() ? await readlink(path) : entry.isFile() ? await readFile(path, 'hex') : ''
    return `${path.slice(folder.length)} ${mode.toString(8)} ${content}`
  })
  return (await Promise.all(told)).sort()
}

const plain = { 'index.html': '<h1>Hi</h1>\n', 'a b/c.txt': 'c', 'a b/d/.env.example': '\r\n', empty: '' }

test.each<[what: string, files: Record<string, string>, change: (work: string) => Promise<unknown>, byGit: boolean]>([
  ['no files', {}, async () => {}, false],
  [
    'files, programs and links',
    plain,
    async (work) => {
      await chmod(join(work, 'index.html'), 0o755)
      await symlink('../index.html', join(work, 'a b/link'))
    },
    false,
  ],
  [
    'a submodule',
    plain,
    (work) => git(work, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},module`),
    true,
  ],
  ['attributes', { ...plain, 'a b/.gitattributes': '* text eol=crlf\n' }, async () => {}, true],
  ['a name with an accent', { ...plain, café: 'x' }, async () => {}, true],
  [
    'more files than are kept one by one',
    Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`${index}.txt`, `${index}`])),
    async () => {},
    true,
  ],
])('a build gets a commit of %s as git checks it out', async (what, files, change, byGit) => {
  const tree = join(root, `tree of ${what}`)
  const directory = await repository(what)
  await layOutRepository(join(tree, '.git'), { branch: 'main', bare: false })
  await writeFiles(tree, files)
  await git(tree, 'add', '--all')
  await change(tree)
  if (what !== 'a submodule') await git(tree, 'add', '--all')
  await git(tree, 'commit', '--quiet', '--allow-empty', '--message', 'Change')
  const commit = await headOf(tree)
  await git(tree, 'push', '--quiet', directory, 'main')
  const { command } = countingGit()
  let asked = 0
  const counting: GitCommand = {
    ...command,
    run: (...args) => {
      asked += 1
      return command.run(...args)
    },
  }
  const folder = join(root, `build of ${what}`)
  await mkdir(folder)
  await checkOut({ git: counting, repository: directory, commit, folder, signal: new AbortController().signal })
  expect(asked).toBe(byGit ? 1 : 0)
  const clone = join(root, `clone of ${what}`)
  await git(root, 'clone', '--quiet', '--branch', 'main', directory, clone)
  await rm(join(clone, '.git'), { recursive: true })
  expect(await readFolder(join(folder, 'source'))).toEqual(await readFolder(clone))
})
