import type { Account } from '../accounts.ts'
import { flag, integer, objectSchema, text } from '../mcp/schema.ts'
import { readArguments, type Tool, ToolFailure } from '../mcp/tool.ts'
import type { PlatformCore } from '../platform-core.ts'
import { envVarSchema, logArguments } from './service-settings.ts'

/** Tools that came later: without `update_service`, a service keeps the branch and the settings it was made with. */
const LATER_TOOLS = ['update_service', 'add_dns_record', 'delete_dns_record', 'list_dns_records', 'list_projects']

const project = text('Project name', { default: 'default' })
const host = text('Git host', { enum: ['ml.ink', 'github.com'], default: 'ml.ink' })

/**
 * Generation 0, before `update_service`: hosts are called `ml.ink` and `github.com`, sizes `256m` and `cpu`, a repository is named
 * by its slug alone, and a service has a build status and a runtime status. Made of generation 1 by translating both ways.
 */
export function g0Tools(core: PlatformCore, g1: readonly Tool[]): Tool[] {
  /** A slug names one repository of the account; anything else is a name within the project. */
  const fullName: FullName = (slug, { username }) =>
    core.repositories.byFullName(`${username}/${slug}`)?.fullName ?? slug
  const translations: Readonly<Record<string, (tool: Tool) => Tool>> = {
    create_service: (tool) => createService(tool, fullName),
    get_service: getService,
    create_repo: createRepo,
    get_git_token: (tool) => getGitToken(tool, fullName),
  }
  const kept = g1.filter((tool) => !LATER_TOOLS.includes(tool.name))
  return kept.map((tool) => translations[tool.name]?.(tool) ?? tool)
}

function inkHost(value: string): string {
  return value === 'github.com' ? 'github' : 'ink'
}

function requireSlug(repo: string): void {
  if (repo.includes('/'))
    throw new ToolFailure("invalid repo format: pass repo name only (e.g. 'myapp'), not owner/repo")
}

type FullName = (slug: string, account: Account) => string

function createService(tool: Tool, fullName: FullName): Tool {
  const same = [
    'repo',
    'name',
    'project',
    'branch',
    'build_pack',
    'port',
    'env_vars',
    'build_command',
    'start_command',
    'publish_directory',
  ]
  return {
    ...tool,
    input: objectSchema({
      repo: text("Repository name (e.g. 'myapp')"),
      'host?': host,
      'branch?': text('Branch to deploy', { default: 'main' }),
      name: text('Name for the deployment'),
      'project?': project,
      'build_pack?': text('Build pack to use', {
        enum: ['railpack', 'dockerfile', 'static', 'dockercompose'],
        default: 'railpack',
      }),
      'port?': integer('Port the application listens on', { default: 3000 }),
      'env_vars?': { type: ['null', 'array'], items: envVarSchema },
      'memory?': text('Memory limit', { enum: ['256m', '512m', '1024m', '2048m', '4096m'], default: '256m' }),
      'cpu?': text('CPU cores', { enum: ['0.5', '1', '2', '4'], default: '0.5' }),
      'build_command?': text('Build command'),
      'start_command?': text('Start command'),
      'publish_directory?': text('Directory with the built static files'),
    }),
    run(args, account) {
      requireSlug(args.text('repo'))
      const values = Object.fromEntries(same.filter((name) => args.has(name)).map((name) => [name, args.raw(name)]))
      const memory = args.text('memory')
      const translated = {
        ...values,
        repo: fullName(args.text('repo'), account),
        host: inkHost(args.text('host')),
        ...(memory === '' ? {} : { memory: memory.replace(/m$/, 'Mi') }),
        ...(args.has('cpu') ? { vcpus: args.text('cpu') } : {}),
      }
      return tool.run(readArguments(translated), account)
    },
  }
}

const RUNTIME_STATUS: Readonly<Record<string, string>> = { active: 'running', deploying: 'deploying', failed: 'failed' }

function getService(tool: Tool): Tool {
  return {
    ...tool,
    input: objectSchema({
      name: text('Service name'),
      'project?': project,
      'include_env?': flag('Include environment variables'),
      ...logArguments,
    }),
    output: objectSchema({
      service_id: text('Service'),
      name: text('Name'),
      project: text('Project'),
      repo: text('Repository'),
      branch: text('Branch'),
      build_status: text('Status of the build'),
      runtime_status: text('Status of the app'),
      'url?': text('URL'),
      created_at: text('Creation'),
      updated_at: text('Last change'),
      'error_message?': text('Why it failed'),
      'env_vars?': tool.output.properties?.env_vars ?? {},
      'deployment_logs?': text('Build log'),
      'runtime_logs?': text('Runtime log'),
      'custom_domain?': tool.output.properties?.custom_domain ?? {},
    }),
    async run(args, account) {
      const { status, deploy_logs, ...rest } = await tool.run(args, account)
      return {
        ...rest,
        build_status: status,
        runtime_status: RUNTIME_STATUS[String(status)] ?? 'not_deployed',
        ...(deploy_logs === undefined ? {} : { deployment_logs: deploy_logs }),
      }
    },
  }
}

function createRepo(tool: Tool): Tool {
  return {
    ...tool,
    input: objectSchema({
      name: text("Repository name (e.g. 'myapp')"),
      'host?': host,
      'description?': text('Description'),
    }),
    async run(args, account) {
      const values = { name: args.text('name'), host: inkHost(args.text('host')) }
      const result = await tool.run(readArguments(values), account)
      const slug = new URL(String(result.git_remote)).pathname
        .split('/')
        .at(-1)
        ?.replace(/\.git$/, '')
      return { ...result, repo: slug }
    },
  }
}

function getGitToken(tool: Tool, fullName: FullName): Tool {
  return {
    ...tool,
    input: objectSchema({ name: text("Repository name (e.g. 'myapp')"), 'host?': host }),
    run(args, account) {
      requireSlug(args.text('name'))
      const name = fullName(args.text('name'), account)
      return tool.run(readArguments({ name, host: inkHost(args.text('host')) }), account)
    },
  }
}
