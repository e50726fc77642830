import { type CommitTime, commitTimes } from './commit-times.ts'
import type { OldBranchesRequest } from './contract.ts'
import { type DeploymentBranch, parseDeploymentBranch } from './deployment-branch.ts'
import type { Workshop } from './workshop.ts'

/**
 * Branches of a target that can go: all but the protected and the newest of the others. A branch's age is its source
 * commit's; a commit that neither the checkout nor the origin has any more counts as the oldest. When no age at all can
 * be learned, none is named.
 */
export async function selectOldBranches(
  workshop: Workshop,
  request: OldBranchesRequest,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const candidates = [...request.branches.keys()].flatMap((name) => {
    const branch = parseDeploymentBranch(name)
    return branch?.target === request.target && !request.protect.includes(name) ? [{ name, ...branch }] : []
  })
  if (candidates.length <= request.keepNewest) return []
  if (request.keepNewest === 0) return candidates.map(({ name }) => name)
  const times = await timesOf(workshop, candidates, signal)
  if (times.size === 0) return []
  return byAge(candidates, times)
    .slice(request.keepNewest)
    .map(({ name }) => name)
}

/** The branches of a target, those of the newest source commits first. */
export async function orderBranches(
  workshop: Workshop,
  branches: ReadonlyMap<string, string>,
  target: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const candidates = [...branches.keys()].flatMap((name) => {
    const branch = parseDeploymentBranch(name)
    return branch?.target === target ? [{ name, ...branch }] : []
  })
  return byAge(candidates, await timesOf(workshop, candidates, signal)).map(({ name }) => name)
}

type Candidate = DeploymentBranch & { readonly name: string }

async function timesOf(
  workshop: Workshop,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CommitTime>> {
  const shas = [...new Set(candidates.map(({ sourceSha }) => sourceSha))]
  const stores = await workshop.stores(shas.some((sha) => sha.length === 64) ? 'sha256' : 'sha1')
  return commitTimes(workshop, stores, shas, signal)
}

function byAge(candidates: readonly Candidate[], times: ReadonlyMap<string, CommitTime>): Candidate[] {
  const lost: CommitTime = { atSeconds: 0, depth: 0 }
  const time = ({ sourceSha }: Candidate) => times.get(sourceSha) ?? lost
  return candidates.toSorted((a, b) => time(b).atSeconds - time(a).atSeconds || time(b).depth - time(a).depth)
}
