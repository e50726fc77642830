import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSanitizer, LONGEST_LINE, sanitize } from '../../src/core/sanitize.ts'
import { anyCharacter } from '../support/any-character.ts'

/** As the runner looks for commands, with the leniency of .NET's comparisons, which skip characters without a width. */
function wouldBeACommand(line: string): boolean {
  const visible = line.replace(/[^\x20-\x7e]/g, '')
  return visible.trimStart().startsWith('::') || visible.includes('##[')
}

describe('an untrusted line', () => {
  it.each([
    ['::error::x', ': :error::x'],
    ['   ::set-output name=a::b', '   : :set-output name=a::b'],
    ['::stop-commands::token', ': :stop-commands::token'],
    ['##[error]x', '## [error]x'],
    ['text ##[add-mask]x', 'text ## [add-mask]x'],
    ['\u200b::warning::x', ': :warning::x'],
    [':\u200b:warning::x', ': :warning::x'],
    ['\x1b[31m::error::x\x1b[0m', ': :error::x'],
    ['\ufe0f::error::x', '\ufe0f: :error::x'],
    ['100 %\r::error::x', ': :error::x'],
    ['std::vec::Vec', 'std::vec::Vec'],
    ['    at foo::bar', '    at foo::bar'],
  ])('%j is shown as %j', (line, shown) => {
    expect(sanitize(line)).toBe(shown)
    expect(wouldBeACommand(sanitize(line))).toBe(false)
  })

  it.each([
    ['terminal colours', '\x1b[1;38;5;196mred\x1b[0m and \x9b32mgreen', 'red and green'],
    ['terminal titles and links', '\x1b]0;title\x07a\x1b]8;;https://evil.test\x1b\\link\x1b]8;;\x1b\\', 'alink'],
    ['cursor movements', 'a\x1b[2K\x1b[1Gb\x1b(Bc\x1b7d', 'abcd'],
    ['a rewritten progress line', ' 10 %\r 50 %\r100 %\r', '100 %'],
    ['control characters', 'a\x00b\x08c\x7fd\x85e', 'abcde'],
    ['bidirectional overrides', 'user\u202e\u2066 // admin\u2069\u202c', 'user // admin'],
    ['invisible characters', 'pass\u200bword\ufeff\u00ad', 'password'],
    ['broken UTF-16', 'a\ud800b\udc00c', 'a\ufffdb\ufffdc'],
    ['a line break inside', 'a\n::error::b\u2028c', 'a ⏎ ::error::bc'],
    ['tabs and letters of any language', '\tgrüße 世界 🚀', '\tgrüße 世界 🚀'],
  ])('is shown without %s', (_what, line, shown) => {
    expect(sanitize(line)).toBe(shown)
  })

  it('is cut when it is overlong, and says so', () => {
    const shown = sanitize('x'.repeat(1_000_000))
    expect(shown.length).toBeLessThan(LONGEST_LINE + 50)
    expect(shown).toContain('998000 more characters')
  })

  it('stays quick when it is hostile', () => {
    const started = process.cpuUsage()
    for (const part of ['\x1b]', '\x1b[', '\x1b[0;', '\r', '##', '\u202e', '\ud800', ':\u200b', '\x1b', '##\u200b']) {
      sanitize(part.repeat(500_000))
    }
    const { user, system } = process.cpuUsage(started)
    expect((user + system) / 1_000).toBeLessThan(2_000)
  })

  it('is never a command nor longer than a screen, whatever it holds', () => {
    const nasty = fc.constantFrom(
      '::',
      ':',
      '##[',
      '#',
      '[',
      ' ',
      '\t',
      '\r',
      '\n',
      '\x1b[1m',
      '\x1b]8;;',
      '\u200b',
      '\ufe0f',
      'é',
      'error',
      '\x9b',
      '\x07',
    )
    const line = fc.oneof(
      fc.array(nasty).map((parts) => parts.join('')),
      fc.string({ unit: anyCharacter }),
    )
    fc.assert(
      fc.property(line, (raw) => {
        const shown = sanitize(raw)
        expect(wouldBeACommand(shown)).toBe(false)
        expect(shown).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
        expect(shown).not.toMatch(/[\ud800-\udfff]/u)
        expect(sanitize(shown)).toBe(shown)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('secrets in an untrusted line', () => {
  const secret = `dk_test_${randomBytes(16).toString('hex')}`

  it('are masked raw, base64 and URL encoded', () => {
    const withSlash = `${secret}/+=&`
    const hide = createSanitizer([withSlash])
    const line = [withSlash, Buffer.from(withSlash).toString('base64'), encodeURIComponent(withSlash)].join(' ')
    expect(hide(line)).toBe('*** *** ***')
  })

  it('are masked when terminal codes or invisible characters run through them', () => {
    const hide = createSanitizer([secret])
    const [head, rest] = [secret.slice(0, 10), secret.slice(10)]
    expect(hide(`key=${head}\x1b[0m${rest}`)).toBe('key=***')
    expect(hide(`key=${head}\u200b${rest}`)).toBe('key=***')
  })

  it('are masked before an overlong line is cut', () => {
    const hide = createSanitizer([secret])
    const shown = hide(`${'x'.repeat(LONGEST_LINE - 8)}${secret}${'y'.repeat(100)}`)
    expect(shown).not.toContain(secret.slice(0, 8))
  })

  it('are masked line by line when they have several', () => {
    const lines = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')]
    const hide = createSanitizer([lines.join('\n')])
    expect(hide(`second: ${lines[1]}`)).toBe('second: ***')
  })

  it('hide the longer one first when one contains the other', () => {
    expect(createSanitizer(['abcd', 'abcdefgh'])('abcdefgh')).toBe('***')
  })
})
