import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import type { PushResult, Source } from '../source/contract.ts'
import type { Prepared } from './prepare.ts'
import type { Run } from './run.ts'

export type DeployPlan = PreviewPlan | ProductionPlan

/** A deployment under way: what is known once its branch is pushed. */
export interface Work {
  readonly plan: DeployPlan
  readonly run: Run
  readonly source: Source
  readonly prepared: Prepared
  readonly branch: string
  readonly pushed: PushResult
}

/** The deployments whose snapshots the platform probably has, and the refs under which those were made. */
export function basesOf(plan: DeployPlan): { bases: readonly string[]; baseRefs: readonly string[] } {
  const branch = plan.kind === 'preview' ? plan.pullRequest.base.ref : plan.place.repository.defaultBranch
  return { bases: plan.bases, baseRefs: [`refs/heads/${branch}`] }
}
