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

/** The last line of a log by which a process was killed for its memory, or ran out of it. */
export function memoryDeath(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => isOutOfMemory(withoutPrefix(line)))
}
