import { randomBytes } from 'node:crypto'
import { chmod, symlink, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TreeMeter } from '../../src/source/resolve-tree.ts'
import { deploy } from '../source/deploying.ts'
import { type Stage, setStage } from '../source/deployment.ts'
import {
  commitFiles,
  git,
  gitBytes,
  nestedTrees,
  newRepository,
  treeEntry,
  writeFiles,
  writeObject,
} from '../source/scratch.ts'

async function commitOf(stage: Stage, tree: string, message = 'Boom'): Promise<string> {
  const made = await gitBytes(stage.workspace, ['commit-tree', tree], { input: message })
  const sha = made.toString().trim()
  await git(stage.workspace, 'update-ref', 'HEAD', sha)
  return sha
}

/** As a server hands it out: git lists what is in a pack twenty times as fast. */
async function packed(stage: Stage, sha: string): Promise<string> {
  await git(stage.workspace, 'repack', '-adq')
  return sha
}

/** Deploys, and expects a refusal before the platform is asked for anything. */
async function refused(stage: Stage, sha: string, overrides: Parameters<typeof deploy>[3] = {}) {
  await using source = stage.open({ origin: undefined })
  const error = await deploy(stage, source, sha, overrides).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(stage.platform.requests).toEqual([])
  return error
}

describe('a tree', () => {
  it('of ten thousand million files in a few hundred bytes is refused', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await packed(stage, await commitOf(stage, await nestedTrees(stage.workspace, 10, 10)))
    expect(await refused(stage, sha)).toMatchObject({
      code: 'too-large',
      message: expect.stringContaining('too large'),
      hint: expect.stringContaining('directory'),
    })
    await using source = stage.open({ origin: undefined })
    const listing = source.committedPaths({ wanted: { sha }, ordinaryCheckouts: [] }, stage.signal)
    await expect(listing).rejects.toMatchObject({ code: 'too-large' })
  })

  it('nested three hundred levels deep is refused, and not by a stack that overflows', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await commitOf(stage, await nestedTrees(stage.workspace, 1, 301))
    expect(await refused(stage, sha)).toMatchObject({
      code: 'too-large',
      message: expect.stringContaining('nested more than 100 levels'),
    })
  })

  it.for(['..', '.', '.git', '.GIT'])('with a folder called %s is refused', async (name) => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const blob = await writeObject(stage.workspace, 'blob', 'x')
    const inner = await writeObject(stage.workspace, 'tree', treeEntry('100644', 'config', blob))
    const sha = await commitOf(stage, await writeObject(stage.workspace, 'tree', treeEntry('40000', name, inner)))
    expect(await refused(stage, sha)).toMatchObject({ code: 'git-failed', message: expect.stringContaining(name) })
  })

  it('whose LFS pointers promise a hundred terabytes is refused before anybody is asked for them', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, {
      '.gitattributes': '*.bin filter=lfs\n',
      'a.bin':
        `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 1000000000000000\n`.replace(
          '1000000000000000',
          '100000000000000',
        ),
    })
    await using source = stage.open()
    await expect(deploy(stage, source, sha, { lfsPointers: 'allow' })).rejects.toMatchObject({ code: 'too-large' })
    expect(stage.origin.requests).toEqual([])
  })

  it('is measured through all of its submodules', () => {
    const limits = { entries: 5, depth: 3, bytes: 100, submodules: 2 }
    const fill = (entries: readonly Parameters<TreeMeter['add']>[0][]) => () => {
      const meter = new TreeMeter(limits)
      for (const each of entries) meter.add(each)
    }
    const file = (path: string, size = 1) => ({ path, type: 'blob', size }) as const
    const link = (path: string) => ({ path, type: 'commit' }) as const
    expect(fill([file('a'), file('b/c/d'), link('e'), link('f')])).not.toThrow()
    expect(fill(Array.from({ length: 6 }, (_, index) => file(`f${index}`)))).toThrow('more than 5 files')
    expect(fill([file('a/b/c/d')])).toThrow('more than 3 levels')
    expect(fill([file('a', 60), file('b', 60)])).toThrow('larger than 100 B')
    expect(fill([link('a'), link('b'), link('c')])).toThrow('more than 2 submodules')
  })
})

describe('a commit', () => {
  it('whose message is a million blanks takes no longer than others', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    await commitFiles(stage.workspace, { 'a.txt': 'a\n' })
    const tree = await git(stage.workspace, 'rev-parse', 'HEAD^{tree}')
    const sha = await commitOf(stage, tree, `a${' '.repeat(1_000_000)}b\n${'\t\n '.repeat(200_000)}x`)
    await using source = stage.open()
    expect((await deploy(stage, source, sha)).result.kind).toBe('pushed')
  })
})

describe('a checkout', () => {
  it('that is damaged is an error which says what it was about', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, { '.gitattributes': randomBytes(50_000).toString('hex') })
    const oid = await git(stage.workspace, 'rev-parse', `${sha}:.gitattributes`)
    const path = join(stage.workspace, '.git', 'objects', oid.slice(0, 2), oid.slice(2))
    await chmod(path, 0o644)
    // Its head says how large it is; the rest is gone.
    await truncate(path, 20_000)
    expect(await refused(stage, sha)).toMatchObject({
      code: 'git-failed',
      message: expect.stringMatching(/^Making the snapshot failed: git cat-file failed/),
      hint: expect.stringContaining('check the repository out anew'),
    })
  })

  it('whose .gitmodules is not a file is an error that names it, if there are submodules at all', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const without = await commitFiles(stage.workspace, { '.gitmodules': '[[[' })
    await using source = stage.open({ origin: undefined })
    expect((await deploy(stage, source, without)).result.kind).toBe('pushed')
    await git(stage.workspace, 'update-index', '--add', '--cacheinfo', `160000,${'a'.repeat(40)},lib`)
    await git(stage.workspace, 'commit', '-q', '-m', 'Link')
    const sha = await git(stage.workspace, 'rev-parse', 'HEAD')
    await expect(deploy(stage, source, sha)).rejects.toMatchObject({
      code: 'no-submodule',
      message: expect.stringContaining('.gitmodules cannot be read'),
      hint: expect.any(String),
    })
  })
})

describe('the directory to deploy', () => {
  it.for(['/proc/self', '/proc/self/environ', '/etc', '..'])('is not a link to %s', async (target) => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    await writeFiles(stage.workspace, { 'real/a.txt': 'a\n' })
    await symlink(target, join(stage.workspace, 'dist'))
    await symlink('dist', join(stage.workspace, 'real', 'deeper'))
    const sha = await commitFiles(stage.workspace, {})
    expect(await refused(stage, sha, { directory: 'dist' })).toMatchObject({ code: 'no-directory' })
  })

  it('is not looked for through a folder that is a link outside', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    await writeFiles(stage.path, { 'elsewhere/dist/secret.txt': 'secret\n' })
    await symlink(join(stage.path, 'elsewhere'), join(stage.workspace, 'build'))
    const sha = await commitFiles(stage.workspace, { 'a.txt': 'a\n' })
    expect(await refused(stage, sha, { directory: 'build/dist' })).toMatchObject({ code: 'no-directory' })
  })

  it('ships a link in it as a link, and never what it points to', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    await writeFiles(stage.workspace, { 'dist/index.html': 'x\n' })
    await symlink('/proc/self/environ', join(stage.workspace, 'dist', 'env'))
    const sha = await commitFiles(stage.workspace, {})
    await using source = stage.open()
    const { branch } = await deploy(stage, source, sha, { directory: 'dist' })
    expect(await git(stage.platformRepository, 'ls-tree', branch, 'env')).toMatch(/^120000 /)
    expect(await git(stage.platformRepository, 'show', `${branch}:env`)).toBe('/proc/self/environ')
  })
})
