import { sizeInWords, templateSize } from '../ink/prices.ts'
import type { AnnotationView, DeployReport, PushedView } from '../report/model.ts'
import type { CardRow } from '../report/row.ts'
import { isBilled } from './costs.ts'
import type { Explanation } from './explain.ts'
import type { Outcome } from './outcome.ts'
import type { Prepared } from './prepare.ts'
import { failureOf } from './verdict.ts'
import type { DeployPlan, Work } from './work.ts'

/** What a deployment comes to: the row is brought to its end, and all that is known of it becomes the report. */
export function outcomeOf(
  work: Work,
  { status, sentence }: { status: CardRow['status']; sentence: string },
  explanation: Explanation | undefined,
): Outcome {
  const { run, plan } = work
  run.reporter.update(status === 'failed' ? { status } : { status, phase: undefined })
  const annotations: readonly AnnotationView[] = explanation?.annotations ?? []
  const perDay = run.reporter.row().costPerDay
  const report: DeployReport = {
    kind: 'deploy',
    action: plan.kind,
    row: run.reporter.row(),
    phases: run.reporter.timeline.phases,
    pushed: pushedView(work),
    envNames: [...plan.variables.keys(), ...Object.keys(work.prepared.database?.variables ?? {})].sort(),
    cost: perDay === undefined ? undefined : { perDay, perMonth: perDay * 30, basis: basisOf(work) },
    annotations,
    runUrl: run.context.runUrl,
    warnings: run.reporter.warnings(),
  }
  const failure = failureOf(
    status,
    explanation && explanation.diagnosis.cause !== sentence ? `${sentence}: ${explanation.diagnosis.cause}` : sentence,
    explanation?.diagnosis.hint,
  )
  return { action: plan.kind, status: status === 'building' ? 'failed' : status, report, failure }
}

function basisOf({ plan, prepared }: Work): string {
  const service = sizeInWords(sizeOf(plan, prepared))
  const { database } = plan
  return database && isBilled(database)
    ? `${service}, and its ${database.type} database (${sizeInWords(templateSize)} assumed)`
    : service
}

function pushedView({ branch, prepared, pushed }: Work): PushedView {
  const { snapshot } = prepared
  return {
    branch,
    snapshot: snapshot.sha,
    files: snapshot.files,
    bytes: pushed.bytes,
    objects: pushed.objects,
    kind: pushed.kind === 'already-there' ? 'none' : pushed.incremental ? 'incremental' : 'whole',
  }
}

/** What the service has, as far as it was asked for or is told. */
export function sizeOf(plan: DeployPlan, { existing }: Prepared) {
  const { memory, vcpus } = plan.build
  const scaled = plan.kind === 'production' ? plan.autoscale : undefined
  return {
    memory: scaled?.memoryMi ? (existing?.memory ?? memory) : (memory ?? existing?.memory),
    vcpus: scaled?.vcpus ? (existing?.vcpus ?? vcpus) : (vcpus ?? existing?.vcpus),
  }
}
