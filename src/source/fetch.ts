import { assertPublicAddress } from '../core/addresses.ts'
import { shortSha } from '../core/format.ts'
import { GitFailure, type GitRepository, type GitSetting } from './git.ts'
import { committedAtSeconds, parseCommit, readObjects } from './objects.ts'
import { decisiveLine, type GitRemote, type NetworkOutput, SourceError } from './remote.ts'
import { listTree, type TreeEntry } from './tree.ts'
import type { GitWorkspace, Stores } from './workspace.ts'

export interface FetchRequest {
  readonly remote: GitRemote
  readonly wants: readonly string[]
  /** What the wants name. */
  readonly kind: 'commits' | 'contents'
  /** `blob:none`: directories, but not files' contents. `tree:0`: commits alone. */
  readonly filter?: 'blob:none' | 'tree:0'
}

/**
 * Fetches objects by name, commits without their history. Into a store that nothing is pushed from: fetching leaves marks in
 * a repository (shallow, promisor) that a server would have to be told of.
 *
 * @throws GitFailure when the server cannot be reached or does not have one of them
 */
export async function fetchObjects({ fetched }: Stores, request: FetchRequest): Promise<void> {
  requireSuccess(await runFetch(fetched, request))
}

/**
 * As {@link fetchObjects}, for what is needed and not only of use: tried again when the network or the server fails.
 *
 * @throws SourceError `unreachable` when it keeps failing
 */
async function fetchNeeded(git: GitWorkspace, { fetched }: Stores, request: FetchRequest): Promise<void> {
  const { remote } = request
  const output = await git.retrying(`Fetching from ${remote.url}`, remote, async () =>
    runFetch(fetched, request, remote.untrusted ? await guardSettings(git, remote) : []),
  )
  requireSuccess(output)
}

function requireSuccess({ exitCode, stderr }: NetworkOutput): void {
  if (exitCode !== 0) throw new GitFailure('fetch', exitCode, stderr)
}

// A stranger named the server. It is asked only where everybody may ask, at the very addresses that were looked up for
// the check (git 2.37 and newer), and cannot send us elsewhere.
async function guardSettings(git: GitWorkspace, remote: GitRemote): Promise<readonly GitSetting[]> {
  const { url, ips } = await assertPublicAddress(remote.url)
  const direct: GitSetting = ['http.followRedirects', 'false']
  // Unknown here, it may still be known to the proxy; but without one a name must not get a second chance to lead inside.
  if (ips.length === 0 && git.proxied) return [direct]
  if (ips.length === 0) throw new SourceError('unreachable', `${url.host} could not be found (DNS)`)
  const pinned = ips.map((ip) => (ip.includes(':') ? `[${ip}]` : ip)).join(',')
  return [direct, ['http.curloptResolve', `${url.hostname}:${url.port === '' ? 443 : url.port}:${pinned}`]]
}

function runFetch(
  store: GitRepository,
  request: FetchRequest,
  settings: readonly GitSetting[] = [],
): Promise<NetworkOutput> {
  const { remote, wants } = request
  const depth = request.kind === 'commits' ? ['--depth=1'] : []
  // git remembers a filter, so having none must be said.
  const filter = request.filter === undefined ? '--no-filter' : `--filter=${request.filter}`
  const args = ['fetch', '--quiet', ...depth, filter, '--no-tags', '--no-write-fetch-head', '--stdin', remote.url]
  return store.talk(remote, args, { settings, input: wants.map((want) => `${want}\n`).join('') })
}

/**
 * As {@link fetchObjects} for commits, but does without those that the server does not have.
 *
 * @returns the commits fetched
 */
export async function fetchKnownCommits(
  stores: Stores,
  request: Omit<FetchRequest, 'kind'>,
): Promise<readonly string[]> {
  let wants = request.wants
  while (wants.length > 0) {
    try {
      await fetchObjects(stores, { ...request, wants, kind: 'commits' })
      return wants
    } catch (error) {
      // The server names one at a time, and sends nothing at all then.
      const unknown = error instanceof GitFailure ? /not our ref ([0-9a-f]+)/.exec(error.stderr)?.[1] : undefined
      if (unknown === undefined || !wants.includes(unknown)) throw error
      wants = wants.filter((want) => want !== unknown)
    }
  }
  return []
}

/**
 * The commit's whole tree, fetched from the remote where the checkout does not hold it. A checkout of another commit mostly has most
 * of the contents, so directories are fetched first and then only the contents that are missing.
 *
 * @throws SourceError `no-commit` when it is neither here nor at the remote
 */
export async function listCommit(
  git: GitWorkspace,
  stores: Stores,
  sha: string,
  from: { readonly remote: GitRemote | undefined; readonly nothingHere: boolean },
): Promise<readonly TreeEntry[]> {
  const tree = `${sha}^{tree}`
  const here = from.nothingHere ? undefined : await tryList(stores, tree)
  if (here !== undefined && missingContents(here).length === 0) return here
  const { remote } = from
  if (remote === undefined) throw missingCommit(sha, 'there is no https address to fetch it from')
  git.log.debug(`Commit ${shortSha(sha)} is not complete in the checkout: fetching it from ${remote.url}.`)
  try {
    if (here === undefined) {
      const filter = from.nothingHere ? {} : { filter: 'blob:none' as const }
      await fetchNeeded(git, stores, { remote, wants: [sha], kind: 'commits', ...filter })
    }
    const entries = await listTree(stores.own, tree)
    const missing = missingContents(entries)
    if (missing.length === 0) return entries
    await fetchNeeded(git, stores, { remote, wants: missing, kind: 'contents' })
    return await listTree(stores.own, tree)
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    throw missingCommit(sha, remote.redact(decisiveLine(error.stderr)))
  }
}

/**
 * Has a commit without its tree, for what it says of itself.
 *
 * @throws SourceError `no-commit` when it is neither here nor at the remote
 */
export async function fetchCommitAlone(git: GitWorkspace, stores: Stores, sha: string): Promise<void> {
  const here = await readObjects(stores.own, [sha])
  if (here.has(sha)) return
  const { origin: remote } = git
  if (remote === undefined) throw missingCommit(sha, 'there is no https address to fetch it from')
  try {
    await fetchNeeded(git, stores, { remote, wants: [sha], kind: 'commits', filter: 'tree:0' })
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    throw missingCommit(sha, remote.redact(decisiveLine(error.stderr)))
  }
}

async function tryList(stores: Stores, tree: string): Promise<readonly TreeEntry[] | undefined> {
  try {
    return await listTree(stores.own, tree)
  } catch (error) {
    if (error instanceof GitFailure) return undefined
    throw error
  }
}

function missingContents(entries: readonly TreeEntry[]): string[] {
  const missing = entries.filter((entry) => entry.type === 'blob' && entry.size === undefined)
  return [...new Set(missing.map((entry) => entry.oid))]
}

function missingCommit(sha: string, reason: string): SourceError {
  return new SourceError('no-commit', `Commit ${sha} is not in the checkout and could not be fetched: ${reason}`, {
    hint:
      'Check it out before this step (actions/checkout), or let the token read the repository ' +
      '(permissions: contents: read). A commit that was force-pushed away can be gone for good.',
  })
}

/** A commit's place in time. */
export interface CommitTime {
  /** Seconds since 1970. */
  readonly atSeconds: number
  /** How many of the others it descends from: tells commits of the same second apart. */
  readonly depth: number
}

/**
 * When commits were made. Those that the checkout does not hold are fetched from the origin
 * without their trees, some hundred bytes each. What nobody has any more is left out.
 */
export async function commitTimes(
  git: GitWorkspace,
  stores: Stores,
  shas: readonly string[],
): Promise<ReadonlyMap<string, CommitTime>> {
  const known = await readTimes(stores, shas)
  const missing = shas.filter((sha) => !known.has(sha))
  if (missing.length === 0 || git.origin === undefined) return known
  try {
    await fetchKnownCommits(stores, { remote: git.origin, wants: missing, filter: 'tree:0' })
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    git.log.debug(`The dates of old commits could not be fetched: ${git.origin.redact(error.message)}`)
    return known
  }
  return await readTimes(stores, shas)
}

async function readTimes(stores: Stores, shas: readonly string[]): Promise<ReadonlyMap<string, CommitTime>> {
  const objects = await readObjects(stores.own, shas)
  const commits = new Map(Array.from(objects, ([sha, content]) => [sha, parseCommit(content)]))
  const depths = new Map<string, number>()
  const depthOf = (sha: string): number => {
    const known = depths.get(sha)
    if (known !== undefined) return known
    depths.set(sha, 0)
    const parents = commits.get(sha)?.parents.filter((parent) => commits.has(parent)) ?? []
    const depth = Math.max(0, ...parents.map((parent) => depthOf(parent) + 1))
    depths.set(sha, depth)
    return depth
  }
  return new Map(
    Array.from(commits, ([sha, commit]) => [sha, { atSeconds: committedAtSeconds(commit), depth: depthOf(sha) }]),
  )
}
