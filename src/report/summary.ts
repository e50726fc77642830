import type { RootContent } from 'mdast'
import { count } from '../core/format.ts'
import { prose } from './foreign-text.ts'
import { block, dotted, heading, link, list, paragraph, serialise, smallPrint, table, text } from './markdown.ts'
import type { NothingReport, PlanReport, Report, Surroundings } from './model.ts'
import { deployBlocks } from './summary-deploy.ts'
import { monitorBlocks, sweepBlocks, teardownBlocks } from './summary-upkeep.ts'

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
    text('This summary was too long for GitHub. The '),
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

function planBlocks(report: PlanReport): RootContent[] {
  const problems = report.checks.filter((check) => check.result === 'problem').length
  const signs = { fine: '🟢', warning: '🟠', problem: '🔴' } as const
  const ready = report.checks.length === 0 ? '⚪ Dry run: nothing was changed' : '🟢 Ready to deploy'
  const title = problems === 0 ? ready : `🔴 ${count(problems, 'problem')} to mend before a deployment`
  return [
    heading(2, text(title)),
    ...(report.checks.length === 0
      ? []
      : [
          table(
            ['', 'Check', 'Result'],
            report.checks.map((check) => [[text(signs[check.result])], prose(check.name, 120), prose(check.detail)]),
          ),
        ]),
    ...report.checks.flatMap((check) =>
      check.mend === undefined || check.mend.length === 0
        ? []
        : [
            paragraph(text('To mend '), ...prose(check.name, 120), text(':')),
            block(
              check.mend.slice(0, 60).map((line) => line.slice(0, 500)),
              'yaml',
            ),
          ],
    ),
    heading(3, text('What would be done')),
    report.steps.length === 0
      ? paragraph(text('Nothing.'))
      : list(report.steps.slice(0, 100).map((step) => prose(step))),
  ]
}

function nothingBlocks(report: NothingReport): RootContent[] {
  const titles = {
    skipped: '⚪ Deployment was skipped',
    superseded: '⚪ Something newer is live already',
    nothing: '⚪ Nothing to do',
  }
  const title = titles[report.status]
  return [
    heading(2, text(title)),
    paragraph(...prose(report.reason, 1000)),
    ...(report.hint === undefined ? [] : [paragraph(...prose(report.hint, 1000))]),
    smallPrint(...dotted([link(report.runUrl, text('run'))])),
  ]
}
