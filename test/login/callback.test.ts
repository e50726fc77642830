import { describe, expect, it } from 'vitest'
import { codeIn, codePasted } from '../../src/login/key.ts'

const expected = {
  state: 'ours',
  redirectUri: 'http://127.0.0.1:4711/callback',
  issuer: 'https://mcp.ml.ink',
  namesIssuer: true,
}
const answer = (query: string) => new URLSearchParams(query)
const good = 'code=abc&state=ours&iss=https%3A%2F%2Fmcp.ml.ink'

describe('an answer', () => {
  it('has a code when it has our state and the issuer', () => {
    expect(codeIn(answer(good), expected)).toBe('abc')
  })

  it('need not name the issuer when the server never said that it would', () => {
    expect(codeIn(answer('code=abc&state=ours'), { ...expected, namesIssuer: false })).toBe('abc')
  })

  it.each([
    ['no state', 'code=abc&iss=https%3A%2F%2Fmcp.ml.ink', true, 'its state is not'],
    ['another state', good.replace('ours', 'theirs'), true, 'its state is not'],
    ['two states', `${good}&state=theirs`, true, 'more than one state'],
    ['two codes', `${good}&code=def`, true, 'more than one code'],
    ['no issuer though one was announced', 'code=abc&state=ours', true, 'it does not say who sent it'],
    ['another issuer', 'code=abc&state=ours&iss=https%3A%2F%2Fevil.example', true, 'comes from https://evil.example'],
    ['another issuer, unannounced', 'code=abc&state=ours&iss=https%3A%2F%2Fevil.example', false, 'comes from'],
    ['an issuer that is only alike', 'code=abc&state=ours&iss=https%3A%2F%2Fmcp.ml.ink%2F', true, 'comes from'],
    ['no code', good.replace('abc', ''), true, 'it has no code'],
    ['an error with another state', 'error=access_denied&state=theirs', true, 'its state is not'],
  ])('with %s is not ours', (_what, query, namesIssuer, words) => {
    expect(() => codeIn(answer(query), { ...expected, namesIssuer })).toThrow(words)
  })

  it('with an error says what it is, in words that cannot harm the terminal', () => {
    const refused = answer(`error=access_denied&error_description=%1b[31mno%0d%0a::error::x&${good.slice(9)}`)
    expect(() => codeIn(refused, expected)).toThrow(/^ml\.ink did not give access: access_denied: no :* ?:error::x$/)
  })
})

describe('what is pasted', () => {
  it('may be the address that the browser was led to', () => {
    expect(codePasted(`  ${expected.redirectUri}?${good}\n`, expected)).toBe('abc')
  })

  it('may be the code alone', () => {
    expect(codePasted('abc-_~.=', expected)).toBe('abc-_~.=')
  })

  it.each([
    ['an address elsewhere', `https://evil.example/callback?${good}`, 'not the one that the browser was led to'],
    ['another port', `http://127.0.0.1:4712/callback?${good}`, 'not the one that the browser was led to'],
    ['an address with another state', `${expected.redirectUri}?code=abc&state=theirs`, 'its state is not'],
    ['nothing', '  ', 'neither an address nor a code'],
    ['a sentence', 'it says that it works', 'neither an address nor a code'],
  ])('is refused when it is %s', (_what, text, words) => {
    expect(() => codePasted(text, expected)).toThrow(words)
  })
})
