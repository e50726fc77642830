import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
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
  readonly leftBehind: readonly string[]
}

async function tell(node: string, trackedPush: 'starts-nothing' | 'deploys'): Promise<Told> {
  const watcher = watchProcesses()
  const persisted: string[] = []
  const steps: StoryStep[] = []
  let workspaces: string[] = []
  {
    await using sandbox = await startSandbox({ action, ink: { trackedPush } })
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
    watcher.about(sandbox.ink.gitOrigin, sandbox.github.serverUrl)
    watcher.secret(sandbox.ink.apiKey)
  }
  const seen = await watcher.stop()
  await run('rm', ['-rf', ...workspaces])
  return { steps, ...seen, persisted, leftBehind: workspaces.filter((folder) => existsSync(folder)) }
}

/** Reads the process list over and over, as any other process on the runner could. */
function watchProcesses() {
  const secrets: string[] = []
  const servers: string[] = []
  const lines = new Set<string>()
  let going = true
  const loop = (async () => {
    while (going) {
      const { stdout } = await run('ps', ['-eo', 'args'], { maxBuffer: 10_000_000 })
      for (const line of stdout.split('\n')) if (/\bgit\b/.test(line)) lines.add(line)
    }
  })()
  return {
    secret: (value: string) => secrets.push(value),
    /** Other tests run git at the same time; ours talks to these servers. */
    about: (...urls: readonly string[]) => servers.push(...urls.map((url) => new URL(url).host)),
    stop: async () => {
      going = false
      await loop
      const ours = [...lines].filter((line) => servers.some((server) => line.includes(server)))
      const telling = ours.filter(
        (line) => secrets.some((secret) => line.includes(secret)) || /mlg_[\w-]{20,}|ghs_\w{20,}/.test(line),
      )
      return { secretsInProcessList: telling, gitCommandsSeen: ours.length }
    },
  }
}

// A push to the tracked branch is known to start nothing on the platform and meant to deploy: the story is the same with both.
const settings = [
  ['the Node that runs the tests, where a push starts nothing', async () => process.execPath, 'starts-nothing'],
  ['Node 24, as GitHub’s runners start it, where a push to the tracked branch deploys', node24, 'deploys'],
] as const

describe.each(settings)('the life of a pull request, told by the bundle under %s', (_, find, trackedPush) => {
  let told: Told
  beforeAll(async () => {
    told = await tell(await find(), trackedPush)
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
