import { DeployError } from '../core/errors.ts'
import { repositorySlug } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import { deploymentBranch, marks } from '../plan/names.ts'
import type { RollbackPlan } from '../plan/plan.ts'
import type { DeployReport } from '../report/model.ts'
import { parseDeploymentBranch, protectedRemote } from '../source/source.ts'
import { measured } from './measured.ts'
import type { Outcome } from './outcome.ts'
import { claimService } from './ownership.ts'
import { recordTask } from './records.ts'
import type { Run } from './run.ts'
import { switchService } from './switch-service.ts'
import { failureOf, judge } from './verdict.ts'

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
  const switched = await switchService(run, {
    serviceName: plan.serviceName,
    branch,
    commitHash: branches.get(branch),
    existing: service,
    repositorySlug: slug,
    repositoryName: plan.place.repositoryName,
    settings: () =>
      service.env ? { env: { ...service.env, ...(service.env[marks.commit] ? { [marks.commit]: commit } : {}) } } : {},
    claim: (one) => claimService(one, plan, slug),
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
