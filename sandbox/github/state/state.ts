import { Conversation } from './conversation.ts'
import { DeploymentRecords } from './deployment-records.ts'
import { type GitRun, tryGit } from './git.ts'
import {
  ACTIONS_BOT,
  type Addresses,
  type ForgeProfile,
  GITEA_ACTIONS_BOT,
  type Issue,
  type Issuer,
  type PullRequest,
  type RepositoryRole,
  type Token,
  type User,
  type WorkflowRun,
} from './model.ts'
import { resolveCommit } from './objects.ts'

export interface RepositoryOptions {
  readonly owner: string
  readonly name: string
  readonly private?: boolean
  readonly defaultBranch?: string
  /** Makes this a fork of another repository. */
  readonly fork?: RepositoryState
}

/** Everything that exists on this GitHub, and what hands out its numbers. */
export interface World<Kept extends RepositoryState = RepositoryState> extends Addresses, Issuer {
  /** Where the bare repositories lie. */
  readonly directory: string
  /** By full name in lower case. */
  readonly repositories: Map<string, Kept>
  readonly tokens: Map<string, Token>
  /** Which forge this is. */
  readonly profile: ForgeProfile
  /** How many requests that change something one token may send in a minute. */
  readonly writesPerMinute: number
  /** The author of everything done with a job's token. */
  readonly actionsBot: User
  /** Does one thing after the other: two changes of references at once would overwrite each other. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  /** The user of that login, made at first mention; `…[bot]` is a bot. */
  user(login: string): User
  /** The user of that login, if it was mentioned before. */
  knownUser(login: string): User | undefined
}

export interface WorldFacts extends Addresses {
  readonly directory: string
  readonly profile: ForgeProfile
  readonly writesPerMinute: number
  readonly now: () => Date
}

export function createWorld<Kept extends RepositoryState>(facts: WorldFacts): World<Kept> {
  let lastId = 1_000_000
  const actionsBot = facts.profile === 'gitea' ? GITEA_ACTIONS_BOT : ACTIONS_BOT
  const users = new Map<string, User>([[actionsBot.login, actionsBot]])
  let lastTurn: Promise<unknown> = Promise.resolve()
  const nextId = (): number => {
    lastId += 1
    return lastId
  }
  return {
    ...facts,
    actionsBot,
    repositories: new Map(),
    tokens: new Map(),
    nextId,
    inTurn(work) {
      const turn = lastTurn.then(work)
      // A turn that failed is its owner's to report; the next one begins all the same.
      lastTurn = turn.catch(() => undefined)
      return turn
    },
    knownUser: (login) => users.get(login),
    user(login) {
      const known = users.get(login)
      if (known) return known
      const user: User = { login, id: nextId(), type: login.endsWith('[bot]') ? 'Bot' : 'User' }
      users.set(login, user)
      return user
    },
  }
}

/** Looks a repository up by `owner/name`; as on GitHub, case does not matter. */
export function findRepository<Kept extends RepositoryState>(world: World<Kept>, fullName: string): Kept | undefined {
  return world.repositories.get(fullName.toLowerCase())
}

/** Looks a repository up by its number, which it keeps for life. */
export function findRepositoryById<Kept extends RepositoryState>(world: World<Kept>, id: number): Kept | undefined {
  return [...world.repositories.values()].find((repository) => repository.id === id)
}

/** The repository that had this name before it was renamed or transferred, until another one takes the name. */
export function findMovedRepository<Kept extends RepositoryState>(
  world: World<Kept>,
  fullName: string,
): Kept | undefined {
  if (findRepository(world, fullName)) return undefined
  return [...world.repositories.values()].find((repository) => repository.formerNames.has(fullName.toLowerCase()))
}

/** What GitHub knows about a repository, beside what git itself keeps. */
export class RepositoryState {
  readonly id: number
  owner: User
  name: string
  readonly private: boolean
  readonly defaultBranch: string
  readonly parent: RepositoryState | undefined
  /** Path of the bare repository. */
  readonly gitDir: string
  readonly createdAt: Date
  readonly conversation: Conversation
  readonly deploymentRecords: DeploymentRecords
  readonly issues = new Map<number, Issue>()
  readonly pulls = new Map<number, PullRequest>()
  /** Full names it had before, in lower case. */
  readonly formerNames = new Set<string>()
  readonly collaborators = new Map<string, RepositoryRole>()
  readonly runs = new Map<number, WorkflowRun>()
  pushedAt: Date
  readonly #world: World
  readonly #saidOfCommits = new Map<string, GitRun>()
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

  /** Runs git for what is true of commits for ever, each named by its SHA; so a good answer is kept. */
  async askOfCommits(...args: readonly string[]): Promise<GitRun> {
    const question = args.join('\0')
    const run = this.#saidOfCommits.get(question) ?? (await tryGit(this.gitDir, args))
    if (run.exitCode === 0) this.#saidOfCommits.set(question, run)
    return run
  }

  pull(number: number): PullRequest {
    const pull = this.pulls.get(number)
    if (!pull) throw new Error(`${this.fullName} has no pull request ${number}.`)
    return pull
  }

  issue(number: number): Issue {
    const issue = this.issues.get(number)
    if (!issue) throw new Error(`${this.fullName} has no issue or pull request ${number}.`)
    return issue
  }

  /** Closes an issue or pull request, or opens it again. */
  setIssueState(number: number, state: 'open' | 'closed', actor: User): void {
    const issue = this.issue(number)
    const now = this.#world.now()
    issue.state = state
    issue.updatedAt = now
    issue.closedAt = state === 'closed' ? now : undefined
    issue.closedBy = state === 'closed' ? actor : undefined
    this.conversation.record(number, state === 'closed' ? 'closed' : 'reopened', actor)
  }

  role(login: string): RepositoryRole {
    return this.collaborators.get(login) ?? (this.private ? 'none' : 'read')
  }
}
