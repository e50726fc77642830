import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { startSandbox } from '../../sandbox/index.ts'
import { type StoryStep, tellStory } from '../../sandbox/story.ts'
import { node24 } from '../support/node-24.ts'

const run = promisify(execFile)
const action = fileURLToPath(new URL('../..', import.meta.url))
const titles = [
  'A push to main goes to production',
  'A pull request gets a preview',
  'A second commit updates it',
  'A commit that breaks the build is red, with the reason',
  'The fix is live',
  'The merge brings production up to date and takes the preview down',
]

interface Told {
  readonly steps: readonly StoryStep[]
  readonly secretsInProcessList: readonly string[]
  readonly gitCommandsSeen: number
  readonly persisted: readonly string[]
}

async function tell(): Promise<Told> {
  await using watched = await watchGit()
  const persisted: string[] = []
  const steps: StoryStep[] = []
  let workspaces: string[] = []
  // A push to the tracked branch is meant to deploy, and on the platform as it was seen it starts nothing, as in the demo.
  await using sandbox = await startSandbox({ action, ink: { trackedPush: 'deploys' } })
  const node = await node24()
  const stage = {
    ink: sandbox.ink,
    github: sandbox.github,
    run: async (options: Parameters<typeof sandbox.run>[0]) => {
      const result = await sandbox.run({ ...options, node, keepWorkspace: true })
      persisted.push(await readFile(`${result.workspace}/.git/config`, 'utf8'))
      workspaces = [...workspaces, result.folder]
      return result
    },
  }
  for await (const step of tellStory(stage)) steps.push(step)
  const servers = [sandbox.ink.gitOrigin, sandbox.github.serverUrl].map((url) => new URL(url).host)
  const seen = await watched.read(servers, [sandbox.ink.apiKey])
  await run('rm', ['-rf', ...workspaces])
  return { steps, ...seen, persisted }
}

/** A git that notes the arguments of every process that it starts: what any other process on the runner could read of them. */
async function watchGit() {
  const folder = await mkdtemp(join(tmpdir(), 'story-git-'))
  const notes = join(folder, 'notes')
  const { stdout: git } = await run('sh', ['-c', 'command -v git'])
  await writeFile(join(folder, 'git'), `#!/bin/sh\nGIT_TRACE2_EVENT='${notes}' exec '${git.trim()}' "$@"\n`, {
    mode: 0o755,
  })
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
  return {
    /** The command lines that name one of these servers, and those of them that tell a secret. */
    async read(servers: readonly string[], secrets: readonly string[]) {
      const events = (await readFile(notes, 'utf8')).split('\n').filter((line) => line !== '')
      const lines = events.flatMap((line) => {
        const { event, argv } = JSON.parse(line) as { event: string; argv?: readonly string[] }
        return event === 'start' ? (argv?.join(' ') ?? []) : []
      })
      const ours = lines.filter((line) => servers.some((server) => line.includes(server)))
      const telling = lines.filter(
        (line) => secrets.some((secret) => line.includes(secret)) || /mlg_[\w-]{20,}|ghs_\w{20,}/.test(line),
      )
      return { secretsInProcessList: telling, gitCommandsSeen: ours.length }
    },
    [Symbol.asyncDispose]: async () => {
      vi.unstubAllEnvs()
      await rm(folder, { recursive: true })
    },
  }
}

describe('the life of a pull request, told by the bundle under Node 24, as GitHub’s runners start it', () => {
  let told: Told
  beforeAll(async () => {
    told = await tell()
  }, 240_000)

  it.each(titles.map((title, index) => [title, index] as const))('%s', (title, index) => {
    const step = told.steps[index]
    expect(step?.title).toBe(title)
    expect(step?.checks.filter(({ holds }) => !holds).map(({ what }) => what)).toEqual([])
  })

  it('no secret is in the streams that the action wrote itself', () => {
    // The key is an input, which the runner masks from the start; what the action learns later it has to mask itself.
    const written = told.steps
      .flatMap(({ runs }) => runs)
      .flatMap(({ log, rawStderr, summary }) => [log, rawStderr, summary])
    expect(written.filter((text) => /mlg_[\w-]{20,}|ghs_\w{20,}|dk_test_[0-9a-f]{20,}/.test(text))).toEqual([])
  })

  it('no secret is in the checkout’s git configuration afterwards', () => {
    expect(told.persisted).toHaveLength(7)
    expect(told.persisted.filter((config) => /mlg_|ink-token|x-git-token/.test(config))).toEqual([])
  })

  it('no secret is in the process list while git runs', () => {
    expect(told.gitCommandsSeen).toBeGreaterThan(0)
    expect(told.secretsInProcessList).toEqual([])
  })
})
