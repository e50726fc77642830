import { deleteBranches, listBranches } from './branches.ts'
import type { Source, SourceOptions } from './contract.ts'
import { makeSnapshot } from './make-snapshot.ts'
import { selectOldBranches } from './old-branches.ts'
import { branchConflict, pushSnapshot } from './push.ts'
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
  return {
    snapshot: async (request, signal) => makeSnapshot(await workshop(), request, signal),
    oldBranches: async (request, signal) => selectOldBranches(await workshop(), request, signal),
    branches: async (remote, signal) => listBranches(await outgoing(), remote, options, signal),
    deleteBranches: async (remote, names, signal) => deleteBranches(await outgoing(), remote, names, options, signal),
    push: async (request, signal) => {
      const store = await outgoing()
      const branches = request.remoteBranches ?? (await listBranches(store, request.remote, options, signal))
      const present = branches.get(request.branch)
      if (present === request.snapshot.sha) {
        return { kind: 'already-there', incremental: false, objects: 0, bytes: 0, durationMs: 0 }
      }
      if (present !== undefined) throw branchConflict(request, present)
      return await pushSnapshot(store, request, options, undefined, signal)
    },
    [Symbol.asyncDispose]: async () => {
      if (opened !== undefined) await closeWorkshop(await opened)
    },
  }
}
