import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { initCommand } from '../../src/cli/init.ts'
import { recommendedWorkflow } from '../../src/login/repository.ts'

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'init-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

async function init(...args: readonly string[]): Promise<string> {
  const stdout = new PassThrough()
  const said = text(stdout)
  await initCommand
    .run(args, { stdout, cwd: () => '/nowhere' } as unknown as NodeJS.Process)
    .finally(() => stdout.end())
  return said
}

const read = (folder: string, path: string) => readFile(join(folder, path), 'utf8')
const app = { 'package.json': '{"scripts":{"start":"node server.js"}}', '.git/HEAD': 'ref: refs/heads/trunk\n' }

it('writes ink.yml and the workflow for the branch that is checked out, and says what it found and why', async () => {
  const folder = await folderWith({ ...app, 'node_modules/x/package.json': '{"scripts":{"start":"x"}}' })
  const said = await init(folder)
  expect(said).toContain('Found web: a Node.js program\n  package.json starts it with “node server.js”')
  expect(said).toContain('Wrote ink.yml')
  expect(await read(folder, '.github/workflows/deploy.yml')).toBe(recommendedWorkflow('trunk'))
  expect(await read(folder, 'ink.yml')).toMatch(
    /^# yaml-language-server: .*\nservices:\n {2}web: \{\} # a Node\.js program/,
  )
})

it('takes the default branch of a clone, whichever is checked out', async () => {
  const folder = await folderWith({ ...app, '.git/refs/remotes/origin/HEAD': 'ref: refs/remotes/origin/release/1\n' })
  await init(folder)
  expect(await read(folder, '.github/workflows/deploy.yml')).toBe(recommendedWorkflow('release/1'))
})

it('overwrites nothing, and shows what it would have written', async () => {
  const folder = await folderWith({ ...app, 'ink.yml': 'services: {}\n' })
  const said = await init(folder)
  expect(said).toContain('ink.yml is there already and stays as it is')
  expect(said).toContain('  services:\n    web: {}')
  expect(await read(folder, 'ink.yml')).toBe('services: {}\n')
  expect(said).toContain('Wrote .github/workflows/deploy.yml')
})

it('writes nothing with --print', async () => {
  const folder = await folderWith(app)
  expect(await init(folder, '--print', '--branch', 'live')).toContain('branches: ["live"]')
  await expect(read(folder, 'ink.yml')).rejects.toThrow('ENOENT')
  await expect(read(folder, '.github/workflows/deploy.yml')).rejects.toThrow('ENOENT')
})

it('says what it looked for where nothing runs, and writes nothing', async () => {
  const folder = await folderWith({ 'notes.txt': '' })
  await expect(init(folder)).rejects.toThrow(`nothing that can be deployed was found in ${folder}`)
  await expect(read(folder, 'ink.yml')).rejects.toThrow('ENOENT')
  await expect(init(join(folder, 'missing'))).rejects.toThrow('could not be read')
  await expect(init('--frobnicate')).rejects.toThrow('frobnicate')
})
