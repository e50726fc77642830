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
  /** Takes a window of the service's log; tells its new lines. @returns how many there were */
  accept(window: readonly string[]): number
  /** Takes a window that was written before our build began: none of its lines is ours. */
  skip(window: readonly string[]): void
  readonly lines: readonly string[]
  /** What the lines tell of a build; `skipped` when one says that the image was there already. */
  readonly buildTrace: 'none' | 'lines' | 'skipped'
}

/**
 * @param baseline lines of earlier deployments
 * @param tell gets each line of ours once, sanitized
 */
export function deploymentLog(
  baseline: readonly string[],
  sanitize: (line: string) => string,
  tell: (line: string) => void,
): DeploymentLog {
  const follower = followLog(WINDOW_LINES, baseline)
  const kept: string[] = []
  let count = 0
  let skipped = false
  const keep = (line: string): void => {
    tell(line)
    kept.push(line)
  }
  return {
    accept(window) {
      const news = follower.accept(window)
      if (news.outran) keep(NOT_SHOWN)
      for (const line of news.lines) {
        skipped ||= BUILD_SKIPPED.test(line)
        keep(sanitize(line))
      }
      if (kept.length > 2 * MOST_LINES_KEPT) kept.splice(0, kept.length - MOST_LINES_KEPT)
      count += news.lines.length
      return news.lines.length
    },
    skip: (window) => void follower.accept(window),
    get lines() {
      return kept.slice(-MOST_LINES_KEPT)
    },
    get buildTrace() {
      if (skipped) return 'skipped'
      return count > 0 ? 'lines' : 'none'
    },
  }
}

/** What is new in a window of the log. */
interface LogNews {
  /** Lines not seen before, oldest first. */
  readonly lines: readonly string[]
  /** The window moved on by more than its length: lines before these were never seen, and nobody can tell how many. */
  readonly outran: boolean
}

/** Follows a log of which only the newest lines can be read. */
interface LogFollower {
  /** Takes the newest lines (oldest first) as read now. */
  accept(window: readonly string[]): LogNews
}

/**
 * Follows the platform's build log: it is kept per service name and answered as the newest lines of the last 24 hours, so
 * that every reading repeats most of the one before, and the first one carries earlier deployments.
 *
 * @param windowSize the number of lines asked for in each reading
 * @param baseline the lines seen before our deployment began
 */
export function followLog(windowSize: number, baseline: readonly string[]): LogFollower {
  let seen = baseline
  return {
    accept(window) {
      const before = seen
      seen = window.length === 0 ? before : window
      return newsBetween(before, window, windowSize)
    },
  }
}

function newsBetween(before: readonly string[], window: readonly string[], windowSize: number): LogNews {
  if (before.length === 0) return { lines: window, outran: window.length >= windowSize }
  if (window.length < windowSize && stand(before, window, 0)) {
    return { lines: window.slice(before.length), outran: false }
  }
  const known = overlap(before, window) || lastOccurrenceEnd(before, window)
  if (known > 0) return { lines: window.slice(known), outran: false }
  // The last line may have been read while it was still being written; then it is shown again, complete.
  const unfinished = before.length > 1 ? overlap(before.slice(0, -1), window) : 0
  if (unfinished > 0) return { lines: window.slice(unfinished), outran: false }
  // Log stores deliver late lines into the middle; those are news, the lines around them are not.
  const inserted = linesInsertedInto(before, window)
  if (inserted !== undefined) return { lines: inserted, outran: false }
  return { lines: window, outran: window.length >= windowSize }
}

/** Whether all of `lines` stand in `text` from `at` on. */
function stand(lines: readonly string[], text: readonly string[], at: number): boolean {
  return at >= 0 && at + lines.length <= text.length && lines.every((line, index) => line === text[at + index])
}

/**
 * Length of the longest beginning of `window` which is an end of `before`. Both hold 500 lines at most, and most
 * comparisons end with the first line, so trying every place is quick.
 */
function overlap(before: readonly string[], window: readonly string[]): number {
  for (let length = Math.min(before.length, window.length); length > 0; length -= 1) {
    const start = before.length - length
    let same = 0
    while (same < length && before[start + same] === window[same]) same += 1
    if (same === length) return length
  }
  return 0
}

/** Where `before` ends inside `window`: the baseline may have been read with a smaller window. 0 when it is not there. */
function lastOccurrenceEnd(before: readonly string[], window: readonly string[]): number {
  for (let start = window.length - before.length; start >= 0; start -= 1) {
    if (stand(before, window, start)) return start + before.length
  }
  return 0
}

/** The lines of `window` that are not in `before`, provided that all the rest of `before` is there in its order. */
function linesInsertedInto(before: readonly string[], window: readonly string[]): readonly string[] | undefined {
  const first = window[0]
  const start = first === undefined ? -1 : before.lastIndexOf(first)
  if (start < 0) return undefined
  const inserted: string[] = []
  let next = start
  for (const line of window) {
    if (line === before[next]) next += 1
    else inserted.push(line)
  }
  return next === before.length ? inserted : undefined
}
