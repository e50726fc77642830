import { DeployError } from '../core/errors.ts'
import { repositorySlug } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import { deploymentBranch, marks } from '../plan/names.ts'
import type { RollbackPlan } from '../plan/plan.ts'
import type { DeployReport } from '../report/model.ts'
import { parseDeploymentBranch } from '../source/deployment-branch.ts'
import type { RolloutEnd } from './observe.ts'
import { claimService } from './ownership.ts'
import { protectedRemote } from './prepare.ts'
import { recordTask } from './records.ts'
import { rollOut } from './rollout.ts'
import type { Outcome, Run } from './run.ts'
import { explain, failureOf, judge, measured } from './verdict.ts'

/** Switches a service to a branch of an earlier deployment: the one of a given commit, or the one before the present. */
export async function rollback(plan: RollbackPlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('prepare', 'Find the version to go back to')
  const access = await run.platform.gitAccess(plan.place.repositoryName, false, run.signal)
  const service = await run.platform.service(plan.serviceName, { env: true, deployLogLines: 500 }, run.signal)
  if (!access || !service)
    throw new DeployError(`There is no service ${plan.serviceName} on ml.ink to roll back`, {
      hint: 'Check the inputs `service` and `project`.',
    })
  const slug = repositorySlug(access.remote)
  claimService(service, plan, slug)
  await using source = run.openSource(plan.place)
  const branches = await source.branches(protectedRemote(access.remote, run.mask), run.signal)
  const order = await source.newestFirst(branches, plan.target, run.signal)
  const branch = plan.to === undefined ? await branchBefore(plan, run, service, order) : branchOf(plan.to, plan, order)
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
    assertOwned: (one) => claimService(one, plan, slug),
    stillWanted: async () => false,
    health: plan.health,
    deadlineAt: run.clock.now() + plan.timeoutMs,
  })
  return outcomeOf(run, service, end)
}

function outcomeOf(run: Run, service: Service, end: RolloutEnd): Outcome {
  const { status, sentence } = judge(end)
  const live = status === 'live'
  // The tree of that version is not at hand, so no place in a file can be shown.
  const explanation = explain(end, undefined, () => false)
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

function branchOf(commit: string, { target }: RollbackPlan, newestFirst: readonly string[]): string {
  const wanted = deploymentBranch(target, commit)
  const found = newestFirst.find((name) => name.startsWith(wanted))
  if (found) return found
  throw new DeployError(`ml.ink has no deployment of ${commit} to go back to`, {
    hint: `Kept are: ${listed(newestFirst)}. An older commit can be deployed by running its workflow again.`,
  })
}

/** The newest version before the present one, those left out that GitHub's records say never worked. */
async function branchBefore(
  plan: RollbackPlan,
  run: Run,
  { branch: present }: Service,
  newestFirst: readonly string[],
): Promise<string> {
  const candidates = newestFirst.slice(newestFirst.indexOf(present ?? '') + 1)
  const task = recordTask({
    repository: run.context.repository,
    serviceName: plan.serviceName,
    pullRequest: plan.pullRequest?.number,
  })
  for (const branch of candidates) {
    const sha = parseDeploymentBranch(branch)?.sourceSha
    const outcome = sha === undefined ? undefined : await run.github.records.outcomeOf(task, sha)
    if (outcome !== 'failed') return branch
    run.log.info(`${branch} is passed over: its deployment failed`)
  }
  throw new DeployError(
    candidates.length === 0
      ? `There is no deployment before the present one (${present ?? 'unknown'}) to go back to`
      : `No deployment before the present one (${present ?? 'unknown'}) worked`,
    { hint: `Kept are: ${listed(newestFirst)}. \`rollback-to\` goes to one of them whatever its record says.` },
  )
}

function listed(newestFirst: readonly string[]): string {
  return newestFirst.map((name) => parseDeploymentBranch(name)?.sourceSha.slice(0, 7) ?? name).join(', ') || 'none'
}
