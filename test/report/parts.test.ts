import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatBytes, formatDollars, formatDuration, formatUtc } from '../../src/core/format.ts'
import { createRedactor, redactValue } from '../../src/core/redact.ts'
import { cut, excerpt, fitAnnotations, oneLine, prose } from '../../src/report/markdown.ts'
import { decodeState, encodeState } from '../../src/report/state.ts'
import { ganttLines } from '../../src/report/summary-deploy.ts'
import { row } from './rows.ts'

describe('figures', () => {
  it.each([
    [0, '0 ms'],
    [143, '143 ms'],
    [999.6, '1 s'],
    [1000, '1 s'],
    [1210, '1.2 s'],
    [41_000, '41 s'],
    [59_700, '1 min'],
    [65_000, '1 min 5 s'],
    [3_600_000, '1 h'],
    [93_600_000, '1 d 2 h'],
    [-5, '0 ms'],
  ])('writes %d ms as %s', (ms, words) => {
    expect(formatDuration(ms)).toBe(words)
  })

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [4212, '4.2 kB'],
    [999_999, '1 MB'],
    [51_400_000, '51 MB'],
  ])('writes %d bytes as %s', (bytes, words) => {
    expect(formatBytes(bytes)).toBe(words)
  })

  it.each([
    [0, '$0'],
    [0.004213, '$0.0042'],
    [0.01, '$0.01'],
    [10.2, '$10.20'],
    [0.00001, 'less than $0.0001'],
  ])('writes %d dollars as %s', (dollars, words) => {
    expect(formatDollars(dollars)).toBe(words)
  })

  it('writes times in UTC, whatever zone they came in', () => {
    expect(formatUtc('2026-11-22T11:04:59+01:00')).toBe('2026-11-22 10:04 UTC')
    expect(formatUtc('yesterday')).toBe('–')
  })
})

describe('untrusted text', () => {
  it.each([
    [`pass it: api-key: \${{ secrets.KEY }}.`, [`\${{ secrets.KEY }}`]],
    [`\`NAME=\${{ secrets.NAME }}\``, [`NAME=\${{ secrets.NAME }}`]],
    [`KEY=\${{ secrets.KEY }}, COST=$5`, [`KEY=\${{ secrets.KEY }}`, 'COST=$5']],
    [`\${{ never closed`, [`\${{`]],
  ])('shows what is to be pasted of “%s” in one piece', (line, spans) => {
    const shown = prose(line).flatMap((node) => (node.type === 'inlineCode' ? [node.value] : []))
    expect(shown).toEqual(spans)
  })

  it('is cut between characters, never inside one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, max) => {
        const short = cut(text, max)
        expect(short.length).toBeLessThanOrEqual(max)
        expect(Buffer.from(short).toString()).toBe(short)
      }),
    )
  })

  it('becomes one line without control and direction characters', () => {
    expect(oneLine(' a\r\n\tb\u0007\u202ec \u001b[31mred ', 80)).toBe('a bc [31mred')
  })

  it('shows the end of a log and bounds each line', () => {
    const limits = { maxLines: 2, maxLineChars: 5 }
    expect(excerpt(['one', 'two', 'three plus'], 'end', limits)).toEqual(['two', 'thre…'])
    expect(excerpt(['one', 'two'], 'end', { ...limits, maxLines: 0 })).toEqual([])
  })
})

describe('hidden state', () => {
  it('can be read with nothing but a JSON parser', () => {
    const hidden = encodeState([row({ note: 'a --> b <!-- & </script>' })])
    const json = /^<!-- ink-deploy:state (.*) -->$/.exec(hidden)?.[1] ?? ''
    expect(JSON.parse(json)).toEqual({ version: 1, rows: [row({ note: 'a --> b <!-- & </script>' })] })
    expect(json).not.toMatch(/--|[<>&]/)
  })

  it.each([
    ['no state', 'hello'],
    ['broken JSON', '<!-- ink-deploy:state {"version":1,"rows":[ -->'],
    ['a version from the future', '<!-- ink-deploy:state {"version":2,"rows":[]} -->'],
    ['a row that is none', '<!-- ink-deploy:state {"version":1,"rows":[{"service":"web"}]} -->'],
    ['a target that is none', encodeState([row()]).replace('"pr-12"', '"pr-0"')],
    ['an open end', '<!-- ink-deploy:state {"version":1,"rows":[]}'],
  ])('counts as absent with %s', (_what, body) => {
    expect(decodeState(body)).toBeUndefined()
  })
})

describe('annotations', () => {
  const error = { level: 'error' as const, title: 'TypeScript TS2304', message: 'x' }

  it('stop at the ten of a level that GitHub shows', () => {
    const many = Array.from({ length: 15 }, (_, line) => ({ ...error, file: 'a.ts', line: line + 1 }))
    const fitted = fitAnnotations([...many, { ...error, level: 'warning' }])
    expect(fitted.filter(({ level }) => level === 'error')).toHaveLength(10)
    expect(fitted.filter(({ level }) => level === 'warning')).toHaveLength(1)
  })

  it.each(['../secrets', '/etc/passwd', 'a/../../b', 'C:\\x', 'a\nb', ''])(
    'point to no file outside the repository: %j',
    (file) => {
      expect(fitAnnotations([{ ...error, file, line: 3 }])).toEqual([error])
    },
  )

  it('carry a line only when it is one', () => {
    expect(fitAnnotations([{ ...error, file: 'a.ts', line: 0, column: 4 }])).toEqual([{ ...error, file: 'a.ts' }])
    expect(fitAnnotations([{ ...error, file: 'a.ts', line: 3, column: 4 }])).toEqual([
      { ...error, file: 'a.ts', line: 3, column: 4 },
    ])
  })
})

describe('the timeline', () => {
  it('counts from the start of the run and ends what still runs at the present', () => {
    const lines = ganttLines(
      [
        { name: 'push', startMs: 5000, endMs: 7000, result: 'done' },
        { name: 'build', startMs: 7000, result: 'running' },
      ],
      9500,
    )
    expect(lines.slice(4)).toEqual([
      '  Push 2 s :00:00:00.000, 00:00:02.000',
      '  Build 2.5 s :active, 00:00:02.000, 00:00:04.500',
    ])
  })

  it.each([
    [40, '%-S.%L s', '10millisecond'],
    [700, '%-S.%L s', '100millisecond'],
    [4600, '%M:%S', '1second'],
    [61_500, '%M:%S', '10second'],
    [1_200_000, '%M:%S', '5minute'],
    [3_700_000, '%H:%M', '10minute'],
    [90_000_000, '%H:%M', '1hour'],
  ])('that takes %d ms has no two ticks with the same label', (endMs, format, interval) => {
    const lines = ganttLines([{ name: 'build', startMs: 0, endMs, result: 'done' }], endMs)
    expect(lines.slice(2, 4)).toEqual([`  axisFormat ${format}`, `  tickInterval ${interval}`])
  })

  it('is left out when no phase began', () => {
    expect(ganttLines([], 0)).toEqual([])
  })
})

describe('redacting', () => {
  const secret = `dk_test_${'ab12'.repeat(4)}`

  it('reaches every text of a report and leaves the rest as it is', () => {
    const told = row({
      note: `key ${secret}!`,
      diagnosis: { cause: secret, hint: '', decisive: [`a ${secret}`], tail: [] },
    })
    const safe = redactValue(told, createRedactor([secret]))
    expect(JSON.stringify(safe)).not.toContain(secret)
    expect(safe).toEqual({
      ...told,
      note: 'key ***!',
      diagnosis: { cause: '***', hint: '', decisive: ['a ***'], tail: [] },
    })
  })

  it('covers each line of a secret with several, and the longer of two that overlap first', () => {
    expect(redactValue('first-line and second-line', createRedactor(['first-line\nsecond-line']))).toBe('*** and ***')
    expect(redactValue(`${secret}-more`, createRedactor([secret, `${secret}-more`]))).toBe('***')
  })
})
