import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keptSecrets, layVariables, parseDatabaseVariables, parseVariables } from '../../src/plan/variables.ts'
import { anyCharacter } from '../support/any-character.ts'
import { revealed } from './plan-inputs.ts'

const read = (text: string) => revealed(parseVariables(text).value)
const problems = (text: string) =>
  parseVariables(text).problems.map(({ at, text: problem }) => `env, ${at}: ${problem}`)

describe('environment variables', () => {
  test('are read with dotenv’s quoting', () => {
    const text = [
      '# a comment',
      '',
      'PLAIN=value',
      'EMPTY=',
      '  SPACED = some words  # and a remark',
      'export EXPORTED=1',
      `SINGLE='it # is "so" \\n'`,
      'DOUBLE="line\\nbreak"',
      'BACK=`it\'s "fine"`',
      'EQUALS=a=b==',
      'URL=https://example.com/?a=b&c=d',
    ].join('\n')
    expect(read(text)).toEqual({
      PLAIN: 'value',
      EMPTY: '',
      SPACED: 'some words',
      EXPORTED: '1',
      SINGLE: 'it # is "so" \\n',
      DOUBLE: 'line\nbreak',
      BACK: 'it\'s "fine"',
      EQUALS: 'a=b==',
      URL: 'https://example.com/?a=b&c=d',
    })
    expect(problems(text)).toEqual([])
  })

  test('may have several lines in quotes, and what follows is read as well', () => {
    expect(read('PEM="-----BEGIN-----\nabc=\n-----END-----"\r\nNEXT=1\r\n')).toEqual({
      PEM: '-----BEGIN-----\nabc=\n-----END-----',
      NEXT: '1',
    })
  })

  test('of the same name: the last one counts', () => {
    expect(read('A=1\nA=2')).toEqual({ A: '2' })
  })

  test.each([
    ['A=1\nlonely', 'line 2: there is no ='],
    ['A: 1', 'line 1: there is no ='],
    ['1A=2', 'line 1: the name before ='],
    ['A-B=2', 'line 1: the name before ='],
    ['__proto__ x=1', 'line 1: there is no ='],
    ['=2', 'line 1: there is no ='],
    ['A="open', 'line 1: the quote is not closed'],
    ['A="x" y', 'line 1: there is text after the closing quote'],
    ['A=pass#word', 'line 1: the # would start a comment'],
    ['A="1\n2"\nB', 'line 3: there is no ='],
  ])('%j is refused', (text, problem) => {
    const found = problems(text)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(`env, ${problem}`)
  })

  test('a refusal never repeats the line, which may be part of a secret', () => {
    const secret = 'c3VwZXJzZWNyZXQ'
    expect(problems(`KEY=-----BEGIN\n${secret}\n${secret}-x=1\n"${secret}=\nA="${secret}`).join()).not.toContain(secret)
  })

  test('any value survives being quoted', () => {
    const value = fc
      .string({ unit: anyCharacter, maxLength: 12 })
      .filter((text) => !/['\r]/.test(text) && !text.endsWith('\\'))
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 5 }), (pairs) => {
        const text = pairs.map(([key, content]) => `${key}='${content}'`).join('\n')
        expect(problems(text)).toEqual([])
        expect(read(text)).toEqual(Object.fromEntries(pairs))
      }),
    )
  })

  test('whatever the text, it is read or refused, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'A=\'"`#\n\r\\ export:b1') }), (text) => {
        const { value: variables, problems: found } = parseVariables(text)
        const statements = text.split(/\r\n?|\n/).filter((line) => /^\s*[^#\s]/.test(line))
        if (statements.length > 0) expect(variables.size + found.length).toBeGreaterThan(0)
      }),
    )
  })
})

describe('a value that came empty', () => {
  const live = { API_TOKEN: 'old', DATABASE_URL: 'libsql://x', COLOUR: 'red', LATER_SECRET: '' }
  const given = (text: string) => parseVariables(text).value

  test.each(['merge', 'replace'] as const)('never replaces a live secret (%s), and is set otherwise', (strategy) => {
    const wanted = given('API_TOKEN=\nDATABASE_URL=""\nCOLOUR=\nLATER_SECRET=\nNEW_TOKEN=\nA=1')
    expect(layVariables(live, wanted, strategy)).toEqual({
      API_TOKEN: 'old',
      DATABASE_URL: 'libsql://x',
      COLOUR: '',
      LATER_SECRET: '',
      NEW_TOKEN: '',
      A: '1',
    })
    expect(keptSecrets(live, wanted)).toEqual(['API_TOKEN', 'DATABASE_URL'])
  })

  test('under a name that only speaks of a secret is a value like any other', () => {
    expect(keptSecrets({ TOKEN_ISSUER: 'x' }, given('TOKEN_ISSUER='))).toEqual([])
  })

  test('of a new service is set, and values that are not empty always count', () => {
    expect(layVariables(undefined, given('API_TOKEN='), 'merge')).toEqual({ API_TOKEN: '' })
    expect(layVariables(live, given('API_TOKEN=new'), 'replace')).toEqual({ API_TOKEN: 'new' })
  })
})

describe('what other tools read differently', () => {
  test('is read as it was meant where only one thing can have been meant', () => {
    expect(read('A="say \\"hi\\""\nB=\'a\\b\'\nC=x # remark\nD= # remark\nE="^\\d+$"')).toEqual({
      A: 'say "hi"',
      B: 'a\\b',
      C: 'x',
      D: '',
      E: '^\\d+$',
    })
  })

  test.each([
    ['A=abc #def', 'put the value in quotes, or'],
    ['A=#ff8800', 'put the value in quotes, or'],
    ['A="C:\\\\new"', 'in single quotes everything stands as it is'],
    ["A='it\\'s'", 'quotes that do not stand in it, or in double quotes'],
  ])('%j is refused with two ways to write it', (text, ways) => {
    const found = problems(text)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(ways)
  })
})

test('the variables of a database are refused with all that is wrong at once, a name that comes again after a bad line too', () => {
  const found = parseDatabaseVariables('DB=no output\nDB=url').problems
  expect(found.map(({ at }) => at)).toEqual(['line 1', 'line 2'])
  expect(found[1]?.text).toBe('DB is there twice')
})
