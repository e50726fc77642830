import type { Account } from '../../accounts.ts'
import { nullableListOf, objectSchema, text } from '../../mcp/schema.ts'
import { type Arguments, projectOf, type Tool, ToolFailure, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'
import { createRepository, findRepository, remoteWithToken } from '../g1/repositories.ts'

export const workspaceArgument = { 'workspace_slug?': text('Workspace') }
export const projectArgument = { 'project?': text('Project name', { default: 'default' }) }

/** Each account has one workspace, named like itself; any other is not found. */
export function requireWorkspace(args: Arguments, account: Account): void {
  const slug = args.text('workspace_slug')
  if (slug !== '' && slug !== account.username) throw new ToolFailure(`workspace not found: ${slug}`)
}

const remote = {
  gitRemote: text('Remote with a token in it'),
  expiresAt: text('End of the token'),
}

const projectView = objectSchema({
  projectId: text('Project'),
  name: text('Name'),
  ref: text('Reference'),
  isDefault: { type: 'boolean' },
  createdAt: text('Creation'),
})

/** The account and git tools of generation 2; results are in camelCase. */
export function g2AccountTools(core: PlatformCore): Tool[] {
  const view = (project: ReturnType<typeof core.accounts.projects>[number]) => ({
    projectId: project.id,
    name: project.name,
    ref: project.ref,
    isDefault: project.isDefault,
    createdAt: timestamp(project.createdAtMs),
  })
  return [
    {
      name: 'workspace_list',
      description: 'List workspaces',
      input: objectSchema({}),
      output: objectSchema({ workspaces: nullableListOf(objectSchema({ slug: text('Slug'), name: text('Name') })) }),
      run: (_args, account) => ({ workspaces: [{ slug: account.username, name: account.username }] }),
    },
    {
      name: 'project_list',
      description: 'List projects',
      input: objectSchema(workspaceArgument),
      output: objectSchema({ projects: nullableListOf(projectView) }),
      run(args, account) {
        requireWorkspace(args, account)
        return { projects: core.accounts.projects(account.id).map(view) }
      },
    },
    {
      name: 'project_create',
      description: 'Create a project',
      input: objectSchema({ name: text('Name'), ...workspaceArgument }),
      output: projectView,
      run(args, account) {
        requireWorkspace(args, account)
        if (args.text('name') === '') throw new ToolFailure('name is required')
        return view(core.accounts.projectByRef(account.id, args.text('name')))
      },
    },
    {
      name: 'repo_create',
      description: 'Create a git repository, or return the one of that name with a fresh token',
      input: objectSchema({
        name: text('Repository name'),
        'host?': text('Git host', { enum: ['ink', 'github'], default: 'ink' }),
        ...projectArgument,
        ...workspaceArgument,
      }),
      output: objectSchema({ name: text('Repository, for service_create'), ...remote, message: text('Note') }),
      run(args, account) {
        requireWorkspace(args, account)
        if (args.text('name') === '') throw new ToolFailure('name is required')
        if (args.text('host') === 'github') throw new ToolFailure('GitHub App not installed')
        const { repository } = createRepository(core, account, projectOf(args), args.text('name'))
        const message = 'Push your code, then call service_create to deploy'
        return { name: repository.name, ...camelRemote(remoteWithToken(core, repository)), message }
      },
    },
    {
      name: 'repo_get_token',
      description: 'Get a remote with a token',
      input: objectSchema({ name: text('Repository name'), ...projectArgument, ...workspaceArgument }),
      output: objectSchema(remote),
      run(args, account) {
        requireWorkspace(args, account)
        if (args.text('name') === '') throw new ToolFailure('name is required')
        const repository = findRepository(core, account, projectOf(args), args.text('name'))
        return camelRemote(remoteWithToken(core, repository))
      },
    },
  ]
}

function camelRemote({ git_remote, expires_at }: { git_remote: string; expires_at: string }): Record<string, unknown> {
  return { gitRemote: git_remote, expiresAt: expires_at }
}
