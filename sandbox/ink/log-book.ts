/** The newest lines that a log query returns; the platform keeps no more within reach of its tools. */
export const MAX_LOG_LINES = 500

const RETENTION_MS = 24 * 60 * 60 * 1000

/** The log of a service: shared by all its deployments and all services of its name, the last 24 hours, newest 500 lines. */
export interface LogBook {
  write(line: string): void
  /** The newest lines in the order they were written, at most `limit` and never more than 500. */
  newest(limit: number): string[]
}

/** @param nowMs - the clock that ages lines */
export function createLogBook(nowMs: () => number): LogBook {
  let lines: { atMs: number; text: string }[] = []
  return {
    write(text) {
      lines.push({ atMs: nowMs(), text })
      if (lines.length > 4 * MAX_LOG_LINES) lines = lines.slice(-MAX_LOG_LINES)
    },
    newest(limit) {
      const oldestMs = nowMs() - RETENTION_MS
      const kept = lines.filter((line) => line.atMs >= oldestMs).map((line) => line.text)
      return limit <= 0 ? [] : kept.slice(-Math.min(limit, MAX_LOG_LINES))
    },
  }
}
