import type { GitRemote } from './remote.ts'

/** Where the room tells what it does. `info` says what and the result, `warning` what is degraded and how to mend it. */
export interface SourceLog {
  info(message: string): void
  debug(message: string): void
  warning(message: string): void
}

export interface SourceOptions {
  /** The job's workspace. The repository lies in it or in one of its folders; it may be missing. Only ever read. */
  readonly workspace: string
  /** An existing directory for temporary files. What is put there is gone after disposal. */
  readonly tempDir: string
  /** The environment git's children start from. Git's own variables are dropped; proxies and certificates pass. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where the repository came from, for what the checkout does not hold. Undefined: work with the checkout alone. */
  readonly origin: { readonly url: string; readonly token?: string | undefined } | undefined
  /** `owner/name`, for the trailer of the snapshot. */
  readonly repository: string
  readonly log: SourceLog
  /** Clock in milliseconds. */
  readonly now?: () => number
  /** Pauses between tries of network operations. */
  readonly sleep?: (durationMs: number, signal: AbortSignal) => Promise<void>
  /** A number in [0, 1), for the jitter of those pauses. */
  readonly random?: () => number
  /** What the runner is taken to send, compressing included: the origin is asked for no longer than a push of the whole takes. */
  readonly assumedBytesPerSecond?: number
  /** For LFS contents, which the origin hands out over HTTP. */
  readonly fetch?: typeof globalThis.fetch
}

export interface SnapshotRequest {
  /** The commit which the event asks for: the head of the pull request, the pushed commit. */
  readonly wanted: { readonly sha: string; readonly ref: string }
  /** Commits at which the default checkout may stand for this event: the merge commit, the head. */
  readonly ordinaryCheckouts: readonly string[]
  /** Ship this directory's files as they lie in the workspace. Relative to the workspace. */
  readonly directory?: string | undefined
  /** Leave out what `.gitattributes` marks `export-ignore`. */
  readonly exportIgnore?: boolean | undefined
}

export interface SnapshotFile {
  readonly path: string
  readonly bytes: number
}

/** One parentless commit, ready to be pushed. */
export interface Snapshot {
  /** The parentless commit which is pushed. */
  readonly sha: string
  readonly tree: string
  /** The commit it was made from. */
  readonly sourceSha: string
  readonly sourceRef: string
  readonly subject: string
  /** First eight digits of the tree, when the tree is not the commit's own. Belongs into the branch's name. */
  readonly suffix?: string
  readonly files: number
  /** Sum of the files' sizes, uncompressed. */
  readonly bytes: number
  /** The five largest files, largest first. */
  readonly largest: readonly SnapshotFile[]
  readonly lfs: { readonly replaced: number; readonly missing: readonly string[] }
  readonly submodules: readonly { readonly path: string; readonly sha: string }[]
  /** One sentence, when the commit is not the wanted one or had to be fetched. */
  readonly why?: string
}

export interface PushRequest {
  readonly snapshot: Snapshot
  readonly remote: GitRemote
  /** Short name, without `refs/heads/`. */
  readonly branch: string
  /** Source commits whose snapshots the remote may hold, nearest first: the event's `before`, the base. */
  readonly bases?: readonly string[] | undefined
  /** Refs under which those were deployed (`refs/heads/main`): a snapshot's message names its ref. */
  readonly baseRefs?: readonly string[] | undefined
  /** What {@link Source.branches} answered, when it is known already. */
  readonly remoteBranches?: ReadonlyMap<string, string> | undefined
}

export interface PushResult {
  readonly kind: 'pushed' | 'already-there'
  /** True when only the difference to {@link PushResult.against} travelled. */
  readonly incremental: boolean
  readonly objects: number
  /** Size of the pack on the wire, as git reports it (rounded by git from 1 KiB on). */
  readonly bytes: number
  readonly durationMs: number
  /** The commit that the branch names, when it is the same snapshot made under another ref. */
  readonly sha?: string
  /** The source commit whose snapshot the push was made against. */
  readonly against?: string
}

export interface OldBranchesRequest {
  readonly branches: ReadonlyMap<string, string>
  /** As `DeploymentBranch` has it. */
  readonly target: string
  /** Names which stay whatever their age: the current branch, the one to roll back to. */
  readonly protect: readonly string[]
  /** How many of the others stay, newest source commits first. */
  readonly keepNewest: number
}

/** What is shipped: makes snapshots of the repository in the workspace and pushes them. Leaves nothing behind. */
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
