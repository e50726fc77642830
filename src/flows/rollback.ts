import { DeployError } from '../core/errors.ts'
import type { Service } from '../ink/results.ts'
import { parseDeploymentBranch } from '../plan/names.ts'
import type { RollbackPlan } from '../plan/plan.ts'
import { marks } from '../plan/variables.ts'
import type { DeployReport } from '../report/model.ts'
import { healthAfter, type RolloutEnd } from './observe.ts'
import { assertOwned, openInkRepository } from './resources/repository.ts'
import { versionToRestore } from './resources/versions.ts'
import { rollOut } from './rollout.ts'
import type { Outcome, Run } from './run.ts'
import { explain, failureOf, judge, measured } from './verdict.ts'

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
  const end = await rollOut(run, {
    serviceName: plan.serviceName,
    branch,
    commitHash: branches.get(branch),
    existing: service,
    repositorySlug: slug,
    repositoryName: plan.place.repositoryName,
    settings: () =>
      service.env ? { env: { ...service.env, ...(service.env[marks.commit] ? { [marks.commit]: commit } : {}) } } : {},
    assertOwned: (one) => assertOwned(one, plan, slug),
    stillWanted: async () => false,
    health: await healthAfter(service, plan.health, run),
    deadlineAt: run.deadlineAt,
  })
  return outcomeOf(run, service, end)
}

function outcomeOf(run: Run, service: Service, end: RolloutEnd): Outcome {
  const { status, sentence } = judge(end)
  const live = status === 'live'
  // The tree of that version is not at hand, so no place in a file can be shown.
  const explanation = explain(end, undefined, new Set())
  const url = 'url' in end ? end.url : service.url
  if (url) run.output('url', url)
  run.reporter.timeline.end(live ? 'done' : 'failed', sentence)
  run.reporter.update({
    ...measured(end),
    status,
    phase: undefined,
    url,
    ...(live ? { note: 'Rolled back by command' } : {}),
    diagnosis: explanation?.diagnosis,
    reason: live || explanation ? undefined : sentence,
  })
  const report: DeployReport = {
    kind: 'deploy',
    action: 'rollback',
    row: run.reporter.row(),
    phases: run.reporter.timeline.phases,
    envNames: Object.keys(service.env ?? {}).sort(),
    annotations: [],
    runUrl: run.context.runUrl,
    warnings: run.warnings,
  }
  return { action: 'rollback', status, report, failure: failureOf(status, sentence, explanation) }
}
