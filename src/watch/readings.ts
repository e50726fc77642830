/** What the platform says about a service at one moment. Its status is that of the latest deployment, whoever started it. */
export interface ServiceReading {
  readonly branch: string | undefined
  readonly status: string
  readonly errorMessage?: string | undefined
  readonly url?: string | undefined
  /** Only later generations tell; a reading with another commit than ours is not about us. */
  readonly commitHash?: string | undefined
  /** The newest build-log lines of the service's name, oldest first; lines of earlier deployments come along. */
  readonly deployLogs: readonly string[]
  readonly runtimeLogs: readonly string[]
}

/** Reads the service being deployed; `undefined` when the platform says that there is no such service. */
export type ReadService = (
  lines: { readonly deployLogLines: number; readonly runtimeLogLines: number },
  signal: AbortSignal,
) => Promise<ServiceReading | undefined>

/** What tells our deployment from others. */
export interface OurMarks {
  /** The branch that this deployment alone uses: the proof of whose status we read. */
  readonly branch: string
  /** The SHA that our branch points at, to check readings of those generations that tell the commit. */
  readonly commitHash?: string | undefined
}

/** Whether a reading is about our branch. Without a branch only our commit proves it. */
export function isOurs(reading: ServiceReading, ours: OurMarks): boolean {
  if (reading.branch !== undefined) return reading.branch === ours.branch
  return ours.commitHash !== undefined && reading.commitHash !== undefined && !isOtherCommit(reading, ours)
}

/** Whether a reading names a commit, and another one than ours. Either side may be abbreviated. */
export function isOtherCommit({ commitHash: theirs }: ServiceReading, { commitHash: ours }: OurMarks): boolean {
  if (ours === undefined || theirs === undefined || theirs === '') return false
  return !ours.startsWith(theirs) && !theirs.startsWith(ours)
}

/** Spreads a pause by ±15 %, so that jobs started by one push do not ask in step. `random` yields [0, 1). */
export function jittered(ms: number, random: () => number): number {
  return Math.round(ms * (0.85 + 0.3 * random()))
}

// Every raw status that any generation of the platform reports, as its service tools (`get_service`) list them. One has a verdict
// when nothing more will happen by itself.
const MEANINGS = {
  pending: { phase: 'queued' },
  queued: { phase: 'queued' },
  provisioning: { phase: 'queued' },
  building: { phase: 'building' },
  deploying: { phase: 'rolling-out' },
  active: { phase: 'live', verdict: 'active' },
  running: { phase: 'live', verdict: 'active' },
  failed: { phase: 'ended', verdict: 'failed' },
  error: { phase: 'ended', verdict: 'failed' },
  crashed: { phase: 'ended', verdict: 'crashed' },
  cancelled: { phase: 'ended', verdict: 'cancelled' },
  canceled: { phase: 'ended', verdict: 'cancelled' },
  superseded: { phase: 'ended', verdict: 'superseded' },
  completed: { phase: 'ended', verdict: 'completed' },
  removed: { phase: 'ended', verdict: 'removed' },
  suspended: { phase: 'ended', verdict: 'suspended' },
  stopped: { phase: 'ended', verdict: 'stopped' },
} as const

type Meaning = (typeof MEANINGS)[keyof typeof MEANINGS]

/** How far a deployment has come. `ended` means that it will not become live any more. */
export type DeploymentPhase = Meaning['phase']

/** How a deployment stands once nothing more will happen by itself. */
export type DeploymentEnd = Extract<Meaning, { readonly verdict: string }>['verdict']

/** The raw statuses in the table, lower case. @internal */
export const KNOWN_STATUSES: readonly string[] = Object.keys(MEANINGS)

/** Whether a service is live, as far as the platform tells. */
export function isLive(service: { readonly status?: string | undefined } | undefined): boolean {
  return meaningOf(service?.status ?? '')?.phase === 'live'
}

/** Whether a deployment of it is under way, or may be: a status that is not known counts as one. */
export function isDeploying({ status }: { readonly status: string }): boolean {
  const phase = meaningOf(status)?.phase
  return phase !== 'live' && phase !== 'ended'
}

/**
 * Looks a raw status up, whatever its case and surrounding blanks.
 * @returns `undefined` for a status this table does not know: wait on, since guessing either way would lie.
 */
export function meaningOf(rawStatus: string): { phase: DeploymentPhase; verdict?: DeploymentEnd } | undefined {
  const key = rawStatus.trim().toLowerCase()
  return Object.hasOwn(MEANINGS, key) ? MEANINGS[key as keyof typeof MEANINGS] : undefined
}

/** The newest lines the platform hands out at once (`deploy_log_lines`, `runtime_log_lines`). */
export const WINDOW_LINES = 500
/** Said instead of building when an image for this commit, configuration and environment exists. */
const BUILD_SKIPPED =
  /\bskipp(?:ing|ed) (?:the )?build\b|\bimage\b.{0,80}\b(?:already exists|exists already|from cache)\b/i
/** Kept for the diagnosis; causes stand near the end. */
const MOST_LINES_KEPT = 5_000
const NOT_SHOWN = '… lines not shown: the platform hands out only its newest 500, and the build wrote more in between'

/** The build log of this deployment alone, sanitized. */
export type DeploymentLog = ReturnType<typeof deploymentLog>

/**
 * @param baseline lines of earlier deployments
 * @param tell gets each line of ours once, sanitized
 */
export function deploymentLog(
  baseline: readonly string[],
  sanitize: (line: string) => string,
  tell: (line: string) => void,
) {
  const follower = followLog(WINDOW_LINES, baseline)
  const kept: string[] = []
  let count = 0
  let skipped = false
  const keep = (line: string): void => {
    tell(line)
    kept.push(line)
  }
  return {
    /** Takes a window of the service's log; tells its new lines. @returns how many there were */
    accept(window: readonly string[]): number {
      const { lines, outran } = follower.accept(window)
      if (outran) keep(NOT_SHOWN)
      for (const line of lines) {
        skipped ||= BUILD_SKIPPED.test(line)
        keep(sanitize(line))
      }
      if (kept.length > 2 * MOST_LINES_KEPT) kept.splice(0, kept.length - MOST_LINES_KEPT)
      count += lines.length
      return lines.length
    },
    /** Takes a window that was written before our build began: none of its lines is ours. */
    skip: (window: readonly string[]): void => void follower.accept(window),
    get lines(): readonly string[] {
      return kept.slice(-MOST_LINES_KEPT)
    },
    /** What the lines tell of a build; `skipped` when one says that the image was there already. */
    get buildTrace(): 'none' | 'lines' | 'skipped' {
      if (skipped) return 'skipped'
      return count > 0 ? 'lines' : 'none'
    },
  }
}

/**
 * Follows the platform's build log: it is kept per service name and answered as the newest lines of the last 24 hours, so
 * that every reading repeats most of the one before, and the first one carries earlier deployments.
 * @param windowSize the number of lines asked for in each reading
 * @param baseline the lines seen before our deployment began
 */
export function followLog(windowSize: number, baseline: readonly string[]) {
  let seen = baseline
  return {
    /**
     * Takes the newest lines (oldest first) as read now.
     * @returns those not seen before; `outran` when the window moved on by more than its length: lines before these were
     *   never seen, and nobody can tell how many
     */
    accept(window: readonly string[]): { readonly lines: readonly string[]; readonly outran: boolean } {
      const before = seen
      if (window.length > 0) seen = window
      const lines = newsBetween(before, window, windowSize)
      return { lines: lines ?? window, outran: lines === undefined && window.length >= windowSize }
    },
  }
}

/** The lines of a window that were not in the one before; undefined when it has nothing to do with that. */
function newsBetween(before: readonly string[], window: readonly string[], windowSize: number) {
  if (before.length === 0) return undefined
  if (window.length < windowSize && stand(before, window, 0)) return window.slice(before.length)
  const known = overlap(before, window) || lastOccurrenceEnd(before, window)
  if (known > 0) return window.slice(known)
  // The last line may have been read while it was still being written; then it is shown again, complete.
  const unfinished = before.length > 1 ? overlap(before.slice(0, -1), window) : 0
  if (unfinished > 0) return window.slice(unfinished)
  // Log stores deliver late lines into the middle; those are news, the lines around them are not.
  return linesInsertedInto(before, window)
}

/** Whether all of `lines` stand in `text` from `at` on. */
function stand(lines: readonly string[], text: readonly string[], at: number): boolean {
  return at >= 0 && at + lines.length <= text.length && lines.every((line, index) => line === text[at + index])
}

/** Length of the longest beginning of `window` which is an end of `before`. Both hold 500 lines at most: trying every place is quick. */
function overlap(before: readonly string[], window: readonly string[]): number {
  for (let length = Math.min(before.length, window.length); length > 0; length -= 1) {
    if (stand(before.slice(-length), window, 0)) return length
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
