import type { RootContent } from 'mdast'
import { count, formatDollars } from '../core/format.ts'
import { block, cellCode, code, heading, list, paragraph, prose, table, text } from './markdown.ts'
import type { ForeseenChange, ForeseenService, PlanReport } from './model.ts'
import { changeWords } from './wording.ts'

/** The summary of a run that only looked: what it found, and what would be done. */
export function planBlocks(report: PlanReport): RootContent[] {
  const problems = report.checks.filter((check) => check.result === 'problem').length
  const signs = { fine: '🟢', warning: '🟠', problem: '🔴' } as const
  const ready = report.checks.length === 0 ? '⚪ Dry run: nothing was changed' : '🟢 Ready to deploy'
  const title = problems === 0 ? ready : `🔴 ${count(problems, 'problem')} to fix before a deployment`
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
      check.fix === undefined || check.fix.length === 0
        ? []
        : [
            paragraph(text('To fix '), ...prose(check.name, 120), text(':')),
            block(
              check.fix.slice(0, 60).map((line) => line.slice(0, 500)),
              'yaml',
            ),
          ],
    ),
    ...foreseenBlocks(report.services),
    heading(3, text('What would be done')),
    report.steps.length === 0
      ? paragraph(text('Nothing.'))
      : list(report.steps.slice(0, 100).map((step) => prose(step))),
  ]
}

function foreseenBlocks(services: readonly ForeseenService[]): RootContent[] {
  if (services.length === 0) return []
  const dollars = services.flatMap(({ costPerDay }) => costPerDay ?? [])
  const sum = dollars.reduce((all, one) => all + one, 0)
  return [
    table(
      ['Service', '', 'Changes', 'A day'],
      services.map(({ service, what, after, changes, why, costPerDay }) => [
        [cellCode(service)],
        [text(after.length === 0 ? what : `${what}, after ${after.join(' and ')}`)],
        prose([...(why === undefined ? [] : [why]), ...changes.map(changeInCell)].join('; ')),
        costPerDay === undefined ? [] : [cellCode(formatDollars(costPerDay))],
      ]),
    ),
    ...(dollars.length < 2
      ? []
      : [paragraph(text('Together about '), code(formatDollars(sum)), text(' a day (an estimate).'))]),
  ]
}

function changeInCell(change: ForeseenChange): string {
  return `${change.setting}: ${changeWords(change)}`
}
