import { describe, expect, it } from 'vitest'
import { DeployError } from '../../src/core/errors.ts'
import { decide, type LoginContext, refuseWithoutPlace } from '../../src/login/login.ts'
import { recommendedWorkflow } from '../../src/login/repository.ts'

const web = { name: 'acme/web', address: 'github.com/acme/web', defaultBranch: 'trunk' }
const text = recommendedWorkflow('trunk')
const none = { setSecret: false, print: false, writeWorkflow: false }
const clone: LoginContext = { interactive: true, repository: web, workflow: { content: undefined } }

/** Answers questions in order; Enter when there is no answer left. */
function somebody(...answers: boolean[]) {
  const heard: string[] = []
  return {
    heard,
    ask: async (question: string, usual: boolean) => {
      heard.push(question)
      return answers.shift() ?? usual
    },
  }
}

describe('somebody at a terminal without options', () => {
  it('who presses Enter has the secret set and the workflow written', async () => {
    const { ask, heard } = somebody()
    expect(await decide(none, clone, ask)).toEqual({ secretOf: web, print: false, workflow: text })
    expect(heard).toEqual([
      'Save the key as the secret INK_API_KEY of acme/web?',
      'Write .github/workflows/deploy.yml?',
    ])
  })

  it('who wants no secret may have the key printed', async () => {
    const { ask } = somebody(false, true, false)
    expect(await decide(none, clone, ask)).toEqual({ secretOf: undefined, print: true, workflow: undefined })
  })

  it('who wants neither gets neither', async () => {
    const { ask } = somebody(false, false, false)
    expect(await decide(none, clone, ask)).toEqual({ secretOf: undefined, print: false, workflow: undefined })
  })

  it('without gh is asked about printing only, and Enter does not print', async () => {
    const { ask, heard } = somebody()
    const here = { ...clone, repository: new DeployError('no gh'), workflow: new DeployError('no repository') }
    expect(await decide(none, here, ask)).toEqual({ secretOf: undefined, print: false, workflow: undefined })
    expect(heard).toEqual(['Print the key here, for you to save?'])
  })

  it('who has a workflow file keeps it unasked', async () => {
    const { ask, heard } = somebody()
    const here = { ...clone, workflow: { content: 'name: Mine' } }
    expect((await decide(none, here, ask)).workflow).toBeUndefined()
    expect(heard).toHaveLength(1)
  })
})

describe('options', () => {
  it('are followed without a question', async () => {
    const { ask, heard } = somebody()
    const wishes = { setSecret: true, print: true, writeWorkflow: true }
    expect(await decide(wishes, clone, ask)).toEqual({ secretOf: web, print: true, workflow: text })
    expect(await decide({ ...none, print: true }, clone, ask)).toMatchObject({ workflow: undefined })
    expect(heard).toEqual([])
  })

  it('--set-secret fails with the reason when there is no repository', async () => {
    const here = { ...clone, repository: new DeployError('gh is not on this machine') }
    await expect(decide({ ...none, setSecret: true }, here, somebody().ask)).rejects.toThrow(
      'gh is not on this machine',
    )
  })

  it('--write-workflow fails with the reason when there is no place for it', async () => {
    const here = { ...clone, workflow: new DeployError('no git repository') }
    const wishes = { ...none, print: true, writeWorkflow: true }
    await expect(decide(wishes, here, somebody().ask)).rejects.toThrow('no git repository')
  })

  it('--write-workflow replaces another file only when told so, and without anybody to ask not at all', async () => {
    const wishes = { ...none, print: true, writeWorkflow: true }
    const here = { ...clone, workflow: { content: 'name: Mine' } }
    expect((await decide(wishes, here, somebody().ask)).workflow).toBeUndefined()
    expect((await decide(wishes, here, somebody(true).ask)).workflow).toBe(text)
    await expect(decide(wishes, { ...here, interactive: false }, somebody().ask)).rejects.toThrow('is there already')
  })

  it.each([true, false])('--write-workflow alone asks for no key (somebody to ask: %s)', async (interactive) => {
    const { ask, heard } = somebody()
    const here = { ...clone, interactive, repository: new DeployError('no gh') }
    const intent = await decide({ ...none, writeWorkflow: true }, here, ask)
    expect(intent).toEqual({ secretOf: undefined, print: false, workflow: recommendedWorkflow() })
    expect(heard).toEqual([])
  })

  it('--write-workflow alone replaces another file only when told so, and without anybody to ask not at all', async () => {
    const wishes = { ...none, writeWorkflow: true }
    const here = { ...clone, workflow: { content: 'name: Mine' } }
    const { ask, heard } = somebody(true)
    expect((await decide(wishes, here, ask)).workflow).toBe(text)
    expect(heard).toEqual(['.github/workflows/deploy.yml is there already. Replace it?'])
    await expect(decide(wishes, { ...here, interactive: false }, ask)).rejects.toThrow('is there already')
  })

  it('--write-workflow has nothing to do where the file is as it should be', async () => {
    const wishes = { ...none, print: true, writeWorkflow: true }
    const here = { ...clone, interactive: false, workflow: { content: text } }
    expect((await decide(wishes, here, somebody().ask)).workflow).toBeUndefined()
  })

  it('--write-workflow takes main for the production branch where gh knows none', async () => {
    const here = { ...clone, repository: new DeployError('no gh') }
    const wishes = { ...none, print: true, writeWorkflow: true }
    expect((await decide(wishes, here, somebody().ask)).workflow).toBe(recommendedWorkflow())
  })
})

it('a key without a place is refused only where one is wanted and nobody can be asked for it', () => {
  expect(() => refuseWithoutPlace(none, false)).toThrow('nowhere to put the key')
  expect(() => refuseWithoutPlace({ ...none, writeWorkflow: true }, false)).not.toThrow()
  expect(() => refuseWithoutPlace(none, true)).not.toThrow()
  expect(() => refuseWithoutPlace({ ...none, print: true }, false)).not.toThrow()
})
