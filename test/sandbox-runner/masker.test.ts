import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Masker } from '../../sandbox/runner/masker.ts'

const secret = `dk_test_${randomBytes(16).toString('hex')}`

function masker(...values: string[]): Masker {
  const made = new Masker()
  for (const value of values) made.add(value)
  return made
}

describe('a secret is hidden', () => {
  it('wherever it stands', () => {
    expect(masker(secret).mask(`a ${secret} b ${secret}`)).toBe('a *** b ***')
  })

  it('in base64, whatever comes before it', () => {
    for (const before of ['', 'x', 'xy', 'user:']) {
      const encoded = Buffer.from(before + secret).toString('base64')
      // The first group of three bytes may be mixed with what comes before.
      expect(masker(secret).mask(encoded)).toMatch(/^.{0,8}\*\*\*$/)
    }
  })

  it('as it is escaped in JSON, URLs and XML', () => {
    const awkward = 'pa"ss&w\\rd<1>'
    const hidden = masker(awkward)
    expect(hidden.mask(JSON.stringify({ key: awkward }))).toBe('{"key":"***"}')
    expect(hidden.mask(`?key=${encodeURIComponent(awkward)}`)).toBe('?key=***')
    expect(hidden.mask('<k>pa&quot;ss&amp;w\\rd&lt;1&gt;</k>')).toBe('<k>***</k>')
  })

  it('line by line when it has several', () => {
    const hidden = masker('first line\r\nsecond line\n')
    expect(hidden.mask('has second line in it')).toBe('has *** in it')
    expect(hidden.mask('has first line in it')).toBe('has *** in it')
  })

  it('together with one that overlaps it', () => {
    expect(masker('abcdef', 'defghi').mask('xabcdefghiy')).toBe('x***y')
  })

  it('and never shows, whatever is around it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), fc.string(), fc.string(), (value, before, after) => {
        fc.pre(!'***'.includes(value))
        expect(masker(value).mask(before + value + after)).not.toContain(value)
      }),
    )
  })
})

it('an empty value hides nothing', () => {
  expect(masker('').mask('text')).toBe('text')
})

it('text without secrets stays as it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes(secret))
      expect(masker(secret).mask(text)).toBe(text)
    }),
  )
})
