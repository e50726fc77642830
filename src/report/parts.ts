import type { RootContent } from 'mdast'
import { capital, count, formatBytes, formatDollars, formatDuration, shortSha } from '../core/format.ts'
import * as md from './markdown.ts'
import { given, ifAny } from './markdown.ts'
import type {
  CardRow,
  CostView,
  DiagnosisView,
  DomainView,
  ForeseenChange,
  LastWorking,
  PhaseName,
  PreviewEnd,
  RowStatus,
  Target,
} from './model.ts'
import type { LogBudget } from './state.ts'

/** Words, signs and parts that comment, summary and log share, so that all say the same. */

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
export function formatCost({ perDay, basis }: CostView): string {
  return `${basis}: about ${formatDollars(perDay)} a day, ${formatDollars(perDay * 30)} a month (an estimate)`
}

/** A change as words: `256Mi → 512Mi`. Values of many lines become one. */
export function changeWords({ from, to }: ForeseenChange): string {
  const [old, now] = [from, to].map((text) => text?.trim().replaceAll(/\s*\n\s*/g, ', '))
  if (old === undefined) return now ?? 'not set'
  return `${old} → ${now ?? 'not set'}`
}

/** The status, `signed` with its coloured sign, and below it in small print the answer and the build time. */
export function statusCell(row: CardRow, signed: boolean): md.Inline[] {
  const words = signed ? `${sign(row.status)} ${statusWords(row)}` : statusWords(row)
  const measured = md.dotted([healthWords(row), buildWords(row)])
  return measured.length === 0 ? [words] : [words, md.html('<br>'), ...md.small(...measured)]
}

function healthWords(row: CardRow): md.Inline[] {
  if (row.health !== undefined) {
    const { status, latencyMs, tools } = row.health
    const answer = `HTTP ${status} in ${formatDuration(latencyMs)}`
    return [tools === undefined ? answer : `${answer} · ${count(tools, 'MCP tool')}`]
  }
  if (row.status !== 'live') return []
  if (row.probe === 'off') return ['not probed']
  return row.probe === 'no-url' ? ['no public address'] : []
}

function buildWords(row: CardRow): md.Inline[] {
  if (row.cached === true) return ['image reused']
  return row.buildMs === undefined ? [] : [`built in ${formatDuration(row.buildMs)}`]
}

/**
 * The address of a row. Only what serves this very commit is linked in bold; while a build runs and after a rollback
 * the link leads to the version that worked last, and says which that is.
 */
export function addressCell(row: CardRow): md.Inline[] {
  if (row.status === 'live' && row.url !== undefined) return [md.strong(...hostLink(row.url))]
  if (row.status === 'unhealthy' && row.url !== undefined) return hostLink(row.url)
  const { lastWorking: last, status } = row
  const stays = servesMeanwhile(row) || status === 'failed' || status === 'timed-out'
  if (last?.url === undefined || last.stillLive !== true || !stays) return ['–']
  return [...hostLink(last.url), ' at ', md.code(shortSha(last.commit))]
}

// Where it failed for good, a sentence of its own says so.
function servesMeanwhile({ status, lastWorking: last }: CardRow): boolean {
  return last?.url !== undefined && last.stillLive === true && (status === 'building' || status === 'rolled-back')
}

/** Host and path of an address, linked to it. */
export function hostLink(address: string): md.Inline[] {
  const url = md.normalAddress(address)
  if (url === undefined) return [md.cellCode(address)]
  const path = url.pathname === '/' ? '' : url.pathname
  return md.link(address, ...md.prose(url.host + path, 120))
}

/** A commit as short code, linked to the repository's page of it. */
export function commitLink(sha: string, repositoryUrl: string): md.Inline[] {
  const isSha = /^[0-9a-f]{7,64}$/i.test(sha)
  return isSha ? md.link(`${repositoryUrl}/commit/${sha}`, md.code(shortSha(sha))) : [md.cellCode(sha, 12)]
}

/** Why a row is not live: the reason, the diagnosis with its log, what took its place, what worked last. */
export function reasonBlocks(row: CardRow, repositoryUrl: string, budget: LogBudget): RootContent[] {
  const { status, supersededBy, reason, diagnosis, lastWorking } = row
  if (status === 'live' || status === 'building') return []
  const last = status === 'removed' || servesMeanwhile(row) ? undefined : lastWorking
  return [
    ...given(supersededBy, (by) => [md.paragraph('Superseded by ', ...commitLink(by, repositoryUrl), '.')]),
    ...given(supersededBy === undefined ? reason : undefined, (why) => [md.paragraph(...md.sentence(why))]),
    ...given(isBad(status) ? diagnosis : undefined, (found) => diagnosisBlocks(found, budget)),
    ...given(last, (version) => [lastWorkingLine(version, status !== 'unhealthy', repositoryUrl)]),
  ]
}

// What is unhealthy has taken the place of what worked, under the same address.
function lastWorkingLine(last: LastWorking, mayServe: boolean, repositoryUrl: string): RootContent {
  const serves = last.stillLive === true && mayServe && last.url !== undefined
  const where = serves ? [', still live at ', ...hostLink(last.url)] : []
  return labelledParagraph('Last working:', [...commitLink(last.commit, repositoryUrl), ...where])
}

/** A paragraph that says in bold what it is about. */
export function labelledParagraph(label: string, said: readonly md.Inline[]): RootContent {
  return md.paragraph(md.strong(label), ' ', ...said)
}

/** Cause, hint, the decisive lines, and the end of the log folded. */
function diagnosisBlocks(diagnosis: DiagnosisView, budget: LogBudget): RootContent[] {
  const decisive = md.excerpt(diagnosis.decisive, 'start', budget.decisive)
  const tail = md.excerpt(diagnosis.tail, 'end', budget.tail)
  return [
    labelledParagraph('Why:', md.prose(diagnosis.cause)),
    ...(diagnosis.hint.trim() === '' ? [] : [labelledParagraph('What to do:', md.prose(diagnosis.hint))]),
    ...ifAny(decisive, (lines) => [md.block(lines, 'text')]),
    ...ifAny(tail, (lines) => md.folded(`End of the log (${count(lines.length, 'line')})`, md.block(lines, 'text'))),
  ]
}

/** What else there is to know of a row: remark, database, domain, change; DNS records still to be set as a table. */
export function sideBlocks(row: CardRow): RootContent[] {
  const lines = [
    ...given(row.note, (note) => [md.sentence(note)]),
    ...given(row.status === 'removed' ? undefined : row.database, (name) => [['Database ', md.code(name)]]),
    ...given(row.domain, (domain) => [domainLine(domain)]),
    ...given(row.status === 'live' ? figureWords(row) : undefined, (change) => [[change]]),
  ]
  const records = row.domain?.status === 'active' ? [] : (row.domain?.records ?? [])
  return [
    ...ifAny(lines, ([only = [], ...more]) =>
      more.length === 0 ? [md.paragraph(...only)] : [md.list([only, ...more])],
    ),
    ...ifAny(records, (missing) => [recordTable(missing)]),
  ]
}

function domainLine(domain: DomainView): md.Inline[] {
  const error = given(domain.error, (why) => [': ', ...md.prose(why, 200)])
  const label = md.code(domain.name)
  const name = domain.status === 'active' ? md.link(`https://${domain.name}`, label) : [label]
  return ['Domain ', ...name, ' is ', ...md.prose(domain.status || 'unknown', 40), ...error]
}

function recordTable(records: NonNullable<DomainView['records']>): RootContent {
  const rows = records
    .slice(0, 10)
    .map((record) => [[md.cellCode(record.type)], [md.cellCode(record.name, 255)], [md.cellCode(record.content, 255)]])
  return md.table(['Set this DNS record', 'Name', 'Content'], rows)
}

// Less than these is the weather, and not what was changed.
const NOTABLE_MS = 1000
const NOTABLE_BUILD_SHARE = 0.1
const NOTABLE_BYTES = 1000
const NOTABLE_SIZE_SHARE = 0.01

/** How the figures differ from those of the version before; undefined where they do not. */
function figureWords({ buildMs, bytes, change }: CardRow): string | undefined {
  const slowerMs = difference(buildMs, change?.buildMsBefore, NOTABLE_MS, NOTABLE_BUILD_SHARE)
  const more = difference(bytes, change?.bytesBefore, NOTABLE_BYTES, NOTABLE_SIZE_SHARE)
  const parts = [
    slowerMs && `built ${formatDuration(Math.abs(slowerMs))} ${slowerMs > 0 ? 'slower' : 'faster'} than before`,
    more &&
      `${formatBytes(bytes ?? 0)} of files, ${formatBytes(Math.abs(more))} ${more > 0 ? 'more' : 'less'} than before`,
  ]
  return capital(parts.filter(Boolean).join('; ')) || undefined
}

/** How much more there is now; zero where it is not worth a word. */
function difference(now: number | undefined, before: number | undefined, least: number, leastShare: number): number {
  if (now === undefined || before === undefined) return 0
  const more = now - before
  return Math.abs(more) >= Math.max(least, before * leastShare) ? more : 0
}
