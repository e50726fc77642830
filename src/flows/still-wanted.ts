import { DeployError } from '../core/errors.ts'
import { shortSha } from '../core/format.ts'
import { previewState } from '../plan/guards.ts'
import { parseDeploymentBranch } from '../plan/names.ts'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import { pullRequestFact } from './pull-requests.ts'
import type { Run } from './run.ts'

/** What happened on GitHub since the run began. */
export type Change =
  | { readonly kind: 'closed'; readonly sentence: string }
  | { readonly kind: 'moved-on'; readonly sentence: string; readonly by: string }

/**
 * Asks GitHub once more whether this very deployment is still wanted: just before something is started, and again once
 * it is there. A run that was slower than the close, or than a newer push, must not have the last word.
 *
 * @param deployed the source commit; one that was checked out on purpose is not held against the head
 * @throws DeployError when GitHub gives no answer for as long as a deployment may take
 */
export async function changeMeanwhile(
  plan: PreviewPlan | ProductionPlan,
  run: Run,
  deployed: string,
): Promise<Change | undefined> {
  if (deployed !== plan.wanted.sha) return undefined
  return plan.kind === 'preview' ? previewChange(plan, run) : productionChange(plan, run)
}

async function previewChange(plan: PreviewPlan, run: Run): Promise<Change | undefined> {
  const { number } = plan.pullRequest
  const { pullRequests } = run.github
  const now = pullRequestFact(await pullRequests.get(number, { deadlineAt: run.deadlineAt }))
  if (now === 'unreadable' && pullRequests.mayRead())
    throw unanswered(
      `pull request #${number} still wants this preview`,
      'What is there of the preview goes with the pull request, or with the next sweep.',
    )
  if (now === 'unreadable' || now === 'not-found') return undefined // a warning has been given by whoever asked
  const verdict = previewState(plan, now)
  if (verdict.wanted) return undefined
  return verdict.outcome === 'removed'
    ? { kind: 'closed', sentence: verdict.reason }
    : { kind: 'moved-on', sentence: verdict.reason, by: verdict.by }
}

/** Without an answer nothing is called live or removed: it may be closed or there again, or a newer commit be there. */
export function unanswered(whether: string, left: string): DeployError {
  return new DeployError(`It is not known whether ${whether}`, {
    hint: `Run the job again once that can be read. ${left}`,
  })
}

/**
 * Two pushes in a row start two runs, and the slower one must not put the older commit back. That the branch has moved on
 * is not enough to give way, though: a workflow may leave the newer push out (`paths-ignore`), and then nobody would
 * deploy either. So the newer commit has to be what the service was switched to. That holds as well for a run which is
 * started again; going back on purpose is what `command: rollback` is for.
 */
async function productionChange(plan: ProductionPlan, run: Run): Promise<Change | undefined> {
  if (run.context.eventName !== 'push') return undefined
  const branch = plan.wanted.ref.replace(/^refs\/heads\//, '')
  const tip = await run.github.branches.tip(branch, { deadlineAt: run.deadlineAt })
  if (tip === undefined)
    throw unanswered(
      `${branch} is still at ${shortSha(plan.wanted.sha)}`,
      'What was switched to it, if anything was, stays until then.',
    )
  if (tip === 'withheld' || tip === plan.wanted.sha) return undefined
  const service = await run.platform.service(plan.serviceName, {}, run.signal)
  if (service?.branch === undefined || parseDeploymentBranch(service.branch)?.sourceSha !== tip) return undefined
  return {
    kind: 'moved-on',
    sentence: `${branch} has moved on to ${shortSha(tip)}, which is deployed already`,
    by: tip,
  }
}
