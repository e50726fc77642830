import { deleteBranches, listBranches, type OldBranchesRequest, orderBranches, selectOldBranches } from './branches.ts'
import { readObjects } from './objects.ts'
import { type PushRequest, type PushResult, pushMarker, pushSnapshot } from './push.ts'
import type { GitRemote } from './remote.ts'
import { type MadeSnapshot, makeSnapshot, type Snapshot, type SnapshotRequest } from './snapshot.ts'
import { listTree, readablePath } from './tree.ts'
import { closeWorkspace, type GitWorkspace, openWorkspace, type SourceOptions } from './workspace.ts'

export { parseDeploymentBranch } from './branches.ts'
export type { PushRequest, PushResult } from './push.ts'
export { GitRemote, parseRemote, protectedRemote, SourceError } from './remote.ts'
export type { Snapshot, SnapshotRequest } from './snapshot.ts'
export type { SourceLog, SourceOptions } from './workspace.ts'

/**
 * What is shipped: makes snapshots of the repository in the workspace and pushes them. Leaves nothing behind.
 * A deployment's way through this room: checkout and source commit (`checkout`, `fetch`) → its tree with submodules and
 * LFS contents, or a directory's (`resolve-tree`, `lfs`, `directory`) → the snapshot commit (`snapshot`) → what the remote
 * has (`branches`, `incremental`) → the push (`push`).
 */
export interface Source extends AsyncDisposable {
  snapshot(request: SnapshotRequest, signal: AbortSignal): Promise<Snapshot>
  /** Paths of the snapshot's files, readable ones. */
  files(snapshot: Snapshot, signal: AbortSignal): Promise<ReadonlySet<string>>
  /** Contents of one of the snapshot's files; undefined when there is no such file. Links count as none. */
  read(snapshot: Snapshot, path: string, signal: AbortSignal): Promise<Buffer | undefined>
  push(request: PushRequest, signal: AbortSignal): Promise<PushResult>
  /** Short branch name → commit. */
  branches(remote: GitRemote, signal: AbortSignal): Promise<ReadonlyMap<string, string>>
  /** Names of the target's branches that are not needed any more. Never answers more than it is sure of. */
  oldBranches(request: OldBranchesRequest, signal: AbortSignal): Promise<readonly string[]>
  /** The target's branches, those of the newest source commits first; those whose commit is lost come last. */
  newestFirst(branches: ReadonlyMap<string, string>, target: string, signal: AbortSignal): Promise<readonly string[]>
  /** Makes a branch that says something by its name alone. One that is there already is fine. */
  mark(remote: GitRemote, branch: string, signal: AbortSignal): Promise<void>
  /** Deletes in one push. A branch already gone is fine. */
  deleteBranches(remote: GitRemote, names: readonly string[], signal: AbortSignal): Promise<void>
}

/**
 * Opens the repository in the workspace for deploying. Nothing is done before the first call; everything that is
 * written goes to a folder of its own in `tempDir`, which disposal removes.
 */
export function openSource(options: SourceOptions): Source {
  let opened: Promise<GitWorkspace> | undefined
  const workspace = async (signal: AbortSignal) => {
    opened ??= openWorkspace(options)
    return (await opened).during(signal)
  }
  const made = new Map<string, MadeSnapshot>()
  return {
    snapshot: async (request, signal) => {
      const result = await makeSnapshot(await workspace(signal), request)
      made.set(result.snapshot.sha, result)
      return result.snapshot
    },
    files: async (snapshot, signal) => {
      const { own } = await (await workspace(signal)).stores('sha1')
      const entries = await listTree(own, snapshot.tree)
      return new Set(entries.filter(({ type }) => type === 'blob').map(({ path }) => readablePath(path)))
    },
    read: async (snapshot, path, signal) => {
      const { own } = await (await workspace(signal)).stores('sha1')
      const entries = await listTree(own, snapshot.tree)
      const file = entries.find((entry) => readablePath(entry.path) === path && entry.mode.startsWith('100'))
      return file && (await readObjects(own, [file.oid])).get(file.oid)
    },
    push: async (request, signal) => pushSnapshot(await workspace(signal), request, made.get(request.snapshot.sha)),
    branches: async (remote, signal) => listBranches(await workspace(signal), remote),
    oldBranches: async (request, signal) => selectOldBranches(await workspace(signal), request),
    newestFirst: async (branches, target, signal) => orderBranches(await workspace(signal), branches, target),
    mark: async (remote, branch, signal) => pushMarker(await workspace(signal), remote, branch),
    deleteBranches: async (remote, names, signal) => deleteBranches(await workspace(signal), remote, names),
    [Symbol.asyncDispose]: async () => {
      // What could not be opened left nothing, and its error has reached whoever asked for it.
      const toClose = await opened?.catch(() => undefined)
      if (toClose !== undefined) await closeWorkspace(toClose)
    },
  }
}
