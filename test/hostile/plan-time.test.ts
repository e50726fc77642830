import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findCommand, readEvent, sameLabel } from '../../src/plan/event.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { parseServiceName, serviceName } from '../../src/plan/names.ts'
import { matchesPaths, parseGlobs } from '../../src/plan/paths.ts'
import { branch, domain, duration, statuses } from '../../src/plan/values.ts'
import { parseDatabaseVariables, parseVariables } from '../../src/plan/variables.ts'
import { contextOf, settingsOf } from '../plan/plan-inputs.ts'
import { anyCharacter } from '../support/any-character.ts'
import { cpuOf } from '../support/quiet-cpu.ts'

/** Texts of strangers: whatever they hold, reading them ends, and takes twice as long for twice the text at most. */

const numRuns = 3_000

/** Linear work on this much text takes some 15 ms; work that grows with the square takes a minute. */
const pieceCount = 50_000
const mostCpuMs = 800

function expectToEnd(work: () => void): void {
  expect(cpuOf(work)).toBeLessThan(mostCpuMs)
}

describe.each<[string, (text: string) => unknown, readonly string[]]>([
  [
    'environment variables',
    parseVariables,
    ['A="', "A='\n", 'A=`x\n', 'export ', 'A="\\"\n', ' \t', '#', 'A=1\n', 'A="x" y\n'],
  ],
  ['database variables', parseDatabaseVariables, ['A=url\n', 'A', '= ', 'A =\n']],
  ['globs', parseGlobs, ['{', '{a,', '[', '*', '**/', '(', '\\', ',', 'a\n', '!']],
  ['comments', findCommand, ['<!--', '`', '~~~\n', '> \n', '/ink ', '/ink deploy\n', ' ', '-->']],
  ['durations', duration('24h').parse, ['1', '1.', ' ', '1s']],
  ['domains', domain.parse, ['a.', 'a-', '-', 'xn--', '{number}']],
  ['branches', branch.parse, ['a/', '.', 'a.lock/', 'refs/heads/', '-']],
  ['statuses', statuses.parse, ['200,', '200-', ' ', ',']],
  ['service names', parseServiceName, ['-', 'a-', '_', '-pr-1']],
])('%s', (_what, read, pieces) => {
  test('are read whatever they hold', () => {
    const text = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 60 }),
      fc.array(fc.constantFrom(...pieces, 'a', '\n'), { maxLength: 40 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (given) => {
        read(given)
      }),
      { numRuns },
    )
  })

  test.each(pieces)('take no longer for their length than reading them does: %j', (piece) => {
    for (const ending of ['', '\0x']) expectToEnd(() => read(piece.repeat(pieceCount) + ending))
  })
})

test('a service name with a run of hyphens inside is read like any other', () => {
  expectToEnd(() => parseServiceName(`a${'-'.repeat(pieceCount)}a`))
})

describe('file names', () => {
  test.each(['**/*a*a*a*a*b', '**/**/**/**/b', '{a,b}*{a,b}*{a,b}*c', '*?*?*?*?b', '[a-z]*[a-z]*[a-z]*1'])(
    'are held against %s, however long they are',
    (glob) => {
      for (const piece of ['a', 'a/', 'ab/']) expectToEnd(() => matchesPaths([glob], [piece.repeat(8_000)]))
    },
  )

  test('match what a regular expression of the same meaning matches', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', '[ab]', '[!a]')
    const glob = fc
      .array(fc.oneof(part, fc.constant('/')), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join(''))
      .filter((text) => !/\*\*|^\/|\/$|\/\//.test(text) && 'value' in parseGlobs(text))
    const file = fc.stringMatching(/^[ab/]{1,8}$/)
    const meaning = (text: string) =>
      new RegExp(`^${text.replaceAll('[!a]', '[^a/]').replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}$`)
    fc.assert(
      fc.property(glob, file, (pattern, name) => {
        return matchesPaths([pattern], [name]) === meaning(pattern).test(name)
      }),
      { numRuns },
    )
  })
})

test('an event of any shape gives a plan or an error that says what is wrong with it', () => {
  const names = [
    'push',
    'pull_request',
    'pull_request_target',
    'issue_comment',
    'workflow_dispatch',
    'workflow_run',
    'x',
  ]
  const settings = settingsOf()
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.object({ maxDepth: 3 }), (name, payload) => {
      try {
        makePlan({ context: contextOf({ eventName: name }), event: readEvent(name, payload), settings })
      } catch (error) {
        expect(String(error)).toContain(`The description of the event ${name} is not as expected`)
      }
    }),
    { numRuns },
  )
})

test('labels and repositories of any name are compared and named', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), fc.string({ unit: anyCharacter }), (one, other) => {
      sameLabel(one, other)
      expect(serviceName(undefined, { owner: one, name: other }).length).toBeLessThan(64)
    }),
    { numRuns },
  )
})
