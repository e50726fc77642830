import type { Account } from '../accounts.ts'
import type { Repository } from '../git/repositories.ts'
import type { PlatformCore } from '../platform-core.ts'
import type { EnvVar, ServiceConfig } from '../services.ts'
import { ToolFailure } from './tool.ts'

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

const BUILD_PACKS = ['railpack', 'dockerfile', 'static', 'dockercompose']

function requireOption(name: string, value: string, options: readonly string[]): void {
  if (value !== '' && !options.includes(value)) {
    throw new ToolFailure(`invalid ${name}: ${value}. Valid options: ${options.join(', ')}`)
  }
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

/** Finds the repository that a service is to be built from; the texts are the platform's. */
function resolveRepository(
  core: PlatformCore,
  account: Account,
  settings: ServiceSettings,
  projectRef: string,
): Repository {
  const host = (settings.host ?? '').trim().toLowerCase() || 'ink'
  if (host === 'github') throw new ToolFailure('GitHub App not installed. Please install the GitHub App first')
  if (host !== 'ink') throw new ToolFailure(`invalid host: ${host} (valid: ink, github)`)
  const repo = (settings.repo ?? '').trim()
  if (repo.includes('://') || repo.startsWith('git@')) {
    throw new ToolFailure("invalid repo format: pass a repo name (e.g. 'ink/myapp') not a URL")
  }
  if (repo.includes('@')) {
    throw new ToolFailure("invalid repo format: do not include credentials; pass a repo name (e.g. 'ink/myapp')")
  }
  const name = repo.replace(/^ink\//, '')
  const project = core.accounts.projectByRef(account.id, projectRef)
  const found = core.repositories.find(project.id, name)
  if (found !== undefined) return found
  const foreign = core.repositories.byFullName(name)
  if (foreign !== undefined && foreign.accountId !== account.id) throw new ToolFailure('repo belongs to another user')
  throw new ToolFailure(`repo '${name}' not found in project '${projectRef}'. Create it first with create_repo`)
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
 * Lays settings over a configuration and checks the result.
 *
 * @throws ToolFailure in the platform's words
 */
export function mergeConfig(
  core: PlatformCore,
  account: Account,
  projectRef: string,
  settings: ServiceSettings,
  rules: ServiceRules,
  current: ServiceConfig,
): ServiceConfig {
  requireOption('build_pack', settings.buildPack ?? '', BUILD_PACKS)
  requireOption('memory', settings.memory ?? '', rules.memories)
  requireOption('vcpus', settings.vcpus ?? '', rules.vcpus)
  const { env, host, port, repo, ...rest } = settings
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  const merged: ServiceConfig = { ...current, ...given }
  const config: ServiceConfig = {
    ...merged,
    repo: repo === undefined ? current.repo : resolveRepository(core, account, settings, projectRef).fullName,
    env: env ?? current.env,
    publishDirectory: relativePath('publish_directory', merged.publishDirectory),
    rootDirectory: relativePath('root_directory', merged.rootDirectory),
    dockerfilePath: relativePath('dockerfile_path', merged.dockerfilePath),
  }
  checkPathsFitPack(config, rules)
  const packChanged = config.buildPack !== current.buildPack || config.publishDirectory !== current.publishDirectory
  const keepsPort = port === undefined && current.port !== '' && !packChanged
  return { ...config, port: keepsPort ? current.port : servicePort(config, port) }
}
