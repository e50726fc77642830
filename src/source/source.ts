import { systemClock } from '../core/async.ts'
import type { WantedCommit } from '../plan/context.ts'
import {
  deleteBranches,
  listBranches,
  type OldBranchesRequest,
  orderBranches,
  pushMarkers,
  selectOldBranches,
} from './branches.ts'
import { committedPaths, readCommitted, readFile } from './checkout.ts'
import { GitFailure } from './git.ts'
import { listPaths } from './objects.ts'
import { type PushRequest, type PushResult, pushSnapshotBranch } from './push.ts'
import { type GitRemote, SourceError } from './remote.ts'
import { type MadeSnapshot, makeSnapshot, type Snapshot, type SnapshotRequest } from './snapshot.ts'
import { bindWorkspace, closeWorkspace, type GitWorkspace, openWorkspace, type SourceOptions } from './workspace.ts'

/**
 * What is shipped: makes snapshots of the repository in the workspace and pushes them. Leaves nothing behind.
 * A deployment's way through this room: checkout and source commit (`checkout`) → its tree with submodules and LFS contents
 * (`resolve-tree`, `lfs`), or a directory's → the snapshot commit (`snapshot`) → what the remote has (`branches`) → the
 * push of what it has not (`push`).
 */
export type Source = ReturnType<typeof openSource>

/**
 * Opens the repository in the workspace for deploying. Nothing is done before the first call; everything that is
 * written goes to a folder of its own in `tempDir`, which disposal removes. Snapshot and push are ended at the deadline.
 */
export function openSource(options: SourceOptions) {
  let opened: ReturnType<typeof openWorkspace> | undefined
  const made = new Map<string, MadeSnapshot>()

  /** Does one thing in the workspace. What git says of a failure becomes an error that says what it was about. */
  const inWorkspace = async <T>(what: string, signal: AbortSignal, work: (git: GitWorkspace) => Promise<T>) => {
    opened ??= openWorkspace(options)
    const git = bindWorkspace(await opened, signal)
    try {
      return await work(git)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof GitFailure)) throw error
      throw new SourceError('git-failed', `${what} failed: ${git.origin?.redact(error.message) ?? error.message}`, {
        hint: 'If the checkout is damaged, check the repository out anew before this step; otherwise run the job again.',
        cause: error,
      })
    }
  }
  const beforeDeadline: typeof inWorkspace = async (what, signal, work) => {
    if (options.deadlineAt === undefined) return await inWorkspace(what, signal, work)
    const leftMs = Math.max(0, options.deadlineAt - (options.clock ?? systemClock).now())
    const deadline = AbortSignal.timeout(Math.min(leftMs, 2 ** 31 - 1))
    try {
      return await inWorkspace(what, AbortSignal.any([signal, deadline]), work)
    } catch (error) {
      signal.throwIfAborted()
      if (!deadline.aborted) throw error
      throw new SourceError('timed-out', `${what} took longer than this deployment is given; it was ended.`, {
        hint: 'Nothing was switched. Set a longer "timeout", or deploy less: take out what the app does not need.',
      })
    }
  }

  return {
    snapshot: (request: SnapshotRequest, signal: AbortSignal): Promise<Snapshot> =>
      beforeDeadline('Making the snapshot', signal, async (git) => {
        // What is made is pushed next; whoever does that is told if this fails.
        git.network().catch(() => undefined)
        const result = await makeSnapshot(git, request)
        made.set(result.snapshot.sha, result)
        return result.snapshot
      }),
    /** Paths of the snapshot's files, readable ones. */
    files: (snapshot: Snapshot, signal: AbortSignal): Promise<ReadonlySet<string>> =>
      inWorkspace('Listing the snapshot', signal, async (git) =>
        listPaths((await git.stores('sha1')).own, snapshot.tree),
      ),
    /** Contents of one of the snapshot's files; undefined when there is no such file. Links count as none. */
    read: (snapshot: Snapshot, path: string, signal: AbortSignal): Promise<Buffer | undefined> =>
      inWorkspace(`Reading ${path}`, signal, async (git) => {
        const file = await readFile((await git.stores('sha1')).own, snapshot.tree, path)
        return file === 'absent' ? undefined : file
      }),
    /** One file of the commit that a request means, as far as the checkout tells; nothing is fetched for it. */
    readCommitted: (request: WantedCommit, path: string, signal: AbortSignal) =>
      inWorkspace(`Reading ${path}`, signal, (git) => readCommitted(git, request, path)),
    /** Paths of the commit that a request means, or of the one that is checked out; undefined where there is no checkout. */
    committedPaths: (request: WantedCommit, signal: AbortSignal): Promise<ReadonlySet<string> | undefined> =>
      inWorkspace('Listing the checkout', signal, (git) => committedPaths(git, request)),
    push: (request: PushRequest, signal: AbortSignal): Promise<PushResult> =>
      beforeDeadline(`The push of ${request.branch}`, signal, (git) =>
        pushSnapshotBranch(git, request, made.get(request.snapshot.sha)),
      ),
    /** Short branch name → commit. */
    branches: (remote: GitRemote, signal: AbortSignal): Promise<ReadonlyMap<string, string>> =>
      inWorkspace('Listing the branches', signal, (git) => listBranches(git, remote)),
    /** Names of the target's branches that are not needed any more. Never answers more than it is sure of. */
    oldBranches: (request: OldBranchesRequest, signal: AbortSignal): Promise<readonly string[]> =>
      inWorkspace('Looking for old branches', signal, (git) => selectOldBranches(git, request)),
    /** The target's branches, those of the newest source commits first; those whose commit is lost come last. */
    newestFirst: (branches: ReadonlyMap<string, string>, target: string, signal: AbortSignal) =>
      inWorkspace('Ordering the branches', signal, (git) => orderBranches(git, branches, target)),
    /** Makes branches that say something by their names alone. One that is there already is fine. */
    mark: (remote: GitRemote, branches: readonly string[], signal: AbortSignal): Promise<void> =>
      inWorkspace(`The push of ${branches.join(', ')}`, signal, (git) => pushMarkers(git, remote, branches)),
    /** Deletes in one push. A branch already gone is fine. */
    deleteBranches: (remote: GitRemote, names: readonly string[], signal: AbortSignal): Promise<void> =>
      inWorkspace('Deleting old branches', signal, (git) => deleteBranches(git, remote, names)),
    [Symbol.asyncDispose]: async (): Promise<void> => {
      // What could not be opened left nothing, and its error has reached whoever asked for it.
      const toClose = await opened?.catch(() => undefined)
      if (toClose !== undefined) await closeWorkspace(toClose)
    },
  }
}
