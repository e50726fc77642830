import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { layOutRepository } from '../../sandbox/empty-repository.ts'
import { advertising, type GitService } from '../../sandbox/git-service.ts'
import { createGitCommand, type GitCommand } from '../../sandbox/ink/git/command.ts'
import { createReferences } from '../../sandbox/ink/git/references.ts'
import { commitAll, git, writeFiles } from './harness.ts'

let root: string
let work: string
let older: string
let newer: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ink-test-'))
  work = join(root, 'work')
  await writeFiles(work, { 'a.txt': 'a' })
  await git(work, 'init', '--quiet', '--initial-branch=main')
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
    // The first of a kind is git's own, from which what it can do is learnt; of an empty one there is nothing to learn.
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
