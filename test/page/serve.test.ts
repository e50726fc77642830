import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { startProgram } from '../support/start-program.ts'

const run = promisify(execFile)
const serve = (args: readonly string[], node?: string) =>
  startProgram('sandbox/serve.ts', args, node === undefined ? {} : { node })

it('starts alone, can be reached as it says, and leaves nothing behind after Ctrl-C', async () => {
  await using sandbox = await serve(['--profile', 'g2'], process.execPath)
  await sandbox.hears('Ctrl-C')
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

  sandbox.child.kill('SIGINT')
  expect(await sandbox.exited).toBe(0)
  expect(await sandbox.leftovers()).toEqual([])
})

it('deploys an app of this machine, its preview again after each change, and ends on SIGTERM', {
  timeout: 180_000,
}, async () => {
  const app = await mkdtemp(join(tmpdir(), 'my-app-'))
  const page = (words: string) => writeFile(join(app, 'index.html'), `<h1>${words}</h1>`)
  await page('As it was')
  await mkdir(join(app, 'node_modules'))
  await writeFile(join(app, 'node_modules', 'huge.js'), '')
  const before = (await readdir(app)).toSorted()
  await using sandbox = await serve(['--run', app])
  const addresses = async (times: number) => {
    await sandbox.hears('Ctrl-C ends everything', times)
    return [...sandbox.said().matchAll(/ is live: (\S+)/g)].map(([, url = '']) => url)
  }
  const text = async (url = '') => (await fetch(url)).text()

  const [production, preview] = await addresses(1)
  expect([await text(production), await text(preview)]).toEqual(Array(2).fill('<h1>As it was</h1>'))
  await page('As it is now')
  await addresses(2)
  expect([await text(production), await text(preview)]).toEqual(['<h1>As it was</h1>', '<h1>As it is now</h1>'])
  const [, pull = ''] = /The pull request: (\S+)/.exec(sandbox.said()) ?? []
  expect(await text(pull)).toContain('Preview is live')
  expect(await text(pull.replace('/pull/1', ''))).not.toContain('node_modules')

  const start = await text(new URL('/', pull).href)
  const [, service = ''] = /href="(\/-\/services\/[^"]+-pr-1)"/.exec(start) ?? []
  const shown = await text(new URL(service, pull).href)
  for (const part of ['active', 'INK_GIT_COMMIT_SHA', 'a day', 'superseded', 'Log of the builds', `href="${preview}`])
    expect(shown).toContain(part)

  sandbox.child.kill('SIGTERM')
  expect(await sandbox.exited).toBe(0)
  expect(await sandbox.leftovers()).toEqual([])
  expect((await readdir(app)).toSorted()).toEqual(before)
  await rm(app, { recursive: true })
})

it('says so when its port is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await using sandbox = await serve(['--port', String(port)])
  expect(await sandbox.exited).toBe(1)
  expect(sandbox.said()).toBe(`Port ${port} or ${port + 1} is taken: name another one with --port, or leave it out.\n`)
  expect(await sandbox.leftovers()).toEqual([])
  server.close()
})

it.each([
  [
    ['--run', '/nowhere/at/all', '--port', 'high', '--profile', 'g9'],
    [
      '--run must be a directory with an app; there is none at /nowhere/at/all.',
      '--port must be a whole number from 1 to 65534, not high.',
      '--profile must be one of g0, g1,',
    ],
  ],
  [['--prot', '1'], ["Unknown option '--prot'"]],
])('says all that is wrong with %j, and how it is used', async (args, words) => {
  await using sandbox = await serve(args)
  expect(await sandbox.exited).toBe(1)
  for (const each of [...words, 'Usage: npm run sandbox']) expect(sandbox.said()).toContain(each)
  expect(sandbox.said()).not.toMatch(/^\s+at /m)
  expect(await sandbox.leftovers()).toEqual([])
})
