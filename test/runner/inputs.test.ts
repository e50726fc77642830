import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readInputs, undeclaredInputs, workspaceFiles } from '../../src/runner/load-run.ts'

test('inputs are found under the names that the runner gives them, without blanks around', () => {
  const raw = readInputs({ 'INPUT_API-KEY': ' dk_x\n', INPUT_COMMAND: 'plan', INPUT_API_KEY: 'not this' })
  expect(raw['api-key']).toBe('dk_x')
  expect(raw.command).toBe('plan')
  expect(raw.service).toBe('')
})

test('the key may come from the job’s environment, and the input counts more', () => {
  expect(readInputs({ INK_API_KEY: 'dk_env' })['api-key']).toBe('dk_env')
  expect(readInputs({ INK_API_KEY: 'dk_env', 'INPUT_API-KEY': 'dk_input' })['api-key']).toBe('dk_input')
})

test('files are read from the workspace; what is not a file counts as missing', () => {
  const workspace = mkdtempSync(join(tmpdir(), 'workspace-'))
  onTestFinished(() => rmSync(workspace, { recursive: true }))
  mkdirSync(join(workspace, 'folder'))
  writeFileSync(join(workspace, 'folder', '.env'), 'A=1')
  writeFileSync(join(workspace, 'huge'), Buffer.alloc(1_000_001))
  const files = workspaceFiles(workspace)
  expect(files.readFile('folder/.env')).toBe('A=1')
  expect(files.readFile(join(workspace, 'folder/.env'))).toBe('A=1')
  for (const path of ['folder', 'missing', 'huge']) expect(files.readFile(path)).toBeUndefined()
})

test('inputs that nobody declared are named, with the one that was probably meant', () => {
  const environment = { INPUT_API_KEY2: 'dk_x', INPUT_BUILD_PACK: 'static', INPUT_ZZZZZZ: 'x', 'INPUT_API-KEY': 'dk_y' }
  expect(undeclaredInputs(environment)).toEqual([
    'There is no input "api_key2", so that it does nothing; did you mean api-key?',
    'There is no input "build_pack", so that it does nothing; did you mean build-pack?',
    'There is no input "zzzzzz", so that it does nothing.',
  ])
})
