import { DeployError } from '../core/errors.ts'
import type { RollbackPlan } from '../plan/plan.ts'
import { marks } from '../plan/variables.ts'
import type { DeployReport } from '../report/model.ts'
import { parseDeploymentBranch } from '../source/branches.ts'
import { measured } from './measured.ts'
import type { Outcome } from './outcome.ts'
import { assertOwned, openInkRepository } from './resources/repository.ts'
import { versionToRestore } from './resources/versions.ts'
import type { Run } from './run.ts'
import { switchService } from './switch-service.ts'
import { failureOf, judge } from './verdict.ts'

/** Switches a service to a branch of an earlier deployment: the one of a given commit, or the one before the present. */
export async function rollback(plan: RollbackPlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('prepare', 'Find the version to go back to')
  const repository = await openInkRepository(run, plan.place)
  const service = await run.platform.service(plan.serviceName, { env: true, deployLogLines: 500 }, run.signal)
  if (!repository || !service)
    throw new DeployError(`There is no service ${plan.serviceName} on ml.ink to roll back`, {
      hint: 'Check the inputs `service` and `project`.',
    })
  const { slug } = repository
  assertOwned(service, plan, slug)
  await using source = run.openSource(plan.place)
  const branches = await source.branches(repository.remote, run.signal)
  const branch = await versionToRestore(plan, run, source, { branches, present: service.branch })
  const commit = parseDeploymentBranch(branch)?.sourceSha ?? ''
  run.output('branch', branch)
  run.output('commit', commit)
  run.reporter.update({ commit })
  // The record has to name the commit that will serve.
  await run.reporter.begin()
  run.reporter.timeline.end('done', `Going back from ${service.branch ?? 'an unknown branch'} to ${branch}`)
  const switched = await switchService(run, {
    serviceName: plan.serviceName,
    branch,
    commitHash: branches.get(branch),
    existing: service,
    repositorySlug: slug,
    repositoryName: plan.place.repositoryName,
    settings: () =>
      service.env ? { env: { ...service.env, ...(service.env[marks.commit] ? { [marks.commit]: commit } : {}) } } : {},
    claim: (one) => assertOwned(one, plan, slug),
    mayCreateAnew: async () => false,
    health: plan.health,
    deadlineAt: run.clock.now() + plan.timeoutMs,
  })
  const judgement = judge(switched)
  const url = switched.verdict.kind === 'live' ? switched.verdict.url : service.url
  if (url) run.output('url', url)
  run.reporter.timeline.end(judgement.status === 'live' ? 'done' : 'failed', judgement.sentence)
  run.reporter.update({
    ...measured(switched),
    status: judgement.status,
    phase: undefined,
    url,
    ...(judgement.status === 'live' ? { note: 'Rolled back by command' } : { reason: judgement.sentence }),
  })
  const report: DeployReport = {
    kind: 'deploy',
    action: 'rollback',
    row: run.reporter.row(),
    phases: run.reporter.timeline.phases,
    envNames: Object.keys(service.env ?? {}).sort(),
    annotations: [],
    runUrl: run.context.runUrl,
    warnings: run.reporter.warnings(),
  }
  return {
    action: 'rollback',
    status: judgement.status,
    report,
    failure: failureOf(judgement.status, judgement.sentence, undefined),
  }
}
