import { createHash } from 'node:crypto'
import { chmod, lstat, readdir, readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deploy } from './deploying.ts'
import { type Stage, setStage } from './deployment.ts'
import { commitFiles, git, newRepository, writeFiles } from './scratch.ts'

const files = {
  'crlf.txt': 'one\r\ntwo\r\n',
  'lf.txt': 'one\ntwo\n',
  'ident.txt': '$Id$\n',
  'run.sh': '#!/bin/sh\n',
}

async function repositoryOf(stage: Stage): Promise<string> {
  await newRepository(stage.workspace)
  await writeFiles(stage.workspace, files)
  await chmod(join(stage.workspace, 'run.sh'), 0o755)
  return await commitFiles(stage.workspace, {}, 'Files of several kinds')
}

/** Every file below a folder: mode, size, time and digest. */
async function fingerprint(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true })
  const found = await Promise.all(
    names.map(async (name): Promise<[string, string]> => {
      const status = await lstat(join(folder, name))
      if (!status.isFile()) return [name, String(status.mode)]
      const digest = createHash('sha1')
        .update(await readFile(join(folder, name)))
        .digest('hex')
      return [name, `${status.mode} ${status.mtimeMs} ${digest}`]
    }),
  )
  return new Map(found.sort())
}

describe('the same source commit', () => {
  it('gives the same snapshot whatever the machine is set to', async () => {
    await using stage = await setStage()
    const sha = await repositoryOf(stage)
    await using plain = stage.open()
    const request = { wanted: { sha }, ordinaryCheckouts: [sha] }
    const expected = await plain.snapshot(request, stage.signal)

    const home = join(stage.path, 'home')
    const settings = '[core]\nautocrlf = true\nfileMode = false\neol = crlf\nattributesFile = ~/attributes\n'
    await writeFiles(home, {
      '.gitconfig': `${settings}[user]\nname = Other\n[i18n]\ncommitEncoding = ISO-8859-1\n[commit]\ngpgSign = true\n`,
      attributes: '* text eol=crlf ident export-ignore\n',
    })
    for (const [key, value] of [
      ['core.autocrlf', 'true'],
      ['core.fileMode', 'false'],
      ['core.hooksPath', join(stage.path, 'hooks')],
    ] as const)
      await git(stage.workspace, 'config', key, value)
    await writeFiles(stage.path, {
      'hooks/pre-push': '#!/bin/sh\nexit 1\n',
      'hooks/post-index-change': '#!/bin/sh\nexit 1\n',
    })
    await chmod(join(stage.path, 'hooks/pre-push'), 0o755)
    await writeFiles(stage.workspace, {
      '.git/info/attributes': '* text=auto export-ignore\n',
      'lf.txt': 'changed, but not committed\n',
    })
    await using bent = stage.open({
      environment: {
        PATH: process.env.PATH,
        HOME: home,
        LC_ALL: 'tr_TR.UTF-8',
        TZ: 'Asia/Tokyo',
        GIT_AUTHOR_DATE: '2001-01-01T00:00:00',
        GIT_COMMITTER_NAME: 'Somebody Else',
        GIT_DIR: '/nonexistent',
        GIT_INDEX_FILE: '/nonexistent',
        GIT_CONFIG_PARAMETERS: "'core.autocrlf=true'",
      },
    })
    const { snapshot, branch } = await deploy(stage, bent, sha)
    expect(snapshot.sha).toBe(expected.sha)
    expect(await git(stage.platformRepository, 'rev-parse', branch)).toBe(expected.sha)
  })

  it('gives the same snapshot from a clone, a shallow checkout and no checkout at all', async () => {
    await using stage = await setStage()
    const sha = await repositoryOf(stage)
    await git(stage.workspace, 'push', '-q', stage.originRepository, 'main')
    const request = { wanted: { sha }, ordinaryCheckouts: [sha] }
    const shallow = join(stage.path, 'shallow')
    await git(stage.path, 'clone', '-q', '--depth=1', `file://${stage.originRepository}`, shallow)
    const shas = await Promise.all(
      [stage.workspace, shallow, stage.tempDir].map(async (workspace) => {
        await using source = stage.open({ workspace })
        return (await source.snapshot(request, stage.signal)).sha
      }),
    )
    expect(new Set(shas).size).toBe(1)
  })
})

describe("the user's checkout", () => {
  it('is left as it was: index, files, HEAD, stash, configuration, refs', async () => {
    await using stage = await setStage()
    const sha = await repositoryOf(stage)
    await writeFiles(stage.workspace, { 'lf.txt': 'stashed\n' })
    await git(stage.workspace, 'stash')
    await writeFiles(stage.workspace, { 'lf.txt': 'edited\n', 'new.txt': 'untracked\n' })
    await git(stage.workspace, 'add', 'lf.txt')
    // An index entry older than its file is what a careless git command would refresh.
    await utimes(join(stage.workspace, 'crlf.txt'), 1, 1)
    const before = await fingerprint(stage.workspace)
    await using source = stage.open()
    await deploy(stage, source, sha)
    await source[Symbol.asyncDispose]()
    expect(await fingerprint(stage.workspace)).toEqual(before)
    expect(await stage.leftovers()).toEqual([])
  })

  it('can be deployed twice at once', async () => {
    await using stage = await setStage()
    const sha = await repositoryOf(stage)
    await using first = stage.open()
    await using second = stage.open()
    const [one, other] = await Promise.all([deploy(stage, first, sha), deploy(stage, second, sha)])
    expect(one.snapshot.sha).toBe(other.snapshot.sha)
    expect(await git(stage.platformRepository, 'rev-parse', one.branch)).toBe(one.snapshot.sha)
  })

  it('is deployed as committed, not as it lies there', async () => {
    await using stage = await setStage()
    const sha = await repositoryOf(stage)
    await writeFiles(stage.workspace, { 'lf.txt': 'edited\n', 'new.txt': 'untracked\n' })
    await using source = stage.open()
    const { branch } = await deploy(stage, source, sha)
    const listing = async (directory: string, commit: string) => await git(directory, 'ls-tree', '-r', commit)
    expect(await listing(stage.platformRepository, branch)).toBe(await listing(stage.workspace, sha))
  })
})
