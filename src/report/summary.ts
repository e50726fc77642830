import type { PhrasingContent, RootContent } from 'mdast'
import { count, formatDollars, formatDuration, formatUtc } from '../core/format.ts'
import {
  block,
  cellCode,
  code,
  dotted,
  heading,
  link,
  list,
  oneLine,
  paragraph,
  prose,
  serialise,
  smallPrint,
  strong,
  table,
  text,
} from './markdown.ts'
import type {
  CostView,
  MonitoredService,
  MonitorReport,
  NothingReport,
  Report,
  Surroundings,
  SweepReport,
  SweptPreview,
  TeardownReport,
} from './model.ts'
import { deployBlocks } from './summary-deploy.ts'
import { planBlocks } from './summary-plan.ts'
import { formatCost, targetWords } from './wording.ts'

/** GitHub drops a step's summary beyond 1 MiB. */
export const MAX_SUMMARY_BYTES = 512 * 1024

/**
 * The job summary of a run, well under GitHub's limit.
 * @param nowMs epoch milliseconds, ends the bar of a phase that is still running
 */
export function renderSummary(report: Report, surroundings: Surroundings, nowMs: number): string {
  const blocks = [...blocksOf(report, surroundings, nowMs), ...warningBlocks(report.warnings)]
  const markdown = serialise(blocks)
  if (Buffer.byteLength(markdown) <= MAX_SUMMARY_BYTES) return markdown
  const said = paragraph(
    text('This summary was too long. The '),
    ...link(report.runUrl, text('log of the run')),
    text(' has it all.'),
  )
  return serialise([...blocks.slice(0, 2), said])
}

function blocksOf(report: Report, surroundings: Surroundings, nowMs: number): RootContent[] {
  switch (report.kind) {
    case 'deploy':
      return deployBlocks(report, surroundings, nowMs)
    case 'teardown':
      return teardownBlocks(report)
    case 'sweep':
      return sweepBlocks(report, surroundings)
    case 'monitor':
      return monitorBlocks(report)
    case 'plan':
      return planBlocks(report)
    case 'none':
      return nothingBlocks(report)
  }
}

function warningBlocks(warnings: readonly string[]): RootContent[] {
  if (warnings.length === 0) return []
  const shown = warnings.slice(0, 30)
  return [
    heading(3, text('Warnings')),
    ...shown.flatMap((warning) => {
      const [first = '', ...rest] = warning.split('\n')
      // What is indented is to be copied; what is not is said.
      const isSample = (line: string) => line.startsWith('    ')
      const sample = rest.filter(isSample).map((line) => line.slice(4, 500))
      return [
        ...[first, ...rest.filter((line) => !isSample(line)).slice(0, 20)].map((line) =>
          paragraph(...prose(line, 1000)),
        ),
        ...(sample.length === 0 ? [] : [block(sample.slice(0, 20), 'yaml')]),
      ]
    }),
  ]
}

const nothingTitles = {
  skipped: '⚪ Deployment was skipped',
  superseded: '⚪ Something newer is live already',
  nothing: '⚪ Nothing to do',
  failed: '🔴 The run failed',
} as const

function nothingBlocks({ status, reason, hint, runUrl }: NothingReport): RootContent[] {
  const failed = status === 'failed'
  const [first = '', ...problems] = reason.split('\n')
  const labelled = (label: string, said: string) =>
    paragraph(...(failed ? [strong(text(label)), text(' ')] : []), ...prose(said, 1000))
  return [
    heading(2, text(nothingTitles[status])),
    labelled('Why:', first),
    ...(problems.length === 0 ? [] : [list(problems.map((problem) => prose(problem.replace(/^\s*- /, ''), 1000)))]),
    ...(hint === undefined ? [] : [labelled('What to do:', hint)]),
    smallPrint(...dotted([link(runUrl, text('run'))])),
  ]
}

const MAX_TABLE_ROWS = 200

/** The summary of a preview's removal. */
export function teardownBlocks(report: TeardownReport): RootContent[] {
  const what = report.target.startsWith('pr-') ? 'Preview' : 'Service'
  const title = report.left.length === 0 ? `⚪ ${what} was removed` : `🔴 ${what} could not be removed completely`
  const nothing = report.removed.length === 0 && report.left.length === 0
  return [
    heading(2, text(title)),
    paragraph(code(report.service), text(` of ${targetWords(report.target)}`)),
    ...(nothing ? [paragraph(text('There was nothing left to remove.'))] : []),
    ...(report.removed.length === 0
      ? []
      : [
          list(
            report.removed
              .slice(0, MAX_TABLE_ROWS)
              .map((removed) => [text(`Removed ${removed.kind} `), code(removed.name)]),
          ),
        ]),
    ...(report.left.length === 0
      ? []
      : [
          heading(3, text('Left behind')),
          table(
            ['What', 'Name', 'Why'],
            report.left
              .slice(0, MAX_TABLE_ROWS)
              .map((kept) => [[text(kept.kind)], [cellCode(kept.name)], prose(kept.why)]),
          ),
        ]),
  ]
}

/** The summary of a sweep. */
export function sweepBlocks(report: SweepReport, surroundings: Surroundings): RootContent[] {
  const { removed, kept, failed, dryRun } = report
  const verb = dryRun ? 'would be removed' : 'removed'
  const said = `${count(removed.length, 'preview')} ${verb}, ${kept.length} kept${failed.length === 0 ? '' : `, ${failed.length} failed`}`
  const savedPerDay = removed.reduce((sum, preview) => sum + (preview.costPerDay ?? 0), 0)
  const saved =
    savedPerDay === 0 ? [] : [paragraph(text(`That saves about ${formatDollars(savedPerDay)} a day (an estimate).`))]
  return [
    heading(2, text(`${failed.length === 0 ? '🧹' : '🔴'} Sweep: ${said}`)),
    ...saved,
    ...previewTable(dryRun ? 'Would be removed' : 'Removed', removed, surroundings),
    ...previewTable('Failed', failed, surroundings),
    ...previewTable('Kept', kept, surroundings),
    ...moneyBlocks(report),
  ]
}

/** One line about what is open costs, and what there is to pay it with. */
function moneyBlocks({ cost, credits }: { cost?: CostView | undefined; credits?: string | undefined }): RootContent[] {
  const said = [
    ...(cost === undefined ? [] : [formatCost(cost)]),
    ...(credits === undefined ? [] : [`credits left: ${credits}`]),
  ]
  return said.length === 0 ? [] : [paragraph(...prose(`💰 ${said.join(' · ')}`))]
}

function previewTable(
  title: string,
  previews: readonly SweptPreview[],
  { repositoryUrl }: Surroundings,
): RootContent[] {
  if (previews.length === 0) return []
  const rows = previews
    .slice(0, MAX_TABLE_ROWS)
    .map((preview): PhrasingContent[][] => [
      [cellCode(preview.service)],
      pullRequestCell(preview.pullRequest, repositoryUrl),
      prose(preview.why),
      [text(preview.costPerDay === undefined ? '–' : formatDollars(preview.costPerDay))],
    ])
  const rest = previews.length - rows.length
  return [
    heading(3, text(title)),
    table(['Preview', 'Pull request', 'Why', 'Cost a day'], rows),
    ...(rest > 0 ? [paragraph(text(`… and ${rest} more`))] : []),
  ]
}

function pullRequestCell(number: number | undefined, repositoryUrl: string): PhrasingContent[] {
  return number === undefined ? [text('–')] : link(`${repositoryUrl}/pull/${number}`, text(`#${number}`))
}

/** The summary of a look at what runs. */
export function monitorBlocks(report: MonitorReport): RootContent[] {
  const trouble = report.services.filter((service) => service.verdict === 'trouble')
  const unknown = report.services.filter((service) => service.verdict === 'unknown').length
  const unread = unknown === 0 ? '' : `, ${unknown} could not be read`
  const title =
    trouble.length > 0
      ? `🔴 ${trouble.length} of ${count(report.services.length, 'service')} in trouble${unread}`
      : `${unknown === 0 ? '🟢' : '🟠'} ${count(report.services.length - unknown, 'service')} healthy${unread}`
  return [
    heading(2, text(title)),
    ...(report.services.length === 0 ? [] : [monitorTable(report)]),
    ...report.services.flatMap(scalingBlocks),
    ...moneyBlocks(report),
    ...trouble.flatMap(troubleBlocks),
  ]
}

function monitorTable(report: MonitorReport): RootContent {
  return table(
    ['Service', 'Status', 'Answer', 'Uptime', 'Issue'],
    report.services
      .slice(0, MAX_TABLE_ROWS)
      .map((service) => [
        link(service.url, cellCode(service.service)),
        [
          text(service.verdict === 'healthy' ? '🟢 ' : service.verdict === 'trouble' ? '🔴 ' : '⚪ '),
          cellCode(service.platformStatus, 40),
        ],
        [
          text(
            service.health === undefined
              ? '–'
              : `HTTP ${service.health.status} in ${formatDuration(service.health.latencyMs)}`,
          ),
        ],
        [text(uptimeWords(service.uptime))],
        service.issue === undefined ? [text('–')] : link(service.issue.url, text(`Issue ${service.issue.number}`)),
      ]),
  )
}

function uptimeWords(uptime: MonitoredService['uptime']): string {
  if (uptime === undefined || uptime.asked === 0) return '–'
  // Rounded down: 99.96 % is not 100 %.
  const percent = Math.floor((uptime.healthy / uptime.asked) * 1000) / 10
  return `${percent} % over ${count(uptime.asked, 'check')} since ${formatUtc(uptime.sinceIso).slice(0, 10)}`
}

function scalingBlocks({ service, scaling }: MonitoredService): RootContent[] {
  return scaling === undefined ? [] : [paragraph(text('📐 '), code(service), text(': '), ...prose(scaling))]
}

function troubleBlocks(service: MonitorReport['services'][number]): RootContent[] {
  if (service.trouble === undefined) return []
  const tail = service.trouble.logTail.slice(-30).map((line) => oneLine(line, 300))
  return [
    heading(3, code(service.service)),
    paragraph(...prose(service.trouble.what)),
    ...(tail.length === 0 ? [] : [block(tail, 'text')]),
  ]
}
