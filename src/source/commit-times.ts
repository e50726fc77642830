import { committedAtSeconds, parseCommit } from './commit.ts'
import { fetchKnownCommits } from './fetch.ts'
import { GitFailure } from './local-git.ts'
import { readObjects } from './read-objects.ts'
import type { Stores, Workshop } from './workshop.ts'

/** A commit's place in time. */
export interface CommitTime {
  /** Seconds since 1970. */
  readonly atSeconds: number
  /** How many of the others it descends from: tells commits of the same second apart. */
  readonly depth: number
}

/**
 * When commits were made. Those that the checkout does not hold are fetched from the origin
 * without their trees, some hundred bytes each. What nobody has any more is left out.
 */
export async function commitTimes(
  workshop: Workshop,
  stores: Stores,
  shas: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CommitTime>> {
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
): Promise<ReadonlyMap<string, CommitTime>> {
  const objects = await readObjects(stores.own, shas, signal)
  const commits = new Map(Array.from(objects, ([sha, content]) => [sha, parseCommit(content)]))
  const depths = new Map<string, number>()
  const depthOf = (sha: string): number => {
    const known = depths.get(sha)
    if (known !== undefined) return known
    depths.set(sha, 0)
    const parents = commits.get(sha)?.parents.filter((parent) => commits.has(parent)) ?? []
    const depth = Math.max(0, ...parents.map((parent) => depthOf(parent) + 1))
    depths.set(sha, depth)
    return depth
  }
  return new Map(
    Array.from(commits, ([sha, commit]) => [sha, { atSeconds: committedAtSeconds(commit), depth: depthOf(sha) }]),
  )
}
