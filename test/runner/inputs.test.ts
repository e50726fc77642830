import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { givenInputs, loadRun, readInputs, readWorkflowFiles, undeclaredInputs } from '../../src/runner/load-run.ts'
import { runnerEnvironment } from './runner-environment.ts'

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

test('workflow files are read from where forges look for them, and from nowhere else', () => {
  const workspace = mkdtempSync(join(tmpdir(), 'workspace-'))
  onTestFinished(() => rmSync(workspace, { recursive: true }))
  expect(readWorkflowFiles(workspace)).toEqual([])
  for (const folder of ['.github/workflows', '.gitea/workflows', '.github/other'])
    mkdirSync(join(workspace, folder), { recursive: true })
  writeFileSync(join(workspace, '.github/workflows/b.yml'), 'on: push')
  writeFileSync(join(workspace, '.github/workflows/a.txt'), 'no workflow')
  writeFileSync(join(workspace, '.github/workflows/huge.yml'), Buffer.alloc(1_000_001))
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
  expect(undeclaredInputs(givenInputs(environment))).toEqual([
    'There is no input "api_key2", so that it does nothing; did you mean api-key?',
    'There is no input "build_pack", so that it does nothing; did you mean build-pack?',
    'There is no input "zzzzzz", so that it does nothing.',
  ])
})

test('what stands in ink.yml and not in a workflow is refused, with the lines for the file', async () => {
  const environment = runnerEnvironment({
    INPUT_PORT: '8080',
    INPUT_PATHS: 'src/**\n!**/*.md',
    'INPUT_BUILD-COMMAND': 'npm run build',
    'INPUT_DATABASE-ENV': 'DB=url',
    'INPUT_PREVIEW-TTL': '7d',
    'INPUT_ENV-FILE': '.env',
    INPUT_MEMORY: '3Gi',
  })
  const { problem } = await loadRun(environment)
  expect(problem).toEqual(
    expect.objectContaining({
      problem: `The inputs are not right:
  - api-key: is not set
  - memory: must be one of 128Mi, 256Mi, 512Mi, 1024Mi, 2048Mi, 4096Mi, but is "3Gi"
  - port: is no input but stands in ink.yml, as services.NAME.port
  - paths: is no input but stands in ink.yml, as services.NAME.watch
  - build-command: is no input but stands in ink.yml, as services.NAME.build.command
  - database-env: is no input but stands in ink.yml, as services.NAME.database.env
  - preview-ttl: is no input but stands in ink.yml, as previews.ttl
  - env-file: is no input; write variables into \`ink.yml\` under \`env\`, and pass secrets with the input \`env\``,
      hint: expect.stringContaining(`services:
  web:
    port: 8080
    watch:
      - src/**
      - "!**/*.md"
    build:
      command: npm run build
    database:
      env:
        DB: url
previews:
  ttl: 7d
`),
    }),
  )
  expect(undeclaredInputs(givenInputs(environment))).toEqual([])
})
