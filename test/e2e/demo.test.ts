import { describe, expect, it } from 'vitest'
import { startProgram } from '../support/start-program.ts'

const startDemo = (args: readonly string[], env?: Readonly<Record<string, string>>) =>
  startProgram('sandbox/demo.ts', args, env && { env })

describe('npm start', () => {
  it('leaves no process and no folder behind on SIGINT in the middle of a run', async () => {
    await using demo = await startDemo([])
    const bundle = expect.stringContaining('dist/main/index.js')
    await expect.poll(demo.leftovers, { timeout: 60_000, interval: 200 }).toContainEqual(bundle)
    demo.child.kill('SIGINT')
    expect(await demo.exited).toBe(0)
    expect(await demo.leftovers()).toEqual([])
  }, 120_000)

  it('ends when nobody reads what it says any more', async () => {
    await using demo = await startDemo([])
    await demo.hears('Ink Deploy on the sandbox')
    demo.child.stdout?.destroy()
    expect(await demo.exited).toBe(0)
    expect(await demo.leftovers()).toEqual([])
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
      expect(await demo.leftovers()).toEqual([])
    },
    60_000,
  )
})
