import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { chunksOf } from '../scripts/build.ts'
import { node24 } from '../test/support/node-24.ts'
import { bundle, skippedRun } from '../test/support/skipped-run.ts'
import { cpuMs } from './push.ts'
import { atMost, type Bench, type Row } from './table.ts'

const run = promisify(execFile)
const STARTS = 25
const SHOWN = 24

/** What weighs in the bundle, and what a run that has nothing to do costs beside an empty script. */
export const benchWeight: Bench = async (print) => {
  const chunks = await chunksOf('main')
  const weights = new Map<string, Map<string, number>>()
  for (const { fileName, code, modules } of chunks) {
    const rendered = Object.entries(modules).map(([id, { renderedLength }]) => ({ id, renderedLength }))
    const whole = rendered.reduce((sum, { renderedLength }) => sum + renderedLength, 0)
    for (const { id, renderedLength } of rendered) {
      const subject = subjectOf(id)
      const parts = weights.get(subject) ?? new Map<string, number>()
      weights.set(subject, parts.set(fileName, (parts.get(fileName) ?? 0) + (renderedLength / whole) * code.length))
    }
  }
  print('| kB | what | most of it in |')
  print('| --- | --- | --- |')
  const heaviest = [...weights]
    .map(([subject, parts]) => {
      const [[part = ''] = []] = [...parts].sort(([, a], [, b]) => b - a)
      return { subject, part, bytes: all(Object.fromEntries(parts)) }
    })
    .sort((a, b) => b.bytes - a.bytes)
  for (const { subject, part, bytes } of heaviest.slice(0, SHOWN))
    print(`| ${(bytes / 1000).toFixed(1)} | ${subject} | \`${part}\` |`)
  const main = await sizesIn(dirname(bundle.main))
  return [
    atMost('`main` before anything is decided', main['index.js'] ?? Number.NaN, 0.35, 'MB'),
    atMost('all of `dist/main`', all(main), 1.6, 'MB'),
    atMost('all of `dist/post`, which starts that of `main`', all(await sizesIn(dirname(bundle.post))), 0.35, 'MB'),
    ...(await starts()),
  ]
}

function all(sizes: Readonly<Record<string, number>>): number {
  return Object.values(sizes).reduce((sum, size) => sum + size, 0)
}

/** The sizes of a folder's scripts in MB. */
async function sizesIn(folder: string): Promise<Readonly<Record<string, number>>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'))
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).size / 1e6])),
  )
}

function subjectOf(id: string): string {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id) ?? []
  return name ?? /\/(src\/[\w-]+)/.exec(id)?.[1] ?? 'the bundler’s own'
}

// Ends as soon as a run has something to say.
const untilFirstLine = `process.stdout.write = () => process.exit(); await import(${JSON.stringify(bundle.main)})`

/** In CPU time, which what else the machine does cannot stretch. */
async function starts(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'start-'))
  try {
    const node = await node24()
    const env = await skippedRun(folder)
    const script = async (name: string, text: string) => {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    }
    const scripts = [await script('empty.mjs', ''), await script('first.mjs', untilFirstLine), bundle.main, bundle.post]
    const spent = scripts.map((): number => 0)
    for (let count = 0; count < STARTS; count += 1)
      for (const [index, one] of scripts.entries()) {
        const before = cpuMs()
        await run(node, [one], { env })
        spent[index] = (spent[index] ?? 0) + cpuMs() - before
      }
    const [empty = 1, first = 0, whole = 0, post = 0] = spent
    const against = 'an empty script'
    return [
      atMost('start of a skipped run, to its first line', first / empty, 1.6, '×', against),
      { what: 'a skipped run, to its end', figure: `${(whole / empty).toFixed(2)} ×`, against },
      { what: 'a post step with nothing to do', figure: `${(post / empty).toFixed(2)} ×`, against },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}
