import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { newRepository, writeObject } from '../source/scratch.ts'
import { node24 } from '../support/node-24.ts'

const main = fileURLToPath(new URL('../../dist/main/index.js', import.meta.url))
export const timeoutMs = 6000
/** Half again for what is wound up, and what it takes to start a process on a machine that is busy. */
export const longestMs = 2 * timeoutMs + 8000
const mostMegabytes = 200

/** Time and memory of each hostile server, by its name. */
type Figures = Record<string, { readonly seconds: number; readonly megabytes: number }>

/** Keeps the figures of a file's runs where `npm run hostile` looks for them; docs/security.md shows them. */
export async function keepFigures(figures: Figures, name: string): Promise<void> {
  if (process.env.MEASURE) await writeFile(join(process.env.MEASURE, `${name}.json`), JSON.stringify(figures))
}

/** A checkout of one small page, for which git need not be started. */
export async function plainCheckout(workspace: string): Promise<string> {
  await newRepository(workspace)
  const page = '<p>Hello</p>'
  await writeFile(join(workspace, 'index.html'), page)
  const blob = Buffer.from(await writeObject(workspace, 'blob', page), 'hex')
  const tree = await writeObject(workspace, 'tree', Buffer.concat([Buffer.from('100644 index.html\0'), blob]))
  const by = 'Ada Author <ada@example.org> 1700000000 +0000'
  const sha = await writeObject(workspace, 'commit', `tree ${tree}\nauthor ${by}\ncommitter ${by}\n\nSay hello\n`)
  await writeFile(join(workspace, '.git/refs/heads/main'), `${sha}\n`)
  return sha
}

interface BundleRun {
  readonly code: number | null
  readonly log: string
  readonly errors: string
  readonly output: string
  readonly tookMs: number
  readonly megabytes: number
}

/** Against whom the bundle runs, and from what. */
interface Opponent {
  readonly endpoint: string
  readonly apiKey?: string
  /** Where the repository's git host is said to be. */
  readonly serverUrl?: string
  /** Lays out the checkout, and returns its commit. */
  readonly checkout?: (workspace: string) => Promise<string>
}

/** Holds a run against its bounds, and notes down what it cost. @returns the reason that it gave */
export function expectBounded(run: BundleRun, figures: Figures, name: string): string {
  figures[name] = { seconds: Math.round(run.tookMs / 100) / 10, megabytes: Math.round(run.megabytes) }
  expect(run.code).toBe(1)
  expect(run.tookMs).toBeLessThan(longestMs)
  expect(run.megabytes).toBeLessThan(mostMegabytes)
  expect(run.errors).toBe('')
  expect(run.output).toMatch(/failed|timed-out/)
  expect(run.log).not.toMatch(/ {4}at |Maximum call stack|Invalid URL|undefined/)
  return run.log.split('\n').find((line) => line.startsWith('::error')) ?? ''
}

/** A run of the bundle on a push to main, as the runner starts it, and what it cost. */
export async function runAgainst(opponent: Opponent): Promise<BundleRun> {
  const folder = await mkdtemp(join(tmpdir(), 'hostile-'))
  const path = (name: string) => join(folder, name)
  const full_name = 'acme/shop'
  const workspace = path('workspace')
  await mkdir(workspace)
  const sha = await (opponent.checkout ?? plainCheckout)(workspace)
  const repository = {
    id: 7,
    name: 'shop',
    full_name,
    default_branch: 'main',
    private: false,
    owner: { login: 'acme' },
  }
  const push = { ref: 'refs/heads/main', before: '0'.repeat(40), after: sha, deleted: false, repository, commits: [] }
  await Promise.all([
    writeFile(path('event.json'), JSON.stringify(push)),
    writeFile(path('summary'), ''),
    writeFile(path('output'), ''),
    writeFile(path('state'), ''),
    writeFile(
      path('peak.cjs'),
      // Not `maxRSS`, which a process inherits from the one that started it.
      `process.on('exit', () => { const fs = require('node:fs'); fs.writeFileSync(${JSON.stringify(path('status'))}, fs.readFileSync('/proc/self/status')) })`,
    ),
  ])
  const startedAt = performance.now()
  const child = spawn(await node24(), ['--require', path('peak.cjs'), main], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GITHUB_ACTIONS: 'true',
      GITHUB_EVENT_NAME: 'push',
      GITHUB_EVENT_PATH: path('event.json'),
      GITHUB_STEP_SUMMARY: path('summary'),
      GITHUB_OUTPUT: path('output'),
      GITHUB_STATE: path('state'),
      GITHUB_REPOSITORY: full_name,
      GITHUB_REPOSITORY_OWNER: 'acme',
      GITHUB_REPOSITORY_ID: '7',
      GITHUB_SERVER_URL: opponent.serverUrl ?? 'http://127.0.0.1:9',
      GITHUB_API_URL: 'http://127.0.0.1:9/api/v3',
      GITHUB_REF: push.ref,
      GITHUB_SHA: sha,
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_ACTOR: 'ada',
      GITHUB_WORKFLOW: 'Deploy',
      GITHUB_JOB: 'deploy',
      GITHUB_WORKSPACE: workspace,
      RUNNER_TEMP: folder,
      'INPUT_API-KEY': opponent.apiKey ?? 'dk_test_0123456789abcdef',
      INPUT_ENDPOINT: opponent.endpoint,
      INPUT_TIMEOUT: `${timeoutMs / 1000}s`,
      INPUT_COMMENT: 'none',
      'INPUT_DEPLOYMENT-RECORD': 'false',
    },
  })
  let log = ''
  let errors = ''
  child.stdout.on('data', (chunk) => (log += chunk))
  child.stderr.on('data', (chunk) => (errors += chunk))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const tookMs = performance.now() - startedAt
  const [, peak] = /^VmHWM:\s+(\d+) kB/m.exec(await readFile(path('status'), 'utf8')) ?? []
  const output = await readFile(path('output'), 'utf8')
  await rm(folder, { recursive: true, force: true })
  return { code, log, errors, output, tookMs, megabytes: Number(peak) / 1024 }
}
