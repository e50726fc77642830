import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { requireGit } from '../../src/source/git-environment.ts'
import { setStage } from './deployment.ts'
import { scratchFolder, writeFiles } from './scratch.ts'

/** A folder with a program called git which says that it is that version. */
async function gitOfVersion(folder: string, version: string): Promise<string> {
  await writeFiles(folder, { git: `#!/bin/sh\necho 'git version ${version}'\n` })
  await chmod(join(folder, 'git'), 0o755)
  return folder
}

describe('the git of the runner', () => {
  it.for(['2.32.0', '2.39.5 (Apple Git-154)', '2.51.0.windows.1', '3.0.0'])('%s will do', async (version) => {
    await using folder = await scratchFolder()
    await expect(requireGit({ PATH: await gitOfVersion(folder.path, version) }, folder.path)).resolves.toBeUndefined()
  })

  it.for(['2.31.8', '1.8.3.1', 'unknown'])('%s is too old, which is said with what to do', async (version) => {
    await using folder = await scratchFolder()
    await expect(requireGit({ PATH: await gitOfVersion(folder.path, version) }, folder.path)).rejects.toMatchObject({
      code: 'no-git',
      message: expect.stringContaining(version),
      hint: expect.stringContaining('2.32'),
    })
  })

  it('leaves nothing behind when it will not do', async () => {
    await using stage = await setStage()
    await using source = stage.open({ environment: { PATH: stage.path } })
    await expect(source.branches(stage.remote, stage.signal)).rejects.toMatchObject({ code: 'no-git' })
    await source[Symbol.asyncDispose]()
    expect(await stage.leftovers()).toEqual([])
  })

  it('may be missing, which is said, too', async () => {
    await using folder = await scratchFolder()
    await expect(requireGit({ PATH: folder.path }, folder.path)).rejects.toMatchObject({
      code: 'no-git',
      message: expect.stringContaining('cannot be started'),
    })
  })
})
