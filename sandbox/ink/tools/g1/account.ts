import { listOf, nullable, objectSchema, text } from '../../mcp/schema.ts'
import { optional, type Tool, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'

/** The account tools of generation 1. */
export function g1AccountTools(core: PlatformCore): Tool[] {
  return [
    ...(core.credits === undefined ? [] : [checkCredits(core)]),
    {
      name: 'whoami',
      description: 'Tell who is signed in',
      input: objectSchema({}),
      output: objectSchema({
        user_id: text('User'),
        'github_username?': nullable(text('Name on GitHub')),
        'avatar_url?': nullable(text('Picture')),
        has_github_app: { type: 'boolean', description: 'Whether the GitHub App is installed' },
      }),
      run: (_args, account) => ({
        user_id: account.id,
        ...optional('github_username', account.githubUsername),
        has_github_app: false,
      }),
    },
    {
      name: 'list_projects',
      description: 'List all projects',
      input: objectSchema({}),
      output: objectSchema({
        projects: listOf(
          objectSchema({
            project_id: text('Project'),
            name: text('Name'),
            ref: text('Reference'),
            is_default: { type: 'boolean', description: 'Whether it is the default project' },
            created_at: text('Creation'),
          }),
        ),
      }),
      run: (_args, account) => ({
        projects: core.accounts.projects(account.id).map((project) => ({
          project_id: project.id,
          name: project.name,
          ref: project.ref,
          is_default: project.isDefault,
          created_at: timestamp(project.createdAtMs),
        })),
      }),
    },
  ]
}

function checkCredits(core: PlatformCore): Tool {
  return {
    name: 'check_credits',
    description: 'Tell what the account has left',
    input: objectSchema({}),
    output: { type: 'object' },
    run: () => ({ ...core.credits }),
  }
}
