import { classifyFailure, networkError } from './failure.ts'
import { withSettings } from './git-environment.ts'
import { type NetworkGitOutput, runNetworkGit } from './network-git.ts'
import type { ObjectStore } from './object-store.ts'
import type { GitRemote } from './remote.ts'
import { type Patience, withRetries } from './retry.ts'
import { credentialSettings, platformSettings } from './transport.ts'

/** Runs git against the platform's server, from the store that snapshots are made in. */
export function runOnPlatform(
  store: ObjectStore,
  remote: GitRemote,
  args: readonly string[],
  options: { readonly signal: AbortSignal; readonly onMessage?: (line: string) => void },
): Promise<NetworkGitOutput> {
  const environment = withSettings(store.networkEnvironment, [...platformSettings, ...credentialSettings(remote)])
  return runNetworkGit(args, { cwd: store.directory, environment, ...options })
}

/** Short branch name → commit. One request; nothing is fetched. */
export async function listBranches(
  store: ObjectStore,
  remote: GitRemote,
  patience: Patience,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const what = 'Listing the branches'
  const output = await withRetries({ what, remote, signal }, patience, () =>
    runOnPlatform(store, remote, ['ls-remote', '--quiet', '--heads', remote.url], { signal }),
  )
  if (output.exitCode !== 0) throw networkError(what, classifyFailure(output), remote)
  const lines = output.stdout.split('\n').filter((line) => line !== '')
  return new Map(
    lines.map((line) => [line.slice(line.indexOf('\t') + 1 + 'refs/heads/'.length), line.split('\t')[0] ?? '']),
  )
}

/** Deletes in one push. What is gone already, or goes at the same moment by another run's hand, is fine. */
export async function deleteBranches(
  store: ObjectStore,
  remote: GitRemote,
  names: readonly string[],
  patience: Patience,
  signal: AbortSignal,
): Promise<void> {
  const what = 'Deleting old branches'
  for (let triesLeft = 2; ; triesLeft--) {
    const present = await listBranches(store, remote, patience, signal)
    const refs = names.filter((name) => present.has(name)).map((name) => `:refs/heads/${name}`)
    if (refs.length === 0) return
    const output = await withRetries({ what, remote, signal }, patience, () =>
      runOnPlatform(store, remote, ['push', '--porcelain', '--no-verify', remote.url, ...refs], { signal }),
    )
    if (output.exitCode === 0) return
    if (triesLeft === 0) throw networkError(what, classifyFailure(output), remote)
  }
}
