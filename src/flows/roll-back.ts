import type { Service } from '../ink/results.ts'
import type { ProductionPlan } from '../plan/plan.ts'
import type { RowStatus } from '../report/row.ts'
import { parseDeploymentBranch } from '../source/deployment-branch.ts'
import { meaningOf } from '../watch/status.ts'
import { claimService } from './ownership.ts'
import type { Prepared } from './prepare.ts'
import type { Run } from './run.ts'
import { type Switched, switchService } from './switch-service.ts'
import { type Judgement, judge } from './verdict.ts'

/**
 * After a production deployment went wrong: switches back to the branch and the variables of before, and asks the URL
 * again. The image of that branch is still there, so this takes seconds.
 * If the service has another branch than the failed one by now, somebody else was faster, and it is left alone.
 * @returns the outcome to report, or undefined when there is nothing to go back to
 */
export async function rollBackAfterFailure(
  run: Run,
  plan: ProductionPlan,
  { prepared, branch }: { readonly prepared: Prepared; readonly branch: string },
  failed: Judgement,
): Promise<{ status: RowStatus; sentence: string } | undefined> {
  const { existing, repositorySlug, remoteBranches } = prepared
  const back = versionBefore(existing, remoteBranches)
  if (!existing || !back) {
    run.log.warning('There is no earlier version to go back to, so the failed one stays as it is.')
    return undefined
  }
  const now = await run.platform.service(plan.serviceName, {}, run.signal)
  if (!now) {
    run.log.info('Not rolled back: somebody has deleted the service meanwhile')
    return undefined
  }
  if (now.branch !== undefined && now.branch !== branch) {
    run.log.info(`Not rolled back: somebody else has switched the service to ${now.branch} meanwhile`)
    return undefined
  }
  run.log.info(`Going back to ${back.commit.slice(0, 7)} (${back.branch})`)
  const switched = await switchService(run, {
    serviceName: plan.serviceName,
    branch: back.branch,
    commitHash: remoteBranches.get(back.branch),
    existing: { ...existing, branch: now.branch },
    repositorySlug,
    repositoryName: plan.place.repositoryName,
    settings: () => (existing.env ? { env: existing.env } : {}),
    claim: (service) => claimService(service, plan, repositorySlug),
    mayCreateAnew: async () => false,
    health: plan.health,
    deadlineAt: run.clock.now() + plan.timeoutMs,
  })
  return describeReturn(run, back.commit, switched, failed)
}

function describeReturn(
  run: Run,
  commit: string,
  switched: Switched,
  failed: Judgement,
): { status: RowStatus; sentence: string } {
  const judgement = judge(switched)
  run.reporter.timeline.end(judgement.status === 'live' ? 'done' : 'failed', judgement.sentence)
  if (judgement.status !== 'live') {
    run.log.warning(`Going back to ${commit.slice(0, 7)} did not work either: ${judgement.sentence}`)
    return {
      status: failed.status,
      sentence: `${failed.sentence}; going back to ${commit.slice(0, 7)} did not work either: ${judgement.sentence}`,
    }
  }
  const url = switched.verdict.kind === 'live' ? switched.verdict.url : undefined
  run.reporter.update({ lastWorking: { commit, url, stillLive: true } })
  return { status: 'rolled-back', sentence: `${failed.sentence}; production is back at ${commit.slice(0, 7)}` }
}

/** Where to go back to: the branch that the service had when it was found, if that exists and had not failed itself. */
function versionBefore(
  existing: Service | undefined,
  branches: ReadonlyMap<string, string>,
): { branch: string; commit: string } | undefined {
  const branch = existing?.branch
  const commit = branch === undefined ? undefined : parseDeploymentBranch(branch)?.sourceSha
  if (existing?.url === undefined || meaningOf(existing.status)?.phase === 'ended') return undefined
  return branch !== undefined && commit !== undefined && branches.has(branch) ? { branch, commit } : undefined
}
