import { formatDollars, formatDuration } from '../core/format.ts'
import type { CardRow, CostView, ForeseenChange, PhaseName, PreviewEnd, RowStatus, Target } from './model.ts'

/** The words and signs for each state. One place, so that comment, summary and log say the same. */

const SIGNS: Readonly<Record<RowStatus, string>> = {
  building: '🟡',
  live: '🟢',
  failed: '🔴',
  unhealthy: '🔴',
  'timed-out': '🔴',
  'rolled-back': '🟠',
  superseded: '⚪',
  cancelled: '⚪',
  skipped: '⚪',
  removed: '⚪',
}

// Of several services the state that most needs somebody gives the card its sign.
const URGENCY: readonly RowStatus[] = [
  'failed',
  'unhealthy',
  'timed-out',
  'rolled-back',
  'building',
  'cancelled',
  'superseded',
  'live',
  'skipped',
  'removed',
]

const PHASE_WORDS: Readonly<Record<PhaseName, string>> = {
  prepare: 'Preparing',
  snapshot: 'Taking the snapshot',
  push: 'Pushing',
  queue: 'Queued',
  build: 'Building',
  'roll-out': 'Rolling out',
  probe: 'Waiting for it to answer',
  settle: 'Finishing',
}

const STATUS_WORDS: Readonly<Record<RowStatus, string>> = {
  building: 'Building',
  live: 'Live',
  failed: 'Failed',
  unhealthy: 'Unhealthy',
  'timed-out': 'Timed out',
  'rolled-back': 'Rolled back',
  superseded: 'Superseded',
  cancelled: 'Cancelled',
  skipped: 'Skipped',
  removed: 'Removed',
}

const PREDICATES: Readonly<Record<RowStatus, { readonly one: string; readonly many: string }>> = {
  building: { one: 'is building', many: 'are building' },
  live: { one: 'is live', many: 'are live' },
  failed: { one: 'failed', many: 'failed' },
  unhealthy: { one: 'is not healthy', many: 'are not healthy' },
  'timed-out': { one: 'timed out', many: 'timed out' },
  'rolled-back': { one: 'was rolled back', many: 'were rolled back' },
  superseded: { one: 'was superseded', many: 'were superseded' },
  cancelled: { one: 'was cancelled', many: 'were cancelled' },
  skipped: { one: 'was skipped', many: 'were skipped' },
  removed: { one: 'was removed', many: 'were removed' },
}

/** What a state is called in a table. */
export function statusWords(row: Pick<CardRow, 'status' | 'phase'>): string {
  if (row.status === 'building' && row.phase !== undefined) return PHASE_WORDS[row.phase]
  if (row.status === 'failed' && row.phase === 'build') return 'Build failed'
  if (row.status === 'failed' && row.phase === 'roll-out') return 'Roll-out failed'
  if (row.status === 'failed' && row.phase === 'push') return 'Push failed'
  return STATUS_WORDS[row.status]
}

/** The coloured sign of a state. */
export function sign(status: RowStatus): string {
  return SIGNS[status]
}

/** `true` for the states that end a run red. */
export function isBad(status: RowStatus): boolean {
  return status === 'failed' || status === 'unhealthy' || status === 'timed-out' || status === 'rolled-back'
}

/** The one line that says it all: `🟢 Preview is live`, `🔴 2 of 3 previews failed`. */
export function headline(rows: readonly CardRow[]): string {
  const worst = mostUrgent(rows)
  if (worst === undefined) return '⚪ Nothing is deployed'
  const affected = rows.filter((row) => row.status === worst).length
  const words = PREDICATES[worst]
  if (rows.length === 1) return `${SIGNS[worst]} ${capital(noun(rows, 1))} ${words.one}`
  if (affected === rows.length) return `${SIGNS[worst]} ${rows.length} ${noun(rows, 2)} ${words.many}`
  const predicate = affected === 1 ? words.one : words.many
  const still = worst === 'building' ? predicate.replace(' ', ' still ') : predicate
  return `${SIGNS[worst]} ${affected} of ${rows.length} ${noun(rows, 2)} ${still}`
}

function mostUrgent(rows: readonly CardRow[]): RowStatus | undefined {
  return URGENCY.find((status) => rows.some((row) => row.status === status))
}

function noun(rows: readonly CardRow[], n: number): string {
  const targets = new Set(rows.map((row) => (row.target.startsWith('pr-') ? 'preview' : targetWords(row.target))))
  if (targets.size > 1) return 'services'
  const [target = 'preview'] = targets
  if (target === 'preview') return n === 1 ? 'preview' : 'previews'
  return n === 1 ? target : `${target} services`
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

/** What ends a preview, as the workflow has it. */
export function removalWords(removal: PreviewEnd): string {
  if (typeof removal === 'object')
    return `removed by ml.ink ${formatDuration(removal.expiresAfterMs)} after its deployment`
  return {
    closing: 'removed when this pull request closes',
    sweep: 'removed by the next sweep once this pull request is closed',
    nothing: 'stays when this pull request closes: the workflow does not run then',
  }[removal]
}

/** What a run goes to. @param environment as the file names it */
export function targetFor(pullRequest: number | undefined, environment: string | undefined): Target {
  if (pullRequest !== undefined) return `pr-${pullRequest}`
  return environment === undefined ? 'production' : `env-${environment}`
}

/** The target as a reader calls it: `production`, `pull request 12`, `staging`. */
export function targetWords(target: Target): string {
  if (target.startsWith('env-')) return target.slice('env-'.length)
  return target === 'production' ? 'production' : `pull request ${target.slice('pr-'.length)}`
}

/** `2 open previews: about $0.68 a day, $20.40 a month (an estimate)`. */
export function formatCost({ perDay, perMonth, basis }: CostView): string {
  const month = perMonth === undefined ? '' : `, ${formatDollars(perMonth)} a month`
  return `${basis === undefined ? '' : `${basis}: `}about ${formatDollars(perDay)} a day${month} (an estimate)`
}

/** A change as words: `256Mi → 512Mi`. Values of many lines become one. */
export function changeWords({ from, to }: ForeseenChange): string {
  const [old, now] = [from, to].map((text) => text?.trim().replaceAll(/\s*\n\s*/g, ', '))
  if (old === undefined) return now ?? 'not set'
  return `${old} → ${now ?? 'not set'}`
}
