import { shortId } from './identifiers.ts'
import { createLogBook, type LogBook } from './log-book.ts'

export interface EnvVar {
  readonly key: string
  readonly value: string
}

/** What a service is built from and how; every deployment keeps a copy of what it was started with. */
export interface ServiceConfig {
  /** Full name of the repository, `<owner>/<slug>`. */
  readonly repo: string
  readonly branch: string
  readonly buildPack: string
  /** As the platform stores it: text, and empty for a Dockerfile whose `EXPOSE` decides. */
  readonly port: string
  /** A service without ports: nothing to reach, so no health gate and no URL (generation 2). */
  readonly worker: boolean
  readonly env: readonly EnvVar[]
  readonly memory: string
  readonly vcpus: string
  readonly buildCommand: string
  readonly startCommand: string
  readonly publishDirectory: string
  readonly rootDirectory: string
  readonly dockerfilePath: string
}

export type DeploymentStatus =
  | 'queued'
  | 'building'
  | 'deploying'
  | 'active'
  | 'failed'
  | 'cancelled'
  | 'superseded'
  | 'crashed'

export interface Deployment {
  readonly id: string
  readonly trigger: 'api' | 'manual' | 'git_push'
  /** The pushed commit, for deployments that a push started. */
  readonly triggerRef: string
  readonly config: ServiceConfig
  readonly createdAtMs: number
  status: DeploymentStatus
  errorMessage?: string
  /** The commit that was cloned. */
  commit?: string
  /** True when the image existed and nothing was built. */
  cached?: boolean
  finishedAtMs?: number
}

export interface Service {
  readonly id: string
  readonly accountId: string
  readonly projectId: string
  readonly projectRef: string
  readonly name: string
  readonly region: string
  /** The public host's label; one name space for all accounts. */
  readonly label: string
  readonly createdAtMs: number
  readonly deployments: Deployment[]
  readonly buildLog: LogBook
  readonly runtimeLog: LogBook
  config: ServiceConfig
  /** Touched by updates of the configuration and by every change of a deployment. */
  updatedAtMs: number
  /** Unset until the first deployment is active; afterwards it stays. */
  url?: string
  /** Set while the deletion is under way: the service is still found, and its name still taken. */
  deleting: boolean
  /** The service deletes itself so long after a deployment has ended; 0 for never. */
  destroyAfterSeconds?: number
  /** Oldest first. */
  readonly customDomains: string[]
}

export interface Services {
  /** All services of an account, newest first. */
  ofAccount(accountId: string): Service[]
  all(): readonly Service[]
  find(accountId: string, projectRef: string, name: string): Service | undefined
  add(input: Pick<Service, 'accountId' | 'projectId' | 'projectRef' | 'name' | 'region' | 'label' | 'config'>): Service
  remove(service: Service): void
}

/** The status that the tools report: that of the latest deployment, whoever started it. */
export function serviceStatus(service: Service): string {
  return service.deployments.at(-1)?.status ?? 'pending'
}

/** @param nowMs - the clock */
export function createServices(nowMs: () => number): Services {
  let services: Service[] = []
  // The platform keeps logs by the name of a service: one that is made anew inherits what its predecessor has written.
  const logs = new Map<string, Pick<Service, 'buildLog' | 'runtimeLog'>>()
  function logsOf(...name: string[]): Pick<Service, 'buildLog' | 'runtimeLog'> {
    const key = name.join(' ')
    const kept = logs.get(key) ?? { buildLog: createLogBook(nowMs), runtimeLog: createLogBook(nowMs) }
    logs.set(key, kept)
    return kept
  }
  return {
    ofAccount: (accountId) => services.filter((service) => service.accountId === accountId).toReversed(),
    all: () => services,
    find: (accountId, projectRef, name) =>
      services.find(
        (service) => service.accountId === accountId && service.projectRef === projectRef && service.name === name,
      ),
    add(input) {
      const now = nowMs()
      const service: Service = {
        ...input,
        id: shortId(),
        createdAtMs: now,
        updatedAtMs: now,
        deployments: [],
        customDomains: [],
        ...logsOf(input.accountId, input.projectRef, input.name),
        deleting: false,
      }
      services.push(service)
      return service
    },
    remove(service) {
      services = services.filter((candidate) => candidate !== service)
    },
  }
}
