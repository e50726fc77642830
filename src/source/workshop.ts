import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SourceLog, SourceOptions } from './contract.ts'
import { type ChildEnvironment, type GitSetting, prepareEnvironment } from './git-environment.ts'
import { readNetworkSettings } from './network-settings.ts'
import { createStore, type ObjectFormat, type ObjectStore } from './object-store.ts'
import { GitRemote } from './remote.ts'
import { requireGit } from './require-git.ts'
import type { Patience } from './retry.ts'

/** Where snapshots are made: a temporary folder with repositories of our own. */
export interface Workshop {
  readonly directory: string
  readonly environment: ChildEnvironment
  readonly workspace: string
  /** `owner/name` */
  readonly repository: string
  readonly origin: GitRemote | undefined
  readonly log: SourceLog
  readonly patience: Patience
  readonly fetch: typeof globalThis.fetch
  readonly assumedBytesPerSecond: number
  /** The two repositories for objects of that format, made when first asked for. */
  stores(format: ObjectFormat): Promise<Stores>
}

export interface Stores {
  /** Snapshots are made here, and pushed from here. */
  readonly own: ObjectStore
  /** What was fetched. `own` reads it, too. */
  readonly fetched: ObjectStore
}

/** On the low side: most runners are faster. */
const slowRunnerBytesPerSecond = 2_000_000

/** @throws SourceError `no-git` */
export async function openWorkshop(options: SourceOptions): Promise<Workshop> {
  const directory = await mkdtemp(join(options.tempDir, 'ink-source-'))
  try {
    const environment = await prepareEnvironment(options.environment, join(directory, 'home'))
    await requireGit(environment, directory)
    const networkSettings = await readNetworkSettings(options.environment, directory)
    return {
      directory,
      environment,
      workspace: options.workspace,
      repository: options.repository,
      // GitHub takes any user name with a token; this one it uses itself.
      origin: options.origin && new GitRemote(options.origin.url, 'x-access-token', options.origin.token),
      log: options.log,
      patience: options,
      fetch: options.fetch ?? globalThis.fetch,
      assumedBytesPerSecond: options.assumedBytesPerSecond ?? slowRunnerBytesPerSecond,
      stores: openStores(directory, environment, networkSettings),
    }
  } catch (error) {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    throw error
  }
}

function openStores(
  directory: string,
  environment: ChildEnvironment,
  networkSettings: readonly GitSetting[],
): Workshop['stores'] {
  const opened = new Map<ObjectFormat, Promise<Stores>>()
  const open = async (format: ObjectFormat): Promise<Stores> => {
    const own = await createStore(join(directory, `${format}.git`), format, environment, networkSettings)
    const fetched = await createStore(join(directory, `${format}-fetched.git`), format, environment, networkSettings)
    await own.borrow(join(fetched.directory, 'objects'))
    return { own, fetched }
  }
  return (format) => {
    const stores = opened.get(format) ?? open(format)
    opened.set(format, stores)
    return stores
  }
}

/** Removes everything. The children have ended by then, as every call awaits its own. */
export async function closeWorkshop(workshop: Workshop): Promise<void> {
  await rm(workshop.directory, { recursive: true, force: true, maxRetries: 3 })
}
