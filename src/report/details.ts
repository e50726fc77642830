import type { PhrasingContent, RootContent } from 'mdast'
import { count, formatBytes, formatDuration, shortSha } from '../core/format.ts'
import {
  block,
  cellCode,
  code,
  dotted,
  type ExcerptLimits,
  excerpt,
  folded,
  html,
  link,
  list,
  normalAddress,
  paragraph,
  prose,
  sentence,
  small,
  strong,
  table,
  text,
} from './markdown.ts'
import type { CardRow, ChangeView, DiagnosisView, DomainView, LastWorking } from './model.ts'
import { isBad, sign, statusWords } from './wording.ts'

/** Parts that the comment and the job summary share. */

/** How much of a log is shown. */
export interface LogBudget {
  readonly decisive: ExcerptLimits
  readonly tail: ExcerptLimits
}

/** The status, `signed` with its coloured sign, and below it in small print the answer and the build time. */
export function statusCell(row: CardRow, signed: boolean): PhrasingContent[] {
  const words = text(signed ? `${sign(row.status)} ${statusWords(row)}` : statusWords(row))
  const measured = dotted([healthWords(row), buildWords(row)])
  return measured.length === 0 ? [words] : [words, html('<br>'), ...small(...measured)]
}

function healthWords(row: CardRow): PhrasingContent[] {
  if (row.health !== undefined) {
    const { status, latencyMs, tools } = row.health
    const answer = `HTTP ${status} in ${formatDuration(latencyMs)}`
    return [text(tools === undefined ? answer : `${answer} · ${count(tools, 'MCP tool')}`)]
  }
  if (row.status !== 'live') return []
  if (row.probe === 'off') return [text('not probed')]
  return row.probe === 'no-url' ? [text('no public address')] : []
}

function buildWords(row: CardRow): PhrasingContent[] {
  if (row.cached === true) return [text('image reused')]
  return row.buildMs === undefined ? [] : [text(`built in ${formatDuration(row.buildMs)}`)]
}

/**
 * The address of a row. Only what serves this very commit is linked in bold; while a build runs and after a rollback
 * the link leads to the version that worked last, and says which that is.
 */
export function addressCell(row: CardRow): PhrasingContent[] {
  if (row.status === 'live' && row.url !== undefined) return [strong(...hostLink(row.url))]
  if (row.status === 'unhealthy' && row.url !== undefined) return hostLink(row.url)
  const { lastWorking: last, status } = row
  const stays = servesMeanwhile(row) || status === 'failed' || status === 'timed-out'
  if (last?.url === undefined || last.stillLive !== true || !stays) return [text('–')]
  return [...hostLink(last.url), text(' at '), code(shortSha(last.commit))]
}

// Where it failed for good, a sentence of its own says so.
function servesMeanwhile({ status, lastWorking: last }: CardRow): boolean {
  return last?.url !== undefined && last.stillLive === true && (status === 'building' || status === 'rolled-back')
}

/** Host and path of an address, linked to it. */
export function hostLink(address: string): PhrasingContent[] {
  const url = normalAddress(address)
  if (url === undefined) return [cellCode(address)]
  const path = url.pathname === '/' ? '' : url.pathname
  return link(address, ...prose(url.host + path, 120))
}

/** A commit as short code, linked to the repository's page of it. */
export function commitLink(sha: string, repositoryUrl: string): PhrasingContent[] {
  const isSha = /^[0-9a-f]{7,64}$/i.test(sha)
  return isSha ? link(`${repositoryUrl}/commit/${sha}`, code(shortSha(sha))) : [cellCode(sha, 12)]
}

/** Why a row is not live: the reason, the diagnosis with its log, what took its place, what worked last. */
export function reasonBlocks(row: CardRow, repositoryUrl: string, budget: LogBudget): RootContent[] {
  const { supersededBy, reason, diagnosis, lastWorking: last } = row
  if (row.status === 'live' || row.status === 'building') return []
  return [
    ...(supersededBy === undefined
      ? []
      : [paragraph(text('Superseded by '), ...commitLink(supersededBy, repositoryUrl), text('.'))]),
    ...(reason === undefined || supersededBy !== undefined ? [] : [paragraph(...sentence(reason))]),
    ...(diagnosis === undefined || !isBad(row.status) ? [] : diagnosisBlocks(diagnosis, budget)),
    ...(last === undefined || row.status === 'removed' || servesMeanwhile(row)
      ? []
      : [lastWorkingLine(last, row.status !== 'unhealthy', repositoryUrl)]),
  ]
}

// What is unhealthy has taken the place of what worked, under the same address.
function lastWorkingLine(last: LastWorking, mayServe: boolean, repositoryUrl: string): RootContent {
  const serves = last.stillLive === true && mayServe && last.url !== undefined
  const where = serves ? [text(', still live at '), ...hostLink(last.url)] : []
  return paragraph(strong(text('Last working:')), text(' '), ...commitLink(last.commit, repositoryUrl), ...where)
}

/** Cause, hint, the decisive lines, and the end of the log folded. */
function diagnosisBlocks(diagnosis: DiagnosisView, budget: LogBudget): RootContent[] {
  const decisive = excerpt(diagnosis.decisive, 'start', budget.decisive)
  const tail = excerpt(diagnosis.tail, 'end', budget.tail)
  const advice =
    diagnosis.hint.trim() === '' ? [] : [paragraph(strong(text('What to do:')), text(' '), ...prose(diagnosis.hint))]
  return [
    paragraph(strong(text('Why:')), text(' '), ...prose(diagnosis.cause)),
    ...advice,
    ...(decisive.length === 0 ? [] : [block(decisive, 'text')]),
    ...(tail.length === 0 ? [] : folded(`End of the log (${count(tail.length, 'line')})`, block(tail, 'text'))),
  ]
}

/** What else there is to know of a row: remark, database, domain, change; DNS records still to be set as a table. */
export function sideBlocks(row: CardRow): RootContent[] {
  const lines: PhrasingContent[][] = []
  if (row.note !== undefined) lines.push(sentence(row.note))
  if (row.database !== undefined && row.status !== 'removed') lines.push([text('Database '), code(row.database)])
  if (row.domain !== undefined) lines.push(domainLine(row.domain))
  const change = row.status === 'live' && row.change !== undefined ? changeWords(row, row.change) : ''
  if (change !== '') lines.push([text(change)])
  const records = row.domain?.status === 'active' ? [] : (row.domain?.records ?? [])
  const [only] = lines
  const said = only !== undefined && lines.length === 1 ? [paragraph(...only)] : lines.length === 0 ? [] : [list(lines)]
  return [...said, ...(records.length === 0 ? [] : [recordTable(records)])]
}

function domainLine(domain: DomainView): PhrasingContent[] {
  const error = domain.error === undefined ? [] : [text(': '), ...prose(domain.error, 200)]
  const label = code(domain.name)
  const name = domain.status === 'active' ? link(`https://${domain.name}`, label) : [label]
  return [text('Domain '), ...name, text(' is '), ...prose(domain.status || 'unknown', 40), ...error]
}

function recordTable(records: NonNullable<DomainView['records']>): RootContent {
  const rows = records
    .slice(0, 10)
    .map((record) => [[cellCode(record.type)], [cellCode(record.name, 255)], [cellCode(record.content, 255)]])
  return table(['Set this DNS record', 'Name', 'Content'], rows)
}

// Less than these is the weather, and not what was changed.
const NOTABLE_MS = 1000
const NOTABLE_BUILD_SHARE = 0.1
const NOTABLE_BYTES = 1000
const NOTABLE_SIZE_SHARE = 0.01

function changeWords({ buildMs, bytes }: CardRow, { buildMsBefore, bytesBefore }: ChangeView): string {
  const parts: string[] = []
  const slowerMs = difference(buildMs, buildMsBefore, NOTABLE_MS, NOTABLE_BUILD_SHARE)
  if (slowerMs !== 0)
    parts.push(`built ${formatDuration(Math.abs(slowerMs))} ${slowerMs > 0 ? 'slower' : 'faster'} than before`)
  const moreBytes = difference(bytes, bytesBefore, NOTABLE_BYTES, NOTABLE_SIZE_SHARE)
  if (bytes !== undefined && moreBytes !== 0)
    parts.push(
      `${formatBytes(bytes)} of files, ${formatBytes(Math.abs(moreBytes))} ${moreBytes > 0 ? 'more' : 'less'} than before`,
    )
  const sentence = parts.join('; ')
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}

/** How much more there is now; zero where it is not worth a word. */
function difference(now: number | undefined, before: number | undefined, least: number, leastShare: number): number {
  if (now === undefined || before === undefined) return 0
  const more = now - before
  return Math.abs(more) >= Math.max(least, before * leastShare) ? more : 0
}
