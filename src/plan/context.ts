import type { PullRequest } from './event.ts'

/* What a run knows beside its event: who runs where, and what was looked up since. All decisions rest on these alone. */

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

/** Which commit the event asks for, and what its checkout looks like. */
export interface WantedCommit {
  /** The commit which the event asks for: the head of the pull request, the pushed commit. */
  readonly wanted: { readonly sha: string }
  /** Commits at which the default checkout may stand for this event: the merge commit, the head. */
  readonly ordinaryCheckouts: readonly string[]
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
