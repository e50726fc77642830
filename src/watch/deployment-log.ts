import { followLog } from './log-follower.ts'
import type { WatchEvents } from './verdict.ts'

/** The newest lines the platform hands out at once (`deploy_log_lines`, `runtime_log_lines`). */
export const WINDOW_LINES = 500
/** Said instead of building when an image for this commit, configuration and environment exists. */
const BUILD_SKIPPED =
  /\bskipp(?:ing|ed) (?:the )?build\b|\bimage\b.{0,80}\b(?:already exists|exists already|from cache)\b/i
/** Kept for the diagnosis; causes stand near the end. */
const MOST_LINES_KEPT = 5_000
const NOT_SHOWN = '… lines not shown: the platform hands out only its newest 500, and the build wrote more in between'

/** The build log of this deployment alone, sanitized. */
export interface DeploymentLog {
  /** Takes a window of the service's log; tells new lines as events. @returns how many there were */
  accept(window: readonly string[]): number
  readonly lines: readonly string[]
  /** What the lines tell of a build; `skipped` when one says that the image was there already. */
  readonly buildTrace: 'none' | 'lines' | 'skipped'
}

/** @param baseline lines of earlier deployments; `undefined` takes the first window for that */
export function deploymentLog(
  baseline: readonly string[] | undefined,
  sanitize: (line: string) => string,
  events: Pick<WatchEvents, 'line'>,
): DeploymentLog {
  const follower = followLog(WINDOW_LINES, baseline)
  const kept: string[] = []
  let count = 0
  let skipped = false
  const tell = (line: string): void => {
    events.line(line)
    kept.push(line)
  }
  return {
    accept(window) {
      const news = follower.accept(window)
      if (news.outran) tell(NOT_SHOWN)
      for (const line of news.lines) {
        skipped ||= BUILD_SKIPPED.test(line)
        tell(sanitize(line))
      }
      if (kept.length > 2 * MOST_LINES_KEPT) kept.splice(0, kept.length - MOST_LINES_KEPT)
      count += news.lines.length
      return news.lines.length
    },
    get lines() {
      return kept.slice(-MOST_LINES_KEPT)
    },
    get buildTrace() {
      if (skipped) return 'skipped'
      return count > 0 ? 'lines' : 'none'
    },
  }
}
