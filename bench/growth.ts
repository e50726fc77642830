import { mkdir, writeFile } from 'node:fs/promises'
import { openStage } from '../test/flows/stage.ts'
import { sweep, toolsOf } from './calls.ts'
import { type Curve, plot } from './plot.ts'
import { firstPush } from './push.ts'
import type { Bench } from './table.ts'
import { costOfLog } from './watch.ts'

const images = new URL('../docs/images/', import.meta.url)

/** How costs grow, as plots below `docs/images`: CPU time beside that of the least, bytes beside a plain pack, calls. */
export const benchGrowth: Bench = async (print) => {
  await mkdir(images, { recursive: true })
  const rows = []
  for (const [name, draw] of Object.entries(curves)) {
    const curve = await draw()
    await writeFile(new URL(`growth-${name}.svg`, images), plot(curve))
    const told = curve.points.map(([x, y]) => `${x}: ${Number(y.toPrecision(3))}`).join(', ')
    print(`${curve.title}: ${told}`)
    rows.push({ what: curve.title, figure: told, against: curve.y })
  }
  return rows
}

type Draw = () => Promise<Curve>

const curves: Readonly<Record<string, Draw>> = {
  size: () =>
    measured(
      'Size of the repository',
      'MB',
      'CPU, against the least',
      [1, 10, 50, 200],
      async (megabytes) => (await firstPush({ files: megabytes * 10, bytesEach: 100_000 })).cpuMs,
    ),
  files: () =>
    measured(
      'Number of files',
      'files',
      'CPU, against the least',
      [100, 1_000, 10_000, 100_000],
      async (files) => (await firstPush({ files, bytesEach: 100 })).cpuMs,
    ),
  log: () =>
    measured(
      'Lines of the log',
      'lines',
      'CPU, against the least',
      [1_000, 10_000, 100_000, 500_000],
      async (lines) => costOfLog(lines).cpuMs,
    ),
  previews: async () => {
    const counts = [1, 5, 20, 100, 500]
    const points: [number, number][] = []
    for (const count of counts) points.push([count, (await sweep(count)).calls])
    return { title: 'Previews swept', x: 'previews', y: 'calls to ml.ink', points }
  },
  services: async () => {
    const points: [number, number][] = []
    for (const count of [1, 2, 4, 8, 16]) points.push([count, await callsFor(count)])
    return { title: 'Services in one ink.yml', x: 'services', y: 'calls of tools, beside polling', points }
  },
}

/** Ratios to the first: no two machines are alike. */
async function measured(
  title: string,
  x: string,
  y: string,
  values: readonly number[],
  cost: (value: number) => Promise<number>,
): Promise<Curve> {
  await cost(values[0] ?? 1)
  const points: [number, number][] = []
  for (const value of values) points.push([value, Math.max(1, await cost(value))])
  const [, least] = points[0] ?? [0, 1]
  return { title, x, y, points: points.map(([value, spent]) => [value, spent / least]) }
}

/** A first preview of so many services, each with a directory of its own. */
async function callsFor(count: number): Promise<number> {
  await using stage = await openStage({ timing: { healthGateMs: 60_000 } })
  const scene = await stage.scene()
  const names = Array.from({ length: count }, (_, index) => `s${index}`)
  const { number } = await scene.open('hello')
  const branch = scene.repository.pull(number).headRef
  const text = `services:\n${names.map((name) => `  ${name}: { root: apps/${name}, health: { timeout: 5m } }\n`).join('')}`
  const files = Object.fromEntries(names.map((name) => [`apps/${name}/index.html`, name]))
  await scene.repository.commit({ branch, files: { 'ink.yml': text, ...files }, message: 'Services' })
  const since = stage.ink.journal.length
  const run = await scene.act('pull_request', { action: 'opened', number })
  if (run.outputs.status !== 'live') throw new Error(`${count} services are ${run.told}`)
  return toolsOf(stage.ink.journal.slice(since)).length
}
