import { signalWithin } from '../core/async.ts'
import { errorMessage } from '../core/errors.ts'
import { formatBytes, shortSha } from '../core/format.ts'
import { type DeploymentBranch, parseDeploymentBranch } from '../plan/names.ts'
import { commitTimes, listBranches, pushRefs } from './branches.ts'
import { type GitRepository, unlessGitFails } from './git.ts'
import {
  committedAtSeconds,
  isUnder,
  leaves,
  listTree,
  objectName,
  parseCommit,
  readablePath,
  snapshotContent,
  type TreeEntry,
  writeObject,
  writeTree,
} from './objects.ts'
import { type GitRemote, gitError, SourceError } from './remote.ts'
import type { ResolvedTree } from './resolve-tree.ts'
import { listFiles, type MadeSnapshot, type Snapshot } from './snapshot.ts'
import {
  bindWorkspace,
  fetchKnownCommits,
  fetchObjects,
  type GitWorkspace,
  heldObjects,
  readObjects,
  type Stores,
} from './workspace.ts'

export interface PushRequest {
  readonly snapshot: Snapshot
  readonly remote: GitRemote
  /** Short name, without `refs/heads/`. */
  readonly branch: string
  /** Source commits whose snapshots the remote may hold, nearest first: the event's `before`, the base. */
  readonly bases?: readonly string[] | undefined
  /** What the remote's list of branches was, when it is known already. */
  readonly remoteBranches?: ReadonlyMap<string, string> | undefined
}

export interface PushResult {
  readonly kind: 'pushed' | 'already-there'
  /** True when only the difference to {@link PushResult.against} travelled. */
  readonly incremental: boolean
  readonly objects: number
  /** Size of the pack on the wire, as git reports it (rounded by git from 1 KiB on). */
  readonly bytes: number
  /** The source commit whose snapshot the push was made against. */
  readonly against?: string
}

/**
 * Makes the branch on the remote, with one push and never by force.
 * @param made how the snapshot was made, as far as it is known: lets the push send only what the remote does not have
 * @throws SourceError `branch-conflict` when the branch names another snapshot; `denied`, `rejected`, `unreachable`
 */
export async function pushSnapshotBranch(
  git: GitWorkspace,
  request: PushRequest,
  made: MadeSnapshot | undefined,
): Promise<PushResult> {
  const { snapshot, remote, branch } = request
  const branches = request.remoteBranches ?? (await listBranches(git, remote))
  const present = branches.get(branch)
  if (present !== undefined) return alreadyThere(request, present)
  const against = made && (await findBase(git, made, findCandidates(request, branches)))

  const what = `The push of ${branch}`
  const refs = [`${snapshot.sha}:refs/heads/${branch}`]
  const output = await pushRefs(git, remote, what, refs, progressLog(git, branch))
  if (output.exitCode === 0) {
    return {
      // "=": the branch was there already, made by a run that started at the same moment or by a try that seemed to fail.
      kind: /^=\t/m.test(output.stdout) ? 'already-there' : 'pushed',
      incremental: against !== undefined,
      ...parsePackReport(output.stderr),
      ...(against === undefined ? {} : { against }),
    }
  }
  const failure = gitError(what, output, remote, ` Its largest files: ${listFiles(snapshot.largest)}.`)
  if (failure.code !== 'rejected') throw failure
  const meanwhile = (await listBranches(git, remote)).get(branch)
  if (meanwhile === undefined) throw failure
  return alreadyThere(request, meanwhile)
}

function alreadyThere({ branch, snapshot }: PushRequest, present: string): PushResult {
  if (present === snapshot.sha) {
    return { kind: 'already-there', incremental: false, objects: 0, bytes: 0 }
  }
  throw new SourceError(
    'branch-conflict',
    `The branch ${branch} is on the remote already, with another snapshot (${shortSha(present)}) of the same commit ` +
      `than this one (${shortSha(snapshot.sha)}). It was not overwritten.`,
    {
      hint:
        'Its name stands for one commit, so something else wrote to it, or another version of this action made it. ' +
        'Delete the branch on ml.ink and run the workflow again, or push a new commit.',
    },
  )
}

/** Packs larger than this get lines in the log while they travel. */
const progressFromBytes = 5_000_000
const progressEveryMs = 5_000

function progressLog({ log, clock }: GitWorkspace, branch: string): (line: string) => void {
  let lastMs = Number.NEGATIVE_INFINITY
  return (line) => {
    const { bytes = 0, percent } = parseProgress(line) ?? {}
    const isDue = clock.now() - lastMs >= progressEveryMs || line.endsWith('done.')
    if (bytes < progressFromBytes || !isDue) return
    lastMs = clock.now()
    log.info(`${branch}: ${formatBytes(bytes)} sent (${percent} % of the objects)`)
  }
}

const unitBytes: Readonly<Record<string, number>> = { bytes: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/**
 * Reads `Writing objects:  33% (1/3), 5.20 MiB | 3.00 MiB/s`, which git repeats while it sends.
 * @returns undefined for other lines
 */
export function parseProgress(line: string) {
  const match = /^Writing objects:\s+(\d+)% \((\d+)\/\d+\)(?:, ([\d.]+) (bytes|[KMG]iB))?/.exec(line)
  if (match === null) return undefined
  const [, percent, objects, amount = '0', unit = 'bytes'] = match
  const bytes = Math.round(Number(amount) * (unitBytes[unit] ?? 1))
  return { percent: Number(percent), objects: Number(objects), bytes }
}

/** The last progress line of a push says how much was sent; a push that sent no objects has none. */
export function parsePackReport(stderr: string): Pick<PushResult, 'objects' | 'bytes'> {
  const all = stderr.split(/[\r\n]+/).map(parseProgress)
  const { objects, bytes } = all.findLast((progress) => progress !== undefined) ?? { objects: 0, bytes: 0 }
  return { objects, bytes }
}

/** A round trip to the origin takes about as long; what is pushed faster than this is pushed whole. */
const leastSavingMs = 500
/** Older snapshots whose commits are asked for when the nearest ones are of no use. */
const mostCandidates = 20

/** A snapshot that the remote has, and the source commit it says it was made of. */
interface Candidate extends DeploymentBranch {
  readonly sha: string
  /** Position among the bases; behind them the target's own, and then the others. */
  readonly rank: number
  readonly isBase: boolean
}

/** How the snapshot that is being pushed was made: older ones were most likely made the same way. */
type Recipe = Pick<ResolvedTree, 'dropped' | 'submodules' | 'contents'> & { readonly tree: string }

function findCandidates({ branch: own, bases = [] }: PushRequest, branches: ReadonlyMap<string, string>) {
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

/**
 * Finds a snapshot which the remote has and puts it into the store, so that the push sends only what differs from it. The origin
 * is asked for no longer than a push of the whole would take.
 * @returns its source commit; undefined when the whole must be pushed
 */
async function findBase(git: GitWorkspace, made: MadeSnapshot, candidates: readonly Candidate[]) {
  const { resolved, snapshot } = made
  const stores = await git.stores('sha1')
  // Of built files no older state is known, and a converted repository's trees have other names at the origin.
  if (resolved === undefined || made.stores.own.directory !== stores.own.directory) return undefined
  if (candidates.length === 0) return undefined
  const recipe = { ...resolved, tree: snapshot.tree }
  const local = await firstRebuilt(stores, recipe, candidates)
  if (local !== undefined) return local

  const wholePushMs = Math.round((snapshot.bytes / git.assumedBytesPerSecond) * 1000)
  if (git.origin === undefined || wholePushMs < leastSavingMs) return undefined
  const budget = signalWithin(wholePushMs, git.signal)
  try {
    const inTime = await bindWorkspace(git, budget).stores('sha1')
    return await askOrigin(inTime, git.origin, recipe, candidates)
  } catch (error) {
    git.signal.throwIfAborted()
    const reason = budget.aborted ? `it took more than ${wholePushMs} ms` : errorMessage(error)
    git.log.debug(`No older snapshot to push against: ${git.origin.redact(reason)}. Pushing the whole.`)
    return undefined
  }
}

// The nearest base in one round trip, as it mostly is the one; else the newest of all in two, commits first.
async function askOrigin(stores: Stores, remote: GitRemote, recipe: Recipe, candidates: readonly Candidate[]) {
  const nearest = candidates.find(({ isBase }) => isBase)
  if (nearest !== undefined) {
    await fetchKnownCommits(stores, { remote, wants: [nearest.sourceSha], filter: 'blob:none' })
    const found = await firstRebuilt(stores, recipe, [nearest])
    if (found !== undefined) return found
  }
  const shas = [...new Set(candidates.slice(0, mostCandidates).map(({ sourceSha }) => sourceSha))]
  await commitTimes(stores, shas)
  return await firstRebuilt(stores, recipe, candidates, remote)
}

/**
 * Makes older snapshots once more, from their source commits and these commits' directories, until the name of one comes out
 * the same: then the remote has every object that it leads to. Files' contents are not needed.
 * @param remote where to fetch the trees that are not here; without one their commits are passed over
 * @returns its source commit; the snapshot is written
 */
async function firstRebuilt(stores: Stores, recipe: Recipe, candidates: readonly Candidate[], remote?: GitRemote) {
  const { own } = stores
  const contents = await readObjects(own, [...new Set(candidates.map(({ sourceSha }) => sourceSha))])
  const known = candidates
    .flatMap((candidate) => {
      const content = contents.get(candidate.sourceSha)
      return content === undefined ? [] : [{ ...candidate, commit: parseCommit(content) }]
    })
    .toSorted((a, b) => a.rank - b.rank || committedAtSeconds(b.commit) - committedAtSeconds(a.commit))
  const oids = known.map(({ commit }) => commit.tree)
  const held = await heldObjects(own, oids)
  for (const { commit, suffix, sourceSha, sha } of known) {
    const isHere = held.has(commit.tree)
    if (!isHere && remote === undefined) continue
    // Without its directories only a snapshot of a commit's own tree can be checked; the others are passed over.
    const tree = suffix === undefined ? commit.tree : await unlessGitFails(rebuildTree(own, commit.tree, recipe))
    if (tree === undefined || !tree.startsWith(suffix ?? '')) continue
    const content = snapshotContent(tree, commit, sourceSha)
    if (objectName('commit', content) !== sha) continue
    if (!isHere && remote !== undefined) {
      await fetchObjects(stores, { remote, wants: [commit.tree], kind: 'contents', filter: 'blob:none' })
    }
    await writeObject(own, 'commit', content)
    return sourceSha
  }
  return undefined
}

// What stood in for a submodule or an LFS pointer then stands in for it now, unless it has changed since.
async function rebuildTree(store: GitRepository, older: string, { tree, dropped, submodules, contents }: Recipe) {
  const leftOut = new Set(dropped)
  const present = new Map(submodules.map(({ path, sha }) => [path, sha]))
  const entries: TreeEntry[] = []
  for (const entry of leaves(await listTree(store, older))) {
    if (isUnder(entry.path, leftOut)) continue
    if (entry.type !== 'commit') entries.push({ ...entry, oid: contents.get(entry.oid) ?? entry.oid })
    else {
      const path = readablePath(entry.path)
      if (present.get(path) !== entry.oid) return undefined
      const oid = await store.line(['rev-parse', '--verify', `${tree}:${path}`])
      entries.push({ ...entry, mode: '040000', type: 'tree', oid })
    }
  }
  return await writeTree(store, entries)
}
