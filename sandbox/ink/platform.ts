import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFaultRegistry, type FaultOptions, type FaultRegistry } from '../fault.ts'
import type { Account } from './accounts.ts'
import { INK_FAULTS, type InkFaultName } from './faults.ts'
import { createGitHandler } from './git/server.ts'
import { createHands, type PlatformHands } from './hands.ts'
import { createJournal, type Journal, type JournalEntry } from './journal.ts'
import { type Listener, listen } from './listener.ts'
import { createMcpHandler } from './mcp/endpoint.ts'
import { createAuthorizationServer } from './oauth/authorization-server.ts'
import { DEFAULT_TIMING, type InkOptions } from './options.ts'
import { type Closer, createCore, type PlatformCore } from './platform-core.ts'
import { toolsOf } from './tools/catalogue.ts'
import { armSelfDestruction, deployTrackers } from './tools/service-operations.ts'

export type { InkFaultName } from './faults.ts'
export type { JournalEntry } from './journal.ts'
export type { InkOptions, InkProfile, InkTiming } from './options.ts'

/** A running stand-in for ml.ink: MCP endpoint, git host, builder, apps, databases and edge, all on this machine. */
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
  /** Ends every process, closes every port, removes every folder. When this process exits without it, that is made up for. */
  stop(): Promise<void>
}

/** Starts the platform on free ports of 127.0.0.1. What was opened before a failure is closed again. */
export async function startInkPlatform(options: InkOptions = {}): Promise<InkPlatform> {
  const closers: Closer[] = []
  try {
    return await assemble(options, closers)
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

async function closeAll(closers: Closer[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close()
}

async function assemble(options: InkOptions, closers: Closer[]): Promise<InkPlatform> {
  const nowMs = Date.now
  const log = options.log ?? (() => {})
  const root = await mkdtemp(join(tmpdir(), 'ink-platform-'))
  const removeAtExit = () => rmSync(root, { recursive: true, force: true })
  process.once('exit', removeAtExit)
  closers.push(async () => {
    process.off('exit', removeAtExit)
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  })
  const faults = createFaultRegistry<InkFaultName>(INK_FAULTS, nowMs)
  const journal = createJournal(nowMs, log)
  const core = await createCore(
    {
      root,
      timing: { ...DEFAULT_TIMING, ...options.timing },
      maxServices: options.limits?.services ?? Number.POSITIVE_INFINITY,
      credits: options.credits,
      insight: options.insight ?? false,
      databaseAddress: options.databaseAddress,
      reportsCrashes: options.reportsCrashes ?? ['g2', 'mixed'].includes(options.profile ?? 'g1'),
      faults,
      nowMs,
      log,
      onDeploymentEnded: (service, deployment) => armSelfDestruction(core, service, deployment),
    },
    closers,
  )
  const git = await openGitHost(core, journal, log, options)
  closers.push(git.close)
  const account = core.accounts.add('acme', options.github)
  const mcp = await openMcpEndpoint(core, account, journal, log, options)
  closers.push(mcp.close)

  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= closeAll(closers)
    return stopped
  }
  return {
    ...createHands(core, account),
    ...createFaultHands(faults, { 'mcp.refused': mcp, 'git.refused': git }),
    endpoint: `${mcp.origin}/mcp`,
    gitOrigin: git.origin,
    apiKey: account.apiKey,
    root,
    journal: journal.entries,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function openGitHost(
  core: PlatformCore,
  journal: Journal,
  log: (line: string) => void,
  { trackedPush }: InkOptions,
): Promise<Listener> {
  const { repositories, git, faults } = core
  const handle = createGitHandler({
    repositories,
    git,
    faults,
    journal,
    onBranchMoved(move) {
      if (trackedPush === 'deploys') deployTrackers(core, move)
    },
  })
  const listener = await listen(handle, 0, log)
  core.addresses.gitOrigin = listener.origin
  return listener
}

async function openMcpEndpoint(
  core: PlatformCore,
  visitor: Account,
  journal: Journal,
  log: (line: string) => void,
  options: InkOptions,
): Promise<Listener> {
  const { accounts, faults, nowMs } = core
  const origin = () => listener.origin
  const handle = createMcpHandler({
    tools: toolsOf(options.profile ?? 'g1', core),
    accounts,
    answers: options.answers ?? 'sse',
    faults,
    journal,
    origin,
    oauth: createAuthorizationServer({ accounts, journal, nowMs, origin, visitor: () => visitor }),
  })
  const listener: Listener = await listen(handle, options.port ?? 0, log)
  return listener
}

/** A refused connection is a closed port, which no request can ask for: such faults act on the listener at once. */
function createFaultHands(
  faults: FaultRegistry<InkFaultName>,
  listeners: Readonly<Partial<Record<InkFaultName, Listener>>>,
): Pick<InkPlatform, 'fault' | 'armedFaults' | 'clearFaults'> {
  return {
    fault(name, options = {}) {
      const listener = listeners[name]
      if (listener === undefined) faults.set(name, options)
      else listener.refuseFor(options.forMs ?? 500)
    },
    armedFaults: () => faults.armed().map(({ name }) => name),
    async clearFaults() {
      faults.clear()
      await Promise.all(Object.values(listeners).map((listener) => listener.reopen()))
    },
  }
}
