/** What is new in a window of the log. */
export interface LogNews {
  /** Lines not seen before, oldest first. */
  readonly lines: readonly string[]
  /** The window moved on by more than its length: lines before these were never seen, and nobody can tell how many. */
  readonly outran: boolean
}

/** Follows a log of which only the newest lines can be read. */
export interface LogFollower {
  /** Takes the newest lines (oldest first) as read now. */
  accept(window: readonly string[]): LogNews
}

/**
 * Follows the platform's build log: it is kept per service and answered as the newest lines of the last 24 hours, so
 * that every reading repeats most of the one before, and the first one carries earlier deployments.
 *
 * @param windowSize the number of lines asked for in each reading
 * @param baseline the lines seen before our deployment began; `undefined` takes the first window as the baseline
 */
export function followLog(windowSize: number, baseline: readonly string[] | undefined): LogFollower {
  let seen = baseline
  return {
    accept(window) {
      if (seen === undefined) {
        seen = window
        return { lines: [], outran: false }
      }
      const before = seen
      seen = window.length === 0 ? before : window
      return newsBetween(before, window, windowSize)
    },
  }
}

function newsBetween(before: readonly string[], window: readonly string[], windowSize: number): LogNews {
  if (before.length === 0) return { lines: window, outran: window.length >= windowSize }
  if (window.length < windowSize && startsWith(window, before)) {
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

function startsWith(window: readonly string[], before: readonly string[]): boolean {
  return before.length <= window.length && before.every((line, index) => line === window[index])
}

/** Length of the longest beginning of `window` which is an end of `before`; Knuth–Morris–Pratt, so linear. */
function overlap(before: readonly string[], window: readonly string[]): number {
  const borders = borderLengths(window)
  let matched = 0
  for (const [index, line] of before.entries()) {
    while (matched > 0 && window[matched] !== line) matched = borders[matched - 1] ?? 0
    if (window[matched] === line) matched += 1
    const last = index === before.length - 1
    if (matched === window.length && !last) matched = borders[matched - 1] ?? 0
  }
  return matched
}

function borderLengths(lines: readonly string[]): number[] {
  const borders = lines.length === 0 ? [] : [0]
  let length = 0
  for (let index = 1; index < lines.length; index += 1) {
    while (length > 0 && lines[index] !== lines[length]) length = borders[length - 1] ?? 0
    if (lines[index] === lines[length]) length += 1
    borders.push(length)
  }
  return borders
}

/** Where `before` ends inside `window`: the baseline may have been read with a smaller window. 0 when it is not there. */
function lastOccurrenceEnd(before: readonly string[], window: readonly string[]): number {
  for (let end = window.length; end >= before.length; end -= 1) {
    const start = end - before.length
    if (before.every((line, index) => window[start + index] === line)) return end
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
