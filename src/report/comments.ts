import { createHash } from 'node:crypto'
import type { RootContent } from 'mdast'
import { formatDollars, formatDuration, formatUtc } from '../core/format.ts'
import * as md from './markdown.ts'
import { given, ifAny } from './markdown.ts'
import type { CardRow, Surroundings } from './model.ts'
import {
  addressCell,
  commitLink,
  headline,
  hostLink,
  reasonBlocks,
  removalWords,
  sideBlocks,
  statusCell,
} from './parts.ts'
import {
  authenticState,
  boundedRow,
  CARD_MARKER,
  decodeState,
  encodeState,
  isOfLaterRun,
  type LogBudget,
  mergeRow,
  mergeRows,
  sameDeployment,
  sealedPart,
  withSeal,
} from './state.ts'

/** GitHub refuses comments beyond 65 536 characters; this leaves room for what it may add. */
export const MAX_CARD_CHARS = 60_000

const MAX_ROWS = 50

const NOTHING = { maxLines: 0, maxLineChars: 0 }
const FULL_LOG: LogBudget = { decisive: { maxLines: 12, maxLineChars: 300 }, tail: { maxLines: 40, maxLineChars: 200 } }
const NO_LOG: LogBudget = { decisive: NOTHING, tail: NOTHING }

// Tried from the richest on.
const LOG_BUDGETS: readonly LogBudget[] = [
  FULL_LOG,
  { decisive: { maxLines: 8, maxLineChars: 200 }, tail: { maxLines: 15, maxLineChars: 160 } },
  { decisive: { maxLines: 4, maxLineChars: 160 }, tail: NOTHING },
  NO_LOG,
]

/**
 * The comment for these rows, hidden marker and state included, at most {@link MAX_CARD_CHARS} long.
 * Rendering what {@link decodeState} reads back gives the same text. `kept` is carried in place of the rows' own state.
 */
export function renderCard(rows: readonly CardRow[], surroundings: Surroundings, kept?: string): string {
  let shown = newest(rows, MAX_ROWS)
  for (const budget of LOG_BUDGETS) {
    const body = renderWithin(shown, surroundings, budget, kept)
    if (body.length <= MAX_CARD_CHARS) return body
  }
  // Without any log: as many of the newest rows as fit.
  for (;;) {
    shown = newest(shown, Math.max(1, Math.floor(shown.length / 2)))
    const body = renderWithin(shown, surroundings, NO_LOG, kept)
    if (body.length <= MAX_CARD_CHARS || shown.length === 1) return body
  }
}

/** The services of one run at a glance, for the head of its summary. */
export function renderOverview(rows: readonly CardRow[], surroundings: Surroundings): string {
  const bounded = newest(rows, MAX_ROWS).map((row) => boundedRow(row, NO_LOG))
  return md.serialise([md.heading(2, headline(bounded)), rowTable(bounded, surroundings)])
}

/** The `limit` newest rows, in the order they had. */
function newest(rows: readonly CardRow[], limit: number): readonly CardRow[] {
  if (rows.length <= limit) return rows
  const kept = new Set([...rows].sort((a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt)).slice(0, limit))
  return rows.filter((row) => kept.has(row))
}

/** A card with more rows in it. */
export interface FoldedCard {
  readonly body: string
  /** Other jobs write to this card as well, so what was written is worth reading back. */
  readonly shared: boolean
  /** The row of the same service and target as the card had it. */
  before(row: CardRow): CardRow | undefined
  /** The same as the card has it now. */
  after(row: CardRow): CardRow | undefined
}

/** Clocks of runners differ by minutes; a row from beyond this is none that a run has written. */
const mostAheadMs = 24 * 3_600_000

/**
 * Adds rows to the card (or cards, should there be several) found in the pull request.
 * Folding the result in again changes nothing. Bodies without a readable state count as empty, and so do those whose seal
 * is not ours. A run that has no seal leaves state and seal as they are: it could not sign its own.
 */
export function foldCard(bodies: readonly string[], added: readonly CardRow[], surroundings: Surroundings): FoldedCard {
  const { seal } = surroundings
  const believed = seal === undefined ? bodies : bodies.map((body) => authenticState(body, seal) ?? '')
  const latest = Math.max(...added.map(({ updatedAt }) => Date.parse(updatedAt))) + mostAheadMs
  const past = ({ updatedAt, run }: CardRow) => Date.parse(updatedAt) <= latest && Date.parse(run.startedAt) <= latest
  const known = believed.reduce<CardRow[]>((rows, body) => mergeRows(rows, decodeState(body)?.filter(past) ?? []), [])
  const before = (row: CardRow) => known.find((other) => sameDeployment(other, row))
  const rows = added
    .map((row) => knowing(row, before(row)))
    .reduce<CardRow[]>((all, row) => mergeRow(all, boundedRow(row, FULL_LOG)), known)
  const kept = seal === undefined ? bodies.map(sealedPart).find((part) => part !== undefined) : undefined
  return {
    body: renderCard(rows, { ...surroundings, header: surroundings.header ?? headerOf(bodies) }, kept),
    shared: rows.length > 1,
    before,
    after: (row) => rows.find((other) => sameDeployment(other, row)),
  }
}

/**
 * A row of whoever removes a preview has no commit, and takes the one that the card knows. Removed was what ran, also where a
 * later run had put that up: it has said its last word, and `live` would stay on the card.
 */
function knowing(row: CardRow, found: CardRow | undefined): CardRow {
  if (found === undefined) return row
  const commit = row.commit || found.commit
  const isTakenDown = row.status === 'removed' && found.status === 'live'
  const isLater = Date.parse(row.updatedAt) > Date.parse(found.updatedAt) && isOfLaterRun(found, row)
  return { ...row, commit, ...(isTakenDown && isLater && { run: found.run }) }
}

function renderWithin(
  rows: readonly CardRow[],
  surroundings: Surroundings,
  budget: LogBudget,
  kept: string | undefined,
): string {
  const bounded = rows.map((row) => boundedRow(row, budget))
  const blocks: RootContent[] = [
    md.heading(3, ...title(bounded)),
    rowTable(bounded, surroundings),
    ...bounded.flatMap((row) => detailBlocks(row, bounded.length > 1, surroundings, budget)),
    ...(surroundings.remarks ?? []).slice(0, 10).map((remark) => md.paragraph('⚠️ ', ...md.prose(remark))),
    md.smallPrint(...footer(bounded, surroundings)),
  ]
  return `${CARD_MARKER}\n${headed(surroundings.header)}${md.serialise(blocks)}\n${kept ?? withSeal(encodeState(bounded), surroundings.seal)}\n`
}

const HEADER_OPEN = '<!-- ink-deploy:header -->\n\n'
const HEADER_CLOSE = '\n\n<!-- ink-deploy:header-end -->\n\n'

/** What the workflow has put above the card, in marks by which the next run finds it. */
function headed(header = ''): string {
  return header === '' ? '' : `${HEADER_OPEN}${header}${HEADER_CLOSE}`
}

function headerOf(bodies: readonly string[]): string | undefined {
  for (const body of bodies.map((one) => one.replaceAll('\r\n', '\n'))) {
    const start = body.indexOf(HEADER_OPEN)
    const end = body.indexOf(HEADER_CLOSE, start)
    if (start !== -1 && end !== -1) return body.slice(start + HEADER_OPEN.length, end)
  }
  return undefined
}

/** The headline; of a single row that is live, its address is part of it, so that it is large. */
function title(rows: readonly CardRow[]): md.Inline[] {
  const [only, ...others] = rows
  const url = others.length === 0 && only?.status === 'live' ? only.url : undefined
  return url === undefined ? [headline(rows)] : [`${headline(rows)}: `, ...hostLink(url)]
}

function rowTable(rows: readonly CardRow[], { repositoryUrl }: Surroundings): RootContent {
  const onlyPreviews = rows.every((row) => row.target !== 'production')
  return md.table(
    ['Service', onlyPreviews ? 'Preview' : 'Address', 'Status', 'Commit'],
    rows.map((row) => [
      [md.cellCode(row.service), ...given(row.place, (place) => [' in ', md.cellCode(place)])],
      addressCell(row),
      // A single row has its sign in the headline.
      statusCell(row, rows.length > 1),
      commitLink(row.commit, repositoryUrl),
    ]),
  )
}

function detailBlocks(row: CardRow, named: boolean, { repositoryUrl }: Surroundings, budget: LogBudget): RootContent[] {
  const blocks = [...reasonBlocks(row, repositoryUrl, budget), ...sideBlocks(row)]
  return named && blocks.length > 0 ? [md.paragraph(md.strong(md.code(row.service))), ...blocks] : blocks
}

function footer(rows: readonly CardRow[], { removal }: Surroundings): md.Inline[] {
  const [latest] = newest(rows, 1)
  const live = rows.filter(runs)
  const costPerDay = live.reduce((sum, row) => sum + (row.costPerDay ?? 0), 0)
  const previews = live.some((row) => row.target !== 'production')
  return md.dotted([
    given(latest, ({ updatedAt }) => [`Updated ${formatUtc(updatedAt)}`]),
    md.link(latest?.runUrl, 'log of the run'),
    costPerDay > 0 ? [`about ${formatDollars(costPerDay)} a day`] : [],
    previews && removal !== undefined ? [removalWords(removal)] : [],
  ])
}

/** Whether there is, or soon will be, something at its address. */
function runs({ status, lastWorking: last }: CardRow): boolean {
  return ['building', 'live', 'unhealthy', 'rolled-back'].includes(status) || last?.stillLive === true
}

/** How the card of a pull request is found, and told from what others wrote. */
export function cardOf({ seal }: Surroundings, pullRequest: number) {
  const authentic = seal && ((body: string) => authenticState(body, seal) !== undefined)
  return { pullRequest, marker: CARD_MARKER, authentic }
}

const commandWords: readonly (readonly [string, string])[] = [
  ['/ink deploy', 'deploys the head of this pull request; for one that comes from a fork, name the commit in full'],
  ['/ink stop', 'removes the preview'],
  ['/ink logs', 'shows the end of the preview’s runtime log'],
  ['/ink rollback', 'switches the preview back to the version before'],
  ['/ink help', 'shows this list'],
]

/** The answer to `/ink help`, or to a command that does not exist. */
export function helpAnswer(unknown: string | undefined): string {
  return md.serialise([
    ...given(unknown, (word) => [md.paragraph('There is no command ', md.code(word, 40), '.')]),
    md.paragraph('Commands, each on a line of its own:'),
    md.list(commandWords.map(([command, what]) => [md.code(command), ` ${what}`])),
  ])
}

/** First line of a refusal, by which it is found when the same person asks for the same again. */
export function declineMarker(login: string, reason: string): string {
  const said = createHash('sha256').update(`${login}\n${reason}`).digest('hex').slice(0, 16)
  return `<!-- ink-deploy:declined ${said} -->`
}

/** The refusal to somebody who may not give commands, or to a command that cannot be carried out, and what to do about it. */
export function declineAnswer(reason: string, points: readonly string[] = [], hint?: string): string {
  return md.serialise([
    md.paragraph('Sorry, this was not done: ', ...md.prose(reason)),
    ...ifAny(points.slice(0, 20), (all) => [md.list(all.map((point) => md.prose(point)))]),
    ...given(hint, (said) => [md.paragraph(...md.prose(said, 1000))]),
  ])
}

/** The answer to `/ink logs`. */
export function logsAnswer(serviceName: string, status: string, lines: readonly string[]): string {
  const shown = md.excerpt(lines, 'end', { maxLines: 200, maxLineChars: 300 })
  return md.serialise([
    md.paragraph(
      md.code(serviceName),
      ' is ',
      ...md.prose(status, 60),
      shown.length === 0 ? ', and its runtime log is empty.' : '.',
    ),
    ...ifAny(shown, (log) => md.folded(`Runtime log, the last ${log.length} lines`, md.block(log))),
  ])
}

/** First line of the issue about a service, by which it is found again. */
export function troubleIssueMarker(serviceName: string): string {
  return `<!-- ink-deploy:trouble ${serviceName.replaceAll(/[^a-z0-9-]/gi, '')} -->`
}

/** The body of the issue that stays open as long as a service is in trouble. */
export function troubleIssueBody(of: {
  serviceName: string
  trouble: string
  logTail: readonly string[]
  runUrl: string
}): string {
  const log = md.excerpt(of.logTail, 'end', { maxLines: 40, maxLineChars: 300 })
  const blocks = [
    md.paragraph(md.code(of.serviceName), ' is in trouble: ', ...md.prose(of.trouble)),
    ...ifAny(log, (tail) => [md.paragraph('The end of its log:'), md.block(tail)]),
    md.paragraph(
      'Found by ',
      ...md.link(of.runUrl, 'a scheduled run'),
      '. This issue is closed by the first run that finds the service healthy.',
    ),
  ]
  return `${troubleIssueMarker(of.serviceName)}\n${md.serialise(blocks)}`
}

/**
 * The comment that closes the issue.
 * @param lastedMs milliseconds since the issue was opened
 */
export function troubleOverComment(serviceName: string, lastedMs: number, runUrl: string): string {
  return md.serialise([
    md.paragraph(
      md.code(serviceName),
      ` has recovered after ${formatDuration(lastedMs)} (`,
      ...md.link(runUrl, 'run'),
      ').',
    ),
  ])
}
