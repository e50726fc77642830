import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')

/** `npm run sandbox` as a process, with temporary folders of its own. */
async function serve(args: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'serve-test-'))
  const child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/serve.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, TMPDIR: folder },
  })
  let said = ''
  const announced = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (said.includes('Ctrl-C')) resolve()
      })
    }
  })
  const ended = once(child, 'close').then(([code]: unknown[]) => code)
  return {
    said: () => said,
    announced: () => Promise.race([announced, ended]),
    ended,
    interrupt: () => child.kill('SIGINT'),
    leftovers: async () => (await readdir(folder)).filter((name) => /^(sandbox|ink)-/.test(name)),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

it('starts alone, can be reached as it says, and leaves nothing behind after Ctrl-C', async () => {
  await using sandbox = await serve(['--profile', 'g2'])
  await sandbox.announced()
  const said = sandbox.said()
  expect(await sandbox.leftovers()).not.toEqual([])

  const commands = [...said.matchAll(/^ {2}(curl (?:\\\n|.)*)$/gm)].map(([, command = '']) => command)
  const answers = await Promise.all(commands.map((command) => run('sh', ['-c', command])))
  expect(answers[0]?.stdout).toContain('service_create')
  expect(JSON.parse(answers[1]?.stdout ?? '')).toMatchObject({ number: 1, state: 'open' })

  const remote = /git clone (\S+)/.exec(said)?.[1] ?? ''
  const { stdout } = await run('git', ['ls-remote', remote, 'refs/pull/1/head'])
  expect(stdout).toMatch(/^[0-9a-f]{40}\trefs\/pull\/1\/head\n$/)

  const page = /Pull request +(\S+)/.exec(said)?.[1] ?? ''
  expect(await (await fetch(page)).text()).toContain('Greet visitors')

  sandbox.interrupt()
  expect(await sandbox.ended).toBe(0)
  expect(await sandbox.leftovers()).toEqual([])
})

it.each([
  [['--profile', 'g9'], '--profile must be one of g0, g1,'],
  [['--port', 'high'], '--port must be a whole number from 1 to 65534, not high.'],
  [['--prot', '1'], '--prot'],
])('says what is wrong with %j, and how it is used', async (args, words) => {
  await using sandbox = await serve(args)
  expect(await sandbox.ended).toBe(1)
  expect(sandbox.said()).toContain(words)
  expect(sandbox.said()).toContain('Usage: npm run sandbox')
  expect(sandbox.said()).not.toMatch(/^\s+at /m)
})
