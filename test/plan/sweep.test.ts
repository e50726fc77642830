import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideSweep, type SweepCandidate } from '../../src/plan/guards.ts'
import { pullRequestOf } from './plan-inputs.ts'

const day = 86_400_000
const now = 1_800_000_000_000
type SweepRules = Parameters<typeof decideSweep>[2]
const noRules: SweepRules = { previewLabel: undefined, previewTtlMs: undefined, maxPreviews: undefined }

function preview(pullRequest: number, overrides: Partial<SweepCandidate> = {}): SweepCandidate {
  return { serviceName: `web-pr-${pullRequest}`, pullRequest, createdAt: now - day, running: true, ...overrides }
}

const open = (...numbers: number[]) => new Map(numbers.map((number) => [number, pullRequestOf({ number })]))

function removed(
  previews: readonly SweepCandidate[],
  pullRequests: Parameters<typeof decideSweep>[1],
  rules: Partial<SweepRules> = {},
): number[] {
  return decideSweep(previews, pullRequests, { ...noRules, ...rules }, now)
    .filter(({ remove }) => remove)
    .map((decision) => decision.preview.pullRequest)
}

describe('a sweep removes', () => {
  test('previews whose pull request is not open, also where only branches are left', () => {
    expect(removed([preview(1), preview(2), preview(3, { running: false })], open(1))).toEqual([2, 3])
  })

  test('previews without the label, whatever its case', () => {
    const labelled = new Map([
      [1, pullRequestOf({ number: 1, labels: ['Preview'] })],
      [2, pullRequestOf({ number: 2, labels: ['bug'] })],
    ])
    expect(removed([preview(1), preview(2)], labelled, { previewLabel: 'preview' })).toEqual([2])
  })

  test('previews that are older than they may be', () => {
    const previews = [preview(1), preview(2, { createdAt: now - 3 * day }), preview(3, { createdAt: undefined })]
    expect(removed(previews, open(1, 2, 3), { previewTtlMs: 2 * day })).toEqual([2])
  })

  test('the oldest of too many, counting those of unknown age as young', () => {
    const previews = [
      preview(1, { createdAt: now - 2 * day }),
      preview(2, { createdAt: undefined }),
      preview(3, { createdAt: now - 3 * day }),
      preview(4, { createdAt: now - day }),
    ]
    expect(removed(previews, open(1, 2, 3, 4), { maxPreviews: 2 })).toEqual([1, 3])
  })

  test('nothing for being closed when GitHub does not say what is open', () => {
    expect(removed([preview(1)], undefined, { previewLabel: 'preview' })).toEqual([])
    expect(removed([preview(1, { createdAt: 0 })], undefined, { previewTtlMs: day })).toEqual([1])
  })
})

test('whatever there is, each preview gets one decision with a reason, and at most max-previews stay', () => {
  const candidate = fc.record({
    pullRequest: fc.integer({ min: 1, max: 20 }),
    serviceName: fc.constant('web'),
    createdAt: fc.option(fc.integer({ min: now - 9 * day, max: now }), { nil: undefined }),
    running: fc.boolean(),
  })
  const previews = fc.uniqueArray(candidate, { selector: ({ pullRequest }) => pullRequest })
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 20 }))
  fc.assert(
    fc.property(previews, numbers, fc.integer({ min: 1, max: 5 }), (all, openNumbers, maxPreviews) => {
      const decisions = decideSweep(all, open(...openNumbers), { ...noRules, maxPreviews }, now)
      expect(decisions.map((decision) => decision.preview)).toEqual(all)
      expect(decisions.every(({ why }) => why !== '')).toBe(true)
      const kept = decisions.filter((decision) => !decision.remove)
      expect(kept.every((decision) => openNumbers.includes(decision.preview.pullRequest))).toBe(true)
      expect(kept.filter((decision) => decision.preview.running).length).toBeLessThanOrEqual(maxPreviews)
    }),
  )
})
