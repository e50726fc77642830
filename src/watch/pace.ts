/** How often to look, and how long to wait after a failure. All times in milliseconds. */

const AFTER_CHANGE_MS = 250
const SHORTEST_MS = 1_000
const LONGEST_MS = 5_000
/** A pause of 4 % of the phase's age makes the end seen 2 % late on average, whatever the length of the build. */
const SHARE_OF_PHASE = 0.04
const FIRST_BACKOFF_MS = 1_000
const LONGEST_BACKOFF_MS = 15_000

/** Spreads a pause by ±15 %, so that jobs started by one push do not ask in step. `random` yields [0, 1). */
export function jittered(ms: number, random: () => number): number {
  return Math.round(ms * (0.85 + 0.3 * random()))
}

/**
 * The pause before the next reading: short after a change, since changes come in rows, then growing with the age of
 * the phase from 1 s to 5 s.
 */
export function pauseBeforeReading(phaseAgeMs: number, changed: boolean, random: () => number): number {
  const steady = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, phaseAgeMs * SHARE_OF_PHASE))
  return jittered(changed ? AFTER_CHANGE_MS : steady, random)
}

/** The pause after the `failures`-th failure in a row (from 1); never shorter than the platform asked for. */
export function pauseAfterFailure(failures: number, retryAfterMs: number | undefined, random: () => number): number {
  const backoff = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1))
  return Math.max(jittered(backoff, random), retryAfterMs ?? 0)
}

/** Failures in a row after which the platform counts as unreachable. */
export const FAILURES_IN_A_ROW = 12
/** Time spent waiting because of failures, over the whole watch, after which the platform counts as unreachable. */
export const FAILURE_TIME_MS = 5 * 60_000

/** Counts failures against a budget of failures in a row and of total time. */
export interface ErrorBudget {
  /** @returns the number of failures in a row, this one included, and whether the budget is spent. */
  failed(): { inARow: number; spent: boolean }
  /** Books time lost to failures. */
  waited(ms: number): void
  succeeded(): void
}

/** A fresh budget of {@link FAILURES_IN_A_ROW} failures in a row and {@link FAILURE_TIME_MS} of waiting. */
export function errorBudget(): ErrorBudget {
  let inARow = 0
  let lostMs = 0
  return {
    failed() {
      inARow += 1
      return { inARow, spent: inARow >= FAILURES_IN_A_ROW || lostMs >= FAILURE_TIME_MS }
    },
    waited(ms) {
      lostMs += ms
    },
    succeeded() {
      inARow = 0
    },
  }
}
