import { rm } from 'node:fs/promises'
import { ACTIONS_BOT } from './access.ts'
import { Conversation } from './conversation.ts'
import { DeploymentRecords } from './deployment-records.ts'
import { type EventKind, type EventOptions, renderEvent, type WebhookEvent } from './events.ts'
import { type CommitOptions, type FileContent, git, resolveCommit, writeCommit } from './git.ts'
import type {
  Comment,
  Deployment,
  DeploymentStatus,
  Issue,
  PullRequest,
  Reaction,
  RepositoryRole,
  User,
  WorkflowRun,
} from './model.ts'
import { mergePullRequest, type OpenPullRequest, openPullRequest, refreshPullRequests } from './pull-requests.ts'
import type { World } from './world.ts'

export interface RepositoryOptions {
  readonly owner: string
  readonly name: string
  readonly private?: boolean
  readonly defaultBranch?: string
  /** Makes this a fork of another repository. */
  readonly fork?: Repository
}

/** A repository: a real bare git repository, and everything around it that GitHub keeps. */
export class Repository {
  readonly id: number
  readonly owner: User
  readonly name: string
  readonly private: boolean
  readonly defaultBranch: string
  readonly parent: Repository | undefined
  /** Path of the bare repository. */
  readonly gitDir: string
  readonly createdAt: Date
  readonly conversation: Conversation
  readonly deploymentRecords: DeploymentRecords
  readonly issues = new Map<number, Issue>()
  readonly pulls = new Map<number, PullRequest>()
  readonly collaborators = new Map<string, RepositoryRole>()
  readonly runs = new Map<number, WorkflowRun>()
  pushedAt: Date
  readonly #world: World
  #lastNumber = 0

  constructor(world: World, options: RepositoryOptions) {
    this.#world = world
    this.id = world.nextId()
    this.owner = world.user(options.owner)
    this.name = options.name
    this.private = options.private ?? false
    this.defaultBranch = options.defaultBranch ?? options.fork?.defaultBranch ?? 'main'
    this.parent = options.fork
    this.gitDir = `${world.directory}/${options.owner}/${options.name}.git`
    this.createdAt = world.now()
    this.pushedAt = this.createdAt
    this.conversation = new Conversation(world)
    this.deploymentRecords = new DeploymentRecords(world)
    this.collaborators.set(options.owner, 'admin')
  }

  get fullName(): string {
    return `${this.owner.login}/${this.name}`
  }

  get fork(): boolean {
    return this.parent !== undefined
  }

  get htmlUrl(): string {
    return `${this.#world.serverUrl}/${this.fullName}`
  }

  get cloneUrl(): string {
    return `${this.htmlUrl}.git`
  }

  get openIssues(): number {
    return [...this.issues.values()].filter((issue) => issue.state === 'open').length
  }

  /** The number of the next issue or pull request: they share one sequence. */
  nextNumber(): number {
    this.#lastNumber += 1
    return this.#lastNumber
  }

  /** Adds a commit to a branch (making the branch when needed) and brings the pull requests up to date. */
  async commit(options: CommitOptions): Promise<string> {
    const sha = await this.#world.inTurn(() => writeCommit(this.gitDir, { date: this.#world.now(), ...options }))
    await this.afterPush()
    return sha
  }

  /** Adds a commit with these files to a branch. Shorthand of {@link commit}. */
  pushTo(branch: string, files: Readonly<Record<string, FileContent>>, message = 'Change files'): Promise<string> {
    return this.commit({ branch, files, message })
  }

  /** What GitHub does after every push: pull requests learn of their new head or base. */
  async afterPush(): Promise<void> {
    this.pushedAt = this.#world.now()
    for (const repository of this.#world.repositories.values()) await refreshPullRequests(this.#world, repository)
  }

  /** The commit at the tip of a branch. */
  async head(branch: string = this.defaultBranch): Promise<string> {
    const sha = await resolveCommit(this.gitDir, `refs/heads/${branch}`)
    if (!sha) throw new Error(`${this.fullName} has no branch ${branch}.`)
    return sha
  }

  /** The commit at any reference, or `undefined`: `refs/pull/1/merge` is absent on a conflict. */
  resolve(reference: string): Promise<string | undefined> {
    return resolveCommit(this.gitDir, reference)
  }

  /** The commit that a branch, a tag or a SHA names, in this order. */
  async resolveAny(name: string): Promise<string | undefined> {
    for (const candidate of [`refs/heads/${name}`, `refs/tags/${name}`, name]) {
      const sha = await this.resolve(candidate)
      if (sha) return sha
    }
    return undefined
  }

  /** Points a branch or tag (`refs/heads/x`, `refs/tags/v1`) at a commit; a force push when it was elsewhere. */
  async setReference(reference: string, sha: string): Promise<void> {
    await git(this.gitDir, ['update-ref', reference, sha])
    await this.afterPush()
  }

  async deleteReference(reference: string): Promise<void> {
    await git(this.gitDir, ['update-ref', '-d', reference])
    await this.afterPush()
  }

  openPullRequest(options: OpenPullRequest): Promise<PullRequest> {
    return openPullRequest(this.#world, this, options)
  }

  pull(number: number): PullRequest {
    const pull = this.pulls.get(number)
    if (!pull) throw new Error(`${this.fullName} has no pull request ${number}.`)
    return pull
  }

  async close(number: number, by?: string): Promise<void> {
    this.#setState(number, 'closed', by)
  }

  /** Opens an issue or pull request again; the branch may have moved in between. */
  async reopen(number: number, by?: string): Promise<void> {
    this.#setState(number, 'open', by)
    await refreshPullRequests(this.#world, this)
  }

  /** Merges with a real commit on the base branch and returns its SHA. */
  merge(number: number, options: { readonly method?: 'merge' | 'squash'; readonly by?: string } = {}): Promise<string> {
    return mergePullRequest(this.#world, this, this.pull(number), options)
  }

  setDraft(number: number, draft: boolean, by?: string): void {
    this.pull(number).draft = draft
    this.conversation.record(number, draft ? 'convert_to_draft' : 'ready_for_review', this.#actor(by))
  }

  label(number: number, name: string, by?: string): void {
    this.conversation.addLabel(this.#issue(number), name, this.#actor(by))
  }

  unlabel(number: number, name: string, by?: string): void {
    this.conversation.removeLabel(this.#issue(number), name, this.#actor(by))
  }

  /** Writes a comment as a person would; `by: 'github-actions[bot]'` for one of the bot's. */
  comment(number: number, body: string, by?: string): Comment {
    const user = this.#actor(by)
    return this.conversation.addComment(this.#issue(number).number, body, user, user.id === ACTIONS_BOT.id)
  }

  comments(number: number): readonly Comment[] {
    return this.conversation.comments(number)
  }

  reactions(commentId: number): readonly Reaction[] {
    return this.conversation.reactions(commentId)
  }

  /** Deployment records, newest first. */
  deployments(): readonly Deployment[] {
    return this.deploymentRecords.list()
  }

  /** A deployment's statuses, oldest first. */
  statuses(deploymentId: number): readonly DeploymentStatus[] {
    return this.deploymentRecords.get(deploymentId)?.statuses ?? []
  }

  /** Says what somebody may do here. Strangers may read what is public. */
  setCollaborator(login: string, role: RepositoryRole): void {
    this.collaborators.set(this.#world.user(login).login, role)
  }

  /** Somebody by login, made at first mention. */
  user(login: string): User {
    return this.#world.user(login)
  }

  role(login: string): RepositoryRole {
    return this.collaborators.get(login) ?? (this.private ? 'none' : 'read')
  }

  /** A webhook event about this repository, as GitHub would send it now. */
  event(kind: EventKind, options: EventOptions = {}): Promise<WebhookEvent> {
    return renderEvent(this.#world, this, kind, options)
  }

  /** Deletes the repository and its files. */
  async destroy(): Promise<void> {
    this.#world.repositories.delete(this.fullName.toLowerCase())
    await rm(this.gitDir, { recursive: true, force: true })
  }

  #actor(login: string | undefined): User {
    return login === undefined ? this.owner : this.#world.user(login)
  }

  #issue(number: number): Issue {
    const issue = this.issues.get(number)
    if (!issue) throw new Error(`${this.fullName} has no issue or pull request ${number}.`)
    return issue
  }

  #setState(number: number, state: 'open' | 'closed', by: string | undefined): void {
    const issue = this.#issue(number)
    const actor = this.#actor(by)
    const now = this.#world.now()
    issue.state = state
    issue.updatedAt = now
    issue.closedAt = state === 'closed' ? now : undefined
    issue.closedBy = state === 'closed' ? actor : undefined
    this.conversation.record(number, state === 'closed' ? 'closed' : 'reopened', actor)
  }
}
