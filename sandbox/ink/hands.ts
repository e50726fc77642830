import type { Account } from './accounts.ts'
import type { DnsRecord, Zone } from './domains.ts'
import type { PlatformCore, Usage } from './platform-core.ts'
import { type Deployment, type EnvVar, type Service, serviceStatus } from './services.ts'
import { customDomainOf } from './tools/g1/domains.ts'
import { deploy, removeService } from './tools/service-operations.ts'

/** A deployment as tests and the demo see it. */
export interface DeploymentView {
  readonly id: string
  readonly status: Deployment['status']
  readonly trigger: Deployment['trigger']
  readonly branch: string
  readonly commit: string | undefined
  readonly cached: boolean | undefined
  readonly errorMessage: string | undefined
  readonly createdAtMs: number
  readonly finishedAtMs: number | undefined
}

/** A service as tests and the demo see it, with what the tools do not tell. */
export interface ServiceView {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly project: string
  readonly status: string
  readonly url: string | undefined
  readonly repo: string
  readonly branch: string
  readonly env: Readonly<Record<string, string>>
  readonly config: Omit<Service['config'], 'env'> & { readonly env: readonly EnvVar[] }
  /** The label of the public host, one name space for all users. */
  readonly label: string
  /** The newest one. */
  readonly customDomain: ReturnType<typeof customDomainOf>
  readonly deleting: boolean
  readonly deployments: readonly DeploymentView[]
  readonly buildLog: readonly string[]
  readonly runtimeLog: readonly string[]
}

/** Direct hands: what somebody else, an operator or a test does without the tools. */
export interface PlatformHands {
  /** Another user with an account of their own; host names are one name space for all of them. */
  addUser(name: string): { readonly apiKey: string; readonly name: string }
  /** Removes a user: from now on the key's answer is “user not found”. */
  removeUser(apiKey: string): void
  /** All services of all users, oldest first. */
  services(): ServiceView[]
  service(name: string, project?: string): ServiceView | undefined
  /** Starts a deployment as somebody else would: with their branch when one is given. */
  deployAsSomebodyElse(name: string, branch?: string): void
  /** Deletes a service at once and behind everybody's back. */
  deleteBehindTheBack(name: string): void
  /** Changes what `check_credits` answers; it has to be there from the start. */
  setCredits(answer: Readonly<Record<string, unknown>>): void
  /** What the metrics of a service say from now on. */
  setUsage(name: string, usage: Usage): void
  /** All databases of all users, oldest first, with their addresses and tokens. */
  databases(): { name: string; owner: string; url: string; authToken: string }[]
  /** Names of all volumes of the account's project, attached or not. */
  volumes(project?: string): string[]
  /** Delegates a zone, as a user does on the platform's web site. */
  delegateZone(zone: string, status?: string, error?: string): void
  /** The records of a zone, as its owner sees them on the web site. */
  dnsRecords(zone: string): readonly DnsRecord[]
  /** What the name server answers for a name and type of a zone, which its table of records does not show. */
  resolve(zone: string, name: string, type: string): readonly string[]
  /** Adds a record to a zone by hand. */
  addDnsRecord(zone: string, record: Pick<DnsRecord, 'name' | 'type' | 'content'> & { ttl?: number }): DnsRecord
  /** Branches of a repository (full name, or the name it was asked for) and their commits. */
  branches(repo: string): Promise<Record<string, string>>
  /** Resolves when a service's latest deployment has one of the statuses; rejects after `timeoutMs` (default 20 000). */
  waitForStatus(name: string, statuses: readonly string[], timeoutMs?: number): Promise<ServiceView>
}

/** @param owner - the account that `service` and its like speak of */
export function createHands(core: PlatformCore, owner: Account): PlatformHands {
  const accounts = new Map<string, Account>([[owner.id, owner]])

  const find = (name: string, project = 'default'): Service | undefined =>
    core.services.find(owner.id, project, name) ??
    core.services.all().find((service) => service.accountId === owner.id && service.name === name)

  const mustFind = (name: string): Service => {
    const service = find(name)
    if (service === undefined) throw new Error(`There is no service named ${name}.`)
    return service
  }
  const mustFindZone = (name: string): Zone => {
    const zone = core.domains.find(owner.id, name)
    if (zone === undefined) throw new Error(`There is no zone named ${name}.`)
    return zone
  }
  const view = (service: Service): ServiceView => ({
    id: service.id,
    name: service.name,
    owner: accounts.get(service.accountId)?.username ?? '',
    project: service.projectRef,
    status: serviceStatus(service),
    url: service.url,
    repo: service.config.repo,
    branch: service.config.branch,
    env: Object.fromEntries(service.config.env.map(({ key, value }) => [key, value])),
    config: service.config,
    label: service.label,
    customDomain: customDomainOf(core, service),
    deleting: service.deleting,
    deployments: service.deployments.map(deploymentView),
    buildLog: service.buildLog.newest(500),
    runtimeLog: service.runtimeLog.newest(500),
  })

  return {
    addUser(name) {
      const account = core.accounts.add(name)
      accounts.set(account.id, account)
      return { apiKey: account.apiKey, name }
    },
    removeUser(apiKey) {
      const account = [...accounts.values()].find((candidate) => candidate.apiKey === apiKey)
      if (account !== undefined) core.accounts.remove(account)
    },
    services: () => core.services.all().map(view),
    service(name, project) {
      const service = find(name, project)
      return service === undefined ? undefined : view(service)
    },
    deployAsSomebodyElse(name, branch) {
      const service = mustFind(name)
      if (branch !== undefined) service.config = { ...service.config, branch }
      deploy(core, service, 'manual')
    },
    deleteBehindTheBack: (name) => removeService(core, mustFind(name)),
    setCredits(answer) {
      if (core.credits === undefined) throw new Error('This platform was started without check_credits.')
      core.credits = answer
    },
    setUsage: (name, usage) => void core.usage.set(mustFind(name).name, usage),
    databases: () =>
      core.databases.all().map(({ name, accountId, served }) => ({
        name,
        owner: accounts.get(accountId)?.username ?? '',
        url: served.url,
        authToken: served.authToken,
      })),
    volumes: (project = 'default') => core.volumes.ofProject(owner.id, project).map(({ name }) => name),
    delegateZone(zone, status, error) {
      core.domains.addZone(owner.id, zone, status, error)
    },
    dnsRecords: (zone) => mustFindZone(zone).records.slice(),
    resolve: (zone, name, type) => mustFindZone(zone).served.get(`${name} ${type}`) ?? [],
    addDnsRecord: (zone, record) => core.domains.addRecord(mustFindZone(zone), { ttl: 300, ...record, managed: false }),
    async branches(repo) {
      const projects = core.accounts.projects(owner.id)
      const found =
        core.repositories.byFullName(repo) ??
        projects
          .map((project) => core.repositories.find(project.id, repo))
          .find((repository) => repository !== undefined)
      return found === undefined ? {} : Object.fromEntries(await core.repositories.branches(found))
    },
    async waitForStatus(name, statuses, timeoutMs = 20_000) {
      const deadlineMs = Date.now() + timeoutMs
      for (;;) {
        const service = find(name)
        const status = service === undefined ? 'no such service' : serviceStatus(service)
        if (service !== undefined && statuses.includes(status)) return view(service)
        if (Date.now() > deadlineMs) {
          const why = service && view(service).deployments.at(-1)?.errorMessage
          const told = why === undefined ? '' : `: ${why}`
          throw new Error(`${name} is ${status} after ${timeoutMs} ms, not ${statuses.join(' or ')}${told}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  }
}

function deploymentView(deployment: Deployment): DeploymentView {
  return {
    id: deployment.id,
    status: deployment.status,
    trigger: deployment.trigger,
    branch: deployment.config.branch,
    commit: deployment.commit,
    cached: deployment.cached,
    errorMessage: deployment.errorMessage,
    createdAtMs: deployment.createdAtMs,
    finishedAtMs: deployment.finishedAtMs,
  }
}
