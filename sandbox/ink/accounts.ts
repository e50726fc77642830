import { apiKey, shortId } from './identifiers.ts'

export interface Account {
  readonly id: string
  /** Owner part of the account's repositories. */
  readonly username: string
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
  add(username: string): Account
  remove(account: Account): void
  byApiKey(key: string): Account | 'vanished' | undefined
  /** The account's projects, oldest first. */
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
    add(username) {
      const account = { id: shortId(), username, apiKey: apiKey() }
      accounts.set(account.apiKey, account)
      addProject(account.id, 'default', true)
      return account
    },
    remove(account) {
      accounts.delete(account.apiKey)
      vanishedKeys.add(account.apiKey)
    },
    byApiKey: (key) => accounts.get(key) ?? (vanishedKeys.has(key) ? 'vanished' : undefined),
    projects: (accountId) => projects.filter((project) => project.accountId === accountId),
    projectByRef: (accountId, ref) => findProject(accountId, ref) ?? addProject(accountId, ref, false),
    findProject,
  }
}
