import { randomUUID } from 'node:crypto'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, retry, systemClock } from '../core/async.ts'
import { errorMessage } from '../core/errors.ts'
import { inSeconds } from '../core/format.ts'
import type { JobEnvironment } from '../core/http.ts'
import { GitFailure, type GitRepository, type GitSetting, openRepository } from './git.ts'
import { networkOfMachine, prepareEnvironment, requireGitOnce } from './git-environment.ts'
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
  readonly environment: JobEnvironment
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

/** Two repositories of a workspace for objects of one format. */
export interface Stores {
  readonly git: GitWorkspace
  /** Snapshots are made here, and pushed from here. */
  readonly own: GitRepository
  /** What was fetched. `own` reads it, too. */
  readonly fetched: GitRepository
}

/** On the low side: most runners are faster. */
const slowRunnerBytesPerSecond = 2_000_000
const usualRetryMs = 120_000

/**
 * Opens a temporary folder for repositories of our own, which read the objects of others and write only theirs.
 * @throws SourceError `no-git`
 */
export async function openWorkspace(options: SourceOptions) {
  const directory = await mkdtemp(join(options.tempDir, 'ink-source-'))
  try {
    const environment = await prepareEnvironment(options.environment, join(directory, 'home'))
    await requireGitOnce(options.environment, environment, directory)
    const { clock = systemClock, origin, assumedBytesPerSecond = slowRunnerBytesPerSecond } = options
    return {
      ...options,
      directory,
      /** That of git's children. */
      environment,
      /** Asked of git when a server is first asked. */
      network: () => networkOfMachine(options.environment, environment, directory),
      // GitHub takes any user name with a token; this one it uses itself.
      origin: origin && new GitRemote(origin.url, 'x-access-token', origin.token),
      clock,
      assumedBytesPerSecond,
      /** Repositories that are laid out, or being so. */
      initialized: new Map<ObjectFormat, Promise<void>>(),
    }
  } catch (error) {
    await closeWorkspace({ directory })
    throw error
  }
}

/** Removes everything. The children have ended by then, as every call awaits its own. */
export async function closeWorkspace({ directory }: { readonly directory: string }): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 })
}

/** An open workspace, for work that one signal ends. */
export type GitWorkspace = ReturnType<typeof bindWorkspace>

/** The workspace for work that this signal ends. */
export function bindWorkspace(open: Awaited<ReturnType<typeof openWorkspace>>, signal: AbortSignal) {
  const { directory, clock, initialized, random } = open
  const path = (format: ObjectFormat, kind = '') => join(directory, `${format}${kind}.git`)
  const repository = (gitDirectory: string) =>
    openRepository(gitDirectory, { ...open.environment, GIT_DIR: gitDirectory }, signal, {
      settings: async () => (await open.network()).settings,
      killGroup: open.killGroup,
    })
  /** How long, and how, a request that begins now is repeated when it fails for the moment. */
  const retryPolicy = () => ({ clock, deadlineAt: open.deadlineAt ?? clock.now() + usualRetryMs, signal, random })
  const git = {
    ...open,
    signal,
    retryPolicy,
    /** The repositories for objects of that format, made when first asked for. */
    stores: async (format: ObjectFormat): Promise<Stores> => {
      const [own, fetched] = [path(format), path(format, '-fetched')]
      const ready = initialized.get(format) ?? initStores(format, own, fetched)
      initialized.set(format, ready)
      await ready
      return { git, own: repository(own), fetched: repository(fetched) }
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
  return git
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

/** Contents of objects, by name. Those that the store does not hold are left out. All of them are held in memory. */
export async function readObjects(store: GitRepository, oids: readonly string[], { mostBytes = 64_000_000 } = {}) {
  const contents = new Map<string, Buffer>()
  if (oids.length === 0) return contents
  const answer = await store.run(['cat-file', '--batch', '--buffer'], { input: `${oids.join('\n')}\n`, mostBytes })
  // <oid> SP <type> SP <size> LF <content> LF, or <oid> SP "missing" LF: git-cat-file(1), BATCH OUTPUT
  for (let position = 0; position < answer.length; ) {
    const lineEnd = answer.indexOf('\n', position)
    const [oid = '', , size] = answer.toString('latin1', position, lineEnd).split(' ')
    position = lineEnd + 1
    if (size === undefined) continue
    contents.set(oid, answer.subarray(position, position + Number(size)))
    position += Number(size) + 1
  }
  return contents
}

/** Those of the objects that the store holds. */
export async function heldObjects(store: GitRepository, oids: readonly string[]): Promise<ReadonlySet<string>> {
  if (oids.length === 0) return new Set()
  const input = `${oids.join('\n')}\n`
  const answer = await store.run(['cat-file', '--batch-check=%(objectname)', '--buffer'], { input })
  // <oid> LF, or <oid> SP "missing" LF
  return new Set(answer.toString('latin1').split('\n'))
}

/**
 * Stores files as they lie on disk: no line endings converted, no filters run.
 * @param paths absolute paths, as bytes
 * @returns the names of the contents, in the same order
 */
export async function storeFiles(store: GitRepository, paths: readonly Buffer[]): Promise<readonly string[]> {
  if (paths.length === 0) return []
  const input = paths.map((path) => `${quotePath(path)}\n`).join('')
  const answer = await store.run(['hash-object', '-w', '--no-filters', '--stdin-paths'], { input })
  return answer.toString('latin1').trim().split('\n')
}

interface FetchRequest {
  readonly remote: GitRemote
  readonly wants: readonly string[]
  /** What the wants name. */
  readonly kind: 'commits' | 'contents'
  /** `blob:none`: directories, but not files' contents. `tree:0`: commits alone. */
  readonly filter?: 'blob:none' | 'tree:0'
  /** Not only of use: tried again when the network or the server fails. */
  readonly needed?: boolean
}

/**
 * Fetches objects by name, commits without their history. Into a store that nothing is pushed from: fetching leaves marks in
 * a repository (shallow, promisor) that a server would have to be told of.
 * @throws GitFailure when the server does not have one of them, or fails; SourceError `unreachable` when it keeps failing
 */
export async function fetchObjects({ git, fetched }: Stores, request: FetchRequest): Promise<void> {
  const { remote, wants, kind, filter, needed = false } = request
  const depth = kind === 'commits' ? ['--depth=1'] : []
  // git remembers a filter, so having none must be said.
  const filtering = filter === undefined ? '--no-filter' : `--filter=${filter}`
  const args = ['fetch', '--quiet', ...depth, filtering, '--no-tags', '--no-write-fetch-head', '--stdin', remote.url]
  const input = wants.map((want) => `${want}\n`).join('')
  const attempt = async () => {
    const settings = remote.untrusted ? await guardSettings(git, remote) : []
    return await fetched.runRemote(remote, args, { settings, input })
  }
  const what = `Fetching from ${remote.url}`
  const { exitCode, stderr } = await (needed ? git.retrying(what, remote, attempt) : attempt())
  if (exitCode !== 0) throw new GitFailure('fetch', exitCode, stderr)
}

// A stranger named the server. It is asked only where everybody may ask, at the very addresses that were looked up for
// the check (git 2.37 and newer), and cannot send us elsewhere.
async function guardSettings(git: GitWorkspace, remote: GitRemote): Promise<readonly GitSetting[]> {
  const { assertPublicAddress } = await import('../core/addresses.ts')
  const { url, ips } = await assertPublicAddress(remote.url)
  const direct: GitSetting = ['http.followRedirects', 'false']
  // Unknown here, it may still be known to the proxy; but without one a name must not get a second chance to lead inside.
  if (ips.length === 0 && (await git.network()).proxied) return [direct]
  if (ips.length === 0) throw new SourceError('unreachable', `${url.host} could not be found (DNS)`)
  const pinned = ips.map((ip) => (ip.includes(':') ? `[${ip}]` : ip)).join(',')
  return [direct, ['http.curloptResolve', `${url.hostname}:${url.port === '' ? 443 : url.port}:${pinned}`]]
}

/** As {@link fetchObjects} for commits, but does without those that the server does not have. */
export async function fetchKnownCommits(stores: Stores, request: Omit<FetchRequest, 'kind'>): Promise<void> {
  let wants = request.wants
  while (wants.length > 0) {
    try {
      return await fetchObjects(stores, { ...request, wants, kind: 'commits' })
    } catch (error) {
      // The server names one at a time, and sends nothing at all then.
      const unknown = error instanceof GitFailure ? /not our ref ([0-9a-f]+)/.exec(error.stderr)?.[1] : undefined
      if (unknown === undefined || !wants.includes(unknown)) throw error
      wants = wants.filter((want) => want !== unknown)
    }
  }
}
