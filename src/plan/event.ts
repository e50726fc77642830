/* What a run knows, on which alone all decisions rest: what happened, and what was looked up since. */

export interface RunContext {
  readonly repository: Repository
  /** The login that the run is attributed to: whoever caused the event. */
  readonly actor: string
  readonly runId: number
  /** Starts at 1. */
  readonly runAttempt: number
  readonly runUrl: string
  readonly workflow: string
  /** The workflow's file in the repository, where the runner tells it, and the commit that it was read from. */
  readonly workflowPath: string | undefined
  readonly workflowSha: string | undefined
  /** `owner/name` of the repository that this action comes from, where the runner tells it. */
  readonly action: string | undefined
  readonly job: string
  /** `RUNNER_NAME`, which no two jobs at work at the same time share; empty when it is not known. */
  readonly runnerName: string
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

/** What a repository is called: it may be renamed or transferred. */
export interface RepositoryName {
  readonly owner: string
  readonly name: string
}

export interface Repository extends RepositoryName {
  /** GitHub's number for it, which stays when it is renamed or transferred; undefined where the runner does not tell. */
  readonly id?: string | undefined
  /** What it was called when its services got their names, where that is not its present name. */
  readonly madeAs?: RepositoryName | undefined
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
  readonly draft: boolean
  readonly head: {
    readonly sha: string
    /** The branch's short name. */
    readonly ref: string
    /** `owner/name` of the repository that holds the branch; undefined when that fork was deleted. */
    readonly repository: string | undefined
  }
  readonly base: { readonly sha: string }
  readonly labels: readonly string[]
}

export type RunEvent =
  | PullRequestEvent
  | PushEvent
  /** The ref that the workflow was started on, whole. */
  | { readonly kind: 'dispatch'; readonly ref: string }
  | { readonly kind: 'release'; readonly action: string; readonly tag: string }
  | { readonly kind: 'schedule'; readonly cron: string }
  | CommentEvent
  | WorkflowRunEvent
  | { readonly kind: 'delete'; readonly refType: string; readonly ref: string }
  | { readonly kind: 'other'; readonly name: string }

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

export interface CommentEvent {
  readonly kind: 'comment'
  readonly action: string
  readonly number: number
  readonly onPullRequest: boolean
  readonly commentId: number
  readonly body: string
  readonly author: string
  readonly byBot: boolean
  /** What a forge’s event tells of it; GitHub’s tell nothing. */
  readonly authorMayWrite: boolean | undefined
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

/** The short name of a branch's ref; undefined for tags and pull request refs. */
export function branchOf(ref: string): string | undefined {
  const prefix = 'refs/heads/'
  return ref.startsWith(prefix) ? ref.slice(prefix.length) : undefined
}

/** Whether the pull request's branch lies in another repository, or in a fork that no longer exists. */
export function isFromFork(pullRequest: PullRequest, repository: Pick<Repository, 'fullName'>): boolean {
  return pullRequest.head.repository?.toLowerCase() !== repository.fullName.toLowerCase()
}

/** Whether two names mean the same label: GitHub ignores case there. */
export function sameLabel(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one.toLowerCase() === other?.toLowerCase()
}

/** What a comment asks for. A commit is given whole or abbreviated. */
type CommentCommand =
  | { readonly name: 'deploy' | 'rollback'; readonly commit: string | undefined }
  | { readonly name: 'stop' | 'logs' }
  | { readonly name: 'help'; readonly unknown: string | undefined }

/**
 * The first `/ink …` that a comment's author wrote as a command: alone at the start of a line, and not in a code block,
 * a quote (with the lines that Markdown counts to it) or a hidden HTML comment.
 */
export function findCommand(body: string): CommentCommand | undefined {
  const line = writtenLines(body).find((candidate) => /^ {0,3}\/ink(\s|$)/.test(candidate))
  return line === undefined ? undefined : readCommand(line.trim().split(/\s+/).slice(1))
}

function readCommand([word, argument]: readonly string[]): CommentCommand {
  const name = word?.toLowerCase()
  const commit = argument?.toLowerCase()
  if (name === 'stop' || name === 'logs') return { name }
  if (name !== 'deploy' && name !== 'rollback') return { name: 'help', unknown: name === 'help' ? undefined : word }
  return commit === undefined || /^[0-9a-f]{7,64}$/.test(commit)
    ? { name, commit }
    : { name: 'help', unknown: `${name} ${argument}` }
}

/** The lines that stand as text of the author's own. */
function writtenLines(body: string): string[] {
  const lines = body.replaceAll(/<!--[\s\S]*?(?:-->|$)/g, '').split(/\r\n?|\n/)
  const written: string[] = []
  let fence: string | undefined
  let inQuote = false
  for (const line of lines) {
    // Backticks after backticks on one line are code within the line, which opens no block.
    const [, mark, info = ''] = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$/.exec(line) ?? []
    if (fence !== undefined) {
      if (mark?.startsWith(fence) && info.trim() === '') fence = undefined
    } else if (mark !== undefined) {
      fence = mark
      inQuote = false
    } else if (line.trim() === '') {
      inQuote = false
    } else if (inQuote || /^ {0,3}>/.test(line)) {
      inQuote = true
    } else {
      written.push(line)
    }
  }
  return written
}

/** Where everything of one service happens on the platform. */
export interface Place {
  readonly project: string
  readonly workspace: string | undefined
  /** Name of the repository on the platform, without owner and slug. */
  readonly repositoryName: string
  /** The GitHub repository whose marks the services carry. */
  readonly repository: Repository
  /** The service's name in production, or in the environment that the file names; a preview's is derived from it by `previewName`. */
  readonly baseName: string
  /** The service's name in a file that has several. */
  readonly serviceKey?: string | undefined
  /** The environment that the file names; undefined for production and previews. */
  readonly environment?: string | undefined
}

export type NeededFact =
  | ({ readonly fact: 'pullRequest' } & ({ readonly number: number } | HeadOfPullRequest))
  | { readonly fact: 'permission'; readonly login: string }
  | { readonly fact: 'approval'; readonly of: Approval }
  | { readonly fact: 'live'; readonly place: Place; readonly serviceName: string }
  | { readonly fact: 'changedFiles'; readonly of: ChangedFilesOf }
  /** Whether one commit leads to another; `ref` is where the first was taken from. */
  | { readonly fact: 'relation'; readonly of: { readonly base: string; readonly head: string; readonly ref: string } }

/** The open pull request whose head is this commit, for `workflow_run`, whose payload does not name a fork's. */
export interface HeadOfPullRequest {
  readonly headSha: string
  readonly headBranch: string
  readonly headRepository: string | undefined
  /** Those that are named, where several have this head; empty when none is. */
  readonly numbers: readonly number[]
}

export type ChangedFilesOf =
  | { readonly kind: 'pull-request'; readonly number: number }
  | { readonly kind: 'range'; readonly before: string; readonly after: string }

/** Whether a label was put on after this commit had become the head of the pull request. */
export interface Approval {
  readonly number: number
  readonly label: string
  readonly sha: string
}

/** What a service runs, as its branch tells. `unknown` also when its latest deployment is not live. */
export type RunningVersion = { readonly commit: string } | 'absent' | 'unknown'

/** What was looked up so far. `unreadable`: asked, and GitHub did not say. */
export interface Facts {
  readonly pullRequest?: PullRequest | 'not-found' | 'unreadable'
  readonly permission?: 'write' | 'read' | 'unreadable'
  readonly approval?: 'given' | 'not-given' | 'unreadable'
  readonly live?: RunningVersion
  /** `unreadable` also when the first commit of a range does not lead to the second, or the list is not whole. */
  readonly changedFiles?: readonly string[] | 'unreadable'
  /** `ahead`: the head has all that the base has and more, and the base is where its ref stands no longer. */
  readonly relation?: 'ahead' | 'other' | 'unreadable'
}
