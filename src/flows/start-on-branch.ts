import { desiredSettings } from './desired-service.ts'
import { assertOwned } from './resources/repository.ts'
import { changeMeanwhile } from './still-wanted.ts'
import { type Switched, switchService } from './switch-service.ts'
import type { Work } from './work.ts'

/**
 * Starts the deployment and follows it to its end.
 *
 * A teardown of the same pull request that was still under way when it was opened again may take the branch from under
 * the build. Then it is pushed once more.
 */
export async function startOnBranch(work: Work): Promise<Switched> {
  const { plan, run, source, prepared, branch } = work
  const first = await start(work)
  if (first.verdict.kind !== 'failed') return first
  const remoteBranches = await source.branches(prepared.remote, run.signal)
  if (remoteBranches.has(branch) || (await changeMeanwhile(plan, run, prepared.snapshot.sourceSha))) return first
  run.log.info(`The branch ${branch} was deleted meanwhile, probably by an earlier run; pushing it again`)
  const { snapshot, remote } = prepared
  await source.push({ snapshot, remote, branch, bases: plan.bases, remoteBranches }, run.signal)
  const existing = await run.platform.service(plan.serviceName, { env: true, deployLogLines: 500 }, run.signal)
  return start({ ...work, prepared: { ...prepared, existing } })
}

function start({ plan, run, prepared, branch }: Work): Promise<Switched> {
  return switchService(run, {
    serviceName: plan.serviceName,
    branch,
    commitHash: prepared.snapshot.sha,
    existing: prepared.existing,
    repositorySlug: prepared.repositorySlug,
    repositoryName: plan.place.repositoryName,
    settings: (existing) =>
      desiredSettings({
        build: plan.build,
        autoscale: plan.kind === 'production' ? plan.autoscale : undefined,
        variables: plan.variables,
        envStrategy: plan.envStrategy,
        databaseVariables: prepared.database?.variables ?? {},
        prebuilt: plan.directory !== undefined,
        expireAfterSeconds:
          plan.kind === 'preview' && run.platform.canExpire ? expirySeconds(plan.previewTtlMs) : undefined,
        existing,
      }),
    claim: (service) => assertOwned(service, plan, prepared.repositorySlug),
    mayCreateAnew: async () => (await changeMeanwhile(plan, run, prepared.snapshot.sourceSha)) === undefined,
    health: plan.health,
    deadlineAt: run.clock.now() + plan.timeoutMs,
  })
}

// The platform counts at most a day (destroy_timeout_seconds, G2); longer lives end with the sweep.
function expirySeconds(ttlMs: number | undefined): number | undefined {
  const seconds = ttlMs === undefined ? undefined : Math.round(ttlMs / 1000)
  return seconds !== undefined && seconds <= 86_400 ? seconds : undefined
}
