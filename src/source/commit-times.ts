import { committedAtSeconds, parseCommit } from './commit.ts'
import { fetchKnownCommits } from './fetch.ts'
import { GitFailure } from './local-git.ts'
import { readObjects } from './read-objects.ts'
import type { Stores, Workshop } from './workshop.ts'

/**
 * When commits were made, in seconds since 1970. Those that the checkout does not hold are fetched from the origin
 * without their trees, some hundred bytes each. What nobody has any more is left out.
 */
export async function commitTimes(
  workshop: Workshop,
  stores: Stores,
  shas: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const known = await readTimes(stores, shas, signal)
  const missing = shas.filter((sha) => !known.has(sha))
  if (missing.length === 0 || workshop.origin === undefined) return known
  try {
    await fetchKnownCommits(stores.fetched, { remote: workshop.origin, wants: missing, filter: 'tree:0' }, signal)
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    workshop.log.debug(`The dates of old commits could not be fetched: ${workshop.origin.redact(error.message)}`)
    return known
  }
  return await readTimes(stores, shas, signal)
}

async function readTimes(
  stores: Stores,
  shas: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const commits = await readObjects(stores.own, shas, signal)
  return new Map(Array.from(commits, ([sha, content]) => [sha, committedAtSeconds(parseCommit(content))]))
}
