import { errorMessage } from '../core/errors.ts'
import { committedAtSeconds, parseCommit, writeCommit } from './commit.ts'
import { commitTimes } from './commit-times.ts'
import type { PushRequest } from './contract.ts'
import { parseDeploymentBranch } from './deployment-branch.ts'
import { fetchKnownCommits, fetchObjects } from './fetch.ts'
import type { MadeSnapshot } from './make-snapshot.ts'
import { readObjects } from './read-objects.ts'
import { type Making, type OlderSnapshot, rebuildSnapshot } from './rebuild.ts'
import type { GitRemote } from './remote.ts'
import type { Stores, Workshop } from './workshop.ts'

/** A round trip to the origin takes about as long; what is pushed faster than this is pushed whole. */
const leastSavingMs = 500
/** Older snapshots whose commits are asked for when the nearest ones are of no use. */
const mostCandidates = 20

/**
 * Finds a snapshot which the remote has and puts it into the store, so that the push sends only what differs from it. The origin
 * is asked for no longer than a push of the whole would take.
 *
 * @returns its source commit; undefined when the whole must be pushed
 */
export async function findBase(
  workshop: Workshop,
  made: MadeSnapshot,
  request: PushRequest,
  branches: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { material, stores, snapshot } = made
  // Of built files no older state is known, and a converted repository's trees have other names at the origin.
  if (material === undefined || stores !== (await workshop.stores('sha1'))) return undefined
  const candidates = findCandidates(request, branches)
  if (candidates.length === 0) return undefined
  const making = { snapshot, material, repository: workshop.repository, refs: refsOf(request, candidates) }
  const search: Search = { stores, making, origin: workshop.origin }
  const local = await firstRebuilt(search, candidates, { fetchTrees: false }, signal)
  if (local !== undefined) return local

  const wholePushMs = Math.round((snapshot.bytes / workshop.assumedBytesPerSecond) * 1000)
  if (workshop.origin === undefined || wholePushMs < leastSavingMs) return undefined
  const budget = AbortSignal.any([signal, AbortSignal.timeout(wholePushMs)])
  try {
    return await askOrigin(workshop, search, candidates, budget)
  } catch (error) {
    signal.throwIfAborted()
    const reason = budget.aborted ? `it took more than ${wholePushMs} ms` : errorMessage(error)
    workshop.log.debug(`No older snapshot to push against: ${workshop.origin.redact(reason)}. Pushing the whole.`)
    return undefined
  }
}

interface Candidate extends OlderSnapshot {
  /** Position among the bases; behind them the target's own, and then the others. */
  readonly rank: number
  readonly isBase: boolean
}

interface Search {
  readonly stores: Stores
  readonly making: Making
  readonly origin: GitRemote | undefined
}

function findCandidates(request: PushRequest, branches: ReadonlyMap<string, string>): readonly Candidate[] {
  const bases = request.bases ?? []
  const ownTarget = parseDeploymentBranch(request.branch)?.target
  return Array.from(branches)
    .flatMap(([name, sha]) => {
      const branch = parseDeploymentBranch(name)
      if (branch === undefined) return []
      const base = bases.indexOf(branch.sourceSha)
      const rank = base >= 0 ? base : bases.length + (branch.target === ownTarget ? 0 : 1)
      return [{ ...branch, sha, rank, isBase: base >= 0 }]
    })
    .toSorted((a, b) => a.rank - b.rank)
}

function refsOf({ snapshot, baseRefs = [] }: PushRequest, candidates: readonly Candidate[]): readonly string[] {
  const pullRequests = candidates
    .filter(({ target }) => target.startsWith('pr-'))
    .map(({ target }) => `refs/pull/${target.slice('pr-'.length)}/head`)
  return [...new Set([snapshot.sourceRef, ...baseRefs, 'refs/heads/main', 'refs/heads/master', ...pullRequests])]
}

// The nearest base in one round trip, as it mostly is the one; else the newest of all in two, commits first.
async function askOrigin(
  workshop: Workshop,
  search: Search,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { origin: remote, stores } = search
  if (remote === undefined) return undefined
  const nearest = candidates.find(({ isBase }) => isBase)
  if (nearest !== undefined) {
    await fetchKnownCommits(stores.fetched, { remote, wants: [nearest.sourceSha], filter: 'blob:none' }, signal)
    const found = await firstRebuilt(search, [nearest], { fetchTrees: false }, signal)
    if (found !== undefined) return found
  }
  const shas = [...new Set(candidates.slice(0, mostCandidates).map(({ sourceSha }) => sourceSha))]
  await commitTimes(workshop, stores, shas, signal)
  return await firstRebuilt(search, candidates, { fetchTrees: true }, signal)
}

async function firstRebuilt(
  { stores, making, origin }: Search,
  candidates: readonly Candidate[],
  { fetchTrees }: { readonly fetchTrees: boolean },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { own, fetched } = stores
  const contents = await readObjects(own, [...new Set(candidates.map(({ sourceSha }) => sourceSha))], signal)
  const known = candidates
    .flatMap((candidate) => {
      const content = contents.get(candidate.sourceSha)
      return content === undefined ? [] : [{ ...candidate, commit: parseCommit(content) }]
    })
    .toSorted((a, b) => a.rank - b.rank || committedAtSeconds(b.commit) - committedAtSeconds(a.commit))
  for (const older of known) {
    const { tree } = older.commit
    const treeIsHere = (await readObjects(own, [tree], signal)).has(tree)
    if (!treeIsHere && !fetchTrees) continue
    // Without its directories only a snapshot of a commit's own tree can be checked; the others are passed over.
    const content = await rebuildSnapshot(own, older, older.commit, making, signal)
    if (content === undefined) continue
    if (!treeIsHere && origin !== undefined) {
      await fetchObjects(fetched, { remote: origin, wants: [tree], kind: 'contents', filter: 'blob:none' }, signal)
    }
    await writeCommit(own, content, signal)
    return older.sourceSha
  }
  return undefined
}
