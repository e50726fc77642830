import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  declineAnswer,
  helpAnswer,
  logsAnswer,
  troubleIssueBody,
  troubleIssueMarker,
  troubleOverComment,
} from '../../src/report/comments.ts'
import { LIVE_TEXT, parseMarkdown, searchedTexts, shapeOf } from './structure.ts'

const RUN_URL = 'https://github.com/acme/shop/actions/runs/71'

const hostile = fc
  .array(
    fc.constantFrom(
      '@octocat',
      '#12',
      'https://evil.example',
      '```',
      '`',
      '</details>',
      '<!--',
      '-->',
      '|',
      '\n\n# x',
      '\n- x',
      '*a*',
      '$x$',
      'word ',
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => `x${parts.join('')}`)

describe('the answer to a command', () => {
  it('lists every command there is', () => {
    for (const command of ['deploy', 'stop', 'logs', 'rollback', 'help'])
      expect(helpAnswer(undefined)).toContain(`\`/ink ${command}\``)
  })

  it('names the command that does not exist', () => {
    expect(helpAnswer('frobnicate')).toContain('There is no command `frobnicate`')
  })

  it('shows the end of a log, and says when there is none', () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`)
    const answer = logsAnswer('web', 'active', lines)
    expect(answer).toContain('line 999')
    expect(answer).not.toContain('line 0\n')
    expect(logsAnswer('web', 'active', [])).toContain('its runtime log is empty')
  })

  it('stays within a comment whatever the log', () => {
    expect(
      logsAnswer(
        'web',
        'active',
        Array.from({ length: 5000 }, () => '`<&'.repeat(400)),
      ).length,
    ).toBeLessThan(65_536)
  })
})

describe('the issue of a trouble', () => {
  const trouble = { serviceName: 'acme-web', trouble: 'It answers 502.', logTail: ['Killed'], runUrl: RUN_URL }

  it('begins with the marker of its service and tells what is wrong', () => {
    const body = troubleIssueBody(trouble)
    expect(body.startsWith(troubleIssueMarker('acme-web'))).toBe(true)
    expect(body).toContain('It answers 502.')
    expect(body).toContain('Killed')
  })

  it('has a marker of its own for each service', () => {
    expect(troubleIssueMarker('acme-web')).not.toBe(troubleIssueMarker('acme-api'))
  })

  it('tells at the end how long it lasted', () => {
    expect(troubleOverComment('acme-web', 5_400_000, RUN_URL)).toContain('after 1 h 30 min')
  })
})

describe('answers and issues with hostile words', () => {
  it.each<readonly [string, (words: string) => string]>([
    ['help', helpAnswer],
    ['no', (words) => declineAnswer(words, [words, words], words)],
    ['logs', (words) => logsAnswer(words, words, [words, words])],
    ['trouble', (words) => troubleIssueBody({ serviceName: 'web', trouble: words, logTail: [words], runUrl: RUN_URL })],
  ])('keep their structure and mention nobody: %s', (_name, render) => {
    fc.assert(
      fc.property(hostile, (words) => {
        const tree = parseMarkdown(render(words))
        expect(shapeOf(tree)).toBe(shapeOf(parseMarkdown(render('x'))))
        for (const text of searchedTexts(tree)) expect(text).not.toMatch(LIVE_TEXT)
      }),
    )
  })
})
