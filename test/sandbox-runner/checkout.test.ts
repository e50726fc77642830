import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { git } from '../../sandbox/github/state/git.ts'
import type { CheckoutOptions } from '../../sandbox/runner/runner.ts'
import { type RunnerWorld, runnerWorld } from './world.ts'

let world: RunnerWorld

beforeAll(async () => {
  world = await runnerWorld()
})

afterAll(() => world[Symbol.asyncDispose]())

/** Runs git commands as a step of the job and returns what each of them printed; a failing one prints `failed`. */
async function inJob(checkout: CheckoutOptions, commands: readonly string[], event = world.opened): Promise<string[]> {
  const main = `import { execSync } from 'node:child_process'
    const run = (command) => {
      try { return execSync(command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() } catch { return 'failed' }
    }
    console.log(JSON.stringify(${JSON.stringify(commands)}.map(run)))`
  const { rawStdout } = await world.run(main, { checkout, event })
  return JSON.parse(rawStdout) as string[]
}

const fetchMain = 'git fetch -q --depth=1 origin main && git rev-parse FETCH_HEAD'

describe('the workspace is as actions/checkout leaves it', () => {
  it('for a pull request: the merge commit alone, detached, and the origin within reach', async () => {
    const [head, count, branch, remote, main] = await inJob({}, [
      'git rev-parse HEAD refs/remotes/pull/1/merge',
      'git rev-list --count --all',
      'git rev-parse --abbrev-ref HEAD',
      'git remote get-url origin',
      fetchMain,
    ])
    const merge = await world.repository.resolve('refs/pull/1/merge')
    expect(head).toBe(`${merge}\n${merge}`)
    expect([count, branch]).toEqual(['1', 'HEAD'])
    expect(remote).toBe(`${world.github.serverUrl}/acme/web`)
    expect(main).toBe(await world.repository.head())
  })

  it('for a push: on the branch', async () => {
    const push = await world.repository.event('push')
    const result = await inJob({}, ['git rev-parse --abbrev-ref HEAD', 'git rev-list --count HEAD'], push)
    expect(result).toEqual(['main', '1'])
  })

  it('with all of history when asked for depth 0', async () => {
    const [count, branches] = await inJob({ depth: 0 }, ['git rev-list --count HEAD', 'git branch -r'])
    expect(count).toBe('4')
    expect(branches).toContain('origin/feature')
  })

  it('at another branch or commit when asked for one', async () => {
    const sha = await world.repository.head('feature')
    expect(await inJob({ ref: 'feature' }, ['git rev-parse HEAD', 'git rev-parse --abbrev-ref HEAD'])).toEqual([
      sha,
      'feature',
    ])
    expect(await inJob({ ref: sha }, ['git rev-parse HEAD', 'git rev-parse --abbrev-ref HEAD'])).toEqual([sha, 'HEAD'])
  })

  it('in a directory of its own when asked to', async () => {
    expect(await inJob({ path: 'source' }, ['ls', 'git -C source ls-files'])).toEqual([
      'source',
      'README.md\nindex.html',
    ])
  })

  it('with submodules when asked for them', async () => {
    const library = await world.github.createRepository({ owner: 'acme', name: 'library' })
    const commit = await library.commit({ branch: 'main', files: { 'lib.js': 'export {}\n' }, message: 'Start' })
    const sha = await world.repository.commit({
      branch: 'with-submodule',
      parent: await world.repository.head(),
      files: {
        '.gitmodules': `[submodule "lib"]\n\tpath = lib\n\turl = ${library.cloneUrl}\n`,
        lib: { mode: '160000', commit },
      },
      message: 'Add a submodule',
    })
    expect(await inJob({ ref: sha }, ['ls lib'])).toEqual([''])
    expect(await inJob({ ref: sha, submodules: true }, ['ls lib'])).toEqual(['lib.js'])
  })
})

describe('credentials', () => {
  const look = [
    'cat .git/config',
    'cat $RUNNER_TEMP/git-credentials-*.config',
    'git config --get-all http.extraheader',
    fetchMain,
  ]

  it('lie in a file outside of the repository by default, which .git/config includes', async () => {
    const [config, file] = await inJob({}, look)
    expect(config).not.toMatch(/extraheader/i)
    expect(config).toMatch(/\[includeIf "gitdir:.*\/\.git"\]\s+path = .*git-credentials-.*\.config/)
    expect(file).toMatch(/extraheader = AUTHORIZATION: basic \S+/)
  })

  it('are found whatever there is in the path of the runner’s files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'job #1; '))
    vi.stubEnv('TMPDIR', folder)
    const [main] = await inJob({}, [fetchMain]).finally(() => vi.unstubAllEnvs())
    expect(main).toBe(await world.repository.head())
    await rm(folder, { recursive: true })
  })

  it('lie in .git/config itself when kept as older versions did', async () => {
    const [config, file, , main] = await inJob({ persistStyle: 'v4' }, look)
    expect(config).toMatch(/extraheader = AUTHORIZATION: basic \S+/)
    expect(file).toBe('failed')
    expect(main).toBe(await world.repository.head())
  })

  it.each(['v6', 'v4'] as const)(
    'are gone when they are not to be kept (%s), and a private origin out of reach',
    async (persistStyle) => {
      const [config, file, , main] = await inJob({ persistCredentials: false, persistStyle }, look)
      expect(config).not.toMatch(/extraheader|includeIf/i)
      expect([file, main]).toEqual(['failed', 'failed'])
    },
  )
})

describe('a workspace', () => {
  it('may be brought along, and is then left alone', async () => {
    const workspace = await mkdtemp(join(tmpdir(), 'workspace-'))
    await writeFile(join(workspace, 'built.html'), 'built\n')
    const main = "import { writeFileSync } from 'node:fs'\nwriteFileSync('made.txt', process.env.GITHUB_WORKSPACE)"
    await world.run(main, { workspace })
    expect((await readdir(workspace)).sort()).toEqual(['built.html', 'made.txt'])
    expect(await readFile(join(workspace, 'made.txt'), 'utf8')).toBe(workspace)
    await rm(workspace, { recursive: true })
  })

  it('may be prepared between checkout and action, as a build step would', async () => {
    const { rawStdout } = await world.run(
      "import { readFileSync } from 'node:fs'\nconsole.log(readFileSync('dist.txt', 'utf8'))",
      {
        checkout: {},
        prepare: async (workspace) => {
          const sha = await git(workspace, ['rev-parse', 'HEAD'])
          await writeFile(join(workspace, 'dist.txt'), sha)
        },
      },
    )
    expect(rawStdout.trim()).toBe(await world.repository.resolve('refs/pull/1/merge'))
  })

  it('is kept when asked for', async () => {
    const { folder, workspace } = await world.run('', { checkout: {}, keepWorkspace: true })
    expect(await readdir(workspace)).toContain('index.html')
    await rm(folder, { recursive: true })
  })
})
