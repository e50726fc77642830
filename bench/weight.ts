import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chunksOfAction } from '../scripts/build.ts'
import { node24 } from '../test/support/node-24.ts'
import { bundle, skippedRun } from '../test/support/skipped-run.ts'
import { atMost, type Bench, type Row } from './table.ts'

const STARTS = 25
const SHOWN = 24

/** What weighs in the bundle, and what a run that has nothing to do costs beside an empty script. */
export const benchWeight: Bench = async (print) => {
  const chunks = await chunksOfAction()
  const weights = new Map<string, { bytes: number; part: string }>()
  for (const { fileName, code, modules } of chunks) {
    const rendered = Object.entries(modules).map(([id, { renderedLength }]) => ({ id, renderedLength }))
    const whole = rendered.reduce((sum, { renderedLength }) => sum + renderedLength, 0)
    for (const { id, renderedLength } of rendered) {
      const subject = subjectOf(id)
      const known = weights.get(subject)?.bytes ?? 0
      weights.set(subject, { bytes: known + (renderedLength / whole) * code.length, part: fileName })
    }
  }
  print('| kB | what | in |')
  print('| --- | --- | --- |')
  const heaviest = [...weights].sort(([, a], [, b]) => b.bytes - a.bytes)
  for (const [subject, { bytes, part }] of heaviest.slice(0, SHOWN))
    print(`| ${(bytes / 1000).toFixed(1)} | ${subject} | \`${part}\` |`)
  const sizeOf = (...names: string[]) =>
    chunks
      .filter(({ fileName }) => names.some((name) => fileName.startsWith(name)))
      .reduce((sum, { code }) => sum + code.length / 1e6, 0)
  return [
    atMost('`main` before anything is decided', sizeOf('main/index.js', 'main/base.js'), 0.35, 'MB'),
    atMost('all of `dist/main`', sizeOf('main/'), 1.6, 'MB'),
    atMost('all of `dist/post`, which shares the parts of `main`', sizeOf('post/'), 0.35, 'MB'),
    ...(await starts()),
  ]
}

function subjectOf(id: string): string {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id) ?? []
  return name ?? /\/(src\/[\w-]+)/.exec(id)?.[1] ?? 'the bundler’s own'
}

interface Start {
  readonly firstLineMs: number
  readonly endMs: number
}

async function starts(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'start-'))
  try {
    const [node, empty] = [await node24(), join(folder, 'empty.mjs')]
    await writeFile(empty, '')
    const environment = await skippedRun(folder)
    const scripts = [empty, bundle.main, bundle.post]
    const seen = scripts.map((): Start[] => [])
    // In turns, so that whatever else the machine does falls on all of them.
    for (let count = 0; count < STARTS; count += 1)
      for (const [index, script] of scripts.entries()) seen[index]?.push(await start(node, script, environment))
    // The least is what the work takes; all above it is what else went on.
    const least = (index: number, of: keyof Start) => Math.min(...(seen[index] ?? []).map((one) => one[of]))
    const base = least(0, 'endMs')
    const against = 'an empty script'
    return [
      atMost('start of a skipped run, to its first line', least(1, 'firstLineMs') / base, 1.6, '×', against),
      { what: 'a skipped run, to its end', figure: `${(least(1, 'endMs') / base).toFixed(2)} ×`, against },
      { what: 'a post step with nothing to do', figure: `${(least(2, 'endMs') / base).toFixed(2)} ×`, against },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

function start(node: string, script: string, env: Readonly<Record<string, string>>): Promise<Start> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now()
    let firstLineMs = Number.POSITIVE_INFINITY
    const child = spawn(node, [script], { env, stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.on('data', () => {
      firstLineMs = Math.min(firstLineMs, performance.now() - startedMs)
    })
    child.on('error', reject)
    child.on('close', () => resolve({ firstLineMs, endMs: performance.now() - startedMs }))
  })
}
