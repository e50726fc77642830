import { randomUUID } from 'node:crypto'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, retry, systemClock } from '../core/async.ts'
import { errorMessage } from '../core/errors.ts'
import { inSeconds } from '../core/format.ts'
import { type ChildEnvironment, type GitRepository, type GitSetting, openRepository } from './git.ts'
import { prepareEnvironment, proxiesOfGit, readNetworkSettings, requireGit } from './git-environment.ts'
import { GitRemote, gitError, type NetworkOutput, SourceError } from './remote.ts'

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
const usualRetryMs = 120_000

/** What all work in a workspace shares. */
type OpenWorkspace = Awaited<ReturnType<typeof openWorkspace>>

/**
 * Opens a temporary folder for repositories of our own, which read the objects of others and write only theirs.
 * @throws SourceError `no-git`
 */
export async function openWorkspace(options: SourceOptions) {
  const directory = await mkdtemp(join(options.tempDir, 'ink-source-'))
  try {
    const environment = await prepareEnvironment(options.environment, join(directory, 'home'))
    const networkSettings = await settingsOfMachine(options.environment, environment, directory)
    const { clock = systemClock, origin, assumedBytesPerSecond = slowRunnerBytesPerSecond } = options
    return {
      ...options,
      directory,
      /** That of git's children. */
      environment,
      networkSettings,
      // GitHub takes any user name with a token; this one it uses itself.
      origin: origin && new GitRemote(origin.url, 'x-access-token', origin.token),
      clock,
      assumedBytesPerSecond,
      /** Whether git reaches servers through a proxy. */
      proxied: isProxied(environment, networkSettings),
      /** The proxy for what is asked without git. */
      proxyFor: proxiesOfGit(networkSettings, options.environment),
      /** Repositories that are laid out, or being so. */
      initialized: new Map<ObjectFormat, Promise<void>>(),
    }
  } catch (error) {
    await closeWorkspace({ directory })
    throw error
  }
}

/** By the environment of a job, in which they stay as they are. */
const machines = new WeakMap<SourceOptions['environment'], ReturnType<typeof readNetworkSettings>>()

/** How the machine reaches servers, asked once, with whether it has a git that will do. */
function settingsOfMachine(job: SourceOptions['environment'], environment: ChildEnvironment, directory: string) {
  const known = machines.get(job)
  if (known) return known
  const read = async () => {
    const [settings] = await Promise.all([readNetworkSettings(job, directory), requireGit(environment, directory)])
    return settings
  }
  const asked = read()
  machines.set(job, asked)
  asked.catch(() => machines.delete(job))
  return asked
}

/** Removes everything. The children have ended by then, as every call awaits its own. */
export async function closeWorkspace({ directory }: Pick<OpenWorkspace, 'directory'>): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 })
}

/** An open workspace, for work that one signal ends. */
export type GitWorkspace = ReturnType<typeof bindWorkspace>

/** The same workspace, for work that this signal ends. */
export function bindWorkspace(open: OpenWorkspace, signal: AbortSignal) {
  const { directory, clock, initialized, random } = open
  const path = (format: ObjectFormat, kind = '') => join(directory, `${format}${kind}.git`)
  const repository = (gitDirectory: string) =>
    openRepository(gitDirectory, { ...open.environment, GIT_DIR: gitDirectory }, signal, {
      settings: open.networkSettings,
      killGroup: open.killGroup,
    })
  /** How long, and how, a request that begins now is repeated when it fails for the moment. */
  const retryPolicy = () => ({ clock, deadlineAt: open.deadlineAt ?? clock.now() + usualRetryMs, signal, random })
  return {
    ...open,
    signal,
    retryPolicy,
    /** The two repositories for objects of that format, made when first asked for. */
    stores: async (format: ObjectFormat): Promise<Stores> => {
      const ready = initialized.get(format) ?? initStores(format, path(format), path(format, '-fetched'))
      initialized.set(format, ready)
      await ready
      return { own: repository(path(format)), fetched: repository(path(format, '-fetched')) }
    },
    /**
     * Runs a git command against a server until it succeeds, fails for good, or time is up.
     * @param what begins the sentences about it: "The push of ink/…"
     * @returns the output of success, or of a failure that retrying does not fix
     * @throws SourceError `unreachable` when the last try failed for the moment, too
     */
    retrying: (what: string, remote: GitRemote, attempt: () => Promise<NetworkOutput>): Promise<NetworkOutput> => {
      const isPassing = (error: unknown) => error instanceof SourceError && error.code === 'unreachable'
      const request = async () => {
        const output = await attempt()
        const failure = output.exitCode === 0 ? undefined : gitError(what, output, remote)
        if (isPassing(failure)) throw failure
        return output
      }
      const onRetry = (error: unknown, pauseMs: number) =>
        open.log.info(`${errorMessage(error)}; trying again in ${inSeconds(pauseMs)}.`)
      return retry(request, { ...retryPolicy(), again: isPassing, onRetry })
    },
    /** A path in the folder that nothing has. */
    freshPath: (name: string) => join(directory, `${name}-${randomUUID()}`),
  }
}

function isProxied(environment: ChildEnvironment, settings: readonly GitSetting[]): boolean {
  const variables = Object.entries(environment).filter(([name]) => /^(?:https|all)_proxy$/i.test(name))
  const named = settings.filter(([key]) => /\.proxy$/i.test(key))
  return [...variables, ...named].some(([, value]) => value !== '')
}

// Laid out by hand: `git init` would copy templates and hooks.
async function initStores(format: ObjectFormat, own: string, fetched: string): Promise<void> {
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
