import { signalWithin } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import { type DeploymentBranch, parseDeploymentBranch } from '../plan/names.ts'
import { commitTimes, fetchKnownCommits, fetchObjects } from './fetch.ts'
import { GitFailure, type GitRepository } from './git.ts'
import {
  commitName,
  committedAtSeconds,
  parseCommit,
  readObjects,
  type SourceCommit,
  snapshotContent,
  writeCommit,
} from './objects.ts'
import type { ResolvedTree } from './resolve-tree.ts'
import type { MadeSnapshot } from './snapshot.ts'
import { isUnder, leaves, listTree, readablePath, type TreeEntry, writeTree } from './tree.ts'
import type { GitWorkspace, Stores } from './workspace.ts'

/** A round trip to the origin takes about as long; what is pushed faster than this is pushed whole. */
const leastSavingMs = 500
/** Older snapshots whose commits are asked for when the nearest ones are of no use. */
const mostCandidates = 20

/** What the remote has, and what of it lies nearest to the snapshot that is to be pushed. */
export interface RemoteSnapshots {
  readonly branches: ReadonlyMap<string, string>
  /** Source commits whose snapshots it may hold, nearest first. */
  readonly bases: readonly string[]
  /** The branch that is to be made. */
  readonly branch: string
}

/**
 * Finds a snapshot which the remote has and puts it into the store, so that the push sends only what differs from it. The origin
 * is asked for no longer than a push of the whole would take.
 *
 * @returns its source commit; undefined when the whole must be pushed
 */
export async function findBase(
  git: GitWorkspace,
  made: MadeSnapshot,
  remote: RemoteSnapshots,
): Promise<string | undefined> {
  const { resolved, stores, snapshot } = made
  // Of built files no older state is known, and a converted repository's trees have other names at the origin.
  if (resolved === undefined || stores.own.directory !== (await git.stores('sha1')).own.directory) return undefined
  const candidates = findCandidates(remote)
  if (candidates.length === 0) return undefined
  const recipe = { tree: snapshot.tree, resolved }
  const local = await firstRebuilt(git, recipe, candidates, { fetchTrees: false })
  if (local !== undefined) return local

  const wholePushMs = Math.round((snapshot.bytes / git.assumedBytesPerSecond) * 1000)
  if (git.origin === undefined || wholePushMs < leastSavingMs) return undefined
  const budget = signalWithin(wholePushMs, git.signal)
  try {
    return await askOrigin(git.during(budget), recipe, candidates)
  } catch (error) {
    git.signal.throwIfAborted()
    const reason = budget.aborted ? `it took more than ${wholePushMs} ms` : errorMessage(error)
    git.log.debug(`No older snapshot to push against: ${git.origin.redact(reason)}. Pushing the whole.`)
    return undefined
  }
}

/** A snapshot that the remote has, and the source commit it says it was made of. */
interface Candidate extends DeploymentBranch {
  readonly sha: string
  /** Position among the bases; behind them the target's own, and then the others. */
  readonly rank: number
  readonly isBase: boolean
}

/** How the snapshot that is being pushed was made: older ones were most likely made the same way. */
interface Recipe {
  readonly tree: string
  readonly resolved: ResolvedTree
}

function findCandidates({ branches, bases, branch: own }: RemoteSnapshots): readonly Candidate[] {
  const ownTarget = parseDeploymentBranch(own)?.target
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

// The nearest base in one round trip, as it mostly is the one; else the newest of all in two, commits first.
async function askOrigin(
  git: GitWorkspace,
  recipe: Recipe,
  candidates: readonly Candidate[],
): Promise<string | undefined> {
  const { origin: remote } = git
  if (remote === undefined) return undefined
  const stores = await git.stores('sha1')
  const nearest = candidates.find(({ isBase }) => isBase)
  if (nearest !== undefined) {
    await fetchKnownCommits(stores, { remote, wants: [nearest.sourceSha], filter: 'blob:none' })
    const found = await firstRebuilt(git, recipe, [nearest], { fetchTrees: false })
    if (found !== undefined) return found
  }
  const shas = [...new Set(candidates.slice(0, mostCandidates).map(({ sourceSha }) => sourceSha))]
  await commitTimes(git, stores, shas)
  return await firstRebuilt(git, recipe, candidates, { fetchTrees: true })
}

async function firstRebuilt(
  git: GitWorkspace,
  recipe: Recipe,
  candidates: readonly Candidate[],
  { fetchTrees }: { readonly fetchTrees: boolean },
): Promise<string | undefined> {
  const { origin: remote } = git
  const stores: Stores = await git.stores('sha1')
  const { own } = stores
  const contents = await readObjects(own, [...new Set(candidates.map(({ sourceSha }) => sourceSha))])
  const known = candidates
    .flatMap((candidate) => {
      const content = contents.get(candidate.sourceSha)
      return content === undefined ? [] : [{ ...candidate, commit: parseCommit(content) }]
    })
    .toSorted((a, b) => a.rank - b.rank || committedAtSeconds(b.commit) - committedAtSeconds(a.commit))
  for (const older of known) {
    const { tree } = older.commit
    const treeIsHere = (await readObjects(own, [tree])).has(tree)
    if (!treeIsHere && !fetchTrees) continue
    // Without its directories only a snapshot of a commit's own tree can be checked; the others are passed over.
    const content = await rebuildSnapshot(own, older, older.commit, recipe)
    if (content === undefined) continue
    if (!treeIsHere && remote !== undefined) {
      await fetchObjects(stores, { remote, wants: [tree], kind: 'contents', filter: 'blob:none' })
    }
    await writeCommit(own, content)
    return older.sourceSha
  }
  return undefined
}

/**
 * Makes an older snapshot once more, from its source commit and that commit's directories; files' contents are not needed.
 * It counts only when its name comes out the same: then the remote has every object that it leads to.
 *
 * @returns the content of the older snapshot's commit, to be written; undefined when its name does not come out
 */
async function rebuildSnapshot(
  store: GitRepository,
  older: Candidate,
  commit: SourceCommit,
  recipe: Recipe,
): Promise<Buffer | undefined> {
  const tree = older.suffix === undefined ? commit.tree : await rebuildTree(store, commit.tree, recipe)
  if (tree === undefined || !tree.startsWith(older.suffix ?? '')) return undefined
  const content = snapshotContent(tree, commit, older.sourceSha)
  return commitName(content) === older.sha ? content : undefined
}

// What stood in for a submodule or an LFS pointer then stands in for it now, unless it has changed since.
async function rebuildTree(
  store: GitRepository,
  older: string,
  { tree, resolved }: Recipe,
): Promise<string | undefined> {
  const dropped = new Set(resolved.dropped)
  const submodules = new Map(resolved.submodules.map(({ path, sha }) => [path, sha]))
  try {
    const entries: TreeEntry[] = []
    for (const entry of leaves(await listTree(store, older))) {
      if (isUnder(entry.path, dropped)) continue
      const contents = resolved.contents.get(entry.oid)
      if (entry.type !== 'commit') entries.push(contents === undefined ? entry : { ...entry, oid: contents })
      else {
        const path = readablePath(entry.path)
        if (submodules.get(path) !== entry.oid) return undefined
        const oid = await store.line(['rev-parse', '--verify', `${tree}:${path}`])
        entries.push({ ...entry, mode: '040000', type: 'tree', oid })
      }
    }
    return await writeTree(store, entries)
  } catch (error) {
    if (error instanceof GitFailure) return undefined
    throw error
  }
}
