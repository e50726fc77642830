import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Sandbox, type SandboxRun, startSandbox } from '../sandbox/index.ts'
import { node24 } from '../test/support/node-24.ts'
import { bundle, deployingRun, untilFirstCall } from '../test/support/skipped-run.ts'
import { cpuMs } from './push.ts'
import { atMost, type Bench, type Row } from './table.ts'

const run = promisify(execFile)
const STARTS = 15
const REDEPLOYS = 5
const PRODUCTION = 'acme-shop'

/** What whole runs of the bundle cost: until the first call, in memory, and in time beside the platform's own. */
export const benchRuns: Bench = async () => {
  const starts = await firstCall()
  const [small, large] = [await redeploy(0, REDEPLOYS), await redeploy(200, 1)]
  return [
    ...starts,
    atMost('peak memory of a redeploy', small.megabytes, 110, 'MB'),
    atMost('the same, with a repository of 200 MB', large.megabytes, 150, 'MB'),
    atMost('a redeploy from the cache, beside what platform and probe take', small.ownSeconds, 0.7, 's'),
  ]
}

const ask = "await fetch('https://mcp.ml.ink/mcp')"

/** In CPU time of the action and of the git that it starts. */
async function firstCall(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'start-'))
  try {
    const node = await node24()
    const env = await deployingRun(folder)
    const scripts = {
      empty: '',
      asking: untilFirstCall(ask),
      first: untilFirstCall(`await import(${JSON.stringify(bundle.main)})`),
    }
    const spent = { empty: 0, asking: 0, first: 0 }
    const names = Object.keys(scripts) as (keyof typeof scripts)[]
    for (const name of names) await writeFile(join(folder, `${name}.mjs`), scripts[name])
    for (let count = 0; count < STARTS; count += 1)
      for (const name of names) {
        const before = cpuMs()
        await run(node, [join(folder, `${name}.mjs`)], { env })
        spent[name] += cpuMs() - before
      }
    const { empty, asking, first } = spent
    return [
      atMost('start of a deployment, to its first call', first / empty, 2.5, '×', 'an empty script'),
      {
        what: 'a script that does nothing but call',
        figure: `${(asking / empty).toFixed(2)} ×`,
        against: 'an empty script',
      },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface Redeploy {
  readonly megabytes: number
  /** Wall time beside that from the platform's being told until the service is active, and that of asking the URL. */
  readonly ownSeconds: number
}

/** Deploys a repository of that size, and then the same commit again, which the platform has in its cache. */
async function redeploy(megabytes: number, times: number): Promise<Redeploy> {
  await using sandbox = await startSandbox({ ink: { timing: { buildTimeoutMs: 600_000 } } })
  const repository = await sandbox.github.createRepository({ owner: 'acme', name: 'shop' })
  const large = Array.from(
    { length: megabytes },
    (_, index) => [`assets/${index}.bin`, randomBytes(1_000_000)] as const,
  )
  await repository.pushTo('main', { 'index.html': 'hello', ...Object.fromEntries(large) })
  const event = await repository.event('workflow_dispatch', {})
  const runs: Redeploy[] = []
  for (let count = 0; count <= times; count += 1) runs.push(await watched(sandbox, { repository, event }))
  const [, ...again] = runs.map(({ ownSeconds }) => ownSeconds)
  return {
    megabytes: Math.max(...runs.map((one) => one.megabytes)),
    ownSeconds: again.sort((a, b) => a - b)[Math.floor(again.length / 2)] ?? Number.NaN,
  }
}

async function watched({ ink, run }: Sandbox, about: Pick<SandboxRun, 'repository' | 'event'>): Promise<Redeploy> {
  const at: { [moment in 'told' | 'active' | 'probe' | 'live']?: number | undefined } = {}
  let peak = 0
  const since = ink.journal.length
  const look = (pid: number) => {
    peak = Math.max(peak, peakOf(pid))
    at.told ??= ink.journal.slice(since).find(({ name }) => /^(?:create|update)_service$/.test(name))?.at
    if (at.told !== undefined && ink.service(PRODUCTION)?.status === 'active') at.active ??= Date.now()
  }
  let looking: NodeJS.Timeout | undefined
  const { main, stepOutputs, log } = await run({
    ...about,
    node: await node24(),
    with: { 'build-pack': 'static' },
    onStart: ({ pid, stage }) => {
      clearInterval(looking)
      if (stage === 'main') looking = setInterval(look, 5, pid)
    },
    onLine: (line) => {
      if (line.endsWith(']Probe')) at.probe = Date.now()
      if (line.startsWith('Live (')) at.live = Date.now()
    },
  }).finally(() => clearInterval(looking))
  const { told, active, probe, live } = at
  if (told === undefined || active === undefined || probe === undefined || live === undefined)
    throw new Error(`The deployment is ${stepOutputs.status}: ${log}`)
  return { megabytes: peak, ownSeconds: (main.durationMs - (active - told) - (live - probe)) / 1_000 }
}

/** The most memory that the process has held so far, in MB; 0 once it has ended. */
function peakOf(pid: number): number {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes ?? 0) / 1024
  } catch {
    return 0
  }
}
