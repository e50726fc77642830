import { execFile, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { recommendedWorkflow } from '../../src/login/repository.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const KEY = /^dk_test_[0-9a-f]{64}$/
let ink: InkPlatform

beforeAll(async () => {
  ink = await startInkPlatform()
})
afterAll(() => ink.stop())

// Opens an address as a browser would, clicks, and goes where that leads.
const browser = `#!${process.execPath}
const page = await (await fetch(process.argv[2])).text()
const ticket = /name="ticket" value="([^"]+)"/.exec(page)[1]
const body = new URLSearchParams({ ticket, decision: process.env.DECISION })
await fetch(new URL('/oauth/authorize', process.argv[2]), { method: 'POST', body })
`
// Answers for acme/web, and notes down what it is given.
const gh = `#!${process.execPath}
import { appendFileSync, readFileSync } from 'node:fs'
const args = process.argv.slice(2)
const input = readFileSync(0, 'utf8')
appendFileSync(process.env.GH_NOTES, JSON.stringify({ args, input }) + '\\n')
if (args[0] === 'secret' && process.env.GH_REFUSES) {
  console.error('HTTP 403: Resource not accessible, for ' + input)
  process.exit(1)
}
if (args[0] === 'repo') {
  console.log(JSON.stringify({
    nameWithOwner: 'acme/web', url: 'https://github.com/acme/web', defaultBranchRef: { name: 'trunk' },
  }))
}
`

/** A clone with a folder of programs of its own, in which the command can be run as npx starts it. */
async function workplace() {
  const folder = await mkdtemp(join(tmpdir(), 'login-test-'))
  const bin = join(folder, 'bin')
  const clone = join(folder, 'clone')
  await mkdir(join(clone, '.git'), { recursive: true })
  await mkdir(bin)
  await writeFile(join(bin, 'package.json'), '{ "type": "module" }')
  for (const [name, code] of Object.entries({ 'xdg-open': browser, open: browser, gh })) {
    await writeFile(join(bin, name), code)
    await chmod(join(bin, name), 0o755)
  }
  const notes = join(folder, 'gh-notes')
  const usual = {
    PATH: [bin, process.env.PATH].join(delimiter),
    HOME: folder,
    GH_NOTES: notes,
    DECISION: 'allow',
  }
  const workflow = join(clone, '.github/workflows/deploy.yml')
  return {
    clone,
    environment: usual,
    workflow,
    workflowText: () => readFile(workflow, 'utf8').catch(() => undefined),
    noted: async () =>
      (await readFile(notes, 'utf8').catch(() => ''))
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { args: string[]; input: string }),
    run: (args: readonly string[], environment: Record<string, string> = {}) =>
      start(clone, ['login', '--endpoint', ink.endpoint, ...args], { ...usual, ...environment }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

function start(cwd: string, args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [join(root, 'dist/cli/index.js'), ...args], { cwd, env })
  const said = { out: '', err: '' }
  const listeners = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
    for (const listener of listeners) listener()
  })
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, ...said })),
  )
  return {
    child,
    ended,
    type: (line: string) => child.stdin.write(`${line}\n`),
    /** Waits until something was said, and returns it. */
    hears: (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(said.err)
          if (found) resolve(found[1] ?? found[0])
        }
        listeners.add(look)
        void ended.then(() => reject(new Error(`it ended without saying ${pattern}:\n${said.err}`)))
        look()
      }),
  }
}

async function works(key: string): Promise<boolean> {
  const response = await fetch(ink.endpoint, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  })
  return response.ok
}

/** What the platform was asked, since then. */
function asked(since: number): string[] {
  return ink.journal.slice(since).map(({ name }) => name)
}

/** Plays the browser on another machine: the address that it is led to is not fetched. */
async function addressAfterAllowing(address: string): Promise<string> {
  const page = await (await fetch(address)).text()
  const ticket = /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const body = new URLSearchParams({ ticket, decision: 'allow' })
  const response = await fetch(new URL('/oauth/authorize', address), { method: 'POST', body, redirect: 'manual' })
  return response.headers.get('location') ?? ''
}

describe('the package', () => {
  it('is a few files, of which npx starts a login that prints a key, without fetching anything else', async () => {
    await using place = await workplace()
    const run = promisify(execFile)
    // In a home that is new, npm would ask the registry for a newer npm each time.
    const env = { ...place.environment, npm_config_offline: 'true', npm_config_update_notifier: 'false' }
    const packed = await run('npm', ['pack', '--json', '--pack-destination', place.clone], { cwd: root, env })
    const [archive] = JSON.parse(packed.stdout) as { filename: string; size: number; files: { path: string }[] }[]
    expect(archive?.files.map(({ path }) => path).sort()).toEqual([
      'LICENSE',
      'README.md',
      'dist/cli/index.js',
      'dist/cli/licenses.txt',
      'dist/cli/package.json',
      'package.json',
    ])
    expect(archive?.size).toBeLessThan(200_000)
    const login = ['login', '--endpoint', ink.endpoint, '--print']
    const npx = await run('npx', ['--yes', `./${archive?.filename}`, ...login], { cwd: place.clone, env })
    // A key that was got through the browser, and that alone.
    const key = npx.stdout.trim()
    expect(key).toMatch(KEY)
    expect(npx.stderr).not.toContain(key)
    expect(await works(key)).toBe(true)
    expect([await place.noted(), await place.workflowText()]).toEqual([[], undefined])
  })
})

describe('ink-deploy login', () => {
  it('--set-secret --write-workflow hands the key to gh alone, and writes the workflow for the default branch', async () => {
    await using place = await workplace()
    const { code, out, err } = await place.run(['--set-secret', '--write-workflow']).ended
    expect(code, err).toBe(0)
    const [view, set, ...others] = await place.noted()
    expect(view?.args.slice(0, 2)).toEqual(['repo', 'view'])
    expect(set?.args).toEqual(['secret', 'set', 'INK_API_KEY', '--repo', 'github.com/acme/web'])
    expect(set?.input).toMatch(KEY)
    expect(others).toEqual([])
    expect(out + err).not.toContain(set?.input)
    expect(await works(set?.input ?? '')).toBe(true)
    expect(await place.workflowText()).toBe(recommendedWorkflow('trunk'))
  })

  it('--no-browser takes the address that the browser was led to', async () => {
    await using place = await workplace()
    const login = place.run(['--print', '--no-browser'])
    const address = await login.hears(/^ {2}(http:\S+\/oauth\/authorize\S+)$/m)
    await login.hears(/Paste it here/)
    login.type(await addressAfterAllowing(address))
    const { code, out, err } = await login.ended
    expect(code, err).toBe(0)
    expect(await works(out.trim())).toBe(true)
  })

  it('--write-workflow alone writes the file and asks for no key, and refuses where there is another', async () => {
    await using place = await workplace()
    const since = ink.journal.length
    const { code, out, err } = await place.run(['--write-workflow']).ended
    expect([code, out], err).toEqual([0, ''])
    expect([asked(since), await place.workflowText()]).toEqual([[], recommendedWorkflow('trunk')])
    await writeFile(place.workflow, 'name: Mine\n')
    const again = await place.run(['--write-workflow']).ended
    expect([again.code, await place.workflowText()]).toEqual([1, 'name: Mine\n'])
    expect(asked(since)).toEqual([])
    expect(again.err).toContain('deploy.yml is there already')
  })

  it('does not show the key when gh refuses it, not even in the words of gh', async () => {
    await using place = await workplace()
    const { code, out, err } = await place.run(['--set-secret', '--write-workflow'], { GH_REFUSES: 'yes' }).ended
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('could not be saved as a secret of acme/web')
    expect(err).toContain('HTTP 403')
    expect(err).not.toMatch(/dk_test_|^\s+at /m)
    expect(await place.workflowText()).toBeUndefined()
  })

  it('without gh, --set-secret is refused before anything is asked for', async () => {
    await using place = await workplace()
    await rm(join(place.clone, '../bin/gh'))
    const since = ink.journal.length
    const { code, err } = await place.run(['--set-secret'], { PATH: join(place.clone, '../bin') }).ended
    expect(code).toBe(1)
    expect(err).toContain('gh, is not on this machine')
    expect(asked(since)).toEqual([])
  })

  it('without a browser to open, says what to do and goes on waiting', async () => {
    await using place = await workplace()
    const login = place.run(['--print'], { PATH: '' })
    await login.hears(/The browser could not be opened/)
    const address = await login.hears(/^ {2}(http:\S+\/oauth\/authorize\S+)$/m)
    await fetch(await addressAfterAllowing(address))
    const { code, out } = await login.ended
    expect(code).toBe(0)
    expect(out.trim()).toMatch(KEY)
  })

  it('ends cleanly on Ctrl-C, with its port closed', async () => {
    await using place = await workplace()
    const login = place.run(['--print', '--no-browser'])
    const address = await login.hears(/^ {2}(http:\S+\/oauth\/authorize\S+)$/m)
    login.child.kill('SIGINT')
    const { code, out, err } = await login.ended
    expect([code, out]).toEqual([130, ''])
    expect(err).toContain('Cancelled; nothing was stored. If access was already allowed, remove the key at ml.ink')
    const redirectUri = new URL(address).searchParams.get('redirect_uri') ?? ''
    await expect(fetch(redirectUri)).rejects.toThrow()
  })
})
