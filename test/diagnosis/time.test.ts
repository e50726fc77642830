import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { BUILD_HINTS, RUN_HINTS } from '../../src/diagnosis/hints.ts'
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

function cpuOf(act: () => void): number {
  const before = process.cpuUsage()
  act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

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
    const cpu = cpuOf(() => diagnose({ ...failureOf('none'), deployLogs: HURTING, runtimeLogs: HURTING }))
    expect(cpu / HURTING.length).toBeLessThan(3)
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
    expect(cpuOf(() => diagnose({ ...failureOf(sample), deployLogs, runtimeLogs: deployLogs }))).toBeLessThan(1_000)
  })

  it.each([
    ['errors', (at: number) => `src/app${at}.ts(1,7): error TS2304: Cannot find name 'x${at}'.`],
    ['calls', (at: number) => `    at total (/app/src/orders${at}.js:${at}:9)`],
    ['a quiet build', (at: number) => `#9 1.${at} compiled module ./src/pages/page${at}.tsx in 12 ms`],
  ])('200 000 lines of %s take at most 1.5 s of CPU and 60 MB', (_, lineAt) => {
    const deployLogs = Array.from({ length: 200_000 }, (_each, at) => lineAt(at))
    const memory = process.memoryUsage().rss
    expect(cpuOf(() => diagnose({ ...failureOf('none'), deployLogs }))).toBeLessThan(1_500)
    expect((process.memoryUsage().rss - memory) / 2 ** 20).toBeLessThan(60)
  })
})
