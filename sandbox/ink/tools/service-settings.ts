import type { Account } from '../accounts.ts'
import type { Repository } from '../git/repositories.ts'
import { integer, type JsonSchema, objectSchema, text } from '../mcp/schema.ts'
import { type Arguments, ToolFailure } from '../mcp/tool.ts'
import type { PlatformCore } from '../platform-core.ts'
import type { EnvVar, ServiceConfig } from '../services.ts'
import { findRepository } from './g1/repositories.ts'

/** Settings of a service as a tool call gives them; what is absent was not given. */
export interface ServiceSettings {
  readonly host?: string
  readonly repo?: string
  readonly branch?: string
  readonly buildPack?: string
  readonly port?: number
  readonly worker?: boolean
  readonly env?: readonly EnvVar[]
  readonly memory?: string
  readonly vcpus?: string
  readonly buildCommand?: string
  readonly startCommand?: string
  readonly publishDirectory?: string
  readonly rootDirectory?: string
  readonly dockerfilePath?: string
}

/** What the generations of the platform disagree about. */
export interface ServiceRules {
  readonly memories: readonly string[]
  readonly vcpus: readonly string[]
  readonly defaultVcpus: string
  readonly publishDirectoryPacks: readonly string[]
}

export const G1_RULES: ServiceRules = {
  memories: ['256Mi', '512Mi', '1024Mi', '2048Mi', '4096Mi'],
  vcpus: ['0.5', '1', '2', '4'],
  defaultVcpus: '0.5',
  publishDirectoryPacks: ['railpack'],
}

/** The settings which all generations take under the same names, as a new service gets them. */
export function commonSettings(rules: ServiceRules): Readonly<Record<string, JsonSchema>> {
  return {
    'host?': text('Git host', { enum: ['ink', 'github'], default: 'ink' }),
    'branch?': text('Branch to deploy', { default: 'main' }),
    'build_pack?': text('Build pack to use', {
      enum: ['railpack', 'dockerfile', 'static', 'dockercompose'],
      default: 'railpack',
    }),
    'memory?': text('Memory limit', { enum: rules.memories, default: '256Mi' }),
    'vcpus?': text('Number of vCPUs', { enum: rules.vcpus, default: rules.defaultVcpus }),
    'build_command?': text('Build command instead of the detected one'),
    'start_command?': text('Start command instead of the detected one'),
    'publish_directory?': text('Directory with the built static files; the app is built and then served as files'),
    'root_directory?': text('Directory of the app within the repository'),
    'dockerfile_path?': text('Path of the Dockerfile within the root directory'),
  }
}

export const envVarSchema = objectSchema({
  key: text('Environment variable name'),
  value: text('Environment variable value'),
})

const TEXT_SETTINGS: Readonly<Record<string, keyof ServiceSettings>> = {
  host: 'host',
  repo: 'repo',
  branch: 'branch',
  build_pack: 'buildPack',
  memory: 'memory',
  vcpus: 'vcpus',
  build_command: 'buildCommand',
  start_command: 'startCommand',
  publish_directory: 'publishDirectory',
  root_directory: 'rootDirectory',
  dockerfile_path: 'dockerfilePath',
}

/** Those of the common settings that were given. */
export function readCommonSettings(args: Arguments, isGiven: (argument: string) => boolean): ServiceSettings {
  const given = Object.entries(TEXT_SETTINGS).filter(([argument]) => isGiven(argument))
  return {
    ...Object.fromEntries(given.map(([argument, name]) => [name, args.text(argument)])),
    ...(args.has('env_vars') ? { env: args.envVars('env_vars') } : {}),
  }
}

/** How much of a service's logs to show. */
export const logArguments = {
  'deploy_log_lines?': integer('Number of build log lines (at most 500)', { default: 0 }),
  'runtime_log_lines?': integer('Number of runtime log lines (at most 500)', { default: 0 }),
}

/** Cleans a path of the configuration as the platform does: no slashes around it, relative, without `..`. */
function relativePath(name: string, value: string): string {
  const trimmed = value.trim()
  if (trimmed === '') return ''
  const path = trimmed.replaceAll(/^\/+|\/+$/g, '')
  if (path === '' || path.includes('..') || value.startsWith('/')) {
    throw new ToolFailure(`invalid ${name}: must be a relative path without '..'`)
  }
  return path
}

function checkPathsFitPack(config: ServiceConfig, rules: ServiceRules): void {
  if (config.publishDirectory !== '' && !rules.publishDirectoryPacks.includes(config.buildPack)) {
    throw new ToolFailure('publish_directory is only supported with build_pack=railpack')
  }
  if (config.dockerfilePath !== '' && config.buildPack !== 'dockerfile') {
    throw new ToolFailure('dockerfile_path is only supported with build_pack=dockerfile')
  }
}

function servicePort(config: Pick<ServiceConfig, 'buildPack' | 'publishDirectory'>, port: number | undefined): string {
  if (config.buildPack === 'railpack' && config.publishDirectory !== '') return '8080'
  if (port !== undefined && port > 0) return String(port)
  if (config.buildPack === 'static') return '80'
  return config.buildPack === 'dockerfile' ? '' : '3000'
}

/**
 * Finds the repository that a service is to be built from; the texts are the platform's. Naming a repository by its short name
 * makes the project.
 */
function resolveRepository(
  core: PlatformCore,
  account: Account,
  { host, repo = '' }: ServiceSettings,
  projectRef: string,
): Repository {
  const name = repo.trim()
  if (host === 'github') throw new ToolFailure('failed to start deployment: failed to get GitHub credentials')
  if (name.includes('://') || name.startsWith('git@')) {
    throw new ToolFailure("invalid repo format: pass a repo name (e.g. 'ink/myapp') not a URL")
  }
  if (name.includes('@')) {
    throw new ToolFailure("invalid repo format: do not include credentials; pass a repo name (e.g. 'ink/myapp')")
  }
  return findRepository(core, account, projectRef, name)
}

/** What a service is before anything was set. */
export const NEW_SERVICE: Omit<ServiceConfig, 'vcpus'> = {
  repo: '',
  branch: 'main',
  buildPack: 'railpack',
  port: '',
  worker: false,
  env: [],
  memory: '256Mi',
  buildCommand: '',
  startCommand: '',
  publishDirectory: '',
  rootDirectory: '',
  dockerfilePath: '',
}

/**
 * The configuration of a new service.
 *
 * @throws ToolFailure in the platform's words
 */
export function newConfig(
  core: PlatformCore,
  account: Account,
  projectRef: string,
  settings: ServiceSettings,
  rules: ServiceRules,
): ServiceConfig {
  const config = mergeConfig(core, account, projectRef, settings, { ...NEW_SERVICE, vcpus: rules.defaultVcpus })
  checkPathsFitPack(config, rules)
  return { ...config, branch: config.branch || NEW_SERVICE.branch, port: servicePort(config, settings.port) }
}

/**
 * A configuration with some settings changed. Nothing is derived anew: a service that was made as `static` keeps its port when
 * it is given another build pack.
 *
 * @throws ToolFailure in the platform's words
 */
export function mergeConfig(
  core: PlatformCore,
  account: Account,
  projectRef: string,
  settings: ServiceSettings,
  current: ServiceConfig,
): ServiceConfig {
  const { env, host, port = 0, repo, ...rest } = settings
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  const merged: ServiceConfig = { ...current, ...given }
  return {
    ...merged,
    repo: repo === undefined ? current.repo : resolveRepository(core, account, settings, projectRef).fullName,
    env: env ?? current.env,
    port: port > 0 ? String(port) : current.port,
    publishDirectory: relativePath('publish_directory', merged.publishDirectory),
    rootDirectory: relativePath('root_directory', merged.rootDirectory),
    dockerfilePath: relativePath('dockerfile_path', merged.dockerfilePath),
  }
}
