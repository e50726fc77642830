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
