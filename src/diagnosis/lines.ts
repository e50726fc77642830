/** What lies further back in a line is data, and may be hostile to a search. */
const LONGEST_SEARCHED = 1_600

/** BuildKit numbers its steps, and times their lines. */
export const BUILDKIT = /^#(\d+) (?:\d{1,5}\.\d{1,3}(?: |$))?/
const PREFIXES: readonly RegExp[] = [
  /^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?\]? /,
  /^\[?\d\d:\d\d:\d\d(?:[.,]\d{1,6})?\]?(?: [AP]M)?:? (?:\| )?/,
  /^(?:stdout|stderr) [FP] /,
  /^\[(?:inf|err|out|stdout|stderr|app|build)\] {1,2}/i,
  /^remote: {0,8}(?:! {1,8})?/,
  /^[\w.-]{1,60}-\d+ {1,20}\| /,
  /^(?:app|heroku)\[[\w.-]{1,40}\]: /,
  /^\d{1,5}\.\d{1,3} /,
  // Gradle 4 glues the task to the first line of its compiler.
  /^:\w{1,60}(?=\/)/,
  // Turborepo and pnpm put the package and its script before the lines of each.
  /^(?:@[\w.-]{1,60}\/)?[\w.-]{1,60}:(?:build|lint|test|typecheck|type-check|check|compile|generate|start|codegen)[\w:-]{0,30}: /,
  /^[\w@./-]{1,80} (?:(?:pre|post)?(?:build|install|prepare|compile|generate)[\w:-]{0,30}): /,
]

/** A line as the tool wrote it, cut to a sensible length. */
export function withoutPrefix(line: string): string {
  let text = line.length > LONGEST_SEARCHED ? line.slice(0, LONGEST_SEARCHED) : line
  if (text.startsWith('#')) text = text.replace(BUILDKIT, '')
  for (const prefix of PREFIXES) {
    if (prefix.test(text)) text = text.replace(prefix, '')
  }
  return text.trimEnd()
}

const [BEFORE, AFTER] = [4, 9] as const
/** The end of a step; what follows belongs to another one, or to the platform's second try. */
const STEP_END = /did not complete successfully|^npm (?:error|ERR!) A complete log|^Node\.js v\d/
/** Calls inside the language's own code and libraries tell nothing about the application. */
const LIBRARY_CALL = /^\s+at .*(?:node:|\/node_modules\/|ignore-listed frames)/
const TAIL = 50

/** The lines that decide, around the one at `index`: to the end of its step, without calls into libraries and blank ends. */
export function linesAround(lines: readonly string[], index: number): readonly string[] {
  const telling = (from: number, to: number): readonly string[] =>
    lines.slice(Math.max(0, from), to).filter((line) => !LIBRARY_CALL.test(line))
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

/**
 * What says that a process was killed for its memory, or ran out of it. Never a bare number 137, nor a SIGKILL that
 * somebody announces or a supervisor sends after a time limit: what is read here makes services larger, which costs money.
 */
const OUT_OF_MEMORY: readonly RegExp[] = [
  /\bJavaScript heap out of memory\b|\bFatal process out of memory\b/,
  /\bjava\.lang\.OutOfMemoryError\b/,
  /\bOOM-?Killed\b|\boom-kill:|\bMemory cgroup out of memory\b|\bOut of memory: Killed process\b/i,
  /^Killed$|: line \d+: +\d+ Killed\b|\b(?:signal:? (?:9|killed)\b|Killed signal terminated program\b)/,
  /^npm (?:error|ERR!) signal SIGKILL$/,
  /\bexit(?:ed|s)?(?: with)?(?: (?:code|status))?[:=]? ?\(?137\)?(?![\w%]|\.\d| (?:ms|s|sec\w*|min\w*|[KMG]i?B|lines?|files?|items?)\b)/i,
  /^MemoryError\b|\bruntime: out of memory\b|\bmemory allocation of \d+ bytes failed\b|\bvirtual memory exhausted\b|\bstd::bad_alloc\b/,
  /\bcannot allocate memory\b|\bexceed(?:s|ed) (?:its |the )?memory limit\b|\bmemory limit (?:was )?(?:reached|exceeded)\b/i,
]

/** Whether a line, without prefixes, says that memory ran out. */
export function isOutOfMemory(line: string): boolean {
  return OUT_OF_MEMORY.some((pattern) => pattern.test(line))
}

/** The stack that V8 and the JVM write below the reason, with its heading: it can be longer than all else. */
const STACK_LINE = /^(?: *\d{1,3}: (?:0x)?[0-9a-f]{4,16}\b.*|\s+at .*|-+ Native stack trace -+|\s*)$/

/** What a process said last of all, so many lines of it, without the stack below its reason. */
export function lastWordsOf(log: readonly string[], lines: number): readonly string[] {
  return log.filter((line) => !STACK_LINE.test(withoutPrefix(line))).slice(-lines)
}

/** The last line of a log by which a process was killed for its memory, or ran out of it. */
export function memoryDeath(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => isOutOfMemory(withoutPrefix(line)))
}
