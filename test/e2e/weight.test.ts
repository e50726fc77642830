import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { node24 } from '../support/node-24.ts'
import { bundle, deployingRun, skippedRun, untilFirstCall } from '../support/skipped-run.ts'

const run = promisify(execFile)

/** Tells which modules are loaded, in the order of loading (nodejs.org/api/module.html, `registerHooks`). */
const watch = `
import { registerHooks } from 'node:module'
const loaded = []
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
process.on('exit', () => console.error(JSON.stringify(loaded)))
`

async function loadedBy(script: string, environment = skippedRun, before = ''): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'weight-'))
  try {
    const imports = [watch, before].flatMap((code) => ['--import', `data:text/javascript,${encodeURIComponent(code)}`])
    const { stderr } = await run(await node24(), [...imports, script], { env: await environment(folder) })
    return JSON.parse(stderr.split('\n').findLast((line) => line.startsWith('[')) ?? '[]')
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function bytesOf(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'))
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

describe('a run that has nothing to do', () => {
  it('loads neither MCP nor GitHub’s client nor git, nor anything else it has no need for', async () => {
    const loaded = await loadedBy(bundle.main)
    const [entry, summary, ...others] = ours(loaded)
    expect([entry, others]).toEqual(['index.js', []])
    const rendering = await readFile(join(dirname(bundle.main), summary ?? ''), 'utf8')
    expect(rendering.includes('containerPhrasing')).toBe(true)
    expect(loaded.filter((url) => /^node:(?:https?|http2|child_process|crypto|dns|net|tls)\b/.test(url))).toEqual([])
  })

  it('leaves its post step nothing to load but the part that is for it', async () => {
    const loaded = ours(await loadedBy(bundle.post))
    expect(loaded).toHaveLength(3)
    const sizes = await Promise.all(
      loaded.slice(2).map(async (name) => (await stat(join(dirname(bundle.main), name))).size),
    )
    expect(Math.max(...sizes)).toBeLessThan(10_000)
  })
})

it('a deployment asks ml.ink before the code is loaded that works with the answer', async () => {
  const loaded = ours(await loadedBy(bundle.main, deployingRun, untilFirstCall('')))
  const code = await Promise.all(loaded.map((name) => readFile(join(dirname(bundle.main), name), 'utf8')))
  expect(code.some((one) => one.includes('notifications/initialized'))).toBe(true)
  expect(code.join('').length).toBeLessThan(500_000)
})

/** The files of the bundle, in the order in which they were loaded. */
function ours(loaded: readonly string[]): readonly string[] {
  return loaded.filter((url) => url.includes('/dist/')).map((url) => basename(url))
}

describe('the bundle', () => {
  it('weighs no more than it did', async () => {
    const main = dirname(bundle.main)
    expect((await stat(bundle.main)).size).toBeLessThan(170_000)
    expect(await bytesOf(main)).toBeLessThan(1_300_000)
    expect(await bytesOf(dirname(bundle.post))).toBeLessThan(2_000)
    expect(await bytesOf(join(main, '../cli'))).toBeLessThan(600_000)
  })

  it.each(['main', 'cli'])('names the licence of each package of which something is in %s', async (name) => {
    const licences = await readFile(join(dirname(bundle.main), '..', name, 'licenses.txt'), 'utf8')
    const named = name === 'cli' ? ['zod'] : ['@actions/core', '@actions/github', 'simple-git', 'undici', 'valibot']
    for (const one of [...named, '@modelcontextprotocol/sdk']) expect(licences).toContain(`${one}\n`)
    expect(licences).not.toContain('undefined')
  })
})
