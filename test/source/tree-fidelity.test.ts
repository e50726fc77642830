import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deploy } from './deploying.ts'
import { type Stage, setStage } from './deployment.ts'
import { commitOf, git, gitBytes, headOf, newRepository, treeEntry, writeObject } from './scratch.ts'

interface TestFile {
  /** Parts of the path, as bytes. */
  readonly path: readonly Buffer[]
  readonly mode: '100644' | '100755' | '120000'
  readonly content: Buffer
}

const slash = Buffer.from('/')

// File names that break careless tools, and arbitrary bytes. What a file system or git itself forbids is left out.
const awkward = [
  '-rf',
  ' ',
  'a b',
  'new\nline',
  'tab\t',
  '"quoted"',
  "it's",
  'back\\slash',
  '*',
  ':(top)',
  '#x',
  '~',
  'ä',
  '日本',
]
const name = fc
  .oneof(
    fc.constantFrom(...awkward).map((text) => Buffer.from(text)),
    fc.constantFrom('a', 'b', 'c', 'a.txt').map((text) => Buffer.from(text)),
    fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  )
  .filter((bytes) => !bytes.includes(0) && !bytes.includes('/') && !/^(\.\.?|\.git)$/i.test(bytes.toString('latin1')))

const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('', 'crlf\r\n', 'version https://git-lfs.github.com/spec/v1\n').map((text) => Buffer.from(text)),
)

const file: fc.Arbitrary<TestFile> = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 3 }),
  mode: fc.constantFrom('100644', '100755', '120000'),
  content,
})

/** Without files that would have to be a directory at the same time. */
function compatible(files: readonly TestFile[]): readonly TestFile[] {
  const key = (parts: readonly Buffer[]) => parts.map((part) => part.toString('hex')).join('/')
  const chosen = new Map<string, TestFile>()
  const directories = new Set<string>()
  for (const one of files) {
    const above = one.path.slice(1).map((_, index) => key(one.path.slice(0, index + 1)))
    if (chosen.has(key(one.path)) || directories.has(key(one.path)) || above.some((path) => chosen.has(path))) continue
    for (const path of above) directories.add(path)
    // A link to nowhere is fine; one with an empty target or a NUL cannot be checked out.
    const target = one.content.length === 0 || one.content.includes(0) ? Buffer.from('../nowhere') : one.content
    chosen.set(key(one.path), one.mode === '120000' ? { ...one, content: target } : one)
  }
  return [...chosen.values()]
}

function joined(path: readonly Buffer[]): Buffer {
  return Buffer.concat(path.flatMap((part, index) => (index === 0 ? [part] : [slash, part])))
}

/** Commits the files without a work tree, in one go. */
async function commitTree(repository: string, files: readonly TestFile[]): Promise<string> {
  const head = Buffer.from('commit refs/heads/main\ncommitter C <c@d> 1 +0000\ndata 0\n\n')
  const records = files.flatMap(({ path, mode, content }) => {
    const quoted = [...joined(path)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
    return [Buffer.from(`M ${mode} inline "${quoted}"\ndata ${content.length}\n`), content, Buffer.from('\n')]
  })
  const settings = ['-c', 'core.protectNTFS=false', '-c', 'core.protectHFS=false']
  const input = Buffer.concat([head, ...records])
  await gitBytes(repository, [...settings, 'fast-import', '--quiet', '--force'], { input })
  return await headOf(repository)
}

/** Path → mode and content of everything in a work tree. Paths are latin1. */
async function readWorkTree(folder: Buffer, prefix = ''): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const entry of await readdir(folder, { encoding: 'buffer' })) {
    if (entry.equals(Buffer.from('.git'))) continue
    const path = Buffer.concat([folder, slash, entry])
    const name = prefix + entry.toString('latin1')
    const status = await lstat(path)
    if (status.isDirectory()) for (const one of await readWorkTree(path, `${name}/`)) found.set(...one)
    else if (status.isSymbolicLink())
      found.set(name, `120000 ${(await readlink(path, { encoding: 'buffer' })).toString('hex')}`)
    else found.set(name, `${status.mode & 0o100 ? '100755' : '100644'} ${(await readFile(path)).toString('hex')}`)
  }
  return found
}

async function cloneOf(stage: Stage, branch: string, directory: string): Promise<Map<string, string>> {
  const protect = ['-c', 'core.protectNTFS=false', '-c', 'core.protectHFS=false']
  const address = `file://${stage.platformRepository}`
  await git(stage.path, ...protect, 'clone', '-q', '--depth=1', '--branch', branch, address, directory)
  return await readWorkTree(Buffer.from(join(stage.path, directory)))
}

describe('a clone of the pushed branch', () => {
  it('equals the source tree, mode by mode, byte by byte', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 25 }).map(compatible), async (files) => {
        run += 1
        const sha = await commitTree(stage.workspace, files)
        await using source = stage.open()
        const { snapshot, branch } = await deploy(stage, source, sha, { target: `pr-${run}/acme-web-pr-${run}` })
        expect(snapshot.tree).toBe(await git(stage.workspace, 'rev-parse', `${sha}^{tree}`))
        expect(snapshot.files).toBe(files.length)
        const expected = files.map((one): [string, string] => [
          joined(one.path).toString('latin1'),
          `${one.mode} ${one.content.toString('hex')}`,
        ])
        expect(await cloneOf(stage, branch, `clone-${run}`)).toEqual(new Map(expected.sort()))
      }),
      { numRuns: 5 },
    )
  }, 120_000)

  it('equals a built directory, too, whatever its files are called', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await commitTree(stage.workspace, [])
    const builds = await newRepository(join(stage.path, 'builds'))
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 25 }).map(compatible), async (files) => {
        run += 1
        const built = await commitTree(builds, files)
        const protect = ['-c', 'core.protectNTFS=false', '-c', 'core.protectHFS=false']
        const directory = `dist-${run}`
        await git(builds, ...protect, 'worktree', 'add', '-q', '--detach', join(stage.workspace, directory), built)
        await using source = stage.open()
        const { snapshot, branch } = await deploy(stage, source, sha, {
          target: `pr-${run}/acme-web-pr-${run}`,
          directory,
        })
        expect(snapshot.tree).toBe(await git(builds, 'rev-parse', `${built}^{tree}`))
        expect(branch).toBe(`ink/pr-${run}/acme-web-pr-${run}/${sha}-${snapshot.tree.slice(0, 8)}`)
        expect(await cloneOf(stage, branch, `clone-${run}`)).toEqual(
          await readWorkTree(Buffer.from(join(stage.workspace, directory))),
        )
      }),
      { numRuns: 3 },
    )
  }, 120_000)

  it('holds 10 000 files', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const stream = Array.from({ length: 10_000 }, (_, index) => {
      const text = `file ${index}\n`
      return `M 100644 inline d${index % 97}/f${index}\ndata ${text.length}\n${text}\n`
    })
    const head = 'commit refs/heads/main\ncommitter C <c@d> 1 +0000\ndata 0\n\n'
    await gitBytes(stage.workspace, ['fast-import', '--quiet'], { input: head + stream.join('') })
    const sha = await headOf(stage.workspace)
    await using source = stage.open()
    const { snapshot, branch } = await deploy(stage, source, sha)
    expect(snapshot.files).toBe(10_000)
    expect(await git(stage.platformRepository, 'rev-parse', `${branch}^{tree}`)).toBe(snapshot.tree)
    await git(stage.platformRepository, 'fsck', '--connectivity-only', branch)
  }, 60_000)

  it('keeps directories without files, which only a tree object can hold', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const empty = await writeObject(stage.workspace, 'tree', '')
    const tree = await writeObject(stage.workspace, 'tree', treeEntry('40000', 'nothing', empty))
    const sha = await commitOf(stage.workspace, tree)
    await using source = stage.open()
    const { branch, snapshot } = await deploy(stage, source, sha)
    expect(snapshot.files).toBe(0)
    expect(await git(stage.platformRepository, 'rev-parse', `${branch}^{tree}`)).toBe(tree)
  })
})
