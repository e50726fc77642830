import { describe, expect, it } from 'vitest'
import { Overtaken, sizeStarter } from '../../src/flows/resources/resize.ts'
import { ToolError } from '../../src/ink/errors.ts'
import type { Platform } from '../../src/ink/platform.ts'
import type { Service } from '../../src/ink/results.ts'

const signal = new AbortController().signal

/** A service whose branch and status the test decides on, and what was sent to it. */
function fake() {
  const state = { branch: 'ink/production/new', status: 'failed', refusals: 0 }
  const sent: unknown[] = []
  let pauses = 0
  const platform = {
    service: async () => ({ branch: state.branch, status: state.status }) as Service,
    updateService: async (_name: string, changes: unknown) => {
      if (state.refusals-- > 0) throw new ToolError('update_service', 'internal error')
      sent.push(changes)
      return { serviceId: undefined, message: undefined }
    },
  } as unknown as Platform
  const clock = {
    now: () => 0,
    sleep: async () => {
      pauses += 1
    },
  }
  const starter = sizeStarter(
    { platform, clock, random: () => 0.5 },
    { name: 'web', branch: 'ink/production/new' },
    { memory: '512Mi' },
  )
  return { state, sent, starter, pauses: () => pauses }
}

describe('the start of a change of size', () => {
  it('names no branch, whatever the service had a moment ago', async () => {
    const { sent, starter } = fake()
    await starter.start(signal)
    expect(sent).toEqual([{ memory: '512Mi' }])
    expect(starter.created()).toBe(false)
  })

  it('is repeated on the same branch, and joins a deployment of it', async () => {
    const { state, sent, starter, pauses } = fake()
    await starter.start(signal)
    await starter.start(signal)
    expect(sent).toHaveLength(2)
    expect(pauses()).toBe(1)
    state.status = 'building'
    await starter.start(signal)
    expect(sent).toHaveLength(2)
  })

  it.each([
    ['was acknowledged', 0, true],
    ['was refused', 1, false],
  ])('stops when the branch changed after a start that %s', async (_what, refusals, hasTheSize) => {
    const { state, sent, starter } = fake()
    state.refusals = refusals
    await starter.start(signal).catch(() => undefined)
    const before = sent.length
    state.branch = 'ink/production/newer'
    const error = await starter.start(signal).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Overtaken)
    expect(error).toMatchObject({ sent: hasTheSize, branch: 'ink/production/newer' })
    expect(sent).toHaveLength(before)
  })
})
