import { rm } from 'node:fs/promises'
import { shapeEvent } from './gitea/shape.ts'
import { type EventKind, type EventOptions, renderEvent, type WebhookEvent } from './render/event.ts'
import { type CommitOptions, type FileContent, writeCommit } from './state/commits.ts'
import { git } from './state/git.ts'
import {
  appOf,
  type Comment,
  type Deployment,
  type DeploymentStatus,
  type PullRequest,
  type Reaction,
  type RepositoryRole,
  rights,
  type User,
} from './state/model.ts'
import { closeReaders } from './state/object-reader.ts'
import {
  afterPush,
  mergePullRequest,
  type OpenPullRequest,
  openPullRequest,
  refreshPullRequests,
} from './state/pull-requests.ts'
import { type RepositoryOptions, RepositoryState, type World } from './state/state.ts'

/** A repository: a real bare git repository, everything around it that GitHub keeps, and what people do to it. */
export class Repository extends RepositoryState {
  readonly #world: World

  constructor(world: World, options: RepositoryOptions) {
    super(world, options)
    this.#world = world
  }

  /** Adds a commit to a branch (making the branch when needed) and brings the pull requests up to date. */
  async commit(options: CommitOptions): Promise<string> {
    const sha = await this.#world.inTurn(() => writeCommit(this.gitDir, { date: this.#world.now(), ...options }))
    await afterPush(this.#world, this)
    return sha
  }

  /** Adds a commit with these files to a branch. Shorthand of {@link commit}. */
  pushTo(branch: string, files: Readonly<Record<string, FileContent>>, message = 'Change files'): Promise<string> {
    return this.commit({ branch, files, message })
  }

  /** Points a branch or tag (`refs/heads/x`, `refs/tags/v1`) at a commit; a force push when it was elsewhere. */
  async setReference(reference: string, sha: string): Promise<void> {
    await git(this.gitDir, ['update-ref', reference, sha])
    await afterPush(this.#world, this)
  }

  async deleteReference(reference: string): Promise<void> {
    await git(this.gitDir, ['update-ref', '-d', reference])
    await afterPush(this.#world, this)
  }

  openPullRequest(options: OpenPullRequest): Promise<PullRequest> {
    return openPullRequest(this.#world, this, options)
  }

  async close(number: number, by?: string): Promise<void> {
    this.setIssueState(number, 'closed', this.#actor(by))
  }

  /** Opens an issue or pull request again; the branch may have moved in between. */
  async reopen(number: number, by?: string): Promise<void> {
    this.setIssueState(number, 'open', this.#actor(by))
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
    this.conversation.addLabel(this.issue(number), name, this.#actor(by))
  }

  unlabel(number: number, name: string, by?: string): void {
    this.conversation.removeLabel(this.issue(number), name, this.#actor(by))
  }

  /** Writes a comment as a person would, or as an app with `by: 'renovate[bot]'`. */
  comment(number: number, body: string, by?: string): Comment {
    const user = this.#actor(by)
    return this.conversation.addComment(this.issue(number).number, body, user, appOf(user))
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

  /** A webhook event about this repository, as GitHub would send it now. */
  async event(kind: EventKind, options: EventOptions = {}): Promise<WebhookEvent> {
    const event = await renderEvent(this.#world, this, kind, options)
    if (this.#world.profile !== 'gitea') return event
    return { ...event, payload: shapeEvent(event.name, event.payload, (login) => rights(this.role(login))) }
  }

  /** Gives it another name. Its number stays, and so do its tokens; the old name leads to the new one. */
  rename(name: string): void {
    this.#move(this.owner, name)
  }

  /** Gives it to somebody else, who becomes its administrator. */
  transfer(owner: string): void {
    this.#move(this.#world.user(owner), this.name)
    this.collaborators.set(owner, 'admin')
  }

  /** Deletes the repository and its files. */
  async destroy(): Promise<void> {
    this.#world.repositories.delete(this.fullName.toLowerCase())
    await closeReaders(this.gitDir)
    await rm(this.gitDir, { recursive: true, force: true })
  }

  #move(owner: User, name: string): void {
    const before = this.fullName
    const after = `${owner.login}/${name}`
    if (this.#world.repositories.has(after.toLowerCase())) throw new Error(`There is a repository ${after} already.`)
    this.#world.repositories.delete(before.toLowerCase())
    this.formerNames.add(before.toLowerCase())
    this.owner = owner
    this.name = name
    this.#world.repositories.set(after.toLowerCase(), this)
    for (const [value, token] of this.#world.tokens) {
      if (token.repository === before) this.#world.tokens.set(value, { ...token, repository: after })
    }
    for (const repository of this.#world.repositories.values()) {
      for (const pull of repository.pulls.values()) if (pull.headFullName === before) pull.headFullName = after
    }
  }

  #actor(login: string | undefined): User {
    return login === undefined ? this.owner : this.#world.user(login)
  }
}
