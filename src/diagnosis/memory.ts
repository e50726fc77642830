import { withoutPrefix } from './lines.ts'

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
