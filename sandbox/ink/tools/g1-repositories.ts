import type { Account } from '../accounts.ts'
import type { Repository } from '../git/repositories.ts'
import type { PlatformCore } from '../platform-core.ts'
import { timestamp } from './results.ts'
import { type Arguments, objectSchema, projectOf, type Tool, ToolFailure, text } from './tool.ts'

const TOKEN_LIFETIME_MS = 365 * 24 * 60 * 60 * 1000

const host = text('Git host', { enum: ['ink', 'github'], default: 'ink' })
const project = text('Project name', { default: 'default' })

/** The git tools of generation 1. */
export function g1RepositoryTools(core: PlatformCore): Tool[] {
  return [
    {
      name: 'create_repo',
      description: 'Create a git repository, or return the one of that name with a fresh token',
      input: objectSchema({
        name: text("Repository name (e.g. 'myapp')"),
        'host?': host,
        'description?': text('Description'),
        'project?': project,
      }),
      output: objectSchema({
        repo: text('Repository, for create_service'),
        git_remote: text('Remote with a token in it'),
        expires_at: text('End of the token'),
        message: text('Note'),
      }),
      async run(args, account) {
        requireInkHost(args)
        const { repository, existed } = await createRepository(core, account, projectOf(args), args.text('name'))
        const note = 'Push your code, then call create_service to deploy'
        return {
          repo: `ink/${repository.name}`,
          ...remoteWithToken(core, repository),
          message: existed ? `Repo already exists. ${note}` : note,
        }
      },
    },
    {
      name: 'get_git_token',
      description: 'Get a remote with a token to push code to a repository',
      input: objectSchema({ name: text("Repository name (e.g. 'ink/myapp')"), 'host?': host, 'project?': project }),
      output: objectSchema({ git_remote: text('Remote with a token in it'), expires_at: text('End of the token') }),
      run(args, account) {
        requireInkHost(args)
        return remoteWithToken(core, findRepository(core, account, projectOf(args), args.text('name')))
      },
    },
  ]
}

function requireInkHost(args: Arguments): void {
  if (args.text('name') === '') throw new ToolFailure('name is required')
  const name = args.text('host') || 'ink'
  if (name === 'github') throw new ToolFailure('GitHub App not installed')
  if (name !== 'ink') throw new ToolFailure("host must be 'ink' (default) or 'github'")
}

export async function createRepository(
  core: PlatformCore,
  account: Account,
  projectRef: string,
  name: string,
): Promise<{ repository: Repository; existed: boolean }> {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw new ToolFailure(`failed to create repository: invalid name "${name}"`)
  const { id } = core.accounts.projectByRef(account.id, projectRef)
  const existing = core.repositories.find(id, name)
  if (existing !== undefined) return { repository: existing, existed: true }
  return { repository: await core.repositories.create(account, id, name), existed: false }
}

export function findRepository(core: PlatformCore, account: Account, projectRef: string, name: string): Repository {
  const short = name.replace(/^ink\//, '')
  const { id } = core.accounts.projectByRef(account.id, projectRef)
  const repository = core.repositories.find(id, short)
  if (repository !== undefined) return repository
  const foreign = core.repositories.byFullName(short)
  if (foreign !== undefined && foreign.accountId !== account.id) throw new ToolFailure('repo belongs to another user')
  throw new ToolFailure(`repo '${short}' not found in project '${projectRef}'. Create it first with create_repo`)
}

/** A remote with a fresh token, and when the platform says that it ends: in a year. */
export function remoteWithToken(
  core: PlatformCore,
  repository: Repository,
): { git_remote: string; expires_at: string } {
  const remote = new URL(`/${repository.fullName}.git`, core.addresses.gitOrigin)
  remote.username = 'x-git-token'
  remote.password = core.repositories.issueToken(repository)
  return { git_remote: remote.href, expires_at: timestamp(core.nowMs() + TOKEN_LIFETIME_MS) }
}
