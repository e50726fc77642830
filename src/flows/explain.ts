import { diagnose, type Failure, type SourceAnnotation } from '../diagnosis/diagnose.ts'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import type { AnnotationView } from '../report/model.ts'
import type { DiagnosisView } from '../report/row.ts'
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
 * @param files those of the deployed tree; annotations are made on such alone
 */
export function explain(
  plan: PreviewPlan | ProductionPlan,
  switched: Switched,
  judgement: Judgement,
  files: ReadonlySet<string>,
): Explanation {
  const { cause, hint, decisive, tail, annotations, found } = diagnose({
    ...evidenceOf(switched),
    rootDirectory: plan.build.rootDirectory ?? '',
    files,
  })
  const views = annotations.map(toView)
  const { confirmation } = switched
  if (confirmation?.kind !== 'probed' || found)
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

type Evidence = Pick<Failure, 'phase' | 'status' | 'errorMessage' | 'deployLogs' | 'runtimeLogs' | 'wasLive'>

function evidenceOf({ verdict, confirmation }: Switched): Evidence {
  const nothing = { phase: undefined, errorMessage: undefined, deployLogs: [], runtimeLogs: [] } as const
  switch (verdict.kind) {
    case 'failed':
    case 'timed-out':
      return { ...logsOf(verdict), status: verdict.kind, phase: verdict.phase === 'rolling-out' ? 'run' : 'build' }
    case 'crashed':
      return { ...logsOf(verdict), status: 'crashed', phase: 'run' }
    case 'live':
      return { ...nothing, ...lossOf(confirmation) }
    default:
      return { ...nothing, status: 'failed' }
  }
}

interface Seen {
  readonly errorMessage?: string | undefined
  readonly deployLog: readonly string[]
  readonly runtimeLog: readonly string[]
}

function logsOf({ errorMessage, deployLog, runtimeLog }: Seen) {
  return { errorMessage, deployLogs: deployLog, runtimeLogs: runtimeLog }
}

function lossOf(confirmation: Switched['confirmation']): Omit<Evidence, 'deployLogs'> {
  const lost = confirmation?.kind === 'lost' && confirmation.loss.kind === 'crashed'
  return {
    phase: 'run',
    status: lost ? 'crashed' : 'unhealthy',
    runtimeLogs: confirmation?.runtimeLog ?? [],
    errorMessage: lost ? confirmation.loss.errorMessage : undefined,
    wasLive: true,
  }
}

function toView({ file, line, column, title, message, level }: SourceAnnotation): AnnotationView {
  return { level, title, message, file, line, column }
}
