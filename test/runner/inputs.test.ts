import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readInputs, undeclaredInputs, workspaceFiles } from '../../src/runner/load-run.ts'
import { readWorkflowFiles } from '../../src/runner/workflow-files.ts'

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

test('workflow files are read from where forges look for them, and from nowhere else', () => {
  const workspace = mkdtempSync(join(tmpdir(), 'workspace-'))
  onTestFinished(() => rmSync(workspace, { recursive: true }))
  expect(readWorkflowFiles(workspace)).toEqual([])
  for (const folder of ['.github/workflows', '.gitea/workflows', '.github/other'])
    mkdirSync(join(workspace, folder), { recursive: true })
  writeFileSync(join(workspace, '.github/workflows/b.yml'), 'on: push')
  writeFileSync(join(workspace, '.github/workflows/a.txt'), 'no workflow')
  writeFileSync(join(workspace, '.github/other/c.yml'), 'on: push')
  writeFileSync(join(workspace, '.gitea/workflows/a.yaml'), 'on: schedule')
  symlinkSync('/proc/self/environ', join(workspace, '.github/workflows/env.yml'))
  expect(readWorkflowFiles(workspace)).toEqual([
    { path: '.github/workflows/b.yml', text: 'on: push' },
    { path: '.gitea/workflows/a.yaml', text: 'on: schedule' },
  ])
})

test('inputs that nobody declared are named, with the one that was probably meant', () => {
  const environment = { INPUT_API_KEY2: 'dk_x', INPUT_BUILD_PACK: 'static', INPUT_ZZZZZZ: 'x', 'INPUT_API-KEY': 'dk_y' }
  expect(undeclaredInputs(environment)).toEqual([
    'There is no input "api_key2", so that it does nothing; did you mean api-key?',
    'There is no input "build_pack", so that it does nothing; did you mean build-pack?',
    'There is no input "zzzzzz", so that it does nothing.',
  ])
})
