import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Starts the demo with a folder for temporary files of its own, so that what it leaves there can be told from others'. */
async function startDemo(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
  const child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/demo.ts', ...args], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const listeners = new Set<() => void>()
  const hear = (chunk: Buffer) => {
    said += chunk.toString()
    for (const listener of listeners) listener()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve))
  return {
    child: child as ChildProcess,
    exited,
    said: () => said,
    hears: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const look = () => said.includes(text) && resolve()
        listeners.add(look)
        void exited.then(() => reject(new Error(`The demo ended without saying “${text}”:\n${said}`)))
        look()
      }),
    leftovers: async () => ({ files: await leftIn(folder), processes: await processesNaming(folder) }),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

// tsx keeps its cache of compiled files there on purpose.
async function leftIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !/^(tsx|node-compile-cache)/.test(name))
}

async function processesNaming(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'], { maxBuffer: 10_000_000 })
  return stdout.split('\n').filter((line) => line.includes(folder))
}

describe('npm start', () => {
  it('leaves no process and no folder behind on SIGINT in the middle of a run', async () => {
    await using demo = await startDemo([])
    await demo.hears('1. A push to main goes to production')
    demo.child.kill('SIGINT')
    expect(await demo.exited).toBe(0)
    expect(await demo.leftovers()).toEqual({ files: [], processes: [] })
  }, 120_000)

  it('with --exit tells the whole story, ends by itself and leaves nothing behind', async () => {
    await using demo = await startDemo(['--exit'])
    expect(await demo.exited, demo.said()).toBe(0)
    expect(demo.said()).toContain('All 6 steps were as they should be')
    expect(await demo.leftovers()).toEqual({ files: [], processes: [] })
  }, 240_000)

  it('ends when nobody reads what it says any more', async () => {
    await using demo = await startDemo([])
    await demo.hears('Ink Deploy on the sandbox')
    demo.child.stdout?.destroy()
    expect(await demo.exited).toBe(0)
    expect(await demo.leftovers()).toEqual({ files: [], processes: [] })
  }, 120_000)

  it.each([
    ['without git', [], { PATH: '/nowhere' }, 'The sandbox needs git, and there is none in PATH', 1],
    ['with an option that it does not have', ['--exti'], {}, "Unknown option '--exti'", 1],
    ['with --help', ['--help'], {}, 'Usage: npm start -- [--exit]', 0],
  ])(
    '%s says so in few words, and leaves nothing behind',
    async (_, args, env, words, code) => {
      await using demo = await startDemo(args, env)
      expect(await demo.exited).toBe(code)
      expect(demo.said()).toContain(words)
      expect(demo.said()).not.toMatch(/^\s+at /m)
      expect(demo.said().split('\n').length).toBeLessThan(8)
      expect(await demo.leftovers()).toEqual({ files: [], processes: [] })
    },
    60_000,
  )
})
