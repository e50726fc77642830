import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type RunnerWorld, runnerWorld } from './world.ts'

let world: RunnerWorld

beforeAll(async () => {
  world = await runnerWorld()
})

afterAll(() => world[Symbol.asyncDispose]())

const waitForEver = 'setInterval(() => undefined, 1000)\nconsole.log("ready")\n'
const ready = { cancelAfter: (run: { logMatches(pattern: RegExp): Promise<void> }) => run.logMatches(/^ready$/m) }
const post = 'console.log("post after", process.env.STATE_seen ?? "nothing")'

/** A process that has ended but that nobody has collected yet (state Z) is not alive. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('a cancelled run', () => {
  it('gets SIGINT and may settle things; then comes the post step', async () => {
    const main = `import { appendFileSync } from 'node:fs'
      process.on('SIGINT', () => {
        appendFileSync(process.env.GITHUB_STATE, 'seen=SIGINT\\n')
        console.log('settled')
        process.exit(0)
      })
      ${waitForEver}`
    const result = await world.run({ main, post, postIf: 'always()' }, ready)
    expect(result).toMatchObject({ conclusion: 'cancelled', exitCode: 0, signals: ['SIGINT'] })
    expect(result.log).toContain('settled\n')
    expect(result.log).toMatch(/##\[error\]The operation was canceled\.\n$/)
    expect(result.post?.rawStdout).toBe('post after SIGINT\n')
  })

  it('is “cancelled” for the post step’s condition', async () => {
    const options = { ...ready, graceFactor: 0.01 }
    const cancelled = await world.run({ main: waitForEver, post, postIf: 'cancelled()' }, options)
    expect(cancelled.post?.exitCode).toBe(0)
    const failure = await world.run({ main: waitForEver, post, postIf: 'failure()' }, options)
    expect(failure.post).toBeUndefined()
  })

  it('gets SIGTERM when it ignores SIGINT', async () => {
    const main = `process.on('SIGINT', () => console.log('not yet'))\n${waitForEver}`
    const result = await world.run(main, { ...ready, graceFactor: 0.2 })
    expect(result).toMatchObject({ conclusion: 'cancelled', exitCode: 128 + 15, signals: ['SIGINT', 'SIGTERM'] })
    expect(result.log).toContain('not yet\n')
  })

  it('is killed when it ignores that too', async () => {
    const main = `for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined)\n${waitForEver}`
    const result = await world.run(main, { ...ready, graceFactor: 0.02 })
    expect(result).toMatchObject({ exitCode: 128 + 9, signals: ['SIGINT', 'SIGTERM', 'SIGKILL'] })
  })

  it('gets its signals alone: its children are not told, but they do not outlive the job', async () => {
    const main = `import { spawn } from 'node:child_process'
      const child = spawn(process.execPath, ['-e', "process.on('SIGINT', () => console.log('child told')); setInterval(() => undefined, 1000)"], { stdio: 'inherit' })
      process.on('SIGINT', () => process.exit(1))
      console.log('child', child.pid)
      ${waitForEver}`
    const result = await world.run(main, { ...ready, graceFactor: 0.02 })
    const pid = Number(/child (\d+)/.exec(result.rawStdout)?.[1])
    expect(result.log).not.toContain('child told')
    await vi.waitFor(() => expect(alive(pid)).toBe(false))
  })

  it('can be cancelled from outside as well', async () => {
    const outside = new AbortController()
    const result = await world.run(waitForEver, {
      signal: outside.signal,
      onLine: (line) => {
        if (line === 'ready') outside.abort()
      },
    })
    expect(result).toMatchObject({ conclusion: 'cancelled', signals: ['SIGINT'] })
  })

  it('says so when the condition for cancelling could not be awaited', async () => {
    const options = { cancelAfter: () => Promise.reject(new Error('no such line')) }
    await expect(world.run(waitForEver, options)).rejects.toThrow('no such line')
  })
})

it('a test can watch the process while it runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ink-watch-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  // Each stage lasts until it has been seen.
  const lasting = (stage: string) => `import { existsSync } from 'node:fs'
    const seen = setInterval(() => existsSync(${JSON.stringify(join(folder, stage))}) && clearInterval(seen), 10)`
  const seen: { stage: string; alive: boolean }[] = []
  await world.run(
    { main: lasting('main'), post: lasting('post') },
    {
      onStart: ({ pid, stage }) => {
        seen.push({ stage, alive: alive(pid) })
        writeFileSync(join(folder, stage), '')
      },
    },
  )
  expect(seen).toEqual([
    { stage: 'main', alive: true },
    { stage: 'post', alive: true },
  ])
})

it('a process that leaves a child with its output open is not waited for for ever', async () => {
  const main = `import { spawn } from 'node:child_process'
    spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'inherit' }).unref()
    process.exit(0)`
  const { conclusion } = await world.run(main, { graceFactor: 0.02 })
  expect(conclusion).toBe('success')
})
