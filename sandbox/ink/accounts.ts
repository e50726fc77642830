import { apiKey, shortId } from './identifiers.ts'

export interface Account {
  readonly id: string
  /** Owner part of the account's repositories. */
  readonly username: string
  /** The user's name on GitHub, if the account has been made with it. */
  readonly githubUsername: string | undefined
  /** The key that the account was made with. */
  readonly apiKey: string
}

export interface Project {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly ref: string
  readonly isDefault: boolean
  readonly createdAtMs: number
}

export interface Accounts {
  add(username: string, github?: boolean): Account
  remove(account: Account): void
  /** Makes another key for an account. */
  addKey(account: Account): string
  /** From now on the key is unknown. */
  revokeKey(key: string): void
  byApiKey(key: string): Account | 'vanished' | undefined
  /** The account's projects, newest first. */
  projects(accountId: string): Project[]
  /** Finds a project, or makes it: on the platform, naming an unknown project creates it. */
  projectByRef(accountId: string, ref: string): Project
  /** Finds a project and makes none, as the calls do which look a service up. */
  findProject(accountId: string, ref: string): Project | undefined
}

/** @param nowMs - the clock that creation times are read from */
export function createAccounts(nowMs: () => number): Accounts {
  const accounts = new Map<string, Account>()
  const vanishedKeys = new Set<string>()
  const projects: Project[] = []

  const addProject = (accountId: string, ref: string, isDefault: boolean): Project => {
    const project = { id: shortId(), accountId, name: ref, ref, isDefault, createdAtMs: nowMs() }
    projects.push(project)
    return project
  }
  const findProject = (accountId: string, ref: string) =>
    projects.find((project) => project.accountId === accountId && project.ref === ref)

  return {
    add(username, github = true) {
      const githubUsername = github ? username : undefined
      const account = { id: shortId(), username, githubUsername, apiKey: apiKey() }
      accounts.set(account.apiKey, account)
      addProject(account.id, 'default', true)
      return account
    },
    remove({ id }) {
      for (const [key, account] of accounts) {
        if (account.id !== id) continue
        accounts.delete(key)
        vanishedKeys.add(key)
      }
    },
    addKey(account) {
      const key = apiKey()
      accounts.set(key, account)
      return key
    },
    revokeKey: (key) => void accounts.delete(key),
    byApiKey: (key) => accounts.get(key) ?? (vanishedKeys.has(key) ? 'vanished' : undefined),
    projects: (accountId) => projects.filter((project) => project.accountId === accountId).toReversed(),
    projectByRef: (accountId, ref) => findProject(accountId, ref) ?? addProject(accountId, ref, false),
    findProject,
  }
}
