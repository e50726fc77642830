import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import type { PushResult, Source } from '../source/source.ts'
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
