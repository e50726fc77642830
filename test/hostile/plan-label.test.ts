import { describe, expect, test } from 'vitest'
import { labelFollowsHead } from '../../src/plan/guards.ts'

const seen = 'a'.repeat(40)
const trap = 'b'.repeat(40)
const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString()
const committed = (sha: string) => ({ event: 'committed', sha, label: undefined, at: undefined })
const forced = (sha: string, second: number) => ({
  event: 'head_ref_force_pushed',
  sha,
  label: undefined,
  at: at(second),
})
const labeled = (second: number, label = 'preview') => ({ event: 'labeled', sha: undefined, label, at: at(second) })

describe('a label approves of a fork’s head', () => {
  const holds = (timeline: Parameters<typeof labelFollowsHead>[0], sha: string, pushed: number | undefined) =>
    labelFollowsHead(timeline, { label: 'preview', sha }, pushed === undefined ? undefined : at(pushed))

  test('that GitHub knew before', () => {
    expect(holds([committed(seen), labeled(30)], seen, 10)).toBe(true)
    expect(holds([committed(seen), labeled(5), forced(trap, 10), labeled(30)], trap, 10)).toBe(true)
    expect(holds([committed(seen), labeled(30, 'Preview')], seen, 10)).toBe(true)
  })

  test.each([
    ['pushed after the label', [committed(seen), labeled(30), committed(trap)], trap, 31],
    [
      'pushed after the label, with a date of the year before',
      [committed(trap), committed(seen), labeled(30)],
      trap,
      31,
    ],
    ['put there by force after the label', [committed(trap), labeled(30), forced(trap, 31)], trap, 31],
    ['that the history does not know', [committed(seen), labeled(30)], trap, 10],
    ['whose fork is gone, so that nobody knows the time of the push', [committed(seen), labeled(30)], seen, undefined],
    ['with another label', [committed(seen), labeled(30, 'bug')], seen, 10],
    ['without a label', [committed(seen)], seen, 10],
  ] as const)('but never of one %s', (_what, timeline, sha, pushed) => {
    expect(holds(timeline, sha, pushed)).toBe(false)
  })
})
