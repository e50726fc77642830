import { deleteBranches, listBranches } from './branches.ts'
import type { Source, SourceOptions } from './contract.ts'
import { findBase } from './incremental.ts'
import { type MadeSnapshot, makeSnapshot } from './make-snapshot.ts'
import { pushMarker } from './marker.ts'
import { orderBranches, selectOldBranches } from './old-branches.ts'
import { alreadyThere, branchConflict, pushSnapshot } from './push.ts'
import { readObjects } from './read-objects.ts'
import { isSameSource } from './same-source.ts'
import { listTree, readablePath } from './tree.ts'
import { closeWorkshop, openWorkshop, type Workshop } from './workshop.ts'

export type {
  OldBranchesRequest,
  PushRequest,
  PushResult,
  Snapshot,
  SnapshotFile,
  SnapshotRequest,
  Source,
  SourceLog,
  SourceOptions,
} from './contract.ts'
export { type DeploymentBranch, parseDeploymentBranch } from './deployment-branch.ts'
export { GitRemote, parseRemote } from './remote.ts'
export { SourceError, type SourceErrorCode } from './source-error.ts'

/**
 * Opens the repository in the workspace for deploying. Nothing is done before the first call; everything that is
 * written goes to a folder of its own in `tempDir`, which disposal removes.
 */
export function openSource(options: SourceOptions): Source {
  let opened: Promise<Workshop> | undefined
  const workshop = () => {
    opened ??= openWorkshop(options)
    return opened
  }
  // The platform's repositories are made by a plain `git init --bare`: SHA-1.
  const outgoing = async () => (await (await workshop()).stores('sha1')).own
  const made = new Map<string, MadeSnapshot>()
  return {
    snapshot: async (request, signal) => {
      const result = await makeSnapshot(await workshop(), request, signal)
      made.set(result.snapshot.sha, result)
      return result.snapshot
    },
    files: async (snapshot, signal) => {
      const entries = await listTree(await outgoing(), snapshot.tree, signal)
      return new Set(entries.filter(({ type }) => type === 'blob').map(({ path }) => readablePath(path)))
    },
    read: async (snapshot, path, signal) => {
      const store = await outgoing()
      const entries = await listTree(store, snapshot.tree, signal)
      const file = entries.find((entry) => readablePath(entry.path) === path && entry.mode.startsWith('100'))
      return file && (await readObjects(store, [file.oid], signal)).get(file.oid)
    },
    push: async (request, signal) => {
      const store = await outgoing()
      const branches = request.remoteBranches ?? (await listBranches(store, request.remote, options, signal))
      const present = branches.get(request.branch)
      if (present === request.snapshot.sha) return alreadyThere
      const making = made.get(request.snapshot.sha)
      const settle = async (other: string) => {
        const same = making && (await isSameSource(await workshop(), making, request, other, signal))
        if (same) return { ...alreadyThere, sha: other }
        throw branchConflict(request, other)
      }
      if (present !== undefined) return await settle(present)
      const against = making && (await findBase(await workshop(), making, request, branches, signal))
      return await pushSnapshot(store, request, options, { against, settle }, signal)
    },
    branches: async (remote, signal) => listBranches(await outgoing(), remote, options, signal),
    oldBranches: async (request, signal) => selectOldBranches(await workshop(), request, signal),
    newestFirst: async (branches, target, signal) => orderBranches(await workshop(), branches, target, signal),
    mark: async (remote, branch, signal) => pushMarker(await outgoing(), remote, branch, options, signal),
    deleteBranches: async (remote, names, signal) => deleteBranches(await outgoing(), remote, names, options, signal),
    [Symbol.asyncDispose]: async () => {
      // What could not be opened left nothing, and its error has reached whoever asked for it.
      const workshopToClose = await opened?.catch(() => undefined)
      if (workshopToClose !== undefined) await closeWorkshop(workshopToClose)
    },
  }
}
