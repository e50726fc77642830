import type { PullRequest } from './event.ts'
import { labelIsOn } from './guards.ts'
import type { Settings } from './settings.ts'

type SweepRules = Pick<Settings, 'previewLabel' | 'previewTtlMs' | 'maxPreviews'>

export interface SweepCandidate {
  readonly serviceName: string
  readonly pullRequest: number
  /** Milliseconds since the epoch; undefined when the platform does not say. */
  readonly createdAt: number | undefined
  /** False when only branches are left of it. */
  readonly running: boolean
}

export interface SweepDecision<T> {
  readonly preview: T
  readonly remove: boolean
  readonly why: string
}

/**
 * Decides for each preview whether it stays. Without the list of open pull requests nothing can be said to be closed, and
 * nothing is removed for it.
 *
 * @param open open pull requests by number; undefined when GitHub did not tell
 * @param now milliseconds since the epoch
 */
export function decideSweep<T extends SweepCandidate>(
  previews: readonly T[],
  open: ReadonlyMap<number, PullRequest> | undefined,
  rules: SweepRules,
  now: number,
): SweepDecision<T>[] {
  const reasons = new Map(previews.map((preview) => [preview, reasonToRemove(preview, open, rules, now)]))
  // Of those that stay, the oldest beyond `previews.max` go as well. Those of unknown age count as young.
  const { maxPreviews = Number.POSITIVE_INFINITY } = rules
  const staying = previews.filter((preview) => reasons.get(preview) === undefined && preview.running)
  const age = ({ createdAt = Number.POSITIVE_INFINITY }: T) => createdAt
  const surplus = staying.toSorted((a, b) => age(a) - age(b) || 0).slice(0, Math.max(0, staying.length - maxPreviews))
  const tooMany = `there are more than ${maxPreviews} previews (previews.max), and it is among the oldest`
  const kept = open ? 'its pull request is open' : 'it is not known whether its pull request is open'
  return previews.map((preview) => {
    const why = reasons.get(preview) ?? (surplus.includes(preview) ? tooMany : undefined)
    return { preview, remove: why !== undefined, why: why ?? kept }
  })
}

function reasonToRemove(
  preview: SweepCandidate,
  open: ReadonlyMap<number, PullRequest> | undefined,
  rules: SweepRules,
  now: number,
): string | undefined {
  if (open) {
    const pullRequest = open.get(preview.pullRequest)
    if (!pullRequest) return 'its pull request is closed'
    if (!labelIsOn(rules.previewLabel, pullRequest)) {
      return `its pull request does not have the label ${rules.previewLabel}`
    }
  }
  const ageMs = preview.createdAt === undefined ? undefined : now - preview.createdAt
  const tooOld = rules.previewTtlMs !== undefined && ageMs !== undefined && ageMs > rules.previewTtlMs
  return tooOld && preview.running ? 'it is older than previews.ttl allows' : undefined
}

/** A preview that runs, as far as its cost matters. Dollars. */
export interface RunningCost<T> {
  readonly preview: T
  readonly perDay: number
  /** Whether it may be removed to make room for another. */
  readonly mayGo: boolean
}

// A sum of rates is not exact to the last bit.
const tolerance = 1e-9

/** Whether what runs already and one more stay within a limit of dollars a day. */
export function fitsBudget(running: readonly RunningCost<unknown>[], morePerDay: number, limitPerDay: number): boolean {
  return sumPerDay(running) + morePerDay <= limitPerDay + tolerance
}

export function sumPerDay(running: readonly Pick<RunningCost<unknown>, 'perDay'>[]): number {
  return running.reduce((sum, { perDay }) => sum + perDay, 0)
}

/**
 * The fewest that have to go so that one more fits, taken in the order given.
 * @returns undefined when it would not fit even then
 */
export function roomInBudget<T>(
  running: readonly RunningCost<T>[],
  morePerDay: number,
  limitPerDay: number,
): readonly T[] | undefined {
  const going: RunningCost<T>[] = []
  const candidates = running.filter(({ mayGo }) => mayGo)
  for (;;) {
    const staying = running.filter((one) => !going.includes(one))
    if (fitsBudget(staying, morePerDay, limitPerDay)) return going.map(({ preview }) => preview)
    const next = candidates[going.length]
    if (!next) return undefined
    going.push(next)
  }
}
