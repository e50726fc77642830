import { formatDuration } from '../core/format.ts'
import type { Phase, PhaseName, PhaseResult } from './model.ts'

/** The phases of a run as a Mermaid Gantt chart, which GitHub draws. All its text is ours, so nothing needs escaping. */

const DAY_MS = 86_400_000

const NAMES: Readonly<Record<PhaseName, string>> = {
  prepare: 'Prepare',
  snapshot: 'Snapshot',
  push: 'Push',
  queue: 'Queue',
  build: 'Build',
  'roll-out': 'Roll-out',
  probe: 'Probe',
  settle: 'Settle',
}

// Mermaid greys out what is tagged as done, so that would be nearly all of it.
const TAGS: Readonly<Record<PhaseResult, string>> = {
  done: '',
  failed: 'crit, ',
  cancelled: 'crit, ',
  skipped: '',
  running: 'active, ',
}

/** Lines of the chart, or none when nothing took any time. `nowMs` (epoch) ends what still runs. */
export function ganttLines(phases: readonly Phase[], nowMs: number): string[] {
  const shown = phases.filter((phase) => phase.result !== 'skipped')
  const [first] = shown
  if (first === undefined) return []
  const totalMs = Math.max(...shown.map((phase) => phase.endMs ?? nowMs)) - first.startMs
  return [
    'gantt',
    // Mermaid reads and writes times in the reader's zone; clock times that begin at midnight look the same in all of them.
    '  dateFormat HH:mm:ss.SSS',
    ...axisLines(totalMs),
    ...shown.map((phase) => ganttLine(phase, first.startMs, nowMs)),
  ]
}

const TICKS: readonly (readonly [ms: number, interval: string])[] = [
  ...[10, 20, 50, 100, 200, 500].map((ms) => [ms, `${ms}millisecond`] as const),
  ...[1, 2, 5, 10, 15, 30].map((seconds) => [seconds * 1000, `${seconds}second`] as const),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => [minutes * 60_000, `${minutes}minute`] as const),
]
const MOST_TICKS = 8

/** As many ticks as have room, and each with a label of its own. */
function axisLines(totalMs: number): string[] {
  const [ms, interval] = TICKS.find(([tickMs]) => totalMs <= tickMs * MOST_TICKS) ?? [3_600_000, '1hour']
  const format = ms < 1000 ? '%-S.%L s' : ms < 3_600_000 && totalMs < 3_600_000 ? '%M:%S' : '%H:%M'
  return [`  axisFormat ${format}`, `  tickInterval ${interval}`]
}

// Times count from the start of the run, so that the axis reads as minutes and seconds into it.
function ganttLine(phase: Phase, originMs: number, nowMs: number): string {
  const startMs = Math.max(0, Math.round(phase.startMs - originMs))
  const endMs = Math.max(startMs, Math.round((phase.endMs ?? nowMs) - originMs))
  const failed = phase.result === 'failed' || phase.result === 'cancelled' ? ` ${phase.result}` : ''
  return `  ${NAMES[phase.name]}${failed} ${formatDuration(endMs - startMs)} :${TAGS[phase.result]}${clockTime(startMs)}, ${clockTime(endMs)}`
}

// A run ends within a day: GitHub kills jobs after six hours unless they have a runner of their own.
function clockTime(ms: number): string {
  const withinDay = Math.min(ms, DAY_MS - 1)
  return new Date(withinDay).toISOString().slice('1970-01-01T'.length, -1)
}

/** The phases in one line, for logs and readers of plain text: `snapshot 1.2 s · push 3 s · build 41 s`. */
export function phaseLine(phases: readonly Phase[]): string {
  return phases
    .filter((phase) => phase.endMs !== undefined && phase.result !== 'skipped')
    .map(
      (phase) => `${NAMES[phase.name].toLowerCase()} ${formatDuration((phase.endMs ?? phase.startMs) - phase.startMs)}`,
    )
    .join(' · ')
}
