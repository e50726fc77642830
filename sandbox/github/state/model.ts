/** What the GitHub stand-in remembers. Plain records; everything that is shown is rendered from them. */

/** The addresses everything is rendered with. */
export interface Addresses {
  /** For example `http://127.0.0.1:4000`. */
  readonly serverUrl: string
  /** `serverUrl` + `/api/v3`, as on GitHub Enterprise Server. */
  readonly apiUrl: string
}

/** Which forge is imitated. */
export type ForgeProfile = 'github' | 'gitea'

/** What hands out numbers and the time. */
export interface Issuer {
  nextId(): number
  now(): Date
}

export interface User {
  readonly login: string
  readonly id: number
  readonly type: 'User' | 'Bot' | 'Organization'
}

/** The author of everything done with a job's GITHUB_TOKEN. */
export const ACTIONS_BOT: User = { login: 'github-actions[bot]', id: 41898282, type: 'Bot' }

/** The same on a Gitea. */
export const GITEA_ACTIONS_BOT: User = { login: 'gitea-actions', id: -2, type: 'Bot' }

/** A GitHub App: what acts through an installation token. */
export interface App {
  readonly id: number
  readonly slug: string
  readonly name: string
}

/** The app behind GITHUB_TOKEN. */
export const ACTIONS_APP: App = { id: 15368, slug: 'github-actions', name: 'GitHub Actions' }

/** The app that a bot belongs to; people and organizations have none. */
export function appOf(user: User): App | undefined {
  if (user.type !== 'Bot') return undefined
  if (user.login === ACTIONS_BOT.login) return ACTIONS_APP
  const slug = user.login.replace('[bot]', '')
  return { id: user.id, slug, name: slug }
}

/** What a token may do with a subject, as written in a workflow's `permissions:`. */
export type AccessLevel = 'none' | 'read' | 'write'

/** Subjects in the API's spelling (`pull_requests`); the workflow's hyphens are accepted at the edge. */
export type Permissions = Readonly<Record<string, AccessLevel>>

/** What a person may do in a repository, as `GET /collaborators/{user}/permission` says it. */
export type RepositoryRole = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none'

/** A role as the rights that it comes with. */
export function rights(role: RepositoryRole) {
  const rank = ['none', 'read', 'triage', 'write', 'maintain', 'admin'].indexOf(role)
  return { admin: rank >= 5, maintain: rank >= 4, push: rank >= 3, triage: rank >= 2, pull: rank >= 1 }
}

/** `actions`: the job's GITHUB_TOKEN. `user`: a personal access token. `app`: another app's installation token. */
export type TokenKind = 'actions' | 'user' | 'app'

export interface Token {
  readonly value: string
  readonly kind: TokenKind
  readonly actor: User
  readonly repository: string
  readonly permissions: Permissions
}

export interface Label {
  readonly id: number
  readonly name: string
  readonly color: string
  readonly description: string
}

export interface Comment {
  readonly id: number
  readonly issueNumber: number
  readonly user: User
  /** The app that wrote it, where it was one: GitHub says so in `performed_via_github_app`. */
  readonly app: App | undefined
  readonly createdAt: Date
  body: string
  updatedAt: Date
}

export interface Reaction {
  readonly id: number
  readonly commentId: number
  readonly user: User
  readonly content: '+1' | '-1' | 'laugh' | 'confused' | 'heart' | 'hooray' | 'rocket' | 'eyes'
  readonly createdAt: Date
}

export interface Issue {
  readonly number: number
  readonly id: number
  readonly user: User
  readonly createdAt: Date
  title: string
  body: string | null
  state: 'open' | 'closed'
  labels: string[]
  updatedAt: Date
  closedAt: Date | undefined
  closedBy: User | undefined
}

/** Commits that came to a pull request, for its timeline. GitHub says when they were written, never when they came. */
export interface PushedCommits {
  /** Its place among what happened in the same instant. */
  readonly id: number
  readonly issueNumber: number
  readonly shas: readonly string[]
  readonly receivedAt: Date
}

/** An entry of an issue's history, for `/events` and `/timeline`. */
export interface IssueEvent {
  readonly id: number
  readonly issueNumber: number
  readonly event:
    | 'labeled'
    | 'unlabeled'
    | 'closed'
    | 'reopened'
    | 'merged'
    | 'ready_for_review'
    | 'convert_to_draft'
    | 'head_ref_force_pushed'
  readonly actor: User
  readonly label: string | undefined
  readonly commitSha: string | undefined
  readonly createdAt: Date
}

export interface PullRequest extends Issue {
  readonly headRef: string
  headFullName: string
  headSha: string
  baseRef: string
  baseSha: string
  draft: boolean
  merged: boolean
  mergedAt: Date | undefined
  mergedBy: User | undefined
  /** The test merge while open, the real merge once merged, `undefined` on a conflict. */
  mergeCommitSha: string | undefined
  mergeable: boolean | undefined
  /** Base and head of the last test merge: `refs/pull/N` is up to date as long as these are the tips. */
  testedMerge: string | undefined
}

export type DeploymentState = 'error' | 'failure' | 'inactive' | 'in_progress' | 'queued' | 'pending' | 'success'

export interface DeploymentStatus {
  readonly id: number
  readonly state: DeploymentState
  readonly description: string
  readonly environment: string
  readonly environmentUrl: string
  readonly logUrl: string
  readonly creator: User
  readonly createdAt: Date
}

export interface Deployment {
  readonly id: number
  readonly sha: string
  readonly ref: string
  readonly task: string
  readonly environment: string
  readonly originalEnvironment: string
  readonly description: string | null
  readonly payload: Record<string, unknown> | string
  readonly transientEnvironment: boolean
  readonly productionEnvironment: boolean
  readonly creator: User
  readonly createdAt: Date
  updatedAt: Date
  readonly statuses: DeploymentStatus[]
}

export interface WorkflowJob {
  readonly id: number
  readonly name: string
  status: 'queued' | 'in_progress' | 'completed'
  conclusion: 'success' | 'failure' | 'cancelled' | 'skipped' | null
  readonly startedAt: Date
  completedAt: Date | undefined
}

/** What a run is about. Running it again uses the same, however old it is by then. */
export interface RunStart {
  readonly payload: Readonly<Record<string, unknown>>
  readonly sha: string
  readonly ref: string
}

export interface WorkflowRun {
  readonly id: number
  readonly number: number
  readonly attempt: number
  readonly name: string
  readonly path: string
  readonly event: string
  readonly headBranch: string
  readonly headSha: string
  readonly actor: User
  readonly createdAt: Date
  readonly jobs: WorkflowJob[]
  /** What it was started with and keeps when it is run again. Unknown for runs that were only written down. */
  readonly start?: RunStart
}
