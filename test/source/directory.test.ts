import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deploy, pushedFile, pushedTree } from './deploying.ts'
import { setStage } from './deployment.ts'
import { commitFiles, git, newRepository, writeFiles } from './scratch.ts'

describe('a built directory', () => {
  it('is shipped as it lies there: ignored files, links and modes included, git’s own left behind', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, { 'src.txt': 'source\n', '.gitignore': 'dist\n' }, 'Source')
    await writeFiles(join(stage.workspace, 'dist'), {
      'index.html': 'built\r\n',
      '.gitattributes': '* text=auto eol=lf\n',
      'run.sh': '#!/bin/sh\n',
      '.git/config': 'secret\n',
      'pkg/.git': 'gitdir: elsewhere\n',
      'pkg/a.txt': 'a\n',
    })
    await chmod(join(stage.workspace, 'dist/run.sh'), 0o755)
    await symlink('index.html', join(stage.workspace, 'dist/home'))
    await mkdir(join(stage.workspace, 'dist/empty'))
    await using source = stage.open()
    const { snapshot, branch } = await deploy(stage, source, sha, { directory: './dist/' })
    const listed = (await pushedTree(stage, branch)).map((line) => line.replace(/ blob [0-9a-f]+\t/, ' '))
    expect(listed).toEqual([
      '100644 .gitattributes',
      '120000 home',
      '100644 index.html',
      '100644 pkg/a.txt',
      '100755 run.sh',
    ])
    const bytes = await git(stage.platformRepository, 'cat-file', '-s', `${branch}:index.html`)
    expect(bytes).toBe('7')
    expect(await pushedFile(stage, branch, 'home')).toBe('index.html')
    expect(branch).toBe(`ink/production/acme-web/${sha}-${snapshot.tree.slice(0, 8)}`)
    expect(snapshot).toMatchObject({ sourceSha: sha, subject: 'Source', files: 5 })
  })

  it('needs no more of its commit than what it says of itself', async () => {
    await using stage = await setStage()
    const work = await newRepository(join(stage.path, 'work'))
    const sha = await commitFiles(work, { 'a.txt': 'a\n' }, 'Say so')
    await git(work, 'push', '-q', stage.originRepository, 'main')
    await writeFiles(stage.workspace, { 'dist/index.html': 'built\n' })
    await using source = stage.open()
    const { snapshot, branch } = await deploy(stage, source, sha, { directory: 'dist' })
    expect(snapshot.subject).toBe('Say so')
    expect(await pushedFile(stage, branch, 'index.html')).toBe('built')
  })

  it.for([
    ['missing', 'nowhere', 'does not exist'],
    ['empty, or has empty folders only', 'empty', 'has no files'],
    ['a file', 'a.txt', 'is a file'],
    ['outside the workspace', '../elsewhere', 'is outside the workspace'],
    ['an absolute path outside', '/', 'is outside the workspace'],
    ['a link that leads outside', 'link', 'is a link that leads out of the workspace'],
    ['part of git', 'empty/../.git', 'belongs to git'],
    ['a link to a part of git', 'disguise', 'belongs to git'],
  ])('is an error before anything is pushed when it is %s', async ([, directory = '', problem]) => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    await mkdir(join(stage.workspace, 'empty', 'emptier'), { recursive: true })
    await writeFiles(stage.path, { 'elsewhere/secret.txt': 'secret\n' })
    await symlink(join(stage.path, 'elsewhere'), join(stage.workspace, 'link'))
    await symlink('.git/refs', join(stage.workspace, 'disguise'))
    const sha = await commitFiles(stage.workspace, { 'a.txt': 'a\n' })
    await using source = stage.open()
    await expect(deploy(stage, source, sha, { directory })).rejects.toMatchObject({
      code: 'no-directory',
      message: expect.stringContaining(`"${directory}" ${problem}`),
      hint: expect.any(String),
    })
    expect(stage.platform.requests).toEqual([])
  })
})
