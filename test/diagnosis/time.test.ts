import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { RUN_HINTS } from '../../src/diagnosis/hints.ts'
import { BUILD_HINTS } from '../../src/diagnosis/hints-build.ts'
import { cpuOf, quietSeconds } from '../support/quiet-cpu.ts'
import { failureOf, SAMPLES, sampleLines } from './samples.ts'

const SOURCES = new URL('../../src/diagnosis/', import.meta.url)
const LINE = 2_000

/** What patterns look for, word for word, as it stands in their source. */
const fragmentsOf = (source: string): readonly string[] => source.match(/[A-Za-z'"`:]{3,}(?: [A-Za-z]{2,})*/g) ?? []

/** That of the room's patterns; the hints' are tried one by one, each on its own. */
const FRAGMENTS: readonly string[] = [
  ...new Set(
    readdirSync(SOURCES)
      .filter((file) => !file.startsWith('hints'))
      .flatMap((file) => readFileSync(new URL(file, SOURCES), 'utf8').split('\n'))
      .filter((line) => /\/.*[\\[(|].*\//.test(line) && !/^\s*(?:\*|\/\/|\/\*\*)/.test(line))
      .flatMap(fragmentsOf),
  ),
]
/** What patterns repeat: the beginning of a match over and over again, which never comes to its end. */
const UNITS: readonly string[] = [
  'a',
  'a.',
  '.',
  ' ',
  '1',
  ':',
  '/',
  '(',
  '"',
  "'",
  '[',
  'E',
  'a:1:',
  'a.b:1 ',
  './a ',
  'A_B',
]

const filled = (unit: string): string => unit.repeat(Math.ceil(LINE / unit.length)).slice(0, LINE)
const hurting = (fragments: readonly string[]): readonly string[] => [
  ...UNITS.map(filled),
  ...fragments.flatMap((fragment) => [filled(fragment), filled(`${fragment} `), filled(`${fragment}: a/b.c:1 `)]),
]

describe('the time of a diagnosis', () => {
  it('has patterns to be tried', () => {
    expect(FRAGMENTS.length).toBeGreaterThan(300)
  })

  it('is bearable for lines that nearly match, whatever pattern they are made to hurt', () => {
    const lines = hurting(FRAGMENTS)
    const taken = quietSeconds(() => diagnose({ ...failureOf('none'), deployLogs: lines, runtimeLogs: lines }))
    expect(taken / lines.length).toBeLessThan(0.001)
  })

  it('is bearable for every pattern of the hints on lines that nearly match it, and on others', () => {
    const hints = [...BUILD_HINTS, ...RUN_HINTS]
    const patterns = hints.flatMap(({ at, near, without, with: more = [] }) =>
      [at, near ?? [], without ?? [], ...more].flat(),
    )
    const others = FRAGMENTS.filter((_, at) => at % 20 === 0)
    const slow = patterns.filter((pattern) => {
      const lines = hurting([...fragmentsOf(pattern.source), ...others]).map((line) => line.slice(0, 1_600))
      const cpu = cpuOf(() => {
        for (const line of lines) pattern.test(line)
      })
      return cpu / lines.length > 2
    })
    expect(slow).toEqual([])
  })

  it.each(UNITS.map((unit) => [unit]))('a thousand overlong lines of %j take less than a second of CPU', (unit) => {
    const lines = Array.from({ length: 1_000 }, () => filled(unit))
    const failure = { ...failureOf('none'), deployLogs: lines, runtimeLogs: lines, phase: 'run' } as const
    expect(cpuOf(() => diagnose(failure))).toBeLessThan(1_000)
  })

  it('four hundred errors that name a hundred places each take less than a second of CPU', () => {
    const deployLogs = Array.from({ length: 400 }, (_, at) => `error: ${`app${at}.ts:1:2 `.repeat(100)}`)
    expect(cpuOf(() => diagnose({ ...failureOf('none'), deployLogs }))).toBeLessThan(1_000)
  })

  // A processor is shared unevenly, so the quietest of three looks counts.
  it.each(SAMPLES.map((sample) => [sample]))(
    'two thousand lines of %s take less than 160 ms of CPU',
    { retry: 2 },
    (sample) => {
      const lines = sampleLines(sample)
      const deployLogs = Array.from({ length: 2_000 }, (_, index) => lines[index % lines.length] ?? '')
      const failure = { ...failureOf(sample), deployLogs, runtimeLogs: deployLogs }
      expect(cpuOf(() => diagnose(failure))).toBeLessThan(160)
    },
  )

  const LONG_LOGS = [
    ['errors', (at: number) => `src/app${at}.ts(1,7): error TS2304: Cannot find name 'x${at}'.`],
    ['calls', (at: number) => `    at total (/app/src/orders${at}.js:${at}:9)`],
    ['a quiet build', (at: number) => `#9 1.${at} compiled module ./src/pages/page${at}.tsx in 12 ms`],
  ] as const

  it.each(LONG_LOGS)('200 000 lines of %s take at most 1.5 s of a quiet CPU', { retry: 2 }, (_, lineAt) => {
    const deployLogs = Array.from({ length: 200_000 }, (_each, at) => lineAt(at))
    expect(quietSeconds(() => diagnose({ ...failureOf('none'), deployLogs }))).toBeLessThan(1.5)
  })

  it.each(LONG_LOGS)('100 000 lines of %s take at most 15 MB beside themselves', async (_, lineAt) => {
    const held = heapOf(Array.from({ length: 100_000 }, (_each, at) => lineAt(at)))
    const failure = JSON.stringify(failureOf('none'))
    const ended = await inHeapOf(
      held + 15,
      `const deployLogs = Array.from({ length: 100_000 }, (_each, at) => (${lineAt})(at))
       const { cause } = diagnosis.diagnose({ ...${failure}, deployLogs })
       require('node:worker_threads').parentPort.postMessage(cause)`,
    )
    expect(ended).toEqual({ said: expect.any(String) })
  })
})

/** What some lines take of the heap, in MB, with the engine's own share. */
function heapOf(lines: readonly string[]): number {
  return 10 + lines.reduce((sum, line) => sum + line.length + 24, 0) / 2 ** 20
}

let diagnosis: ReturnType<typeof bundled> | undefined

async function bundled(): Promise<string | undefined> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('diagnose.ts', SOURCES))],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'iife',
    globalName: 'diagnosis',
  })
  return outputFiles[0]?.text
}

/** Runs a script beside the diagnosis in a thread that is ended as soon as it needs more memory than it is given. */
async function inHeapOf(megabytes: number, script: string): Promise<{ said: unknown } | { failed: string }> {
  diagnosis ??= bundled()
  const worker = new Worker(`${await diagnosis}\n${script}`, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(megabytes), maxYoungGenerationSizeMb: 8 },
  })
  return new Promise((resolve) => {
    worker.once('message', (said) => resolve({ said }))
    worker.once('error', ({ message }: Error) => resolve({ failed: message }))
  })
}
