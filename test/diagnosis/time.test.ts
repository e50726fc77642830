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

/** What the room's own patterns look for, word for word, as it stands in its source. */
const FRAGMENTS: readonly string[] = [
  ...new Set(
    readdirSync(SOURCES)
      .flatMap((file) => readFileSync(new URL(file, SOURCES), 'utf8').split('\n'))
      .filter((line) => /\/.*[\\[(|].*\//.test(line) && !/^\s*(?:\*|\/\/|\/\*\*)/.test(line))
      .flatMap((line) => line.match(/[A-Za-z'"`:]{3,}(?: [A-Za-z]{2,})*/g) ?? []),
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
const HURTING: readonly string[] = [
  ...UNITS.map(filled),
  ...FRAGMENTS.flatMap((fragment) => [filled(fragment), filled(`${fragment} `), filled(`${fragment}: a/b.c:1 `)]),
]

describe('the time of a diagnosis', () => {
  it('has patterns to be tried', () => {
    expect(FRAGMENTS.length).toBeGreaterThan(300)
  })

  it('is bearable for lines that nearly match, whatever pattern they are made to hurt', () => {
    const taken = quietSeconds(() => diagnose({ ...failureOf('none'), deployLogs: HURTING, runtimeLogs: HURTING }))
    expect(taken / HURTING.length).toBeLessThan(0.003)
  })

  it('is bearable for every pattern of the hints on every one of these lines', () => {
    const hints = [...BUILD_HINTS, ...RUN_HINTS]
    const patterns = hints.flatMap(({ at, near, without, with: more = [] }) => [at, near, without, ...more])
    const slow = patterns.filter((pattern) => {
      const cpu = cpuOf(() => {
        for (const line of HURTING) pattern?.test(line.slice(0, 1_600))
      })
      return cpu / HURTING.length > 2
    })
    expect(slow).toEqual([])
  })

  it.each(UNITS.map((unit) => [unit]))('a thousand overlong lines of %j take less than a second of CPU', (unit) => {
    const lines = Array.from({ length: 1_000 }, () => filled(unit))
    const failure = { ...failureOf('none'), deployLogs: lines, runtimeLogs: lines, phase: 'run' } as const
    expect(cpuOf(() => diagnose(failure))).toBeLessThan(1_000)
  })

  it.each(SAMPLES.map((sample) => [sample]))('five thousand lines of %s take less than a second of CPU', (sample) => {
    const lines = sampleLines(sample)
    const deployLogs = Array.from({ length: 5_000 }, (_, index) => lines[index % lines.length] ?? '')
    const failure = { ...failureOf(sample), deployLogs, runtimeLogs: deployLogs }
    expect(cpuOf(() => diagnose(failure))).toBeLessThan(1_000)
  })

  const LONG_LOGS = [
    ['errors', (at: number) => `src/app${at}.ts(1,7): error TS2304: Cannot find name 'x${at}'.`],
    ['calls', (at: number) => `    at total (/app/src/orders${at}.js:${at}:9)`],
    ['a quiet build', (at: number) => `#9 1.${at} compiled module ./src/pages/page${at}.tsx in 12 ms`],
  ] as const

  // A processor is shared unevenly, so the quietest of three looks counts.
  it.each(LONG_LOGS)('200 000 lines of %s take at most 1.5 s of a quiet CPU', { retry: 2 }, (_, lineAt) => {
    const deployLogs = Array.from({ length: 200_000 }, (_each, at) => lineAt(at))
    expect(quietSeconds(() => diagnose({ ...failureOf('none'), deployLogs }))).toBeLessThan(1.5)
  })

  it.each(LONG_LOGS)('200 000 lines of %s take at most 60 MB beside themselves', async (_, lineAt) => {
    const held = heapOf(Array.from({ length: 200_000 }, (_each, at) => lineAt(at)))
    const failure = JSON.stringify(failureOf('none'))
    const ended = await inHeapOf(
      held + 60,
      `const deployLogs = Array.from({ length: 200_000 }, (_each, at) => (${lineAt})(at))
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

/** Runs a script beside the diagnosis in a thread that is ended as soon as it needs more memory than it is given. */
async function inHeapOf(megabytes: number, script: string): Promise<{ said: unknown } | { failed: string }> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('diagnose.ts', SOURCES))],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'iife',
    globalName: 'diagnosis',
  })
  const worker = new Worker(`${outputFiles[0]?.text}\n${script}`, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(megabytes), maxYoungGenerationSizeMb: 8 },
  })
  return new Promise((resolve) => {
    worker.once('message', (said) => resolve({ said }))
    worker.once('error', ({ message }: Error) => resolve({ failed: message }))
  })
}
