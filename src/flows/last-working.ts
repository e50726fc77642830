import type { Service } from '../ink/results.ts'
import type { CardRow, LastWorking } from '../report/row.ts'
import { parseDeploymentBranch } from '../source/deployment-branch.ts'
import { meaningOf } from '../watch/status.ts'
import type { Run } from './run.ts'

const askTimeoutMs = 5000

/**
 * The version that worked before a failed deployment, as far as it is known: from the service as it was found, else from
 * the card. “Still live” is claimed only when its URL was seen to answer after the failure.
 */
export async function lastWorkingVersion(run: Run, existing: Service | undefined): Promise<LastWorking | undefined> {
  const previous = await run.reporter.previous()
  const served = fromService(existing)
  // What the platform calls active may have answered with errors; the card knows.
  const sick = served !== undefined && previous?.commit === served.commit && previous.status !== 'live'
  const known = (sick ? undefined : served) ?? fromCard(previous)
  if (!known) return undefined
  return { ...known, stillLive: known.url !== undefined && (await answers(run, known.url)) }
}

function fromService(existing: Service | undefined): LastWorking | undefined {
  if (!existing?.branch || meaningOf(existing.status)?.phase !== 'live') return undefined
  const commit = parseDeploymentBranch(existing.branch)?.sourceSha
  return commit === undefined ? undefined : { commit, url: existing.url }
}

function fromCard(previous: CardRow | undefined): LastWorking | undefined {
  if (!previous) return undefined
  return previous.status === 'live' ? { commit: previous.commit, url: previous.url } : previous.lastWorking
}

async function answers(run: Run, url: string): Promise<boolean> {
  try {
    const { status } = await run.http(new URL(url), AbortSignal.any([run.signal, AbortSignal.timeout(askTimeoutMs)]))
    return status < 400
  } catch {
    run.signal.throwIfAborted()
    return false // whatever keeps it from answering, it cannot be called live
  }
}
