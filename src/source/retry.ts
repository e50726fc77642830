import { setTimeout as wait } from 'node:timers/promises'
import type { SourceOptions } from './contract.ts'
import { classifyFailure, networkError } from './failure.ts'
import type { NetworkGitOutput } from './network-git.ts'
import type { GitRemote } from './remote.ts'

/** What retrying needs of the world. */
export type Patience = Pick<SourceOptions, 'log' | 'sleep' | 'random'>

const pausesMs = [1_000, 3_000, 9_000]

/**
 * Runs a git command against a server until it succeeds or fails for good: network faults, HTTP 5xx, 429 and 408 are tried four times.
 *
 * @returns the output of success, or of a failure that retrying does not mend
 * @throws SourceError `unreachable` when the last try failed in passing, too
 */
export async function withRetries(
  call: { readonly what: string; readonly remote: GitRemote; readonly signal: AbortSignal },
  patience: Patience,
  attempt: () => Promise<NetworkGitOutput>,
): Promise<NetworkGitOutput> {
  const sleep = patience.sleep ?? ((durationMs, signal) => wait(durationMs, undefined, { signal }))
  const random = patience.random ?? Math.random
  for (const pauseMs of [...pausesMs, undefined]) {
    const output = await attempt()
    if (output.exitCode === 0) return output
    const failure = classifyFailure(output)
    if (failure.kind !== 'transient') return output
    if (pauseMs === undefined) throw networkError(call.what, failure, call.remote)
    // Half fixed, half random: runs that failed together do not come back together.
    const jitteredMs = pauseMs / 2 + random() * pauseMs
    const reason = call.remote.redact(failure.reason)
    patience.log.info(`${call.what} failed (${reason}); trying again in ${(jitteredMs / 1000).toFixed(1)} s.`)
    await sleep(jitteredMs, call.signal)
  }
  throw new Error('unreachable: the last try returns or throws')
}
