import type { CardRow, ChangeView, LastWorking } from './model.ts'

/**
 * How rows of several jobs and runs become one card. Applying the same row twice changes nothing, so a job can
 * find out whether its row has arrived by merging it again.
 */

/** Puts a row among the others: the newest run wins per service and target, whatever the order of writing. */
export function mergeRow(rows: readonly CardRow[], incoming: CardRow): CardRow[] {
  const others = rows.filter((row) => !sameDeployment(row, incoming))
  const merged = rows.filter((row) => sameDeployment(row, incoming)).reduce(newer, incoming)
  return [...others, merged].sort(byTargetAndName)
}

/** Folds the rows of another card into these, as when two jobs made a comment each. */
export function mergeRows(rows: readonly CardRow[], incoming: readonly CardRow[]): CardRow[] {
  return incoming.reduce<CardRow[]>(mergeRow, [...rows])
}

function sameDeployment(a: CardRow, b: CardRow): boolean {
  return a.service === b.service && a.target === b.target
}

function byTargetAndName(a: CardRow, b: CardRow): number {
  return compare(a.target, b.target) || compare(a.service, b.service)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
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
  return carryOver(incoming, found)
}

/** A commit that was skipped leaves what an earlier one put up; the stamp stays too, as that run may still be writing. */
function standsBeside(found: CardRow, skipped: CardRow): boolean {
  if (found.status === 'skipped' || found.status === 'removed') return false
  return found.status === 'live' || found.commit !== skipped.commit
}

/** Negative when the run of `a` is older than the run of `b`, zero for the same run. */
function compareRuns(a: CardRow, b: CardRow): number {
  if (a.run.id === b.run.id && a.run.attempt === b.run.attempt) return 0
  const started = Date.parse(a.run.startedAt) - Date.parse(b.run.startedAt)
  return started || a.run.id - b.run.id || a.run.attempt - b.run.attempt
}

/** What the new row does not know and the card does: which version worked last, and what it measured. */
function carryOver(incoming: CardRow, found: CardRow): CardRow {
  return withLastWorking(withFigures(incoming, found), found)
}

/** An image that was there already took no time to build, so then the figure before it stays the one to compare with. */
function withFigures(incoming: CardRow, found: CardRow): CardRow {
  if (incoming.status === 'removed' || found.status === 'removed') return incoming
  const measured = found.status === 'live' && compareRuns(incoming, found) !== 0
  const change: ChangeView = {
    ...found.change,
    ...(measured && found.buildMs !== undefined ? { buildMsBefore: found.buildMs } : {}),
    ...(measured && found.bytes !== undefined ? { bytesBefore: found.bytes } : {}),
    ...incoming.change,
  }
  return Object.keys(change).length === 0 ? incoming : { ...incoming, change }
}

function withLastWorking(incoming: CardRow, found: CardRow): CardRow {
  if (incoming.lastWorking !== undefined || incoming.status === 'live' || incoming.status === 'removed') return incoming
  const last = lastWorkingOf(found)
  if (last === undefined || last.commit === incoming.commit) return incoming
  return { ...incoming, lastWorking: incoming.status === 'building' ? last : withoutClaim(last) }
}

function lastWorkingOf(row: CardRow): LastWorking | undefined {
  if (row.status === 'live')
    return { commit: row.commit, stillLive: true, ...(row.url === undefined ? {} : { url: row.url }) }
  if (row.status === 'removed' || row.lastWorking === undefined) return undefined
  // An unhealthy version has taken the place of the one before it.
  return row.status === 'unhealthy' ? withoutClaim(row.lastWorking) : row.lastWorking
}

// Only the run itself can have seen that the old version still serves after a failure.
function withoutClaim(last: LastWorking): LastWorking {
  const { stillLive: _claimed, ...rest } = last
  return rest
}
