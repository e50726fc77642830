import { randomUUID } from 'node:crypto'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type RetryPolicy, retry, systemClock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import { inSeconds } from '../core/format.ts'
import { type ChildEnvironment, type GitRepository, type GitSetting, type NetworkCall, openRepository } from './git.ts'
import { prepareEnvironment, proxiesOfGit, readNetworkSettings, requireGit } from './git-environment.ts'
import { classifyFailure, GitRemote, gitError, type NetworkOutput, SourceError } from './remote.ts'

/** Where the room tells what it does. `info` says what and the result, `warning` what is degraded and how to fix it. */
export interface SourceLog {
  info(message: string): void
  debug(message: string): void
  warning(message: string): void
}

export interface SourceOptions {
  /** The job's workspace. The repository lies in it or in one of its folders; it may be missing. Only ever read. */
  readonly workspace: string
  /** An existing directory for temporary files. What is put there is gone after disposal. */
  readonly tempDir: string
  /** The environment git's children start from. Git's own variables are dropped; proxies and certificates pass. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where the repository came from, for what the checkout does not hold. Undefined: work with the checkout alone. */
  readonly origin: { readonly url: string; readonly token?: string | undefined } | undefined
  /** `owner/name` */
  readonly repository: string
  readonly log: SourceLog
  /** Kills all processes of the group that this one leads. */
  readonly killGroup: (leader: number) => void
  readonly clock?: Clock
  /** Milliseconds since the epoch: a server that is away is asked again until then. By default two minutes from each call. */
  readonly deadlineAt?: number | undefined
  /** A number in [0, 1), for the jitter of pauses. */
  readonly random?: () => number
  /** What the runner is taken to send, compressing included: the origin is asked for no longer than a push of the whole takes. */
  readonly assumedBytesPerSecond?: number
}

/**
 * Where snapshots are made: a temporary folder with repositories of our own, which read the objects of others and write
 * only theirs. Bound to one signal.
 */
export interface GitWorkspace {
  readonly directory: string
  readonly environment: ChildEnvironment
  readonly workspace: string
  /** `owner/name` */
  readonly repository: string
  readonly origin: GitRemote | undefined
  readonly log: SourceLog
  readonly clock: Clock
  /** Whether git reaches servers through a proxy. */
  readonly proxied: boolean
  /** The proxy for what is asked without git. */
  readonly proxyFor: ReturnType<typeof proxiesOfGit>
  /** How long, and how, a request that failed for the moment is repeated. */
  readonly patience: Pick<RetryPolicy, 'clock' | 'deadlineAt' | 'signal' | 'random'>
  readonly assumedBytesPerSecond: number
  readonly signal: AbortSignal
  /** The two repositories for objects of that format, made when first asked for. */
  stores(format: ObjectFormat): Promise<Stores>
  /**
   * Runs a git command against a server until it succeeds, fails for good, or time is up.
   *
   * @param what begins the sentences about it: "The push of ink/…"
   * @returns the output of success, or of a failure that retrying does not fix
   * @throws SourceError `unreachable` when the last try failed for the moment, too
   */
  retrying(what: string, remote: GitRemote, attempt: () => Promise<NetworkOutput>): Promise<NetworkOutput>
  /** A path in the folder that nothing has. */
  freshPath(name: string): string
  /** The same workspace, for work that another signal ends. */
  during(signal: AbortSignal): GitWorkspace
}

/** Name of the hash that a repository's objects are named by. */
export type ObjectFormat = 'sha1' | 'sha256'

export interface Stores {
  /** Snapshots are made here, and pushed from here. */
  readonly own: GitRepository
  /** What was fetched. `own` reads it, too. */
  readonly fetched: GitRepository
}

/** On the low side: most runners are faster. */
const slowRunnerBytesPerSecond = 2_000_000
const patienceMs = 120_000

/** @throws SourceError `no-git` */
export async function openWorkspace(options: SourceOptions): Promise<GitWorkspace> {
  const directory = await mkdtemp(join(options.tempDir, 'ink-source-'))
  try {
    const environment = await prepareEnvironment(options.environment, join(directory, 'home'))
    await requireGit(environment, directory)
    const networkSettings = await readNetworkSettings(options.environment, directory)
    const folders = new Map<ObjectFormat, Promise<void>>()
    const folder = {
      directory,
      environment,
      networkSettings,
      folders,
      proxyFor: proxiesOfGit(networkSettings, options.environment),
    }
    return bindWorkspace(options, folder, new AbortController().signal)
  } catch (error) {
    await removeFolder(directory)
    throw error
  }
}

/** Removes everything. The children have ended by then, as every call awaits its own. */
export async function closeWorkspace(workspace: GitWorkspace): Promise<void> {
  await removeFolder(workspace.directory)
}

async function removeFolder(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 })
}

interface OpenFolder {
  readonly directory: string
  readonly environment: ChildEnvironment
  readonly networkSettings: readonly GitSetting[]
  readonly proxyFor: ReturnType<typeof proxiesOfGit>
  /** Repositories that are laid out, or being so. */
  readonly folders: Map<ObjectFormat, Promise<void>>
}

function bindWorkspace(options: SourceOptions, folder: OpenFolder, signal: AbortSignal): GitWorkspace {
  const { directory, environment, networkSettings, folders } = folder
  const clock = options.clock ?? systemClock
  const path = (format: ObjectFormat, kind = '') => join(directory, `${format}${kind}.git`)
  const open = (gitDirectory: string) =>
    openRepository(gitDirectory, { ...environment, GIT_DIR: gitDirectory }, signal, {
      settings: networkSettings,
      killGroup: options.killGroup,
    })
  return {
    directory,
    environment,
    workspace: options.workspace,
    repository: options.repository,
    // GitHub takes any user name with a token; this one it uses itself.
    origin: options.origin && new GitRemote(options.origin.url, 'x-access-token', options.origin.token),
    log: options.log,
    clock,
    proxied: isProxied(environment, networkSettings),
    proxyFor: folder.proxyFor,
    get patience() {
      return { clock, deadlineAt: options.deadlineAt ?? clock.now() + patienceMs, signal, random: options.random }
    },
    assumedBytesPerSecond: options.assumedBytesPerSecond ?? slowRunnerBytesPerSecond,
    signal,
    stores: async (format) => {
      const ready = folders.get(format) ?? layOut(format, path(format), path(format, '-fetched'))
      folders.set(format, ready)
      await ready
      return { own: open(path(format)), fetched: open(path(format, '-fetched')) }
    },
    retrying(what, remote, attempt) {
      return retryGit({ what, remote, attempt }, { ...this.patience, log: options.log })
    },
    freshPath: (name) => join(directory, `${name}-${randomUUID()}`),
    during: (other) => bindWorkspace(options, folder, other),
  }
}

function isProxied(environment: ChildEnvironment, settings: readonly GitSetting[]): boolean {
  const variables = Object.entries(environment).filter(([name]) => /^(?:https|all)_proxy$/i.test(name))
  const named = settings.filter(([key]) => /\.proxy$/i.test(key))
  return [...variables, ...named].some(([, value]) => value !== '')
}

async function retryGit(
  call: { readonly what: string; readonly remote: GitRemote; readonly attempt: () => Promise<NetworkOutput> },
  { log, ...policy }: GitWorkspace['patience'] & { readonly log: SourceLog },
): Promise<NetworkOutput> {
  const { what, remote, attempt } = call
  return await retry(
    async () => {
      const output = await attempt()
      const failure = output.exitCode === 0 ? undefined : classifyFailure(output)
      if (failure?.kind === 'transient') throw gitError(what, failure, remote)
      return output
    },
    {
      ...policy,
      again: (error) => error instanceof SourceError && error.code === 'unreachable',
      onRetry: (error, pauseMs) => log.info(`${errorMessage(error)}; trying again in ${inSeconds(pauseMs)}.`),
    },
  )
}

/**
 * Runs git against the platform's server until it succeeds or fails for good, from the repository that snapshots are
 * made in. The server speaks protocol 0, and its token must not follow a redirect to another host.
 *
 * @param what begins the sentences about it: "The push of ink/…"
 */
export async function runOnPlatform(
  git: GitWorkspace,
  remote: GitRemote,
  what: string,
  args: readonly string[],
  options: {
    readonly onMessage?: NetworkCall['onMessage']
    /** Asks once more in another way after a failure; what it yields counts instead. */
    readonly instead?: (failed: NetworkOutput, talk: Talk) => Promise<NetworkOutput>
  } = {},
): Promise<NetworkOutput> {
  const { own } = await git.stores('sha1')
  const settings = [
    ['protocol.version', '0'],
    ['http.followRedirects', 'false'],
  ] as const
  const talk: Talk = (words) => own.talk(remote, words, { settings, onMessage: options.onMessage })
  return await git.retrying(what, remote, async () => {
    const output = await talk(args)
    return output.exitCode !== 0 && options.instead ? await options.instead(output, talk) : output
  })
}

export type Talk = (args: readonly string[]) => Promise<NetworkOutput>

// Laid out by hand: `git init` would copy templates and hooks.
async function layOut(format: ObjectFormat, own: string, fetched: string): Promise<void> {
  for (const directory of [own, fetched]) {
    await mkdir(join(directory, 'objects', 'info'), { recursive: true })
    await mkdir(join(directory, 'refs', 'heads'), { recursive: true })
    await writeFile(join(directory, 'HEAD'), 'ref: refs/heads/none\n')
    await writeFile(
      join(directory, 'config'),
      format === 'sha1'
        ? '[core]\n\trepositoryformatversion = 0\n\tbare = true\n'
        : '[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n',
    )
    // An empty list of shallow commits says nothing to a server, but makes git compare directories with every commit the
    // server has, and not only with parents, which a snapshot does not have (pack-objects --shallow).
    await writeFile(join(directory, 'shallow'), '')
  }
  await borrowObjects(own, join(fetched, 'objects'))
}

/** From now on the objects in that object directory can be read from that bare repository as well. */
export async function borrowObjects(repository: string, objectsDirectory: string): Promise<void> {
  // One object directory per line, quoted as in C (gitrepository-layout(5), objects/info/alternates).
  const line = `${quotePath(Buffer.from(objectsDirectory))}\n`
  await appendFile(join(repository, 'objects', 'info', 'alternates'), line)
}

/** Quotes a path as git reads it back from line-based input: any byte can be in a file's name, also a newline. */
export function quotePath(path: Buffer): string {
  const quoted = Array.from(path, (byte) => {
    const character = String.fromCharCode(byte)
    if (character === '"' || character === '\\') return `\\${character}`
    return byte >= 0x20 && byte < 0x7f ? character : `\\${byte.toString(8).padStart(3, '0')}`
  })
  return `"${quoted.join('')}"`
}
