import type { WaitingPhase } from '../deployment-watch.ts'
import { annotationsFor, type SourceAnnotation } from './annotations.ts'
import { firstErrorLine, type LogLine, linesAround, tailOf, withoutPrefix } from './log-lines.ts'
import type { FailureKind, LogKind, Match, Recogniser } from './recogniser.ts'
import { repositoryPaths } from './repository-path.ts'
import { RECOGNISERS } from './table.ts'

export type { SourceAnnotation } from './annotations.ts'
export type { FailureKind } from './recogniser.ts'

/** What is known of a failed deployment. Lines are sanitized, oldest first. */
export interface FailedDeployment {
  readonly verdict: FailureKind
  /** The phase in which it ended, where known: tells a build that took too long from a roll-out that did. */
  readonly phase?: WaitingPhase
  readonly errorMessage: string | undefined
  readonly deployLog: readonly string[]
  readonly runtimeLog: readonly string[]
  /** The folder of the repository that was built; empty for all of it. */
  readonly rootDirectory: string
  /** Whether the repository has a file at this relative path; annotations are limited to such. */
  readonly knownFiles?: (path: string) => boolean
}

/** Why a deployment failed. */
export interface Diagnosis {
  /** One line, such as `TypeScript error TS2304 in src/app.ts`. */
  readonly cause: string
  readonly hint: string
  readonly tool?: string
  readonly evidence: readonly LogLine[]
  /** The few lines around the evidence. */
  readonly decisive: readonly string[]
  /** Places in the repository's files, the most telling first; at most 10. */
  readonly annotations: readonly SourceAnnotation[]
  /** The end of the log that the evidence is from. */
  readonly tail: readonly string[]
  /** The recogniser's name, or `unknown`. */
  readonly recogniser: string
}

/** One log, as it is searched. */
interface SearchedLog {
  readonly kind: LogKind
  readonly lines: readonly string[]
}

/**
 * Finds out why a deployment failed: the first recogniser of the table that finds its line wins, so the table's order
 * is the order of certainty. Without one, the first line that looks like an error and the end of the log are shown.
 */
export function diagnose(given: FailedDeployment): Diagnosis {
  const failure = withTruePhase(given)
  const logs = searchedLogs(failure)
  for (const recogniser of RECOGNISERS) {
    if (!applies(recogniser, failure)) continue
    for (const log of logs) {
      const index = recogniser.in.includes(log.kind) ? findLine(recogniser, log.lines) : -1
      if (index >= 0) return recognised(failure, logs, recogniser, log, index)
    }
  }
  return unknown(failure, logs)
}

/** A container that ends at once is gone before its phase was ever seen; what the platform says of it tells. */
const AFTER_BUILD = /\bcontainer (?:exited|crashed|failed)|\broll-?out\b|accepts? connections|readiness|health ?check/i

function withTruePhase(failure: FailedDeployment): FailedDeployment {
  return AFTER_BUILD.test(failure.errorMessage ?? '') ? { ...failure, phase: 'rolling-out' } : failure
}

/** The log nearest to the failure first. A build that failed says nothing about the containers of earlier versions. */
function searchedLogs(failure: FailedDeployment): readonly SearchedLog[] {
  const platform: SearchedLog = { kind: 'platform', lines: textLines(failure.errorMessage) }
  const build: SearchedLog = { kind: 'build', lines: failure.deployLog.map(withoutPrefix) }
  const runtime: SearchedLog = { kind: 'runtime', lines: failure.runtimeLog.map(withoutPrefix) }
  if (failure.verdict === 'crashed' || failure.verdict === 'unhealthy') return [runtime, platform, build]
  const built = failure.phase === 'rolling-out'
  return built ? [runtime, platform, build] : [build, platform]
}

function textLines(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(/\r?\n| ⏎ /).map(withoutPrefix)
}

function applies({ when }: Recogniser, failure: FailedDeployment): boolean {
  if (when?.kinds !== undefined && !when.kinds.includes(failure.verdict)) return false
  return when?.phases === undefined || (failure.phase !== undefined && when.phases.includes(failure.phase))
}

function findLine(recogniser: Recogniser, lines: readonly string[]): number {
  const matches = (line: string, index: number): boolean =>
    recogniser.pattern.test(line) && suits(recogniser, lines, index)
  return recogniser.last === true ? lines.findLastIndex(matches) : lines.findIndex(matches)
}

function suits({ near }: Recogniser, lines: readonly string[], index: number): boolean {
  if (near === undefined) return true
  const around = lines.slice(Math.max(0, index - (near.above ?? 0)), index + (near.below ?? 0) + 1)
  return around.some((line) => near.pattern.test(line)) !== (near.absent ?? false)
}

function recognised(
  failure: FailedDeployment,
  logs: readonly SearchedLog[],
  recogniser: Recogniser,
  log: SearchedLog,
  index: number,
): Diagnosis {
  const match = matchAt(recogniser, log.lines, index)
  const shown = log.kind === 'platform' && failure.deployLog.length > 0 ? shownLog(logs) : log
  const at = shown === log ? index : (firstErrorLine(shown.lines) ?? lastLine(shown.lines))
  const reason = oneLine(recogniser.cause(match))
  const annotations = annotationsFor(shown.lines, at, { cause: reason, tool: recogniser.tool }, pathsOf(failure))
  return {
    cause: shown === log ? withPlace(reason, annotations[0]) : reason,
    hint: recogniser.hint(match),
    ...(recogniser.tool === undefined ? {} : { tool: recogniser.tool }),
    evidence: [{ line: match.line, index }],
    decisive: shown === log ? linesAround(shown.lines, at) : [match.line, ...linesAround(shown.lines, at)],
    annotations,
    tail: tailOf(shown.lines),
    recogniser: recogniser.name,
  }
}

function unknown(failure: FailedDeployment, logs: readonly SearchedLog[]): Diagnosis {
  const shown = shownLog(logs)
  const at = firstErrorLine(shown.lines) ?? lastLine(shown.lines)
  const line = shown.lines[at]?.trim()
  const said = failure.errorMessage?.trim() || line || 'the platform gave no reason, and there are no log lines'
  const cause = oneLine(`${ENDINGS[failure.verdict]}: ${said}`)
  return {
    cause,
    hint: 'Nothing known to this action matches. The lines below are those around the first error and the end of the log.',
    evidence: line === undefined ? [] : [{ line, index: at }],
    decisive: linesAround(shown.lines, at),
    annotations: annotationsFor(shown.lines, Math.max(0, at), { cause, tool: undefined }, pathsOf(failure)),
    tail: tailOf(shown.lines),
    recogniser: 'unknown',
  }
}

const LONGEST_CAUSE = 240

const ENDINGS: Readonly<Record<FailureKind, string>> = {
  failed: 'The deployment failed',
  crashed: 'The service crashed',
  'timed-out': 'The deployment took too long',
  unhealthy: 'The service does not answer as wanted',
  cancelled: 'The deployment was cancelled',
}

/** The nearest log that has lines, the platform's own text only when there is no other. */
function shownLog(logs: readonly SearchedLog[]): SearchedLog {
  const written = logs.filter((log) => log.lines.some((line) => line.trim() !== ''))
  return written.find((log) => log.kind !== 'platform') ?? written[0] ?? { kind: 'build', lines: [] }
}

/** Adds the place to a cause that does not name it. */
function withPlace(cause: string, at: SourceAnnotation | undefined): string {
  if (at === undefined || cause.includes(at.file)) return cause
  return `${cause} (${at.file}${at.line === undefined ? '' : `:${at.line}`})`
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > LONGEST_CAUSE ? `${line.slice(0, LONGEST_CAUSE)}…` : line
}

/** Index of the last line with something on it. */
function lastLine(lines: readonly string[]): number {
  return lines.findLastIndex((line) => line.trim() !== '')
}

function pathsOf(failure: FailedDeployment): ReturnType<typeof repositoryPaths> {
  return repositoryPaths(failure.rootDirectory, failure.knownFiles)
}

function matchAt({ pattern }: Recogniser, lines: readonly string[], index: number): Match {
  const line = lines[index] ?? ''
  return {
    groups: groupsOf(pattern, line) ?? {},
    line: line.trim(),
    get count() {
      // The platform tries a failing build twice, and what a tool says twice is one error.
      return new Set(lines.filter((each) => pattern.test(each))).size
    },
    find(wanted, reach = 30) {
      for (const each of lines.slice(index, index + reach)) {
        const groups = groupsOf(wanted, each)
        if (groups !== undefined) return groups
      }
      return undefined
    },
    text: (count) =>
      lines
        .slice(index, index + count)
        .map((each) => each.replace(/^[\s│├╰─▶×]+/, '').trim())
        .join(' ')
        .trim(),
  }
}

function groupsOf(pattern: RegExp, line: string): Readonly<Record<string, string>> | undefined {
  const match = pattern.exec(line)
  if (match === null) return undefined
  const given = Object.entries(match.groups ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(given)
}
