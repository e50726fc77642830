import { DeployError } from '../core/errors.ts'
import { bothOf } from '../core/parallel.ts'
import type { Service } from '../ink/results.ts'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import type { GitRemote } from '../source/remote.ts'
import type { Snapshot } from '../source/snapshot.ts'
import type { Source } from '../source/source.ts'
import { assertDeployTool } from './resources/account.ts'
import { assertAffordable } from './resources/budget.ts'
import { findDatabase, type ServiceDatabase } from './resources/databases.ts'
import { assertOwned, openInkRepository } from './resources/repository.ts'
import type { Run } from './run.ts'

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
    (one) => openInkRepository({ ...run, signal: one }, plan.place),
  )
  assertDeployTool(platform, plan.serviceName, existing !== undefined)
  if (!existing) await assertAffordable(plan, { ...run, signal })
  const repository = present ?? (await openInkRepository({ ...run, signal }, plan.place, true))
  if (!repository) throw new DeployError(`ml.ink gave no access to the repository ${plan.place.repositoryName}`)
  const { remote, slug } = repository
  run.log.info(
    `Repository ${slug}${repository.created ? ' (made just now)' : ''}, service ${plan.serviceName} ${existing ? `is ${existing.status}` : 'does not exist yet'}`,
  )
  if (existing) assertOwned(existing, plan, slug)
  const [remoteBranches, database] = await bothOf(
    signal,
    (one) => (repository.created ? Promise.resolve(new Map<string, string>()) : source.branches(remote, one)),
    (one) => (plan.database ? findDatabase(run, plan.database, one) : Promise.resolve(undefined)),
  )
  return { existing, remote, repositorySlug: slug, remoteBranches, database }
}
