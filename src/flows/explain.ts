import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import type { AnnotationView } from '../report/model.ts'
import type { DiagnosisView } from '../report/row.ts'
import { type Diagnosis, diagnose, type FailedDeployment } from '../watch/diagnosis/diagnose.ts'
import type { ProbeResult } from '../watch/probe.ts'
import type { Switched } from './switch-service.ts'
import type { Judgement } from './verdict.ts'

/** Why a deployment failed, for the reports. */
export interface Explanation {
  readonly diagnosis: DiagnosisView
  readonly annotations: readonly AnnotationView[]
}

/**
 * Finds the reason of a failure in what the platform said and logged.
 * @param knownFiles whether the deployed tree has a file; annotations are made on such alone
 */
export function explain(
  plan: PreviewPlan | ProductionPlan,
  switched: Switched,
  judgement: Judgement,
  knownFiles: (path: string) => boolean,
): Explanation {
  const evidence = evidenceOf(switched)
  const { cause, hint, decisive, tail, annotations, recogniser } = diagnose({
    ...evidence,
    errorMessage: evidence.errorMessage ?? (switched.confirmation ? judgement.sentence : undefined),
    rootDirectory: plan.build.rootDirectory ?? '',
    knownFiles,
  })
  const views = annotations.map(toView)
  const { confirmation } = switched
  if (confirmation?.kind !== 'probed' || recogniser !== 'unknown')
    return { diagnosis: { cause, hint, decisive, tail }, annotations: views }
  // The log tells no more than the answer does.
  const log = confirmation.runtimeLog.length === 0 ? { decisive: [], tail: [] } : { decisive, tail }
  return {
    diagnosis: { cause: judgement.sentence, hint: hintOnAnswer(confirmation.probe), ...log },
    annotations: views,
  }
}

function hintOnAnswer({ status }: ProbeResult): string {
  if (status === undefined)
    return 'Let the app listen on 0.0.0.0 and on the port in `PORT`. A slow start needs a longer `health-timeout`.'
  if (status >= 500)
    return 'The app runs and fails at this request: look for the error in its own log, and at the variables that it needs.'
  return 'Where this is how it should answer, say so: `health-path` names another path, `health-status` what is good.'
}

type Evidence = Pick<FailedDeployment, 'verdict' | 'phase' | 'errorMessage' | 'deployLog' | 'runtimeLog'>

function evidenceOf({ verdict, confirmation }: Switched): Evidence {
  const nothing = { errorMessage: undefined, deployLog: [], runtimeLog: [] }
  switch (verdict.kind) {
    case 'failed':
      return { ...verdict, verdict: 'failed' }
    case 'crashed':
      return { ...verdict, verdict: 'crashed' }
    case 'timed-out':
      return { ...verdict, verdict: 'timed-out' }
    case 'live':
      return { ...nothing, ...lossOf(confirmation) }
    default:
      return { ...nothing, verdict: 'failed' }
  }
}

function lossOf(
  confirmation: Switched['confirmation'],
): Pick<Evidence, 'verdict' | 'runtimeLog'> & { errorMessage?: string } {
  const runtimeLog = confirmation?.runtimeLog ?? []
  const lost = confirmation?.kind === 'lost' && confirmation.loss.kind === 'crashed'
  const message = lost ? confirmation.loss.errorMessage : undefined
  return {
    verdict: lost ? 'crashed' : 'unhealthy',
    runtimeLog,
    ...(message === undefined ? {} : { errorMessage: message }),
  }
}

function toView({ file, line, column, title, message, level }: Diagnosis['annotations'][number]): AnnotationView {
  return { level, title, message, file, line, column }
}
