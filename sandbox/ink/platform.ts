import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FaultOptions } from '../fault.ts'
import { createFaultRegistry } from '../fault.ts'
import { createAccounts } from './accounts.ts'
import { createBuilder } from './build/builder.ts'
import { createContainerHost } from './container.ts'
import { createDatabases } from './databases/databases.ts'
import { createDeployer } from './deployer.ts'
import { createDomains } from './domains.ts'
import { createEdge } from './edge.ts'
import { appEnvironment } from './environment.ts'
import { INK_FAULTS, type InkFaultName } from './faults.ts'
import { createGitCommand } from './git/command.ts'
import { createRepositories } from './git/repositories.ts'
import { createGitHandler } from './git/server.ts'
import { createHands, type PlatformHands } from './hands.ts'
import { createJournal, type JournalEntry } from './journal.ts'
import { type Listener, listen } from './listener.ts'
import { createMcpHandler } from './mcp-endpoint.ts'
import { DEFAULT_TIMING, type InkOptions } from './options.ts'
import type { PlatformCore } from './platform-core.ts'
import { trackProcesses } from './process-group.ts'
import { createServices } from './services.ts'
import { createTimers } from './timers.ts'
import { toolsOf } from './tools/catalogue.ts'
import { armSelfDestruction, deploy } from './tools/service-operations.ts'

export type { InkFaultName } from './faults.ts'
export type { JournalEntry } from './journal.ts'
export type { InkOptions, InkProfile, InkTiming } from './options.ts'

/** A running stand-in for ml.ink: MCP endpoint, git host, builder, apps and edge, all on this machine. */
export interface InkPlatform extends PlatformHands, AsyncDisposable {
  /** `http://127.0.0.1:<port>/mcp` */
  readonly endpoint: string
  /** Address of the git host. */
  readonly gitOrigin: string
  readonly apiKey: string
  /** A folder for everything; removed by `stop`. */
  readonly root: string
  readonly journal: readonly JournalEntry[]
  /** Arms a fault; see `INK_FAULTS` for names and options. */
  fault(name: InkFaultName, options?: FaultOptions): void
  /** The faults that may still strike; a fault set with `times` leaves this list with its last strike. */
  armedFaults(): InkFaultName[]
  /** Disarms all faults and opens closed ports. */
  clearFaults(): Promise<void>
  /** Ends every process, closes every port, removes every folder. */
  stop(): Promise<void>
}

/** Starts the platform on free ports of 127.0.0.1. */
export async function startInkPlatform(options: InkOptions = {}): Promise<InkPlatform> {
  const nowMs = Date.now
  const log = options.log ?? (() => {})
  const timing = { ...DEFAULT_TIMING, ...options.timing }
  const root = await mkdtemp(join(tmpdir(), 'ink-platform-'))
  const folders = await makeFolders(root)

  const faults = createFaultRegistry<InkFaultName>(INK_FAULTS, nowMs)
  const journal = createJournal(nowMs, log)
  const processes = trackProcesses()
  const timers = createTimers()
  const baseEnv = appEnvironment(process.env, folders.cache)
  const git = createGitCommand(baseEnv.PATH, folders.home)
  const accounts = createAccounts(nowMs)
  const services = createServices(nowMs)
  const repositories = createRepositories(folders.git, git)
  const edge = createEdge(timing.edgeDelayMs, nowMs, log)
  const { start: startProcess } = processes
  const deployer = createDeployer({
    builder: createBuilder({ root: folders.builds, git, faults, timing, baseEnv, startProcess }),
    containers: createContainerHost({ root: folders.containers, baseEnv, faults, timing, startProcess }),
    edge,
    repositories,
    faults,
    timing,
    nowMs,
    onChange(service, deployment) {
      const { id, status, errorMessage } = deployment
      log(
        `  deployment ${service.name} ${id.slice(0, 6)} ${status}${errorMessage === undefined ? '' : `: ${errorMessage}`}`,
      )
      if (status === 'active' || status === 'failed') armSelfDestruction(core, service, deployment)
    },
  })

  const databases = createDatabases(folders.databases, nowMs, log)
  let gitListener: Listener | undefined
  const core: PlatformCore = {
    accounts,
    repositories,
    services,
    deployer,
    databases,
    domains: createDomains(nowMs),
    faults,
    timing,
    nowMs,
    maxServices: options.limits?.services ?? Number.POSITIVE_INFINITY,
    gitRemote: (fullName, token) => `http://x-git-token:${token}@127.0.0.1:${gitListener?.port}/${fullName}.git`,
    later: timers.later,
  }
  gitListener = await listen(
    createGitHandler({
      repositories,
      git,
      faults,
      journal,
      onBranchMoved({ repository, branch, commit }) {
        for (const service of services.all()) {
          if (service.config.repo !== repository.fullName || service.config.branch !== branch) continue
          deploy(core, service, 'git_push', commit)
        }
      },
    }),
    0,
    log,
  )
  const mcpListener = await listen(
    createMcpHandler({
      tools: toolsOf(options.profile ?? 'g1', core),
      accounts,
      answers: options.answers ?? 'json',
      faults,
      journal,
      origin: () => mcpListener.origin,
    }),
    options.port ?? 0,
    log,
  )

  const account = accounts.add('acme')
  let stopped: Promise<void> | undefined
  async function stopAll(): Promise<void> {
    timers.stop()
    await Promise.all([mcpListener.close(), gitListener?.close()])
    await Promise.all([deployer.close(), databases.close()])
    await edge.close()
    await processes.stop()
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
  const stop = () => {
    stopped ??= stopAll()
    return stopped
  }

  return {
    ...createHands(core, account),
    endpoint: `${mcpListener.origin}/mcp`,
    gitOrigin: gitListener.origin,
    apiKey: account.apiKey,
    root,
    journal: journal.entries,
    fault(name, faultOptions = {}) {
      if (name === 'mcp.refused') void mcpListener.refuseFor(faultOptions.forMs ?? 500)
      else if (name === 'git.refused') void gitListener?.refuseFor(faultOptions.forMs ?? 500)
      else faults.set(name, faultOptions)
    },
    armedFaults: () => faults.armed().map(({ name }) => name),
    async clearFaults() {
      faults.clear()
      await Promise.all([mcpListener.reopen(), gitListener?.reopen()])
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const FOLDERS = ['git', 'builds', 'containers', 'home', 'cache', 'databases'] as const

async function makeFolders(root: string): Promise<Record<(typeof FOLDERS)[number], string>> {
  for (const name of FOLDERS) await mkdir(join(root, name))
  return Object.fromEntries(FOLDERS.map((name) => [name, join(root, name)])) as Record<(typeof FOLDERS)[number], string>
}
