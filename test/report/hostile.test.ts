import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldCard, MAX_CARD_CHARS, renderCard } from '../../src/report/comments.ts'
import type { CardRow, DeployReport } from '../../src/report/model.ts'
import { CARD_MARKER, decodeState } from '../../src/report/state.ts'
import { MAX_SUMMARY_BYTES, renderSummary } from '../../src/report/summary.ts'
import { anyAddress } from '../support/any-address.ts'
import { anyCharacter } from '../support/any-character.ts'
import { row, SURROUNDINGS } from './rows.ts'
import { addressesOf, LIVE_TEXT, parseMarkdown, searchedTexts, shapeOf } from './structure.ts'

/** What somebody would try who wants to get out of a comment's text. */
const TRICKS = [
  '@octocat',
  '@acme/owners',
  'a@b.example',
  '#12',
  'acme/shop#12',
  'GH-7',
  'https://evil.example/x',
  'www.evil.example',
  '[click](https://evil.example)',
  '![x](https://evil.example/i.png)',
  '<https://evil.example>',
  '[x]: https://evil.example',
  '```',
  '~~~',
  '`````',
  '`',
  '``',
  '|',
  '\\|',
  '\\',
  '\\`',
  '| a | b |',
  '---',
  '***',
  '===',
  '# x',
  '> x',
  '- x',
  '1. x',
  '<b>',
  '</details>',
  '</sub>',
  '<script>',
  '<!--',
  '-->',
  '--',
  '--!>',
  ']]>',
  '<?',
  '&commat;octocat',
  '&#64;octocat',
  '&lt;',
  '\n',
  '\r\n',
  '\n\n',
  '\t',
  '    ',
  '\u0000',
  '\u001b[31m',
  '\u202e',
  '\u2028',
  '\ud800',
  '[^1]',
  '[^1]: x',
  '~~',
  '**',
  '__',
  '*a*',
  '$x$',
  '$`x`$',
  '$'.concat('{x}'),
  '::error::x',
  ':tada:',
  CARD_MARKER,
  '<!-- ink-deploy:state {"version":1,"rows":[]} -->',
  '</td>',
  'javascript:alert(1)',
]

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(...TRICKS),
      fc.string({ unit: anyCharacter, maxLength: 6 }),
      fc.constantFrom('a', ' ', 'word ', '1'),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join(''))
  // An empty hint is left out on purpose, which is another structure.
  .filter((text) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text))

interface Words {
  readonly service: string
  readonly one: string
  readonly two: string
  readonly three: string
  readonly lines: readonly string[]
}

const hostileWords: fc.Arbitrary<Words> = fc.record({
  service: hostile,
  one: hostile,
  two: hostile,
  three: hostile,
  lines: fc.array(hostile, { maxLength: 4 }),
})

const shapes = fc.record({
  status: fc.constantFrom<CardRow['status']>(
    'building',
    'live',
    'failed',
    'unhealthy',
    'rolled-back',
    'removed',
    'cancelled',
    'timed-out',
    'skipped',
  ),
  side: fc.boolean(),
  domain: fc.boolean(),
})

/** The same row with whatever words: only these differ between the hostile and the harmless one. */
function rowWith(
  { status, side, domain }: { status: CardRow['status']; side: boolean; domain: boolean },
  words: Words,
): CardRow {
  return row({
    service: words.service,
    status,
    reason: words.one,
    diagnosis: { cause: words.two, hint: words.three, decisive: words.lines, tail: words.lines },
    ...(side ? { note: words.one, database: words.two } : {}),
    ...(domain
      ? {
          domain: {
            name: words.one,
            status: words.two,
            error: words.three,
            records: [{ type: words.one, name: words.two, content: words.three }],
          },
        }
      : {}),
  })
}

function harmless(words: Words): Words {
  return { service: 'x', one: 'x', two: 'x', three: 'x', lines: words.lines.map(() => 'x') }
}

describe('a card full of hostile text', { timeout: 120_000 }, () => {
  it('has the structure of a harmless one, mentions nobody, refers to nothing and links nowhere', () => {
    fc.assert(
      fc.property(shapes, hostileWords, fc.boolean(), (shape, words, alone) => {
        // A single row is told in other words than several.
        const others = alone ? [] : [row()]
        const tree = parseMarkdown(renderCard([rowWith(shape, words), ...others], SURROUNDINGS))
        const plain = parseMarkdown(renderCard([rowWith(shape, harmless(words)), ...others], SURROUNDINGS))
        expect(shapeOf(tree)).toBe(shapeOf(plain))
        expect(searchedTexts(tree).filter((text) => LIVE_TEXT.test(text))).toEqual([])
        expect(addressesOf(tree).filter((address) => address.includes('evil'))).toEqual([])
        // Between two dollar signs outside of code, GitHub would set a formula.
        expect(searchedTexts(tree).join('').split('$').length).toBeLessThanOrEqual(2)
      }),
      { numRuns: 100 },
    )
  })

  it('links only what is an address of the web', () => {
    const addresses = fc.oneof(
      hostile,
      anyAddress,
      fc.constantFrom('javascript:alert(1)', 'https://user:pw@evil.example', 'data:text/html,x'),
    )
    fc.assert(
      fc.property(addresses, hostile, (address, commit) => {
        const links = { url: address, runUrl: address, commit, lastWorking: { commit, url: address, stillLive: true } }
        const tree = parseMarkdown(
          renderCard([row(links), row({ ...links, service: 'api', status: 'failed' })], SURROUNDINGS),
        )
        const safe = /^https?:\/\/[^@]*$|^https?:\/\/[^/@]+\//
        expect(addressesOf(tree).filter((found) => !safe.test(found))).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('gives its rows back to the next job, which renders the very same card', () => {
    fc.assert(
      fc.property(shapes, hostileWords, (shape, words) => {
        const card = renderCard([rowWith(shape, words)], SURROUNDINGS)
        expect(renderCard(decodeState(card) ?? [], SURROUNDINGS)).toBe(card)
      }),
      { numRuns: 50 },
    )
  })

  it('stays the same when a job folds its row in twice', () => {
    fc.assert(
      fc.property(shapes, hostileWords, (shape, words) => {
        const mine = rowWith(shape, words)
        const once = foldCard([renderCard([row({ service: 'api' })], SURROUNDINGS)], [mine], SURROUNDINGS).body
        expect(foldCard([once], [mine], SURROUNDINGS).body).toBe(once)
      }),
      { numRuns: 50 },
    )
  })

  it('never outgrows a comment', () => {
    const long = fc.tuple(hostile, fc.integer({ min: 1, max: 3000 })).map(([text, times]) => text.repeat(times))
    const words = fc.record({
      service: long,
      one: long,
      two: long,
      three: long,
      lines: fc.array(long, { maxLength: 60 }),
    })
    fc.assert(
      fc.property(shapes, fc.array(words, { minLength: 1, maxLength: 5 }), (shape, many) => {
        const rows = many.map((one, index) => rowWith(shape, { ...one, service: `${index}${one.service}` }))
        const card = renderCard(rows, SURROUNDINGS)
        expect(card.length).toBeLessThanOrEqual(MAX_CARD_CHARS)
        expect(decodeState(card)).toHaveLength(rows.length)
      }),
      { numRuns: 25 },
    )
  })
})

describe('a summary full of hostile text', { timeout: 120_000 }, () => {
  const reportWith = (shape: Parameters<typeof rowWith>[0], words: Words): DeployReport => ({
    kind: 'deploy',
    row: rowWith(shape, words),
    phases: [{ name: 'build', startMs: 0, endMs: 41_000, result: 'done' }],
    pushed: { branch: words.one, snapshot: words.two, kind: 'whole', files: 3 },
    envNames: [words.one],
    cost: { perDay: 0.34, basis: '0.5 vCPU, 256 MiB' },
    annotations: [{ level: 'error', title: words.one, message: words.two, file: words.three, line: 3 }],
    runUrl: 'https://github.com/acme/shop/actions/runs/71',
    warnings: [words.service.replaceAll('\n', ' ')],
  })

  it('has the structure of a harmless one, and mentions nobody', () => {
    fc.assert(
      fc.property(shapes, hostileWords, (shape, words) => {
        const tree = parseMarkdown(renderSummary(reportWith(shape, words), SURROUNDINGS, 0))
        const plain = parseMarkdown(renderSummary(reportWith(shape, harmless(words)), SURROUNDINGS, 0))
        expect(shapeOf(tree)).toBe(shapeOf(plain))
        expect(searchedTexts(tree).filter((text) => LIVE_TEXT.test(text))).toEqual([])
        expect(searchedTexts(tree).join('')).not.toContain('$')
      }),
      { numRuns: 60 },
    )
  })

  it('stays under the limit with a log of a hundred thousand lines', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `${index} ${'é'.repeat(900)}`)
    const summary = renderSummary(
      reportWith(
        { status: 'failed', side: true, domain: true },
        { service: 'web', one: 'x', two: 'x', three: 'x', lines },
      ),
      SURROUNDINGS,
      0,
    )
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(MAX_SUMMARY_BYTES)
    expect(summary).toContain('99999 ')
  })
})
