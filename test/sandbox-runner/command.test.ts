import { describe, expect, it } from 'vitest'
import { parseCommand } from '../../sandbox/runner/command.ts'

const parsed = (line: string, extra?: string) => {
  const command = parseCommand(line, extra)
  return command && { name: command.name, data: command.data, properties: Object.fromEntries(command.properties) }
}

describe('a line is a command exactly where the runner takes it for one', () => {
  it.each([
    ['::warning::hello', 'warning', 'hello'],
    ['  \t::warning::hello', 'warning', 'hello'],
    ['::WARNING::hello', 'WARNING', 'hello'],
    ['::warning::a::b', 'warning', 'a::b'],
    ['::error::', 'error', ''],
    ['anything before ##[error]hello', 'error', 'hello'],
    ['##[group]hello', 'group', 'hello'],
  ])('%j is', (line, name, data) => {
    expect(parsed(line)).toMatchObject({ name, data })
  })

  it.each([
    ['text ::warning::hello'],
    ['::unknown::hello'],
    ['::warning:hello'],
    [':: warning::hello'],
    ['::warning'],
    ['##[unknown]hello'],
    ['##[error hello'],
    ['\u200b::error::hello'],
  ])('%j is not', (line) => {
    expect(parsed(line)).toBeUndefined()
  })

  it('while commands are stopped, the token is one as well', () => {
    expect(parsed('::tok3n::')).toBeUndefined()
    expect(parsed('::tok3n::', 'tok3n')).toMatchObject({ name: 'tok3n' })
  })
})

describe('escapes are undone', () => {
  it('in data: line breaks and percent signs, the latter last', () => {
    expect(parsed('::error::a%0Ab%0Dc%25d%250A%3A%2C')?.data).toBe('a\nb\rc%d%0A%3A%2C')
  })

  it('in properties: colons and commas too', () => {
    expect(parsed('::error file=a%2Cb.js,line=3,title=x%3A y%25::z')?.properties).toEqual({
      file: 'a,b.js',
      line: '3',
      title: 'x: y%',
    })
  })

  it('in the legacy form: semicolons and brackets', () => {
    expect(parsed('##[error title=a%3Bb;file=c%5D]d%5D%0Ae')).toEqual({
      name: 'error',
      data: 'd]\ne',
      properties: { title: 'a;b', file: 'c]' },
    })
  })

  it('properties without a value are dropped, keys are compared without case', () => {
    expect(parsed('::error TITLE=x,file=,=y,novalue::z')?.properties).toEqual({ title: 'x' })
  })
})
