import { capital, formatDollars, formatDuration } from '../core/format.ts'
import type { CardRow, CostView, ForeseenChange, PhaseName, PreviewEnd, RowStatus, Target } from './model.ts'

/** The words and signs for each state. One place, so that comment, summary and log say the same. */

// In this order the states of several services give a card its sign: what most needs somebody comes first.
const STATES: Readonly<Record<RowStatus, { readonly sign: string; readonly predicate: string }>> = {
  failed: { sign: '🔴', predicate: 'failed' },
  unhealthy: { sign: '🔴', predicate: 'is not healthy' },
  'timed-out': { sign: '🔴', predicate: 'timed out' },
  'rolled-back': { sign: '🟠', predicate: 'was rolled back' },
  building: { sign: '🟡', predicate: 'is building' },
  cancelled: { sign: '⚪', predicate: 'was cancelled' },
  superseded: { sign: '⚪', predicate: 'was superseded' },
  live: { sign: '🟢', predicate: 'is live' },
  skipped: { sign: '⚪', predicate: 'was skipped' },
  removed: { sign: '⚪', predicate: 'was removed' },
}

const PHASES: Readonly<Record<PhaseName, string>> = {
  prepare: 'Preparing',
  snapshot: 'Taking the snapshot',
  push: 'Pushing',
  queue: 'Queued',
  build: 'Building',
  'roll-out': 'Rolling out',
  probe: 'Waiting for it to answer',
  settle: 'Finishing',
}

export function statusWords({ status, phase }: Pick<CardRow, 'status' | 'phase'>): string {
  if (status === 'building' && phase !== undefined) return PHASES[phase]
  if (status === 'failed' && (phase === 'build' || phase === 'roll-out' || phase === 'push'))
    return `${capital(phase)} failed`
  return capital(status.replace('-', ' '))
}

export function sign(status: RowStatus): string {
  return STATES[status].sign
}

/** `true` for the states that end a run red. */
export function isBad(status: RowStatus): boolean {
  return ['failed', 'unhealthy', 'timed-out', 'rolled-back'].includes(status)
}

/** The one line that says it all: `🟢 Preview is live`, `🔴 2 of 3 previews failed`. */
export function headline(rows: readonly CardRow[]): string {
  const worst = (Object.keys(STATES) as RowStatus[]).find((status) => rows.some((row) => row.status === status))
  if (worst === undefined) return '⚪ Nothing is deployed'
  const affected = rows.filter((row) => row.status === worst).length
  const { sign, predicate: one } = STATES[worst]
  const many = one.replace(/^is /, 'are ').replace(/^was /, 'were ')
  if (rows.length === 1) return `${sign} ${capital(noun(rows, 1))} ${one}`
  if (affected === rows.length) return `${sign} ${rows.length} ${noun(rows, 2)} ${many}`
  const predicate = affected === 1 ? one : many
  const still = worst === 'building' ? predicate.replace(' ', ' still ') : predicate
  return `${sign} ${affected} of ${rows.length} ${noun(rows, 2)} ${still}`
}

function noun(rows: readonly CardRow[], n: number): string {
  const targets = new Set(rows.map((row) => (row.target.startsWith('pr-') ? 'preview' : targetWords(row.target))))
  if (targets.size > 1) return 'services'
  const [target = 'preview'] = targets
  if (target === 'preview') return n === 1 ? 'preview' : 'previews'
  return n === 1 ? target : `${target} services`
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
