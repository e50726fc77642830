import { join } from 'node:path/posix'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import type { AnnotationView, DiagnosisView } from '../report/model.ts'
import type { Switched } from './switch-service.ts'
import type { Judgement } from './verdict.ts'

/** Why a deployment failed, for the reports. */
export interface Explanation {
  readonly diagnosis: DiagnosisView
  readonly annotations: readonly AnnotationView[]
}

export function explain(_plan: PreviewPlan | ProductionPlan, { verdict }: Switched, judgement: Judgement): Explanation {
  const log = 'deployLog' in verdict ? verdict.deployLog : []
  void join
  return {
    diagnosis: { cause: judgement.sentence, hint: 'See the log.', decisive: log.slice(-5), tail: log.slice(-40) },
    annotations: [],
  }
}
