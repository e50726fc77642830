import { withSettings } from './git-environment.ts'
import { GitFailure } from './local-git.ts'
import { failureOf, type NetworkGitOutput, runNetworkGit } from './network-git.ts'
import type { ObjectStore } from './object-store.ts'
import type { GitRemote } from './remote.ts'
import { type Patience, withRetries } from './retry.ts'
import { credentialSettings } from './transport.ts'

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
export async function fetchObjects(store: ObjectStore, request: FetchRequest, signal: AbortSignal): Promise<void> {
  const output = await runFetch(store, request, signal)
  if (output.exitCode !== 0) throw failureOf('fetch', output)
}

/**
 * As {@link fetchObjects}, for what is needed and not only of use: tried again when the network or the server fails.
 *
 * @throws SourceError `unreachable` when it keeps failing
 */
export async function fetchNeeded(
  store: ObjectStore,
  request: FetchRequest,
  patience: Patience,
  signal: AbortSignal,
): Promise<void> {
  const call = { what: `Fetching from ${request.remote.url}`, remote: request.remote, signal }
  const output = await withRetries(call, patience, () => runFetch(store, request, signal))
  if (output.exitCode !== 0) throw failureOf('fetch', output)
}

function runFetch(store: ObjectStore, request: FetchRequest, signal: AbortSignal): Promise<NetworkGitOutput> {
  const depth = request.kind === 'commits' ? ['--depth=1'] : []
  // git remembers a filter, so having none must be said.
  const filter = request.filter === undefined ? '--no-filter' : `--filter=${request.filter}`
  return runNetworkGit(
    ['fetch', '--quiet', ...depth, filter, '--no-tags', '--no-write-fetch-head', '--stdin', request.remote.url],
    {
      cwd: store.directory,
      environment: withSettings(store.networkEnvironment, credentialSettings(request.remote)),
      input: request.wants.map((want) => `${want}\n`).join(''),
      signal,
    },
  )
}

/**
 * As {@link fetchObjects} for commits, but does without those that the server does not have.
 *
 * @returns the commits fetched
 */
export async function fetchKnownCommits(
  store: ObjectStore,
  request: Omit<FetchRequest, 'kind'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let wants = request.wants
  while (wants.length > 0) {
    try {
      await fetchObjects(store, { ...request, wants, kind: 'commits' }, signal)
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
