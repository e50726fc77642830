import { describe, expect, it } from 'vitest'
import { parsePairs } from '../../sandbox/runner/file-commands.ts'

describe('GITHUB_OUTPUT and its like are read as the runner reads them', () => {
  it.each([
    ['a=1\nb=2\n', { a: '1', b: '2' }],
    ['a=1=2', { a: '1=2' }],
    ['a=\n', { a: '' }],
    ['a=b<<c\n', { a: 'b<<c' }],
    ['a<<E\nx\n\ny=z\nE\nb=2\n', { a: 'x\n\ny=z', b: '2' }],
    ['a<<E\nE\n', { a: '' }],
    ['a<<E\n E\nE', { a: ' E' }],
    ['\n\na=1\n\n', { a: '1' }],
    ['a=1\na=2\n', { a: '2' }],
  ])('%j', (text, expected) => {
    const { pairs, problem } = parsePairs(text)
    expect(Object.fromEntries(pairs)).toEqual(expected)
    expect(problem).toBeUndefined()
  })

  it.each([
    ['a=1\nnonsense\nb=2\n', /Invalid format 'nonsense'/],
    ['a=1\nb<<E\nx\n', /Matching delimiter not found 'E'/],
    ['a=1\n=x\n', /Name must not be empty/],
    ['a=1\n<<E\nE\n', /must not be empty/],
    ['a=1\nb<<\n', /must not be empty/],
  ])('%j: what came before the mistake counts, nothing after it', (text, problem) => {
    const result = parsePairs(text)
    expect(Object.fromEntries(result.pairs)).toEqual({ a: '1' })
    expect(result.problem).toMatch(problem)
  })
})
