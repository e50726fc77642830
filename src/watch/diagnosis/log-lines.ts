/** One line of a log, by its place there. */
export interface LogLine {
  readonly line: string
  readonly index: number
}

// BuildKit numbers and times its steps' lines; container runtimes put a time before them.
const CONTAINER_PREFIX =
  /^(?:#\d+ )?(?:\d{1,5}\.\d{1,3} )?(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)? )?(?:(?:stdout|stderr) [FP] )?/

/** Reasons stand at the beginning of a line; what lies further back may be hostile to a search. */
const LONGEST_SEARCHED = 800

/** A line as the tool wrote it, without what container builders and runtimes put before it, cut to a sensible length. */
export function withoutPrefix(line: string): string {
  return line.replace(CONTAINER_PREFIX, '').slice(0, LONGEST_SEARCHED)
}

const FIRST_ERROR =
  /\b(?:error|fatal|exception|panic(?:ked)?|failed|failure|cannot|could not|unable to|not found|no such|denied|refused)\b|✖|✗|⨯/i
const NO_ERROR = /\b(?:0 errors?|no errors?|without errors?|errors?: 0|0 failed)\b|^\s*at\s|\bnpm warn\b|\bwarning\b/i

/** The first line that looks like an error, for failures nobody knows. */
export function firstErrorLine(lines: readonly string[]): number | undefined {
  const index = lines.findIndex((line) => FIRST_ERROR.test(line) && !NO_ERROR.test(line))
  return index < 0 ? undefined : index
}

const BEFORE = 4
const AFTER = 9
/** The end of a step; what follows belongs to another one, or to the platform's second try. */
const STEP_END = /did not complete successfully|^npm (?:error|ERR!) A complete log|^Node\.js v\d/
/** Calls inside the language's own code and libraries tell nothing about the application. */
const FOREIGN_CALL = /^\s+at .*(?:node:|\/node_modules\/|ignore-listed frames)/
const TAIL = 50

/** The lines that decide, around the one at `index`: to the end of its step, without foreign calls and blank ends. */
export function linesAround(lines: readonly string[], index: number): readonly string[] {
  const telling = (from: number, to: number): readonly string[] =>
    lines.slice(Math.max(0, from), to).filter((line) => !FOREIGN_CALL.test(line))
  const after = telling(index, index + 3 * AFTER)
  const end = after.findIndex((line) => STEP_END.test(line))
  return trimBlank([...telling(index - BEFORE, index), ...after.slice(0, Math.min(AFTER, end < 0 ? AFTER : end) + 1)])
}

/** The end of a log. */
export function tailOf(lines: readonly string[]): readonly string[] {
  return trimBlank(lines.slice(-TAIL))
}

function trimBlank(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== '')
  if (first < 0) return []
  const last = lines.findLastIndex((line) => line.trim() !== '')
  return lines.slice(first, last + 1)
}
