import type { RootContent } from 'mdast'
import { count, formatDollars, formatDuration, formatUtc } from '../core/format.ts'
import * as md from './markdown.ts'
import { given, ifAny } from './markdown.ts'
import type {
  CostView,
  ForeseenService,
  MonitoredService,
  MonitorReport,
  NothingReport,
  PlanReport,
  Report,
  Surroundings,
  SweepReport,
  SweptPreview,
  TeardownReport,
} from './model.ts'
import { changeWords, formatCost, labelledParagraph, targetWords } from './parts.ts'
import { deployBlocks } from './summary-deploy.ts'

/** GitHub drops a step's summary beyond 1 MiB. */
export const MAX_SUMMARY_BYTES = 512 * 1024

/**
 * The job summary of a run, well under GitHub's limit.
 * @param nowMs epoch milliseconds, ends the bar of a phase that is still running
 */
export function renderSummary(report: Report, surroundings: Surroundings, nowMs: number): string {
  const blocks = [...blocksOf(report, surroundings, nowMs), ...ifAny(report.warnings, warningBlocks)]
  const markdown = md.serialise(blocks)
  if (Buffer.byteLength(markdown) <= MAX_SUMMARY_BYTES) return markdown
  const said = md.paragraph(
    'This summary was too long. The ',
    ...md.link(report.runUrl, 'log of the run'),
    ' has it all.',
  )
  return md.serialise([...blocks.slice(0, 2), said])
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
  return [md.heading(3, 'Warnings'), ...warnings.slice(0, 30).flatMap(warningBlock)]
}

/** What is indented is to be copied; what is not is said. */
function warningBlock(warning: string): RootContent[] {
  const [first = '', ...rest] = warning.split('\n')
  const isSample = (line: string) => line.startsWith('    ')
  const said = [first, ...rest.filter((line) => !isSample(line)).slice(0, 20)]
  const sample = rest.filter(isSample).slice(0, 20)
  return [...said.map((line) => md.paragraph(...md.prose(line, 1000))), ...toPutIn(sample.map((line) => line.slice(4)))]
}

function toPutIn(lines: readonly string[]): RootContent[] {
  const bounded = lines.map((line) => line.slice(0, 500))
  return ifAny(bounded, (all) => [md.block(all, 'yaml')])
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
  const say = (label: string, said: string) =>
    failed ? labelledParagraph(label, md.prose(said, 1000)) : md.paragraph(...md.prose(said, 1000))
  return [
    md.heading(2, nothingTitles[status]),
    say('Why:', first),
    ...(problems.length === 0
      ? []
      : [md.list(problems.map((problem) => md.prose(problem.replace(/^\s*- /, ''), 1000)))]),
    ...given(hint, (advice) => [say('What to do:', advice)]),
    md.smallPrint(...md.dotted([md.link(runUrl, 'run')])),
  ]
}

const MAX_TABLE_ROWS = 200

function teardownBlocks(report: TeardownReport): RootContent[] {
  const what = report.target.startsWith('pr-') ? 'Preview' : 'Service'
  const title = report.left.length === 0 ? `⚪ ${what} was removed` : `🔴 ${what} could not be removed completely`
  const nothing = report.removed.length === 0 && report.left.length === 0
  return [
    md.heading(2, title),
    md.paragraph(md.code(report.service), ` of ${targetWords(report.target)}`),
    ...(nothing ? [md.paragraph('There was nothing left to remove.')] : []),
    ...ifAny(report.removed.slice(0, MAX_TABLE_ROWS), (removed) => [
      md.list(removed.map(({ kind, name }) => [`Removed ${kind} `, md.code(name)])),
    ]),
    ...ifAny(report.left.slice(0, MAX_TABLE_ROWS), (left) => [
      md.heading(3, 'Left behind'),
      md.table(
        ['What', 'Name', 'Why'],
        left.map(({ kind, name, why }) => [[kind], [md.cellCode(name)], md.prose(why)]),
      ),
    ]),
  ]
}

function sweepBlocks(report: SweepReport, surroundings: Surroundings): RootContent[] {
  const { removed, kept, failed, dryRun } = report
  const verb = dryRun ? 'would be removed' : 'removed'
  const said = `${count(removed.length, 'preview')} ${verb}, ${kept.length} kept${failed.length === 0 ? '' : `, ${failed.length} failed`}`
  const savedPerDay = removed.reduce((sum, preview) => sum + (preview.costPerDay ?? 0), 0)
  const saved =
    savedPerDay === 0 ? [] : [md.paragraph(`That saves about ${formatDollars(savedPerDay)} a day (an estimate).`)]
  return [
    md.heading(2, `${failed.length === 0 ? '🧹' : '🔴'} Sweep: ${said}`),
    ...saved,
    ...previewTable(dryRun ? 'Would be removed' : 'Removed', removed, surroundings),
    ...previewTable('Failed', failed, surroundings),
    ...previewTable('Kept', kept, surroundings),
    ...moneyBlocks(report),
  ]
}

/** One line about what is open costs, and what there is to pay it with. */
function moneyBlocks({ cost, credits }: { cost?: CostView | undefined; credits?: string | undefined }): RootContent[] {
  const said = [...given(cost, (sum) => [formatCost(sum)]), ...given(credits, (left) => [`credits left: ${left}`])]
  return ifAny(said, (parts) => [md.paragraph(...md.prose(`💰 ${parts.join(' · ')}`))])
}

function previewTable(
  title: string,
  previews: readonly SweptPreview[],
  { repositoryUrl }: Surroundings,
): RootContent[] {
  const rest = previews.length - MAX_TABLE_ROWS
  return ifAny(previews.slice(0, MAX_TABLE_ROWS), (shown) => [
    md.heading(3, title),
    md.table(
      ['Preview', 'Pull request', 'Why', 'Cost a day'],
      shown.map(({ service, pullRequest: number, why, costPerDay }) => [
        [md.cellCode(service)],
        number === undefined ? ['–'] : md.link(`${repositoryUrl}/pull/${number}`, `#${number}`),
        md.prose(why),
        [costPerDay === undefined ? '–' : formatDollars(costPerDay)],
      ]),
    ),
    ...(rest > 0 ? [md.paragraph(`… and ${rest} more`)] : []),
  ])
}

function monitorBlocks(report: MonitorReport): RootContent[] {
  const trouble = report.services.filter((service) => service.verdict === 'trouble')
  const unknown = report.services.filter((service) => service.verdict === 'unknown').length
  const unread = unknown === 0 ? '' : `, ${unknown} could not be read`
  const title =
    trouble.length > 0
      ? `🔴 ${trouble.length} of ${count(report.services.length, 'service')} in trouble${unread}`
      : `${unknown === 0 ? '🟢' : '🟠'} ${count(report.services.length - unknown, 'service')} healthy${unread}`
  return [
    md.heading(2, title),
    ...ifAny(report.services.slice(0, MAX_TABLE_ROWS), (services) => [
      md.table(['Service', 'Status', 'Answer', 'Uptime', 'Issue'], services.map(monitoredCells)),
    ]),
    ...report.services.flatMap(({ service, scaling }) =>
      given(scaling, (step) => [md.paragraph('📐 ', md.code(service), ': ', ...md.prose(step))]),
    ),
    ...moneyBlocks(report),
    ...trouble.flatMap(troubleBlocks),
  ]
}

const verdictSigns = { healthy: '🟢', trouble: '🔴', unknown: '⚪' } as const

function monitoredCells({ service, url, verdict, platformStatus, health, uptime, issue }: MonitoredService) {
  return [
    md.link(url, md.cellCode(service)),
    [`${verdictSigns[verdict]} `, md.cellCode(platformStatus, 40)],
    [health === undefined ? '–' : `HTTP ${health.status} in ${formatDuration(health.latencyMs)}`],
    [uptimeWords(uptime)],
    issue === undefined ? ['–'] : md.link(issue.url, `Issue ${issue.number}`),
  ]
}

function uptimeWords(uptime: MonitoredService['uptime']): string {
  if (uptime === undefined || uptime.asked === 0) return '–'
  // Rounded down: 99.96 % is not 100 %.
  const percent = Math.floor((uptime.healthy / uptime.asked) * 1000) / 10
  return `${percent} % over ${count(uptime.asked, 'check')} since ${formatUtc(uptime.sinceIso).slice(0, 10)}`
}

function troubleBlocks({ service, trouble }: MonitoredService): RootContent[] {
  return given(trouble, ({ what, logTail }) => [
    md.heading(3, md.code(service)),
    md.paragraph(...md.prose(what)),
    ...ifAny(md.excerpt(logTail, 'end', { maxLines: 30, maxLineChars: 300 }), (tail) => [md.block(tail, 'text')]),
  ])
}

/** The summary of a run that only looked: what it found, and what would be done. */
function planBlocks(report: PlanReport): RootContent[] {
  const problems = report.checks.filter((check) => check.result === 'problem').length
  const signs = { fine: '🟢', warning: '🟠', problem: '🔴' } as const
  const ready = report.checks.length === 0 ? '⚪ Dry run: nothing was changed' : '🟢 Ready to deploy'
  const title = problems === 0 ? ready : `🔴 ${count(problems, 'problem')} to fix before a deployment`
  return [
    md.heading(2, title),
    ...ifAny(report.checks, (checks) => [
      md.table(
        ['', 'Check', 'Result'],
        checks.map((check) => [[signs[check.result]], md.prose(check.name, 120), md.prose(check.detail)]),
      ),
    ]),
    ...report.checks.flatMap(({ name, fix = [] }) =>
      ifAny(toPutIn(fix.slice(0, 60)), (lines) => [md.paragraph('To fix ', ...md.prose(name, 120), ':'), ...lines]),
    ),
    ...ifAny(report.services, foreseenBlocks),
    md.heading(3, 'What would be done'),
    report.steps.length === 0
      ? md.paragraph('Nothing.')
      : md.list(report.steps.slice(0, 100).map((step) => md.prose(step))),
  ]
}

function foreseenBlocks(services: readonly ForeseenService[]): RootContent[] {
  const dollars = services.flatMap(({ costPerDay }) => costPerDay ?? [])
  const sum = dollars.reduce((all, one) => all + one, 0)
  return [
    md.table(
      ['Service', '', 'Changes', 'A day'],
      services.map(({ service, what, after, changes, why, costPerDay }) => [
        [md.cellCode(service)],
        [after.length === 0 ? what : `${what}, after ${after.join(' and ')}`],
        md.prose(
          [...given(why, (said) => [said]), ...changes.map((one) => `${one.setting}: ${changeWords(one)}`)].join('; '),
        ),
        given(costPerDay, (cost) => [md.cellCode(formatDollars(cost))]),
      ]),
    ),
    ...(dollars.length < 2
      ? []
      : [md.paragraph('Together about ', md.code(formatDollars(sum)), ' a day (an estimate).')]),
  ]
}
