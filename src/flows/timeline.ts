import { inSeconds } from '../core/format.ts'
import type { Phase, PhaseResult } from '../report/model.ts'
import type { PhaseName } from '../report/row.ts'

/** What the timeline needs of the log: one group per phase, ended by a line with result and seconds. */
export interface PhaseLog {
  startGroup(title: string): void
  endGroup(): void
  info(text: string): void
}

/** When each phase of a run began and ended, in milliseconds since the epoch. Phases follow one another. */
export class Timeline {
  readonly #now: () => number
  readonly #log: PhaseLog
  readonly #phases: Phase[] = []

  constructor(now: () => number, log: PhaseLog) {
    this.#now = now
    this.#log = log
  }

  get phases(): readonly Phase[] {
    return this.#phases
  }

  /** Begins a phase and ends the one before it, which then counts as done. A phase that runs already just goes on. */
  begin(name: PhaseName, title: string, atMs: number = this.#now()): void {
    const last = this.#phases.at(-1)
    if (last?.result === 'running' && last.name === name) return
    this.end('done', undefined, atMs)
    this.#phases.push({ name, startMs: atMs, result: 'running' })
    this.#log.startGroup(title)
  }

  /** Begins a phase unless it, or one that comes after it, is under way: log lines may come before their phase was seen. */
  ensure(name: PhaseName, title: string): void {
    const last = this.#phases.at(-1)
    if (last?.result !== 'running' || last.name === 'queue') this.begin(name, title)
  }

  /** Ends the phase that runs, if one does. `said` becomes the group's last line. */
  end(result: PhaseResult, said?: string, atMs: number = this.#now()): void {
    const last = this.#phases.at(-1)
    if (last?.result !== 'running') return
    const endMs = Math.max(atMs, last.startMs)
    this.#phases[this.#phases.length - 1] = { ...last, endMs, result }
    this.#log.info(`${said ?? resultWords[result]} (${inSeconds(endMs - last.startMs)})`)
    this.#log.endGroup()
  }

  /** Milliseconds spent in all phases of this name. */
  spentMs(name: PhaseName): number {
    return this.#phases
      .filter((phase) => phase.name === name && phase.endMs !== undefined)
      .reduce((sum, phase) => sum + ((phase.endMs ?? phase.startMs) - phase.startMs), 0)
  }
}

const resultWords: Record<PhaseResult, string> = {
  done: 'Done',
  failed: 'Failed',
  skipped: 'Skipped',
  cancelled: 'Cancelled',
  running: 'Running',
}
