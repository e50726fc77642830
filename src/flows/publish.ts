import { redactValue } from '../core/redact.ts'
import type { AnnotationView, Surroundings } from '../report/model.ts'
import { renderSummary } from '../report/summary.ts'
import { fitAnnotations } from '../report/untrusted-text.ts'
import type { Deps } from './deps.ts'
import type { Outcome } from './outcome.ts'

/** Where a run's own page takes reports. */
export interface RunPage {
  annotate(annotations: readonly AnnotationView[]): void
  writeSummary(markdown: string): void
}

/** Puts the outcome on the run's page: summary, annotations, and the address in a notice. */
export function publish(outcome: Outcome, deps: Deps, page: RunPage): void {
  const { repository } = deps.context
  const surroundings: Surroundings = { repositoryUrl: `${repository.serverUrl}/${repository.fullName}` }
  const reports = [outcome.report, ...(outcome.also ? [outcome.also] : [])].map((report) =>
    redactValue(report, deps.secrets()),
  )
  page.writeSummary(reports.map((report) => renderSummary(report, surroundings, deps.clock.now())).join('\n'))
  for (const report of reports) {
    if (report.kind !== 'deploy') continue
    page.annotate(fitAnnotations(report.annotations))
    if (report.row.status === 'live' && report.row.url)
      deps.log.notice(`${report.row.service} is live: ${report.row.url}`)
  }
}
