import { expect, it } from 'vitest'
import { readArguments } from '../../src/cli/login.ts'
import { DeployError } from '../../src/core/errors.ts'

const usual = {
  endpoint: 'https://mcp.ml.ink/mcp',
  browser: true,
  setSecret: false,
  writeWorkflow: false,
  print: false,
}

it('login alone asks for nothing in particular, at ml.ink', () => {
  expect(readArguments([])).toEqual(usual)
})

it('options say where, how, and what is to become of the key', () => {
  const args = ['--endpoint', 'http://127.0.0.1:1/mcp', '--no-browser', '--set-secret', '--write-workflow']
  expect(readArguments([...args, '--print'])).toEqual({
    endpoint: 'http://127.0.0.1:1/mcp',
    browser: false,
    setSecret: true,
    writeWorkflow: true,
    print: true,
  })
})

it.each([[['--help']], [['--print', '-h']]])('%j asks for help', (args) => {
  expect(readArguments(args)).toBeUndefined()
})

it.each([
  [['now'], 'now'],
  [['--sav-secret'], '--sav-secret'],
  [['--endpoint'], '--endpoint'],
  [['--endpoint', 'mcp.ml.ink'], '--endpoint: must be an https URL'],
  [['--endpoint', 'http://mcp.ml.ink/mcp'], 'not "http://mcp.ml.ink/mcp"'],
  [['--endpoint', 'https://me:secret@mcp.ml.ink/mcp'], '--endpoint: must be an https URL without credentials'],
])('%j is refused, and named', (args, words) => {
  expect(() => readArguments(args)).toThrow(DeployError)
  expect(() => readArguments(args)).toThrow(words)
})
