import { deadlineAtTime } from '../src/core/async.ts'
import { createSanitizer, sanitize } from '../src/core/sanitize.ts'
import { DeploymentWatch } from '../src/watch/deployment-watch.ts'
import { deploymentLog, WINDOW_LINES } from '../src/watch/readings.ts'
import { quietSeconds } from '../test/support/quiet-cpu.ts'
import { VirtualClock } from '../test/watch/virtual-clock.ts'
import { atMost, type Bench, type Row } from './table.ts'

const BUILDS_MS: readonly number[] = [3_000, 30_000, 300_000]
const RUNS = 101
/** A request to the platform, there and back. */
const ROUND_TRIP_MS = 120
const ROLLOUT_MS = 2_000
const LINES = 100_000
const NEW_LINES_PER_READING = 200

/**
 * How late the end of a deployment is told, and at what cost in requests (in virtual time, with request times as on the
 * internet); then what 100 000 log lines cost in CPU and memory.
 *
 * @param print takes one line of the report
 */
export const benchWatch: Bench = async (print) => {
  const rows: Row[] = []
  print(`watch: ${RUNS} deployments each, in virtual time, ${ROUND_TRIP_MS} ms per request`)
  for (const buildMs of BUILDS_MS) {
    for (const end of ['active', 'failed'] as const) {
      const runs: { lateMs: number; requests: number }[] = []
      for (let run = 0; run < RUNS; run += 1) runs.push(await watchOnce(buildMs, end, randomFrom(run + 1)))
      const late = runs.map(({ lateMs }) => lateMs).sort((a, b) => a - b)
      const requests = runs.reduce((sum, each) => sum + each.requests, 0) / RUNS
      const median = late[Math.floor(RUNS / 2)] ?? 0
      if (buildMs < 60_000)
        rows.push(
          atMost(`end of a build of ${buildMs / 1_000} s (${end}), seen late in the median`, median / 1_000, 1, 's'),
        )
      const share = ((median / buildMs) * 100).toFixed(1)
      print(
        `watch: build of ${buildMs / 1_000} s, then ${end}: told ${median} ms late in the median (${share} % of the build), ` +
          `${late.at(-1) ?? 0} ms at worst, ${requests.toFixed(0)} requests`,
      )
    }
  }
  return [...rows, logCost(print)]
}

async function watchOnce(
  buildMs: number,
  end: 'active' | 'failed',
  random: () => number,
): Promise<{ lateMs: number; requests: number }> {
  const clock = new VirtualClock()
  const queueMs = 500 + random() * 1_000
  const endMs = queueMs + buildMs + (end === 'active' ? ROLLOUT_MS : 0)
  let startedAt = 0
  let requests = 0
  const statusAt = (ms: number) => {
    if (ms >= endMs) return end
    if (ms < queueMs) return 'queued'
    return ms < queueMs + buildMs ? 'building' : 'deploying'
  }
  const signal = new AbortController().signal
  const watch = new DeploymentWatch({
    branch: 'ink/production/bench',
    read: async (_lines, limited) => {
      requests += 1
      await clock.sleep(ROUND_TRIP_MS / 2, limited)
      const status = statusAt(clock.now() - startedAt)
      await clock.sleep(ROUND_TRIP_MS / 2, limited)
      const deployLogs = status === 'queued' ? [] : ['npm ci', 'npm run build']
      return { branch: 'ink/production/bench', status, deployLogs, runtimeLogs: [] }
    },
    clock,
    random,
    deadline: deadlineAtTime(clock, clock.now() + 3_600_000, signal),
    signal,
    logBaseline: [],
    sanitize,
    events: { phase: () => undefined, line: () => undefined, warning: () => undefined },
  })
  watch.started('created')
  await clock.run(clock.sleep(ROUND_TRIP_MS, signal))
  startedAt = clock.now()
  const seen = await clock.run(watch.next())
  if (seen.kind !== (end === 'active' ? 'live' : 'ended')) throw new Error(`a deployment was seen as ${seen.kind}`)
  const lateMs = Math.round(clock.now() - startedAt - endMs)
  // Beside what it takes to see the end, a failure has its log read to the end.
  if (seen.kind === 'ended') await clock.run(watch.gatherEvidence())
  return { lateMs, requests }
}

/** Of three looks the quietest: a processor is shared unevenly. */
function logCost(print: (line: string) => void): Row {
  let megabytes = 0
  const look = () => quietSeconds(() => ({ megabytes } = costOfLog(LINES)))
  const seconds = Math.min(look(), look(), look())
  print(`watch: ${LINES} log lines: ${seconds.toFixed(2)} s of a quiet CPU, ${Math.round(megabytes)} MB more memory`)
  return atMost('100 000 log lines', seconds, 0.5, 's of a quiet CPU')
}

/** What it costs to follow, sanitize and keep a log of so many lines. */
export function costOfLog(count: number): { readonly cpuMs: number; readonly megabytes: number } {
  const lines = Array.from({ length: count }, (_, index) => logLine(index))
  const sanitizeAll = createSanitizer(
    Array.from({ length: 20 }, (_, index) => `not-in-the-log-${index}-${'x'.repeat(30)}`),
  )
  let shown = 0
  const memoryBefore = process.memoryUsage().rss
  const cpuBefore = process.cpuUsage()
  let most = memoryBefore
  const log = deploymentLog([], sanitizeAll, () => (shown += 1))
  for (let end = NEW_LINES_PER_READING; end <= count; end += NEW_LINES_PER_READING) {
    log.accept(lines.slice(Math.max(0, end - WINDOW_LINES), end))
    if (end % 10_000 === 0) most = Math.max(most, process.memoryUsage().rss)
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  if (shown !== count) throw new Error(`${shown} of ${count} lines were shown`)
  return { cpuMs: (user + system) / 1_000, megabytes: (most - memoryBefore) / 2 ** 20 }
}

/** Coloured and plain lines, one in a thousand very long. */
function logLine(index: number): string {
  if (index % 1_000 === 999) return `line ${index} ${'x'.repeat(50_000)}`
  if (index % 3 === 0) return `\x1b[32m#${index % 40} ${index}.5\x1b[0m  ✓ compiled module ${index} of the application`
  return `line ${index} npm http fetch GET 200 https://registry.example/some-package-${index} 43ms`
}

/** Repeatable numbers in [0, 1) (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
