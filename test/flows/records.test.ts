import { describe, expect, it } from 'vitest'
import { openRecord, type RecordSubject } from '../../src/flows/records.ts'
import type { Deps } from '../../src/flows/run.ts'
import { contextOf, repository } from '../plan/plan-inputs.ts'

const sha = 'a'.repeat(40)
const place = { project: 'default', workspace: undefined, repository, environment: undefined }
const subject: RecordSubject = { serviceName: 'web-pr-7', pullRequest: 7, place }

/** A record on a GitHub that answers when it is told to. */
function opened(deploymentRecord: string, answers: { readonly hasEnvironment?: boolean; readonly id?: number } = {}) {
  const { hasEnvironment = false, id } = answers
  const states: unknown[] = []
  const outputs: unknown[] = []
  let answer = () => {}
  const made = new Promise<number | undefined>((resolve) => {
    answer = () => resolve(id)
  })
  const records = {
    jobHasEnvironment: async () => hasEnvironment,
    open: () => made,
    setStatus: async (...args: readonly unknown[]) => states.push(args),
    retireOlder: async (...args: readonly unknown[]) => states.push(args),
  }
  const deps = { github: { records }, settings: { deploymentRecord }, context: contextOf({}) }
  const output = (...args: readonly unknown[]) => outputs.push(args)
  const record = openRecord({ ...deps, output } as unknown as Deps, subject)
  return { record, states, outputs, answer }
}

describe('what the post step is told of the record of a run', () => {
  it('is how to find it until GitHub has answered, and its id from then on', async () => {
    const { record, outputs, states, answer } = opened('auto', { id: 5 })
    const sought = { deploymentId: undefined, recordOf: { task: expect.stringContaining('pr-7'), sha } }
    expect(record.remains(sha)).toEqual(sought)
    const opening = record.open(sha)
    expect(record.remains(sha)).toEqual(sought)
    answer()
    await opening
    expect(record.remains(sha)).toEqual({ deploymentId: 5, recordOf: undefined })
    expect(outputs).toEqual([['deployment-id', 5]])
    await record.underWay()
    expect(states).toMatchObject([[5, { state: 'in_progress' }, false]])
  })

  it.each([
    ['where none is wanted', 'false', { id: 5 }],
    ['where the runner makes one of its own', 'auto', { hasEnvironment: true, id: 5 }],
    ['where GitHub makes none', 'true', {}],
  ] as const)('is nothing %s, and then nothing is set', async (_where, wanted, answers) => {
    const { record, outputs, states, answer } = opened(wanted, answers)
    answer()
    await record.open(sha)
    expect(record.remains(sha)).toEqual({ deploymentId: undefined, recordOf: undefined })
    await record.underWay()
    await record.retireOlder(undefined)
    expect([...outputs, ...states]).toEqual([])
  })
})
