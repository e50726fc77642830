import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Account } from '../accounts.ts'
import { gitToken, repositorySlugSuffix, shortId } from '../identifiers.ts'
import type { GitCommand } from './command.ts'

export interface Repository {
  readonly id: string
  readonly accountId: string
  readonly projectId: string
  /** The name it was asked for. */
  readonly name: string
  /** `<owner>/<name>-<4 random>`, as in the git remote. */
  readonly fullName: string
  /** Where the bare repository lies. */
  readonly path: string
}

export interface Repositories {
  /** The folder that holds all bare repositories, as `<owner>/<slug>.git`. */
  readonly root: string
  create(account: Account, projectId: string, name: string): Promise<Repository>
  /** Finds a repository by the name it was asked for, its slug, or its full name, within a project. */
  find(projectId: string, name: string): Repository | undefined
  byFullName(fullName: string): Repository | undefined
  /** A new token for one repository; the platform keeps it valid for a year and cannot revoke it. */
  issueToken(repository: Repository): string
  byToken(token: string): Repository | undefined
  /** Branches and what they point at. */
  branches(repository: Repository): Promise<Map<string, string>>
}

/**
 * @param root - an existing folder for the bare repositories
 * @param git - how git is run
 */
export function createRepositories(root: string, git: GitCommand): Repositories {
  const repositories = new Map<string, Repository>()
  const tokens = new Map<string, Repository>()

  return {
    root,
    async create(account, projectId, name) {
      const fullName = `${account.username}/${name}-${repositorySlugSuffix()}`
      const path = join(root, `${fullName}.git`)
      const repository = { id: shortId(), accountId: account.id, projectId, name, fullName, path }
      repositories.set(fullName, repository)
      await mkdir(path, { recursive: true })
      await git.run(['init', '--quiet', '--bare', path])
      return repository
    },
    find(projectId, name) {
      const all = [...repositories.values()].filter((repository) => repository.projectId === projectId)
      return all.find((candidate) =>
        [candidate.name, candidate.fullName, candidate.fullName.split('/')[1]].includes(name),
      )
    },
    byFullName: (fullName) => repositories.get(fullName),
    issueToken(repository) {
      const token = gitToken()
      tokens.set(token, repository)
      return token
    },
    byToken: (token) => tokens.get(token),
    async branches(repository) {
      const listing = await git.run([
        '-C',
        repository.path,
        'for-each-ref',
        '--format=%(objectname) %(refname:lstrip=2)',
        'refs/heads',
      ])
      const lines = listing.split('\n').filter((line) => line !== '')
      return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]))
    },
  }
}
