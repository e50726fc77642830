import type { RootContent } from 'mdast'
import type { Annotation } from '../core/errors.ts'
import { capital, count, formatBytes, formatDollars, formatDuration, formatUtc, shortSha } from '../core/format.ts'
import * as md from './markdown.ts'
import { given, ifAny } from './markdown.ts'
import type { AccountView, CostView, DeployReport, Phase, PhaseResult, PushedView, Surroundings } from './model.ts'
import { addressCell, commitLink, headline, reasonBlocks, sideBlocks, statusCell, targetWords } from './parts.ts'
import type { LogBudget } from './state.ts'

// A summary has more room than a comment, but nobody reads a thousand lines in it.
const SUMMARY_LOG: LogBudget = {
  decisive: { maxLines: 30, maxLineChars: 500 },
  tail: { maxLines: 200, maxLineChars: 500 },
}

const MAX_NAMES = 200

/** The summary of a preview, a production deployment or a rollback. */
export function deployBlocks(report: DeployReport, { repositoryUrl }: Surroundings, nowMs: number): RootContent[] {
  const { row } = report
  return [
    md.heading(2, headline([row])),
    md.table(
      ['Service', 'Address', 'Status', 'Commit', 'Target', 'Updated'],
      [
        [
          [md.cellCode(row.service)],
          addressCell(row),
          statusCell(row, false),
          commitLink(row.commit, repositoryUrl),
          [targetWords(row.target)],
          [formatUtc(row.updatedAt)],
        ],
      ],
    ),
    ...reasonBlocks(row, repositoryUrl, SUMMARY_LOG),
    ...sideBlocks(row),
    ...annotationBlocks(report.annotations, `${repositoryUrl}/blob/${row.commit}`),
    ...timelineBlocks(report, nowMs),
    ...shippedBlocks(report),
  ]
}

function annotationBlocks(annotations: readonly Annotation[], filesUrl: string): RootContent[] {
  return ifAny(annotations.filter(({ file }) => file !== undefined).slice(0, 10), (placed) => [
    md.heading(3, 'Where'),
    md.table(
      ['File', 'What'],
      placed.map((annotation) => [
        md.link(addressOf(annotation, filesUrl), md.cellCode(placeOf(annotation), 200)),
        [...md.prose(annotation.title, 120), ': ', ...md.prose(annotation.message, 300)],
      ]),
    ),
  ])
}

function placeOf({ file = '', line, column }: Annotation): string {
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':')
}

function addressOf({ file = '', line }: Annotation, filesUrl: string): string {
  const path = md.cut(md.printable(file), 500).split('/').map(encodeURIComponent).join('/')
  return `${filesUrl}/${path}${line === undefined ? '' : `#L${line}`}`
}

function timelineBlocks({ phases }: DeployReport, nowMs: number): RootContent[] {
  const lines = ganttLines(phases, nowMs)
  const [first] = phases
  const last = phases.at(-1)
  if (lines.length === 0 || first === undefined || last === undefined) return []
  const totalMs = (last.endMs ?? nowMs) - first.startMs
  return [md.heading(3, `Timeline: ${formatDuration(totalMs)}`), md.block(lines, 'mermaid')]
}

function shippedBlocks({ pushed, detected, envNames, cost, account }: DeployReport): RootContent[] {
  const items = [
    ...given(pushed, (what) => [pushedWords(what)]),
    ...given(detected, (what) => [md.prose(what)]),
    ...given(cost, (sum) => [costWords(sum)]),
    ...given(account, (whose) => [accountWords(whose)]),
  ]
  const variables = `${count(envNames.length, 'environment variable')}, names only`
  return [
    ...ifAny(items, (said) => [md.heading(3, 'Shipped'), md.list([...said])]),
    ...ifAny([...envNames].sort().slice(0, MAX_NAMES), (names) =>
      md.folded(variables, md.list(names.map((name) => [md.code(name)]))),
    ),
  ]
}

function pushedWords(pushed: PushedView): md.Inline[] {
  const files = pushed.files === undefined ? '' : ` of ${count(pushed.files, 'file')}`
  const objects = pushed.objects === undefined ? '' : ` in ${count(pushed.objects, 'object')}`
  const bytes = pushed.bytes === undefined ? '' : `, ${formatBytes(pushed.bytes)}${objects}`
  const sent = {
    none: ': ml.ink had it already, nothing was sent',
    incremental: ` pushed${bytes}, only the difference`,
    whole: ` pushed${bytes}, all of it`,
  }[pushed.kind]
  return [
    'Snapshot ',
    md.code(shortSha(pushed.snapshot)),
    `${files}${sent}, branch `,
    md.code(md.oneLine(pushed.branch, 120)),
  ]
}

// As code: of what stands between two dollar signs GitHub makes a formula.
function costWords({ perDay, basis }: CostView): md.Inline[] {
  const dollars = (sum: number) => md.code(formatDollars(sum))
  return ['Estimated cost ', dollars(perDay), ' a day, ', dollars(perDay * 30), ` a month for ${basis}`]
}

function accountWords(account: AccountView): md.Inline[] {
  const { servicesInUse, mostServices, limits } = account
  const named = (what: string, name: string) => [`${what} `, md.code(name, 100)]
  const most = mostServices === undefined ? '' : ` of ${mostServices}`
  return [
    'On ml.ink: ',
    ...given(account.name, (name) => [...named('account', name), ', ']),
    ...given(account.workspace, (name) => [...named('workspace', name), ', ']),
    ...named('project', account.project),
    ...given(servicesInUse, (inUse) => [`; ${count(inUse, 'service')}${most} in use`]),
    ...ifAny(limits, (allowed) => ['; ', ...md.prose(allowed.join(', '), 200)]),
  ]
}

const DAY_MS = 86_400_000

// Mermaid greys out what is tagged as done, so that would be nearly all of it.
const TAGS: Readonly<Record<PhaseResult, string>> = {
  done: '',
  failed: 'crit, ',
  cancelled: 'crit, ',
  skipped: '',
  running: 'active, ',
}

/** Lines of the chart, or none when nothing took any time. `nowMs` (epoch) ends what still runs. */
export function ganttLines(phases: readonly Phase[], nowMs: number): string[] {
  const shown = phases.filter((phase) => phase.result !== 'skipped')
  const [first] = shown
  if (first === undefined) return []
  const totalMs = Math.max(...shown.map((phase) => phase.endMs ?? nowMs)) - first.startMs
  return [
    'gantt',
    // Mermaid reads and writes times in the reader's zone; clock times that begin at midnight look the same in all of them.
    '  dateFormat HH:mm:ss.SSS',
    ...axisLines(totalMs),
    ...shown.map((phase) => ganttLine(phase, first.startMs, nowMs)),
  ]
}

const TICKS: readonly (readonly [ms: number, interval: string])[] = [
  ...[10, 20, 50, 100, 200, 500].map((ms) => [ms, `${ms}millisecond`] as const),
  ...[1, 2, 5, 10, 15, 30].map((seconds) => [seconds * 1000, `${seconds}second`] as const),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => [minutes * 60_000, `${minutes}minute`] as const),
]
const MOST_TICKS = 8

/** As many ticks as have room, and each with a label of its own. */
function axisLines(totalMs: number): string[] {
  const [ms, interval] = TICKS.find(([tickMs]) => totalMs <= tickMs * MOST_TICKS) ?? [3_600_000, '1hour']
  const format = ms < 1000 ? '%-S.%L s' : ms < 3_600_000 && totalMs < 3_600_000 ? '%M:%S' : '%H:%M'
  return [`  axisFormat ${format}`, `  tickInterval ${interval}`]
}

// Times count from the start of the run, so that the axis reads as minutes and seconds into it.
function ganttLine(phase: Phase, originMs: number, nowMs: number): string {
  const startMs = Math.max(0, Math.round(phase.startMs - originMs))
  const endMs = Math.max(startMs, Math.round((phase.endMs ?? nowMs) - originMs))
  const failed = phase.result === 'failed' || phase.result === 'cancelled' ? ` ${phase.result}` : ''
  return `  ${capital(phase.name)}${failed} ${formatDuration(endMs - startMs)} :${TAGS[phase.result]}${clockTime(startMs)}, ${clockTime(endMs)}`
}

// A run ends within a day: GitHub kills jobs after six hours unless they have a runner of their own.
function clockTime(ms: number): string {
  const withinDay = Math.min(ms, DAY_MS - 1)
  return new Date(withinDay).toISOString().slice('1970-01-01T'.length, -1)
}
