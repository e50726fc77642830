import type { Account } from '../../accounts.ts'
import { duplicateKey, losesRace } from '../../faults.ts'
import type { Repository } from '../../git/repositories.ts'
import { objectSchema, text } from '../../mcp/schema.ts'
import { type Arguments, projectOf, type Tool, ToolFailure, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'

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
      run(args, account) {
        requireInkHost(args, '. Please go to https://ml.ink/settings/access')
        const { repository, existed } = createRepository(core, account, projectOf(args), args.text('name'))
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

/** @param advice - what follows the refusal of GitHub */
function requireInkHost(args: Arguments, advice = ''): void {
  if (args.text('name') === '') throw new ToolFailure('name is required')
  if (args.text('host') === 'github') throw new ToolFailure(`GitHub not connected${advice}`)
}

export function createRepository(
  core: PlatformCore,
  account: Account,
  projectRef: string,
  name: string,
): { repository: Repository; existed: boolean } {
  const { id } = core.accounts.projectByRef(account.id, projectRef)
  const existing = core.repositories.find(id, name)
  if (existing !== undefined) return { repository: existing, existed: true }
  const repository = core.repositories.create(account, id, name)
  // Somebody else was quicker between the look and the insertion.
  if (losesRace(core.faults, 'create_repo')) {
    throw new ToolFailure(`failed to create internal repo: ${duplicateKey('idx_internal_repos_project_name')}`)
  }
  return { repository, existed: false }
}

/**
 * Finds a repository: `name` or `ink/name` within the project, which is made when it is unknown, or `owner/slug` and
 * `ml.ink/owner/slug` in all projects.
 */
export function findRepository(core: PlatformCore, account: Account, projectRef: string, name: string): Repository {
  const path = name.replace(/^ml\.ink\//, '')
  const short = path.replace(/^ink\//, '')
  const full = path === short && path.includes('/')
  const found = full
    ? core.repositories.byFullName(path)
    : core.repositories.find(core.accounts.projectByRef(account.id, projectRef).id, short)
  if (found === undefined) {
    const place = full ? '' : ` in project '${projectRef}'`
    throw new ToolFailure(`repo '${short}' not found${place}. Create it first with create_repo`)
  }
  if (found.accountId !== account.id) throw new ToolFailure('repo belongs to another user')
  return found
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
