import type { Account } from '../accounts.ts'
import type { Repository } from '../git/repositories.ts'
import type { BranchMove } from '../git/server.ts'
import { dnsLabel } from '../identifiers.ts'
import type { PlatformCore } from '../platform-core.ts'
import type { Deployment, EnvVar, Service, ServiceConfig } from '../services.ts'
import { ToolFailure } from './tool.ts'

/** The region that exists, and one that is not open yet. */
const REGIONS: Readonly<Record<string, string>> = { 'eu-central-1': 'active', 'us-east-1': 'provisioning' }

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

function mergeConfig(
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

export async function createService(
  core: PlatformCore,
  account: Account,
  input: {
    name: string
    projectRef: string
    region: string
    settings: ServiceSettings
    rules: ServiceRules
    subdomain?: string
    destroyAfterSeconds?: number
  },
): Promise<{ service: Service; deployment: Deployment }> {
  if ((input.settings.repo ?? '') === '') throw new ToolFailure('repo is required')
  if (input.name === '') throw new ToolFailure('name is required')
  const config = mergeConfig(core, account, input.projectRef, input.settings, input.rules, {
    repo: '',
    branch: 'main',
    buildPack: 'railpack',
    port: '',
    worker: false,
    env: [],
    memory: '256Mi',
    vcpus: input.rules.defaultVcpus,
    buildCommand: '',
    startCommand: '',
    publishDirectory: '',
    rootDirectory: '',
    dockerfilePath: '',
  })
  checkRegion(core, input.region)
  const project = core.accounts.projectByRef(account.id, input.projectRef)
  if (core.faults.strike('ink.foreign-service')) addForeignService(core, account, input.name, project, config)
  if (core.services.find(account.id, project.ref, input.name) !== undefined) {
    throw new ToolFailure(
      `failed to start deployment: service "${input.name}" already exists in this project; use update_service to change its config`,
    )
  }
  checkQuota(core, account)
  const service = core.services.add({
    accountId: account.id,
    projectId: project.id,
    projectRef: project.ref,
    name: input.name,
    region: input.region,
    label: dnsLabel(input.subdomain ?? input.name),
    config,
  })
  if (input.destroyAfterSeconds !== undefined) service.destroyAfterSeconds = input.destroyAfterSeconds
  return { service, deployment: deploy(core, service, 'api') }
}

function checkRegion(core: PlatformCore, region: string): void {
  const unavailable = core.faults.strike('ink.region-unavailable')
  const status = unavailable === undefined ? REGIONS[region] : String(unavailable.options.status ?? 'maintenance')
  if (status === undefined) throw new ToolFailure(`failed to start deployment: unknown region "${region}"`)
  if (status !== 'active') {
    throw new ToolFailure(`failed to start deployment: region "${region}" is not available (status=${status})`)
  }
}

function checkQuota(core: PlatformCore, account: Account): void {
  const count = core.services.ofAccount(account.id).length
  const limit = core.faults.strike('ink.quota') ? count : core.maxServices
  if (count < limit) return
  throw new ToolFailure(
    `failed to start deployment: service limit reached: ${count} of ${limit} services in use, delete one or upgrade your plan`,
  )
}

/** A service of that name in the same account which somebody else has made, from another repository. */
function addForeignService(
  core: PlatformCore,
  account: Account,
  name: string,
  project: { id: string; ref: string },
  config: ServiceConfig,
): void {
  core.services.add({
    accountId: account.id,
    projectId: project.id,
    projectRef: project.ref,
    name,
    region: 'eu-central-1',
    label: dnsLabel(name),
    config: { ...config, repo: `${account.username}/somebody-elses-abcd`, env: [] },
  })
}

export function findService(core: PlatformCore, account: Account, projectRef: string, name: string): Service {
  if (name === '') throw new ToolFailure('name is required')
  const service = core.services.find(account.id, projectRef, name)
  if (service === undefined) throw new ToolFailure(`service not found: ${name} in project ${projectRef}`)
  return service
}

export function updateService(
  core: PlatformCore,
  account: Account,
  service: Service,
  settings: ServiceSettings,
  rules: ServiceRules,
): Deployment {
  service.config = mergeConfig(core, account, service.projectRef, settings, rules, service.config)
  service.updatedAtMs = core.nowMs()
  return deploy(core, service, 'manual')
}

export function deploy(core: PlatformCore, service: Service, trigger: Deployment['trigger'], commit = ''): Deployment {
  const deployment = core.deployer.start(service, trigger, commit)
  const rival = core.faults.strike('ink.deployed-by-other')
  if (rival !== undefined) {
    core.later(Number(rival.options.afterMs ?? 0), () => {
      const branch = typeof rival.options.branch === 'string' ? rival.options.branch : service.config.branch
      service.config = { ...service.config, branch }
      core.deployer.start(service, 'manual')
    })
  }
  const deletion = core.faults.strike('ink.service-deleted')
  if (deletion !== undefined) core.later(Number(deletion.options.afterMs ?? 0), () => removeService(core, service))
  return deployment
}

/** Deploys every service that tracks a branch which a push has moved; another branch is nobody's business. */
export function deployTrackers(core: PlatformCore, { repository, branch, commit }: BranchMove): void {
  for (const service of core.services.all()) {
    const { config } = service
    if (config.repo === repository.fullName && config.branch === branch) deploy(core, service, 'git_push', commit)
  }
}

/** Starts the deletion; until it is done the service is still found and its name still taken. */
export function deleteService(core: PlatformCore, service: Service): void {
  if (service.deleting) return
  service.deleting = true
  core.later(core.timing.deletionMs, () => removeService(core, service))
}

export function removeService(core: PlatformCore, service: Service): void {
  if (service.customDomain !== undefined) core.domains.releaseDomain(service.accountId, service.customDomain.domain)
  core.services.remove(service)
  core.deployer.tearDown(service)
}

/** The platform's note about what it has started. */
export function startedMessage(deployment: Deployment): string {
  return `${deployment.trigger === 'api' ? 'Deployment' : 'Redeploy'} started (workflow_id: deploy-${deployment.id})`
}

/** A service may be told to delete itself some time after its deployment has ended; a newer deployment starts the time anew. */
export function armSelfDestruction(core: PlatformCore, service: Service, deployment: Deployment): void {
  const seconds = service.destroyAfterSeconds ?? 0
  if (seconds <= 0) return
  core.later(seconds * 1000, () => {
    if (service.deployments.at(-1) === deployment) deleteService(core, service)
  })
}
