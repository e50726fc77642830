import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { layOutRepository } from '../../empty-repository.ts'
import type { GitService } from '../../git-service.ts'
import type { Account } from '../accounts.ts'
import { gitToken, repositorySlugSuffix, shortId } from '../identifiers.ts'
import type { GitCommand } from './command.ts'
import { createReferences } from './references.ts'

export interface Repository {
  readonly id: string
  readonly accountId: string
  readonly projectId: string
  /** The name it was asked for. */
  readonly name: string
  /** `<owner>/<name>-<4 random>`, as in the git remote. */
  readonly fullName: string
  /** Where the bare repository lies once something has been pushed. */
  readonly path: string
}

export interface Repositories {
  /** The folder that holds all bare repositories. */
  readonly root: string
  /** Notes a repository of any name; the bare repository itself is made at the first push. */
  create(account: Account, projectId: string, name: string): Repository
  /** Makes the bare repository, unless it is there. */
  prepare(repository: Repository): Promise<void>
  /** Whether the bare repository has been made. */
  isPrepared(repository: Repository): boolean
  /** Finds a repository by the name it was asked for, within a project. */
  find(projectId: string, name: string): Repository | undefined
  byFullName(fullName: string): Repository | undefined
  /** A new token for one repository; the platform keeps it valid for a year and cannot revoke it. */
  issueToken(repository: Repository): string
  byToken(token: string): Repository | undefined
  /** Branches and what they point at. */
  branches(repository: Repository): Promise<ReadonlyMap<string, string>>
  /** What git tells a client at the beginning: the references there are, and what it can do. */
  advertisement(repository: Repository, service: GitService): Promise<Buffer>
}

/**
 * @param root - an existing folder for the bare repositories
 * @param git - how git is run
 */
export function createRepositories(root: string, git: GitCommand): Repositories {
  const repositories = new Map<string, Repository>()
  const tokens = new Map<string, Repository>()
  const isPrepared = ({ path }: Repository) => existsSync(join(path, 'HEAD'))
  const references = createReferences(git)

  return {
    root,
    create(account, projectId, name) {
      const id = shortId()
      const fullName = `${account.username}/${name}-${repositorySlugSuffix()}`
      // The name is a user's and may lead anywhere, so the folder is named by the id.
      const repository = { id, accountId: account.id, projectId, name, fullName, path: join(root, `${id}.git`) }
      repositories.set(fullName, repository)
      return repository
    },
    isPrepared,
    async prepare(repository) {
      if (!isPrepared(repository)) await layOutRepository(repository.path, { branch: 'master', bare: true })
    },
    find: (projectId, name) =>
      [...repositories.values()].find((repository) => repository.projectId === projectId && repository.name === name),
    byFullName: (fullName) => repositories.get(fullName),
    issueToken(repository) {
      const token = gitToken()
      tokens.set(token, repository)
      return token
    },
    byToken: (token) => tokens.get(token),
    branches: async (repository) => (isPrepared(repository) ? references.branches(repository.path) : new Map()),
    advertisement: ({ path }, service) => references.advertisement(path, service),
  }
}
