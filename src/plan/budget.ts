/** A preview that runs, as far as its cost matters. Dollars. */
export interface RunningCost<T> {
  readonly preview: T
  readonly perDay: number
  /** Whether it may be removed to make room for another. */
  readonly mayGo: boolean
}

// A sum of rates is not exact to the last bit.
const hair = 1e-9

/** Whether what runs already and one more stay within a limit of dollars a day. */
export function fitsBudget(running: readonly RunningCost<unknown>[], morePerDay: number, limitPerDay: number): boolean {
  return sumPerDay(running) + morePerDay <= limitPerDay + hair
}

/** What a day of all of them costs. */
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
