import { DeployError } from '../core/errors.ts'
import { bothOf } from '../core/parallel.ts'
import { argumentsRefused } from '../ink/arguments.ts'
import type { Service } from '../ink/results.ts'
import { repositorySlug } from '../ink/results.ts'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import type { Snapshot, Source } from '../source/contract.ts'
import { type GitRemote, parseRemote } from '../source/remote.ts'
import { findDatabase, type ServiceDatabase } from './databases.ts'
import { checkMeans } from './means.ts'
import { claimService } from './ownership.ts'
import type { Run } from './run.ts'
import { requireDeployTool } from './tools.ts'

/** What a deployment starts from. */
export interface Prepared {
  readonly snapshot: Snapshot
  /** The service as it was before this run. */
  readonly existing: Service | undefined
  readonly remote: GitRemote
  /** `owner/slug` on the platform's git hosting. */
  readonly repositorySlug: string
  readonly remoteBranches: ReadonlyMap<string, string>
  /** Undefined when none is wanted, or it has to be made yet. */
  readonly database: ServiceDatabase | undefined
}

/** Reads the platform and makes the snapshot, at the same time; makes the repository when it is missing. */
export async function prepare(plan: PreviewPlan | ProductionPlan, run: Run, source: Source): Promise<Prepared> {
  const [platformSide, snapshot] = await bothOf(
    run.signal,
    (signal) => preparePlatform(plan, run, source, signal),
    (signal) =>
      source.snapshot(
        {
          wanted: plan.wanted,
          ordinaryCheckouts: plan.ordinaryCheckouts,
          directory: plan.directory,
          exportIgnore: plan.exportIgnore,
        },
        signal,
      ),
  )
  return { ...platformSide, snapshot }
}

async function preparePlatform(
  plan: PreviewPlan | ProductionPlan,
  run: Run,
  source: Source,
  signal: AbortSignal,
): Promise<Omit<Prepared, 'snapshot'>> {
  const { platform } = run
  const [existing, present] = await bothOf(
    signal,
    (one) => platform.service(plan.serviceName, { env: true, deployLogLines: 500 }, one),
    (one) => platform.gitAccess(plan.place.repositoryName, false, one),
  )
  requireDeployTool(platform, plan.serviceName, existing !== undefined)
  const refused = platform.checkArguments(existing ? 'updateService' : 'createService', plan.build)
  if (refused.length > 0) throw argumentsRefused(refused)
  if (!existing) await checkMeans(plan, { ...run, signal })
  const access = present ?? (await platform.gitAccess(plan.place.repositoryName, true, signal))
  if (!access) throw new DeployError(`ml.ink gave no access to the repository ${plan.place.repositoryName}`)
  const remote = protectedRemote(access.remote, run.mask)
  const slug = repositorySlug(access.remote)
  run.log.info(
    `Repository ${slug}${access.created ? ' (made just now)' : ''}, service ${plan.serviceName} ${existing ? `is ${existing.status}` : 'does not exist yet'}`,
  )
  if (existing) claimService(existing, plan, slug)
  const [remoteBranches, database] = await bothOf(
    signal,
    (one) => (access.created ? Promise.resolve(new Map<string, string>()) : source.branches(remote, one)),
    (one) => (plan.database ? findDatabase(run, plan.database, one) : Promise.resolve(undefined)),
  )
  return { existing, remote, repositorySlug: slug, remoteBranches, database }
}

/** Takes a remote apart and has the token in it masked: it opens the repository for a year and cannot be revoked. */
export function protectedRemote(remoteWithToken: string, mask: (secret: string) => void): GitRemote {
  const { password, username } = new URL(remoteWithToken)
  mask(password || username)
  return parseRemote(remoteWithToken)
}
