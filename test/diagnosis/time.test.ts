import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { cpuOf, quietSeconds } from '../support/quiet-cpu.ts'
import { failureOf, SAMPLES, sampleLines } from './samples.ts'

const SOURCES = new URL('../../src/diagnosis/', import.meta.url)

/** The regular expressions of the room, as they stand in its files. */
const PATTERNS: readonly { readonly file: string; readonly pattern: RegExp }[] = readdirSync(SOURCES).flatMap(
  (file) => {
    const lines = readFileSync(new URL(file, SOURCES), 'utf8').split('\n')
    const code = lines.filter((line) => !/^\s*(?:\*|\/\/|\/\*\*)/.test(line)).join('\n')
    const literals = code.matchAll(
      /(?<=(?:[=(,[?:!&|>]|\breturn)\s*)\/((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([gimsuy]*)/g,
    )
    return [...literals].map(([, body = '', flags]) => ({
      file,
      pattern: new RegExp(body, flags?.replace(/[gy]/g, '')),
    }))
  },
)

/** What patterns look for, word for word, as it stands in their source. */
const fragmentsOf = ({ source }: RegExp): readonly string[] => [
  ...new Set(source.match(/[A-Za-z'"`:]{3,}(?: [A-Za-z]{2,})*/g)),
]
const isOfHint = ({ file }: { readonly file: string }) => file.startsWith('hints')

/** Those of the patterns that every line is searched for. */
const FRAGMENTS = [
  ...new Set(PATTERNS.filter((each) => !isOfHint(each)).flatMap(({ pattern }) => fragmentsOf(pattern))),
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
/** What may be repeated behind a beginning. */
const RUNS: readonly string[] = [' ', '[', '1', 'a', '.', '/']

const filled = (unit: string, length = 2_000): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)

/** Lines of a length that nearly match what has these fragments. */
const hurting = (fragments: readonly string[], length: number): readonly string[] => [
  ...UNITS.map((unit) => filled(unit, length)),
  ...fragments.flatMap((fragment) => [
    ...[fragment, `${fragment} `, `${fragment}: a/b.c:1 `].map((unit) => filled(unit, length)),
    ...RUNS.map((run) => `${fragment}${filled(run, length)}\0x`),
  ]),
]

/** Whether some work takes less CPU than it may in one of three looks: a processor is shared unevenly. */
function isQuick(work: () => void, mostCpuMs: number): boolean {
  return [1, 2, 3].some(() => cpuOf(work) < mostCpuMs)
}

describe('the time of a diagnosis', () => {
  it('has patterns to be tried', () => {
    expect(PATTERNS.filter(isOfHint).length).toBeGreaterThan(100)
    expect(PATTERNS.length).toBeGreaterThan(300)
    expect(FRAGMENTS.length).toBeGreaterThan(300)
  })

  // Twenty to a thousand times as much is what a pattern takes whose time grows with the square of a line, or worse.
  it.each([
    ['of the hints, on lines as long as are searched', 1_600, true],
    ['of lines, on far longer ones', 5_000, false],
  ])('is bearable for every pattern %s, that nearly match', (_, length, ofHints) => {
    const slow = PATTERNS.filter((each) => isOfHint(each) === ofHints).flatMap(({ pattern }) => {
      const lines = hurting(fragmentsOf(pattern), length)
      const hard = lines.find((line) => !isQuick(() => pattern.test(line), 5))
      return hard === undefined ? [] : [[pattern.source, hard.slice(0, 40)]]
    })
    expect(slow).toEqual([])
  })

  it('is bearable for lines that nearly match what is looked for', () => {
    const some = FRAGMENTS.filter((_, at) => at % 4 === 0)
    const units = some.flatMap((fragment) => [fragment, `${fragment} `, `${fragment}: a/b.c:1 `])
    const lines = [...UNITS, ...units].map((unit) => filled(unit))
    const taken = quietSeconds(() => diagnose({ ...failureOf('none'), deployLogs: lines, runtimeLogs: lines }))
    expect(taken / lines.length).toBeLessThan(0.001)
  })

  it.each(UNITS.map((unit) => [unit]))('a thousand overlong lines of %j take less than a second of CPU', (unit) => {
    const kinds = [filled(unit), `error: ${filled(unit)}`, `${filled(unit, 1_500)} failed, error`]
    const lines = Array.from({ length: 1_000 }, (_, at) => kinds[at % kinds.length] ?? '')
    const failure = { ...failureOf('none'), deployLogs: lines, runtimeLogs: lines, phase: 'run' } as const
    expect(cpuOf(() => diagnose(failure))).toBeLessThan(1_000)
  })

  it('four hundred errors that name a hundred places each take less than a second of CPU', () => {
    const deployLogs = Array.from({ length: 400 }, (_, at) => `error: ${`app${at}.ts:1:2 `.repeat(100)}`)
    expect(cpuOf(() => diagnose({ ...failureOf('none'), deployLogs }))).toBeLessThan(1_000)
  })

  it.each(SAMPLES.map((sample) => [sample]))('five hundred lines of %s take less than 40 ms of CPU', (sample) => {
    const lines = sampleLines(sample)
    const count = Math.max(500, lines.length)
    const deployLogs = Array.from({ length: count }, (_, index) => lines[index % lines.length] ?? '')
    const failure = { ...failureOf(sample), deployLogs, runtimeLogs: deployLogs }
    expect(isQuick(() => diagnose(failure), (40 / 500) * count)).toBe(true)
  })

  const LONG_LOGS = [
    ['errors', (at: number) => `src/app${at}.ts(1,7): error TS2304: Cannot find name 'x${at}'.`],
    ['calls', (at: number) => `    at total (/app/src/orders${at}.js:${at}:9)`],
    ['a quiet build', (at: number) => `#9 1.${at} compiled module ./src/pages/page${at}.tsx in 12 ms`],
  ] as const

  it.each(LONG_LOGS)('200 000 lines of %s take at most 1.5 s of a quiet CPU', { retry: 2 }, (_, lineAt) => {
    const deployLogs = Array.from({ length: 200_000 }, (_each, at) => lineAt(at))
    expect(quietSeconds(() => diagnose({ ...failureOf('none'), deployLogs }))).toBeLessThan(1.5)
  })

  it.each(LONG_LOGS)('50 000 lines of %s take at most 7.5 MB beside themselves', async (_, lineAt) => {
    const held = heapOf(Array.from({ length: 50_000 }, (_each, at) => lineAt(at)))
    const failure = JSON.stringify(failureOf('none'))
    const ended = await inHeapOf(
      held + 7.5,
      `const deployLogs = Array.from({ length: 50_000 }, (_each, at) => (${lineAt})(at))
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
