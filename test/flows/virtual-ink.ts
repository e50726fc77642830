import type { Clock } from '../../src/core/async.ts'
import type { ServiceSettings } from '../../src/ink/catalogue.ts'
import { PlatformError, ToolError } from '../../src/ink/errors.ts'
import type { Platform } from '../../src/ink/platform.ts'
import type { Database, Service } from '../../src/ink/results.ts'
import { parseDeploymentBranch } from '../../src/plan/names.ts'
import type { Source } from '../../src/source/source.ts'

export const SLUG = 'acme/web-ab12'

/** A service as the platform knows it. */
export interface VirtualService {
  readonly id: string
  readonly name: string
  readonly repo: string
  readonly createdAtMs: number
  branch: string
  env: Readonly<Record<string, string>>
  status: string
  url: string | undefined
  /** The source commit that answers at the URL. */
  serves: string | undefined
  deleting: boolean
  domain?: string | undefined
}

export interface VirtualInkOptions {
  readonly clock: Clock
  /** Milliseconds that one call takes. */
  readonly latencyMs: () => number
  /** Whether this call's answer gets lost, and whether the call was carried out. */
  readonly mishap: (call: string) => 'none' | 'lost-before' | 'lost-after' | 'unavailable'
  /** Source commits that do not build. */
  readonly broken: ReadonlySet<string>
  /** How long a deletion takes, in milliseconds. */
  readonly deletionMs?: number
  /** The most services of the account. */
  readonly limit?: number
}

/** ml.ink in memory: services, deployments that take their time, branches, databases. */
export class VirtualInk {
  readonly services = new Map<string, VirtualService>()
  readonly databases = new Map<string, Database>()
  readonly branches = new Map<string, string>()
  readonly repositories = new Set(['web'])
  /** Names with a DNS record of the platform's own, which stays when a service is deleted that still has its domain. */
  readonly managedNames = new Set<string>()
  /** Most calls that were ever under way at once. */
  mostAtOnce = 0
  calls = 0
  readonly #options: VirtualInkOptions
  #atOnce = 0
  #ids = 0

  constructor(options: VirtualInkOptions) {
    this.#options = options
  }

  add(name: string, branch: string, env: Readonly<Record<string, string>>, repo = SLUG, ageMs = 0): VirtualService {
    const service: VirtualService = {
      id: `id${++this.#ids}`,
      name,
      repo,
      createdAtMs: this.#options.clock.now() - ageMs,
      branch,
      env,
      status: 'active',
      url: `http://${name}.example`,
      serves: parseDeploymentBranch(branch)?.sourceSha,
      deleting: false,
    }
    this.services.set(name, service)
    return service
  }

  async #call<T>(what: string, signal: AbortSignal, act: () => T): Promise<T> {
    const { clock, latencyMs, mishap } = this.#options
    this.calls += 1
    this.#atOnce += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce)
    try {
      await clock.sleep(latencyMs(), signal)
      const trouble = mishap(what)
      if (trouble === 'lost-before') throw new PlatformError('lost-answer', 'the connection broke')
      if (trouble === 'unavailable') throw new PlatformError('unavailable', 'HTTP 503')
      const result = act()
      if (trouble === 'lost-after') throw new PlatformError('lost-answer', 'the connection broke')
      return result
    } finally {
      this.#atOnce -= 1
    }
  }

  /** A build that goes on whatever becomes of whoever started it. */
  #deploy(service: VirtualService): void {
    const { clock, latencyMs, broken } = this.#options
    const never = new AbortController().signal
    const deployment = { branch: service.branch }
    service.status = 'queued'
    const isLatest = () => current.get(service) === deployment && this.services.get(service.name) === service
    current.set(service, deployment)
    void (async () => {
      await clock.sleep(latencyMs(), never)
      if (!isLatest()) return
      service.status = 'building'
      const commit = parseDeploymentBranch(deployment.branch)?.sourceSha
      const there = this.branches.has(deployment.branch)
      await clock.sleep(2000 + 40 * latencyMs(), never)
      if (!isLatest()) return
      if (!there || commit === undefined || broken.has(commit)) {
        service.status = 'failed'
        return
      }
      service.status = 'active'
      service.serves = commit
      service.url = `http://${service.name}.example`
    })()
  }

  platform(): Platform {
    const find = (name: string): VirtualService => {
      const service = this.services.get(name)
      if (!service) throw new ToolError('tool', `service not found: ${name} in project default`)
      return service
    }
    const unless = async <T>(act: () => Promise<T>): Promise<T | undefined> =>
      act().catch((error: unknown) => {
        if (error instanceof ToolError && /not found/.test(error.text)) return undefined
        throw error
      })
    return {
      server: 'virtual',
      offers: () => true,
      checkArguments: () => [],
      canExpire: false,
      defaultSize: { memory: '256Mi', vcpus: '0.5' },
      knowsWorkspaces: false,
      service: (name, parts, signal) =>
        unless(() => this.#call('get', signal, () => rendered(find(name), parts.env === true))),
      services: (signal) =>
        this.#call('list', signal, () =>
          [...this.services.values()]
            .toReversed()
            .slice(0, 100)
            .map(({ id, name, repo, status, url }) => ({ id, name, repo, status, url, project: undefined })),
        ),
      createService: (name, repo, branch, settings, signal) =>
        this.#call('create', signal, () => {
          if (this.services.has(name)) throw new ToolError('create_service', `service "${name}" already exists`)
          if (this.services.size >= (this.#options.limit ?? Number.POSITIVE_INFINITY))
            throw new ToolError('create_service', 'service limit reached, upgrade your plan')
          const service = this.add(name, branch, settings.env ?? {}, slugOf(repo))
          service.url = undefined
          service.serves = undefined
          this.#deploy(service)
          return { serviceId: service.id, message: undefined }
        }),
      updateService: (name, changes: ServiceSettings & { branch?: string }, signal) =>
        this.#call('update', signal, () => {
          const service = find(name)
          service.branch = changes.branch ?? service.branch
          service.env = changes.env ?? service.env
          this.#deploy(service)
          return { serviceId: service.id, message: undefined }
        }),
      deleteService: async (name, signal) => {
        const deleted = await unless(() =>
          this.#call('delete', signal, () => {
            const service = find(name)
            service.deleting = true
            const never = new AbortController().signal
            void this.#options.clock.sleep(this.#options.deletionMs ?? 800, never).then(() => {
              if (this.services.get(name) === service) this.services.delete(name)
            })
            return true
          }),
        )
        return deleted ?? false
      },
      gitAccess: (name, create, signal) =>
        this.#call('git', signal, () => {
          const created = !this.repositories.has(name)
          if (created && !create) return undefined
          this.repositories.add(name)
          return { remote: `https://x-git-token:mlg_virtual@git.example/${slugOf(name)}.git`, created }
        }),
      database: (name, signal) => this.#call('database', signal, () => this.databases.get(name)),
      createDatabase: (name, _type, signal) =>
        this.#call('create-database', signal, () => {
          if (this.databases.has(name)) throw new ToolError('create_resource', `resource "${name}" already exists`)
          const id = `db${++this.#ids}`
          const made: Database = {
            id,
            name,
            type: 'sqlite',
            status: 'active',
            url: `libsql://${id}.example`,
            authToken: `token-of-${id}`,
          }
          this.databases.set(name, made)
          return made
        }),
      deleteDatabase: (name, signal) => this.#call('delete-database', signal, () => this.databases.delete(name)),
      addDomain: () => Promise.reject(new Error('not played here')),
      zones: () => Promise.resolve([]),
      removeDomain: (name, signal) =>
        this.#call('remove-domain', signal, () => {
          const service = find(name)
          if (service.domain === undefined) throw new ToolError('remove_custom_domain', 'no custom domain configured')
          this.managedNames.delete(service.domain)
          service.domain = undefined
          return { domain: undefined, status: undefined, message: undefined }
        }),
      templateInstance: async () => undefined,
      deployTemplate: () => Promise.reject(new Error('not played here')),
      volumes: async () => [],
      deleteVolume: () => Promise.reject(new Error('not played here')),
      dnsRecords: async () => [],
      addDnsRecord: () => Promise.reject(new Error('not played here')),
      deleteDnsRecord: () => Promise.reject(new Error('not played here')),
      account: () => Promise.resolve(undefined),
      projects: () => Promise.resolve(undefined),
      credits: () => Promise.resolve(undefined),
      limits: () => Promise.resolve(undefined),
      usage: () => Promise.resolve(undefined),
      workspaces: () => Promise.resolve(undefined),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }

  /** Commits of GitHub that the snapshots are made of; a snapshot's SHA is made from its commit's. */
  source(): Source {
    const pause = (signal: AbortSignal) => this.#options.clock.sleep(this.#options.latencyMs(), signal)
    return {
      snapshot: async ({ wanted }, signal) => {
        await pause(signal)
        return {
          sha: snapshotOf(wanted.sha),
          tree: snapshotOf(wanted.sha),
          sourceSha: wanted.sha,
          subject: 'A commit',
          files: 1,
          bytes: 1,
          largest: [],
          lfs: { replaced: 0, missing: [] },
          submodules: [],
        }
      },
      files: async () => new Set(),
      read: async () => undefined,
      readCommitted: async ({ wanted }) => ({ commit: wanted.sha, file: 'absent', inCheckout: 'absent' }),
      committedPaths: async () => undefined,
      push: async ({ branch, snapshot }, signal) => {
        await pause(signal)
        this.branches.set(branch, snapshot.sha)
        return { kind: 'pushed', incremental: false, objects: 1, bytes: 1 }
      },
      branches: async (_remote, signal) => {
        await pause(signal)
        return new Map(this.branches)
      },
      oldBranches: async ({ branches, target, protect, keepNewest }) =>
        [...branches.keys()]
          .filter((name) => parseDeploymentBranch(name)?.target === target && !protect.includes(name))
          .toReversed()
          .slice(keepNewest),
      newestFirst: async (branches, target) =>
        [...branches.keys()].filter((name) => parseDeploymentBranch(name)?.target === target).toReversed(),
      mark: async (_remote, names, signal) => {
        await pause(signal)
        for (const name of names) this.branches.set(name, snapshotOf(name))
      },
      deleteBranches: async (_remote, names, signal) => {
        await pause(signal)
        for (const name of names) this.branches.delete(name)
      },
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
}

function slugOf(name: string): string {
  return name === 'web' ? SLUG : `acme/${name}-ab12`
}

const current = new WeakMap<VirtualService, object>()

function snapshotOf(sha: string): string {
  return sha.split('').reverse().join('')
}

function rendered(service: VirtualService, withEnv: boolean): Service {
  const { id, name, repo, branch, status, url, env, createdAtMs } = service
  return {
    id,
    name,
    project: 'default',
    repo,
    branch,
    status,
    errorMessage: undefined,
    url,
    commitHash: undefined,
    createdAt: new Date(createdAtMs).toISOString(),
    updatedAt: undefined,
    memory: undefined,
    vcpus: undefined,
    deployLogs: [],
    runtimeLogs: [],
    env: withEnv ? { ...env } : undefined,
    customDomain:
      service.domain === undefined ? undefined : { domain: service.domain, status: 'active', error: undefined },
  }
}
