import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GitRemote } from '../../src/source/remote.ts'
import { submoduleRemote } from '../../src/source/resolve-tree.ts'
import { deploy, pushedFile, pushedTree } from './deploying.ts'
import { type Stage, setStage } from './deployment.ts'
import { commitFiles, git, headOf, newRepository, writeFiles } from './scratch.ts'

/** `acme/web` with the submodule `vendor/lib` of `acme/lib`, which has the submodule `inner` of `acme/inner`. */
async function nested(stage: Stage): Promise<{ sha: string; lib: string; inner: string }> {
  const shas: Record<string, string> = {}
  const parts = [
    ['inner', 'inner', undefined],
    ['lib', 'inner', '../inner.git'],
    ['web', 'vendor/lib', '../lib.git'],
  ] as const
  for (const [name, path, url] of parts) {
    const repository = name === 'web' ? stage.originRepository : await stage.origin.repository(`acme/${name}`)
    const work = await newRepository(join(stage.path, `work-${name}`))
    if (url !== undefined) {
      const child = name === 'web' ? 'lib' : 'inner'
      const gitmodules = `[submodule "${child}"]\n\tpath = ${path}\n\turl = ${url}\n`
      await commitFiles(work, { '.gitmodules': gitmodules })
      await git(work, 'update-index', '--add', '--cacheinfo', `160000,${shas[child]},${path}`)
    }
    shas[name] = await commitKeepingLinks(work, { [`${name}.txt`]: `${name}\n` })
    await git(work, 'push', '-q', repository, 'main')
  }
  return { sha: shas.web ?? '', lib: shas.lib ?? '', inner: shas.inner ?? '' }
}

// `git add --all` would take the links out again, as there are no folders in their places.
async function commitKeepingLinks(work: string, files: Record<string, string>): Promise<string> {
  await writeFiles(work, files)
  await git(work, 'add', ...Object.keys(files))
  await git(work, 'commit', '-q', '-m', 'Add files')
  return await headOf(work)
}

describe('submodules', () => {
  it('are fetched and become ordinary folders, level by level', async () => {
    await using stage = await setStage()
    const { sha, lib, inner } = await nested(stage)
    await git(stage.path, 'clone', '-q', stage.originRepository, 'workspace')
    await using source = stage.open()
    const { snapshot, branch } = await deploy(stage, source, sha)
    expect(await pushedFile(stage, branch, 'vendor/lib/lib.txt')).toBe('lib')
    expect(await pushedFile(stage, branch, 'vendor/lib/inner/inner.txt')).toBe('inner')
    expect((await pushedTree(stage, branch)).filter((line) => line.startsWith('160000'))).toEqual([])
    expect(snapshot.submodules).toEqual([
      { path: 'vendor/lib', sha: lib },
      { path: 'vendor/lib/inner', sha: inner },
    ])
    expect(branch).toBe(`ink/production/acme-web/${sha}-${snapshot.tree.slice(0, 8)}`)
  })

  it('come from the checkout when they lie there, without any fetch', async () => {
    await using stage = await setStage()
    const { sha } = await nested(stage)
    await git(stage.path, 'clone', '-q', stage.originRepository, 'workspace')
    // In a checkout, .gitmodules says ../lib.git; here the folders beside the origin serve.
    await git(stage.workspace, 'remote', 'set-url', 'origin', stage.originRepository)
    await git(stage.workspace, 'submodule', '--quiet', 'update', '--init', '--recursive')
    await using source = stage.open({ origin: undefined })
    const { branch } = await deploy(stage, source, sha)
    expect(await pushedFile(stage, branch, 'vendor/lib/inner/inner.txt')).toBe('inner')
    expect(stage.origin.requests).toEqual([])
  })

  it('that cannot be had are an error which names them and says how to check them out', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const gitmodules = '[submodule "lib"]\n\tpath = lib\n\turl = ../gone.git\n'
    await commitFiles(stage.workspace, { '.gitmodules': gitmodules })
    await git(stage.workspace, 'update-index', '--add', '--cacheinfo', `160000,${'a'.repeat(40)},lib`)
    const sha = await commitKeepingLinks(stage.workspace, { 'a.txt': 'a\n' })
    await using source = stage.open()
    await expect(deploy(stage, source, sha)).rejects.toMatchObject({
      code: 'no-submodule',
      message: expect.stringMatching(/lib \(\.\.\/gone\.git, commit aaaaaaa\)/),
      hint: expect.stringContaining('submodules: recursive'),
    })
    expect(await git(stage.platformRepository, 'for-each-ref')).toBe('')
  })

  it('without an entry in .gitmodules are an error, too', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    await git(stage.workspace, 'update-index', '--add', '--cacheinfo', `160000,${'a'.repeat(40)},lib`)
    const sha = await commitKeepingLinks(stage.workspace, { 'a.txt': 'a\n' })
    await using source = stage.open()
    await expect(deploy(stage, source, sha)).rejects.toMatchObject({
      code: 'no-submodule',
      message: expect.stringContaining('no address in .gitmodules'),
    })
  })
})

describe('the address of a submodule', () => {
  const parent = new GitRemote('https://ghes.example/acme/web', 'x-access-token', 'secret')
  const authorization = (url: string) => submoduleRemote(url, parent)?.authorization()

  it.for([
    ['../lib.git', 'https://ghes.example/acme/lib.git'],
    ['./lib', 'https://ghes.example/acme/web/lib'],
    ['../../other/lib.git', 'https://ghes.example/other/lib.git'],
    ['https://ghes.example/acme/lib', 'https://ghes.example/acme/lib'],
    ['git@ghes.example:acme/lib.git', 'https://ghes.example/acme/lib.git'],
    ['ssh://git@ghes.example:22/acme/lib.git', 'https://ghes.example/acme/lib.git'],
  ])('%s lies beside its parent and gets its token', ([url = '', expected]) => {
    expect(submoduleRemote(url, parent)?.url).toBe(expected)
    expect(authorization(url)).toBe(parent.authorization())
  })

  it.for([
    'https://elsewhere.example/lib.git',
    'https://user:password@elsewhere.example/lib.git',
    'git@elsewhere.example:acme/lib.git',
    'https://ghes.example:8443/acme/lib.git',
    'https://ghes.example.evil.example/acme/lib.git',
  ])('%s is fetched without our token', (url) => {
    expect(submoduleRemote(url, parent)?.url).toMatch(/^https:\/\/[^@]*$/)
    expect(authorization(url)).toBeUndefined()
  })

  it.for(['http://elsewhere.example/lib.git', 'file:///etc', 'ext::sh -c id', '/srv/lib.git', '--upload-pack=id'])(
    '%s is not fetched at all',
    (url) => {
      expect(submoduleRemote(url, parent)).toBeUndefined()
    },
  )
})
