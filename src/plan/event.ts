/**
 * What happened, in the words of this project: the runner's edge parses GitHub's payload into these types once, and
 * everything behind it decides on them alone.
 */

/** The run itself: who, where, and as what. */
export interface RunContext {
  readonly repository: Repository
  /** The login that the run is attributed to: whoever caused the event. */
  readonly actor: string
  /** The login that started this attempt; differs from `actor` when somebody runs it again. */
  readonly triggeringActor: string
  readonly runId: number
  /** Starts at 1. */
  readonly runAttempt: number
  readonly runUrl: string
  readonly workflow: string
  /** The job's id in the workflow file. */
  readonly job: string
  /** `GITHUB_SHA`: for pull requests the merge commit, which is never what is deployed. */
  readonly sha: string
  /** `GITHUB_REF`, such as `refs/heads/main` or `refs/pull/12/merge`. */
  readonly ref: string
  readonly eventName: string
  /** Absolute path of the checkout's root. */
  readonly workspace: string
  /** Absolute path of a folder that lives as long as the job. */
  readonly tempDir: string
}

export interface Repository {
  readonly owner: string
  readonly name: string
  /** `owner/name` */
  readonly fullName: string
  readonly defaultBranch: string
  readonly private: boolean
  /** `https://github.com`, or the address of a GitHub Enterprise Server; no slash at the end. */
  readonly serverUrl: string
  /** `https://api.github.com`, or `…/api/v3`; no slash at the end. */
  readonly apiUrl: string
}

export interface PullRequest {
  readonly number: number
  readonly state: 'open' | 'closed'
  readonly merged: boolean
  readonly draft: boolean
  readonly title: string
  readonly htmlUrl: string
  readonly head: PullRequestHead
  readonly base: { readonly sha: string; readonly ref: string }
  readonly labels: readonly string[]
  /** Login of whoever opened it. */
  readonly author: string
}

export interface PullRequestHead {
  readonly sha: string
  /** The branch's short name. */
  readonly ref: string
  /** `owner/name` of the repository that holds the branch; undefined when that fork was deleted. */
  readonly repository: string | undefined
}

export type RunEvent =
  | PullRequestEvent
  | PushEvent
  | DispatchEvent
  | ReleaseEvent
  | ScheduleEvent
  | CommentEvent
  | WorkflowRunEvent
  | DeleteEvent
  | OtherEvent

export interface PullRequestEvent {
  readonly kind: 'pull-request'
  /** `opened`, `synchronize`, `closed`, … as GitHub names them. */
  readonly action: string
  /** True under `pull_request_target`, where a fork's pull request runs with the repository's secrets. */
  readonly withSecretsForForks: boolean
  readonly pullRequest: PullRequest
  /** The label that was put on or taken off, for `labeled` and `unlabeled`. */
  readonly label: string | undefined
  /** The head before the push, for `synchronize`. */
  readonly before: string | undefined
}

export interface PushEvent {
  readonly kind: 'push'
  readonly ref: string
  /** Undefined when a branch was made by this push. */
  readonly before: string | undefined
  /** Undefined when the push deleted the ref. */
  readonly after: string | undefined
}

export interface DispatchEvent {
  readonly kind: 'dispatch'
  /** The ref that the workflow was started on, whole. */
  readonly ref: string
}

export interface ReleaseEvent {
  readonly kind: 'release'
  readonly action: string
  readonly tag: string
}

export interface ScheduleEvent {
  readonly kind: 'schedule'
  readonly cron: string
}

export interface CommentEvent {
  readonly kind: 'comment'
  readonly action: string
  /** Number of the issue or pull request. */
  readonly number: number
  readonly onPullRequest: boolean
  readonly commentId: number
  readonly body: string
  readonly author: string
  readonly byBot: boolean
  /** When it was written, as ISO 8601. */
  readonly createdAt: string
}

export interface WorkflowRunEvent {
  readonly kind: 'workflow-run'
  readonly action: string
  /** `success`, `failure`, …; undefined until the run has ended. */
  readonly conclusion: string | undefined
  /** What had started that run: `pull_request`, `push`, … */
  readonly event: string
  readonly headSha: string
  readonly headBranch: string
  /** `owner/name`; differs from this repository's for a fork. */
  readonly headRepository: string | undefined
  /** Pull requests that GitHub names in the payload: empty for forks. */
  readonly pullRequests: readonly number[]
}

export interface DeleteEvent {
  readonly kind: 'delete'
  readonly refType: string
  readonly ref: string
}

export interface OtherEvent {
  readonly kind: 'other'
  readonly name: string
}

/** The short name of a branch's ref; undefined for tags and pull request refs. */
export function branchOf(ref: string): string | undefined {
  const prefix = 'refs/heads/'
  return ref.startsWith(prefix) ? ref.slice(prefix.length) : undefined
}

/** Whether the pull request's branch lies in another repository, or in a fork that no longer exists. */
export function isFromFork(pullRequest: PullRequest, repository: Pick<Repository, 'fullName'>): boolean {
  return pullRequest.head.repository?.toLowerCase() !== repository.fullName.toLowerCase()
}

/**
 * Whether Dependabot started the run. Its branches lie in the same repository, yet its runs get no secrets, so the
 * actor is what tells (docs.github.com, "Dependabot on GitHub Actions").
 */
export function isDependabot(context: Pick<RunContext, 'actor'>): boolean {
  return context.actor === 'dependabot[bot]'
}

/** Whether two names mean the same label: GitHub ignores case there. */
export function sameLabel(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one.toLowerCase() === other?.toLowerCase()
}
