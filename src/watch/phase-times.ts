import type { WaitingPhase, WatchTimings } from './verdict.ts'

/** Books the time of a watch on the phase that was seen last. All times in milliseconds. */
export interface PhaseTimes {
  readonly current: WaitingPhase
  /** Age of the current phase. */
  ageMs(atMs: number): number
  /** @returns whether this is another phase than before. */
  enter(phase: WaitingPhase, atMs: number): boolean
  perPhaseMs(atMs: number): Record<WaitingPhase, number>
  timings(atMs: number, buildTrace: 'none' | 'lines' | 'skipped'): WatchTimings
}

/** Starts in the phase `triggering` at `startMs` (ms since the epoch). */
export function phaseTimes(startMs: number): PhaseTimes {
  const spent: Record<WaitingPhase, number> = { triggering: 0, queued: 0, building: 0, 'rolling-out': 0 }
  let current: WaitingPhase = 'triggering'
  let since = startMs
  let sawBuild = false
  const perPhaseMs = (atMs: number) => ({ ...spent, [current]: spent[current] + (atMs - since) })
  return {
    get current() {
      return current
    },
    ageMs: (atMs) => atMs - since,
    enter(phase, atMs) {
      sawBuild ||= phase === 'building'
      if (phase === current) return false
      spent[current] += atMs - since
      current = phase
      since = atMs
      return true
    },
    perPhaseMs,
    timings(atMs, buildTrace) {
      const now = perPhaseMs(atMs)
      return {
        queuedMs: now.queued,
        buildMs: now.building,
        rolloutMs: now['rolling-out'],
        totalMs: atMs - startMs,
        fromCache: buildTrace === 'skipped' || (buildTrace === 'none' && !sawBuild),
      }
    },
  }
}
