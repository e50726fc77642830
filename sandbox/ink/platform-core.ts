import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FaultRegistry } from '../fault.ts'
import { type Accounts, createAccounts } from './accounts.ts'
import { createBuilder } from './build/builder.ts'
import { createDatabases, type Databases } from './databases/databases.ts'
import { createContainerHost } from './deploy/container.ts'
import { createDeployer, type Deployer } from './deploy/deployer.ts'
import { createEdge } from './deploy/edge.ts'
import { appEnvironment } from './deploy/environment.ts'
import { trackProcesses } from './deploy/process-group.ts'
import { createDomains, type Domains } from './domains.ts'
import type { InkFaultName } from './faults.ts'
import { createGitCommand, type GitCommand } from './git/command.ts'
import { createRepositories, type Repositories } from './git/repositories.ts'
import type { InkTiming } from './options.ts'
import { createServices, type Deployment, type Service, type Services } from './services.ts'
import { createTemplates, type Templates } from './templates.ts'
import { createTimers } from './timers.ts'
import { createVolumes, type Volumes } from './volumes.ts'

/** What a service uses, as its metrics show it. */
export interface Usage {
  readonly memoryMb?: number
  readonly vcpus?: number
}

/** What the tools act on. */
export interface PlatformCore {
  readonly accounts: Accounts
  readonly repositories: Repositories
  readonly git: GitCommand
  readonly services: Services
  readonly deployer: Deployer
  readonly databases: Databases
  readonly domains: Domains
  readonly templates: Templates
  readonly volumes: Volumes
  readonly faults: FaultRegistry<InkFaultName>
  readonly timing: InkTiming
  readonly nowMs: () => number
  readonly maxServices: number
  /** The address that a database is told to have, where that is not the one that it answers at. */
  readonly databaseAddress: ((user: string, name: string) => string) | undefined
  /** What `check_credits` answers; undefined where there is no such tool. Tests change it. */
  credits: Readonly<Record<string, unknown>> | undefined
  /** Whether metrics and limits can be asked for. */
  readonly insight: boolean
  /** What services use, by their names, as far as it has been said. */
  readonly usage: Map<string, Usage>
  /** Where the platform's hosts are reached; known once they listen. */
  readonly addresses: { gitOrigin: string }
  /** Runs something after so many milliseconds, unless the platform stops first. */
  readonly later: (ms: number, action: () => void) => void
}

/** Closes something that was opened; called in reverse order of opening. */
export type Closer = () => Promise<void> | void

export interface CoreOptions {
  /** An existing folder for everything. */
  readonly root: string
  readonly timing: InkTiming
  readonly maxServices: number
  readonly credits: Readonly<Record<string, unknown>> | undefined
  readonly insight: boolean
  readonly databaseAddress: ((user: string, name: string) => string) | undefined
  /** Whether an app that ends makes its deployment `crashed`, which generation 1 never does. */
  readonly reportsCrashes: boolean
  readonly faults: FaultRegistry<InkFaultName>
  readonly nowMs: () => number
  readonly log: (line: string) => void
  readonly onDeploymentEnded: (service: Service, deployment: Deployment) => void
}

/** Puts the platform's insides together; what must be closed in the end is added to `closers`. */
export async function createCore(options: CoreOptions, closers: Closer[]): Promise<PlatformCore> {
  const { faults, timing, nowMs, log, maxServices } = options
  const folders = await makeFolders(options.root)
  const baseEnv = appEnvironment(process.env, folders.cache)
  const git = createGitCommand(baseEnv.PATH, folders.home)
  const repositories = createRepositories(folders.git, git)

  const addresses = { gitOrigin: '' }

  const processes = trackProcesses()
  closers.push(processes.stop)
  const edge = createEdge(timing.edgeDelayMs, nowMs, log)
  closers.push(edge.close)
  const { start: startProcess } = processes
  const deployer = createDeployer({
    builder: createBuilder({
      root: folders.builds,
      git,
      repositories,
      addresses,
      faults,
      timing,
      baseEnv,
      startProcess,
    }),
    containers: createContainerHost({ root: folders.containers, baseEnv, faults, timing, startProcess }),
    edge,
    repositories,
    faults,
    timing,
    reportsCrashes: options.reportsCrashes,
    nowMs,
    onChange(service, deployment) {
      const { id, status, errorMessage = '' } = deployment
      log(`  deployment ${service.name} ${id.slice(0, 6)} ${status} ${errorMessage}`.trimEnd())
      if (status === 'active' || status === 'failed') options.onDeploymentEnded(service, deployment)
    },
  })
  closers.push(deployer.close)
  const databases = createDatabases(folders.databases, nowMs, log)
  closers.push(databases.close)
  const timers = createTimers()
  closers.push(timers.stop)

  return {
    accounts: createAccounts(nowMs),
    repositories,
    git,
    services: createServices(nowMs),
    deployer,
    databases,
    domains: createDomains(nowMs),
    templates: createTemplates(nowMs),
    volumes: createVolumes(),
    faults,
    timing,
    nowMs,
    maxServices,
    databaseAddress: options.databaseAddress,
    credits: options.credits,
    insight: options.insight,
    usage: new Map(),
    addresses,
    later: timers.later,
  }
}

const FOLDERS = ['git', 'builds', 'containers', 'home', 'cache', 'databases'] as const

async function makeFolders(root: string): Promise<Record<(typeof FOLDERS)[number], string>> {
  for (const name of FOLDERS) await mkdir(join(root, name))
  return Object.fromEntries(FOLDERS.map((name) => [name, join(root, name)])) as Record<(typeof FOLDERS)[number], string>
}
