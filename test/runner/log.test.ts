import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openLog, writeAnnotations } from '../../src/runner/output.ts'
import { isCommand, printed } from './printed.ts'

const log = openLog()
const attacks = [
  '::set-output name=url::https://evil.example',
  '  ::add-mask::a',
  '\t::error::x',
  'ok\n::stop-commands::token',
  'ok\r::error::x',
  '##[error]x',
  'text ##[add-mask]a',
  '\u200b::error::x',
  ':\u200b:error::x',
  '#\u200b#[error]x',
  '\u2028::error::x',
  '\u00a0::error::x',
]

describe('text of strangers in the log', () => {
  test.each(attacks)('%j is not a command', async (text) => {
    for (const write of [log.info, log.untrusted]) {
      const lines = (await printed(() => write(text))).split(/[\r\n]/)
      expect(lines.filter(isCommand)).toEqual([])
    }
  })

  test.each(attacks)('%j stays inside the command that carries it', async (text) => {
    for (const write of [log.notice, log.warning, log.debug, log.startGroup]) {
      const lines = (await printed(() => write(text))).trimEnd().split(/[\r\n]/)
      expect(lines).toHaveLength(1)
      expect(lines[0]).toMatch(/^::(notice|warning|debug|group)::/)
    }
  })

  test('whatever it is, it is not a command', async () => {
    const text = fc.string({
      unit: fc.constantFrom(':', '#', '[', ']', ' ', '\n', '\r', '\u200b', '\u0301', 'x', '\u001b'),
    })
    const texts = fc.sample(text, 2000)
    const lines = (await printed(() => texts.forEach(log.info))).split(/[\r\n]/)
    // .NET may compare without the characters that have no width of their own.
    const asCompared = lines.map((line) => line.replaceAll(/[^\x20-\x7e]/g, ''))
    expect(asCompared.filter((line) => /^\s*::|##\[/.test(line))).toEqual([])
  })

  test('ordinary text is left as it is', async () => {
    const text = 'Time 12:30::x – naïve 日本 🟢\n\tindented: std::vector #12 [x]'
    expect(await printed(() => log.info(text))).toBe(`${text}\n`)
  })
})

test('groups, notices and warnings are the runner’s own', async () => {
  const text = await printed(() => {
    log.startGroup('Push')
    log.endGroup()
    log.notice('Live')
    log.warning('100 %')
  })
  expect(text).toBe('::group::Push\n::endgroup::\n::notice::Live\n::warning::100 %25\n')
})

test('annotations point to file, line and column, ten at most', async () => {
  const finding = {
    level: 'error',
    title: 'TypeScript TS2304',
    message: 'Cannot find name',
    file: 'src/a,b.ts',
    line: 3,
    column: 7,
  } as const
  const text = await printed(() => writeAnnotations([finding, { level: 'warning', title: 'T', message: 'm' }]))
  expect(text).toBe(
    '::error title=TypeScript TS2304,file=src/a%2Cb.ts,line=3,col=7::Cannot find name\n::warning title=T::m\n',
  )
  const many = await printed(() => writeAnnotations(Array.from({ length: 30 }, () => finding)))
  expect(many.trimEnd().split('\n')).toHaveLength(10)
})
