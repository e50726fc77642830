import type { Account } from '../accounts.ts'
import { duplicateKey, losesRace } from '../faults.ts'
import type { BranchMove } from '../git/server.ts'
import { dnsLabel } from '../identifiers.ts'
import { ToolFailure } from '../mcp/tool.ts'
import type { PlatformCore } from '../platform-core.ts'
import type { Deployment, Service, ServiceConfig } from '../services.ts'
import { mergeConfig, newConfig, type ServiceRules, type ServiceSettings } from './service-settings.ts'

/** The region that exists, and one that is not open yet. */
const REGIONS: Readonly<Record<string, string>> = { 'eu-central-1': 'active', 'us-east-1': 'provisioning' }

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
  const config = newConfig(core, account, input.projectRef, input.settings, input.rules)
  checkRegion(core, input.region)
  const project = core.accounts.projectByRef(account.id, input.projectRef)
  if (core.faults.strike('ink.name-taken')) addServiceOfOthers(core, account, input.name, project, config)
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
  if (losesRace(core.faults, 'create_service')) {
    deploy(core, service, 'api')
    throw new ToolFailure(`failed to create service record: ${duplicateKey('services_project_id_name_key')}`)
  }
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

export function checkQuota(core: PlatformCore, account: Account): void {
  const count = core.services.ofAccount(account.id).length
  const limit = core.faults.strike('ink.quota') ? count : core.maxServices
  if (count < limit) return
  throw new ToolFailure(
    `failed to start deployment: service limit reached: ${count} of ${limit} services in use, delete one or upgrade your plan`,
  )
}

/** A service of that name in the same account which somebody else has made, from another repository. */
function addServiceOfOthers(
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

/** @throws ToolFailure in the platform's words */
export function updateService(
  core: PlatformCore,
  account: Account,
  service: Service,
  settings: ServiceSettings,
): Deployment {
  const changed = mergeConfig(core, account, service.projectRef, settings, service.config)
  if (losesRace(core.faults, 'update_service')) {
    deploy(core, service, 'manual')
    service.config = changed
    throw new ToolFailure(
      `service updated but redeploy failed: failed to create deployment: ${duplicateKey('idx_deployments_one_inflight')}`,
    )
  }
  service.config = changed
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

/**
 * Starts the deletion. Until it is done nothing tells that it is under way: the service is found, its name is taken, it can be
 * updated, and what is in flight goes on.
 */
export function deleteService(core: PlatformCore, service: Service): void {
  if (service.deleting) return
  service.deleting = true
  core.later(core.timing.deletionMs, () => removeService(core, service))
}

/** Takes a service away. The records of its domains stay, and block their names. */
export function removeService(core: PlatformCore, service: Service): void {
  core.volumes.detach(service.id)
  core.services.remove(service)
  core.deployer.tearDown(service)
}

/** The platform's note about what it has started. */
export function startedMessage(deployment: Deployment): string {
  return `${deployment.trigger === 'api' ? 'Deployment' : 'Redeploy'} started (workflow_id: deploy-${deployment.id})`
}

/** The platform's note about an update. */
export const UPDATED_MESSAGE = 'Service updated and redeploying. Use get_service to check status.'

/** A service may be told to delete itself some time after its deployment has ended; a newer deployment starts the time anew. */
export function armSelfDestruction(core: PlatformCore, service: Service, deployment: Deployment): void {
  const seconds = service.destroyAfterSeconds ?? 0
  if (seconds <= 0) return
  core.later(seconds * 1000, () => {
    if (service.deployments.at(-1) === deployment) deleteService(core, service)
  })
}
