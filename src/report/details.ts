import type { PhrasingContent, RootContent } from 'mdast'
import { defuse, type ExcerptLimits, excerpt, oneLine, prose, webAddress } from './foreign-text.ts'
import { count, formatBytes, formatDuration, shortSha } from './format.ts'
import { block, cellCode, code, dotted, folded, link, list, paragraph, strong, table, text } from './markdown.ts'
import type { CardRow, ChangeView, DiagnosisView, DomainView, LastWorking } from './model.ts'
import { isBad, sign, statusWords } from './wording.ts'

/** Parts that the comment and the job summary share. */

/** How much of a log is shown. */
export interface LogBudget {
  readonly decisive: ExcerptLimits
  readonly tail: ExcerptLimits
}

/** Status, answer and build time in one cell: `Live · HTTP 200 in 143 ms · built in 41 s`; `signed` with its coloured sign. */
export function statusCell(row: CardRow, signed: boolean): PhrasingContent[] {
  const words = signed ? `${sign(row.status)} ${statusWords(row)}` : statusWords(row)
  return dotted([[text(words)], healthWords(row), buildWords(row)])
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
 * The address of a row. Only what serves this very commit is linked in bold; while a build runs or after it failed
 * the link leads to the version that worked last, and says which that is.
 */
export function addressCell(row: CardRow): PhrasingContent[] {
  if (row.status === 'live' && row.url !== undefined) return [strong(...hostLink(row.url))]
  if (row.status === 'unhealthy' && row.url !== undefined) return hostLink(row.url)
  const last = row.lastWorking
  if (last?.url !== undefined && last.stillLive === true && row.status !== 'removed') {
    return [...hostLink(last.url), text(' at '), code(shortSha(last.commit))]
  }
  return [text('–')]
}

function hostLink(address: string): PhrasingContent[] {
  const url = webAddress(address)
  if (url === undefined) return [cellCode(address)]
  const path = url.pathname === '/' ? '' : url.pathname
  return link(address, text(defuse(oneLine(url.host + path, 120))))
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
      : [paragraph(text('Superseded by '), ...commitLink(supersededBy, repositoryUrl))]),
    ...(reason === undefined || supersededBy !== undefined ? [] : [paragraph(...prose(reason))]),
    ...(diagnosis === undefined || !isBad(row.status) ? [] : diagnosisBlocks(diagnosis, budget)),
    ...(last === undefined || row.status === 'removed'
      ? []
      : [lastWorkingLine(last, row.status !== 'unhealthy', repositoryUrl)]),
  ]
}

// What is unhealthy has taken the place of what worked, under the same address.
function lastWorkingLine(last: LastWorking, mayServe: boolean, repositoryUrl: string): RootContent {
  const where = last.stillLive === true && mayServe ? [text(', '), ...link(last.url, text('still live'))] : []
  return paragraph(text('Last working: '), ...commitLink(last.commit, repositoryUrl), ...where)
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
  if (row.note !== undefined) lines.push(prose(row.note))
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
  return [text('Domain '), ...name, text(' is '), text(defuse(oneLine(domain.status, 40)) || 'unknown'), ...error]
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
