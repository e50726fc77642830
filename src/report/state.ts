import { createHmac, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { jsonIn } from '../core/http.ts'
import type { Secret } from '../core/secret.ts'
import { type ExcerptLimits, excerpt, oneLine, printable } from './markdown.ts'
import { type CardRow, type LastWorking, rowSchema, type Seal } from './model.ts'

/**
 * The hidden part of the comment: a marker by which it is found, and its rows as JSON, for agents and for the jobs
 * that share it. The format is documented in `docs/state.md`. It is read back as untrusted text:
 * whoever may edit comments may have changed it.
 */

/** First line of every comment of ours. */
export const CARD_MARKER = '<!-- ink-deploy:card -->'

const STATE_OPEN = '<!-- ink-deploy:state '
const STATE_CLOSE = ' -->'
const VERSION = 1

const stateSchema = z.object({ version: z.literal(VERSION), rows: z.array(rowSchema).max(200) })

/**
 * The rows as an HTML comment. Inside JSON strings `<`, `>`, `&` and double hyphens become escapes,
 * so nothing can end the comment early and `JSON.parse` still gives back the same rows.
 */
export function encodeState(rows: readonly CardRow[]): string {
  const json = `{"version":${VERSION},"rows":${JSON.stringify(rows, inKeyOrder)}}`
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('&', '\\u0026')
    .replaceAll('--', '-\\u002d')
  return STATE_OPEN + json + STATE_CLOSE
}

// The same rows must give the same text, whichever job built the objects.
function inKeyOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The rows hidden in a comment's body, or `undefined` where there are none that we can read. */
export function decodeState(body: string): CardRow[] | undefined {
  const start = body.lastIndexOf(STATE_OPEN)
  const end = body.indexOf(STATE_CLOSE, start + STATE_OPEN.length)
  if (start === -1 || end === -1) return undefined
  const parsed = stateSchema.safeParse(jsonIn(body.slice(start + STATE_OPEN.length, end)))
  return parsed.success ? parsed.data.rows : undefined
}

/** How much of a log is shown. */
export interface LogBudget {
  readonly decisive: ExcerptLimits
  readonly tail: ExcerptLimits
}

// The most that a comment holds of each text. What is exact is only cut; the others are brought to one line as well.
const EXACT_CHARS: Readonly<Record<string, number>> = { url: 500, runUrl: 500, commit: 64, supersededBy: 64 }
const LINE_CHARS: Readonly<Record<string, number>> = {
  ...{ service: 80, place: 80, database: 80, reason: 500, note: 500, cause: 500, hint: 500 },
  ...{ name: 255, status: 40, error: 200, type: 10, content: 255 },
}
const MOST_RECORDS = 10

/** A row cut down to what a comment can hold: bounded texts, and as much of the log as `budget` allows. */
export function boundedRow(row: CardRow, budget: LogBudget): CardRow {
  const bounded = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') {
      const [exact, line] = [EXACT_CHARS[key], LINE_CHARS[key]]
      if (exact !== undefined) return printable(value).slice(0, exact)
      return line === undefined ? value : oneLine(value, line)
    }
    if (key === 'decisive') return excerpt(value as string[], 'start', budget.decisive)
    if (key === 'tail') return excerpt(value as string[], 'end', budget.tail)
    if (Array.isArray(value)) return value.slice(0, MOST_RECORDS).map((one: unknown) => bounded(one, key))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, bounded(one, name)]))
  }
  const fitting = bounded(row, '') as CardRow
  return { ...fitting, service: fitting.service || 'service' }
}

/**
 * Puts a row among the others: the newest run wins per service and target, whatever the order of writing. Applying the
 * same row twice changes nothing, so a job can find out whether its row has arrived by merging it again.
 */
export function mergeRow(rows: readonly CardRow[], incoming: CardRow): CardRow[] {
  const others = rows.filter((row) => !sameDeployment(row, incoming) && !givesWay(row, incoming))
  const merged = rows.filter((row) => sameDeployment(row, incoming)).reduce(newer, incoming)
  return [...others, merged].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** Of a run that was refused, what its services would have been called was not known; those of a later one take its place. */
function givesWay(row: CardRow, incoming: CardRow): boolean {
  return row.refused === true && row.target === incoming.target && compareRuns(incoming, row) > 0
}

/** Folds the rows of another card into these, as when two jobs made a comment each. */
export function mergeRows(rows: readonly CardRow[], incoming: readonly CardRow[]): CardRow[] {
  return incoming.reduce<CardRow[]>(mergeRow, [...rows])
}

/** Whether two rows are about the same service: of one name there may be one in each project. */
export function sameDeployment(a: CardRow, b: CardRow): boolean {
  return keyOf(a) === keyOf(b)
}

function keyOf({ target, service, place = '' }: CardRow): string {
  return [target, service, place].join('\n')
}

/** The row that stands of two for the same service: `incoming` (first, as reduce hands it) against one found in the card. */
function newer(incoming: CardRow, found: CardRow): CardRow {
  const order = compareRuns(incoming, found)
  if (order < 0) return found
  if (incoming.status === 'skipped' && standsBeside(found, incoming))
    return { ...found, note: incoming.reason ?? 'A later commit was skipped.' }
  if (order === 0 && Date.parse(incoming.updatedAt) < Date.parse(found.updatedAt)) return found
  // A run that gave way does not hide the one it gave way to, even when it began later.
  if (order > 0 && incoming.status === 'superseded' && incoming.supersededBy === found.commit) return found
  // What the new row does not know and the card does: which version worked last, and what it measured.
  return withLastWorking(withFigures(incoming, found), found)
}

/** A commit that was skipped leaves what an earlier one put up; the stamp stays too, as that run may still be writing. */
function standsBeside(found: CardRow, skipped: CardRow): boolean {
  if (found.status === 'skipped' || found.status === 'removed') return false
  return found.status === 'live' || found.commit !== skipped.commit
}

/**
 * Negative when the run of `a` is older than the run of `b`, zero for the same attempt. GitHub numbers runs in their order,
 * and clocks of runners can be wrong; only whether an older run was started again after a later one had begun do they tell.
 */
function compareRuns(a: CardRow, b: CardRow): number {
  const byId = a.run.id - b.run.id
  if (byId === 0) return a.run.attempt - b.run.attempt
  const startedAgain = (byId < 0 ? a : b).run.attempt > 1
  return (startedAgain && Date.parse(a.run.startedAt) - Date.parse(b.run.startedAt)) || byId
}

/** Whether the run of `a` is newer than the run of `b`. */
export function isOfLaterRun(a: CardRow, b: CardRow): boolean {
  return compareRuns(a, b) > 0
}

/** An image that was there already took no time to build, so then the figure before it stays the one to compare with. */
function withFigures(incoming: CardRow, found: CardRow): CardRow {
  if (incoming.status === 'removed' || found.status === 'removed') return incoming
  const measured = found.status === 'live' && compareRuns(incoming, found) !== 0
  const before = found.change ?? {}
  const change = {
    buildMsBefore: (measured ? found.buildMs : undefined) ?? before.buildMsBefore,
    bytesBefore: (measured ? found.bytes : undefined) ?? before.bytesBefore,
    ...incoming.change,
  }
  return Object.values(change).every((figure) => figure === undefined) ? incoming : { ...incoming, change }
}

function withLastWorking(incoming: CardRow, found: CardRow): CardRow {
  if (incoming.lastWorking !== undefined || incoming.status === 'live' || incoming.status === 'removed') return incoming
  const last = lastWorkingOf(found)
  if (last === undefined || last.commit === incoming.commit) return incoming
  // Only the run itself can have seen that the old version still serves after a failure.
  return { ...incoming, lastWorking: incoming.status === 'building' ? last : { ...last, stillLive: undefined } }
}

function lastWorkingOf(row: CardRow): LastWorking | undefined {
  if (row.status === 'live') return { commit: row.commit, stillLive: true, url: row.url }
  if (row.status === 'removed' || row.lastWorking === undefined) return undefined
  // An unhealthy version has taken the place of the one before it.
  return row.status === 'unhealthy' ? { ...row.lastWorking, stillLive: undefined } : row.lastWorking
}

/**
 * The seal of one pull request's comment, so that the state of another one is not taken for its own; undefined for a run
 * that was given no API key.
 */
export function createSeal(
  key: Secret | undefined,
  { id, fullName }: { readonly id?: string | undefined; readonly fullName: string },
  pullRequest: number,
): Seal | undefined {
  if (key === undefined) return undefined
  const own = createHmac('sha256', key.reveal()).update('ink-deploy card').digest()
  return (state) =>
    createHmac('sha256', own)
      .update(`${id ?? fullName}#${pullRequest}\n${state}`)
      .digest('hex')
}

const SEALED = /<!-- ink-deploy:state [^\n]* -->\n<!-- ink-deploy:seal ([0-9a-f]{64}) -->/g

/** The hidden state with its seal below it. */
export function withSeal(state: string, seal: Seal | undefined): string {
  return seal === undefined ? state : `${state}\n<!-- ink-deploy:seal ${seal(state)} -->`
}

/** State and seal of a body, whether the seal is good or not; undefined where there is none. */
export function sealedPart(body: string): string | undefined {
  return [...body.replaceAll('\r\n', '\n').matchAll(SEALED)].at(-1)?.[0]
}

/** The hidden state of a body, if it is one that we wrote for this very comment. */
export function authenticState(body: string, seal: Seal): string | undefined {
  const [state = '', found = ''] = sealedPart(body)?.split('\n') ?? []
  const [, ours = ''] = withSeal(state, seal).split('\n')
  return ours.length === found.length && timingSafeEqual(Buffer.from(ours), Buffer.from(found)) ? state : undefined
}
