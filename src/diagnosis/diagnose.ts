import { annotate, type SourceAnnotation } from './annotate.ts'
import { adviceFor, RUN_HINTS } from './hints.ts'
import { BUILD_HINTS } from './hints-build.ts'
import { isListed, linesAround, type Ranked, rank, TELLING, tailOf } from './lines.ts'
import { repositoryPaths } from './places.ts'
import { ending, finalAdvice, listening, type Said, saidByPlatform, type Told } from './platform.ts'
import { doing, failingSection, reasonAt, type Section, wholeSection } from './section.ts'

export type { SourceAnnotation } from './annotate.ts'

/** What is known of a deployment that failed. */
export interface Failure extends Told {
  /** Whether it was live before it failed. */
  readonly wasLive?: boolean
  /** Whether the app answered over HTTP: then it listens where it should. */
  readonly answers?: boolean
  /** The folder of the repository that was built; all of it when left out. */
  readonly rootDirectory?: string
  /** The files that were deployed: only in such are places shown. Without them plausible paths are believed. */
  readonly files?: ReadonlySet<string> | undefined
}

/** Why a deployment failed. */
export interface Diagnosis {
  /** One line: what was being done, and the reason. */
  readonly cause: string
  /** What to do about it. */
  readonly hint: string
  /** The few lines that show it. */
  readonly decisive: readonly string[]
  /** Places in the repository's files, that of the cause first; at most 10. */
  readonly annotations: readonly SourceAnnotation[]
  /** The end of the log that the reason is from. */
  readonly tail: readonly string[]
  /** Whether a reason was found; otherwise the cause only says how it ended. */
  readonly found: boolean
}

/** A reason, and the lines among which it stands. */
interface Reason {
  readonly ended: 'build' | 'run'
  readonly section: Section
  readonly ranked: readonly Ranked[]
}

const LONGEST_CAUSE = 240

/**
 * Finds out why a deployment failed. The lines of the failing step are ranked by how much speaks for each being the
 * reason; the best one is it, and hints may know a better sentence and what to do. Exit codes and time limits speak only
 * when no line does.
 */
export function diagnose(failure: Failure): Diagnosis {
  const said = saidByPlatform(failure)
  const final = finalAdvice(said)
  const reason = final ? undefined : reasonOf(failure, said)
  const log = logOf(failure, said, reason)
  const unreached =
    said.exited || said.ended === 'build' || failure.answers
      ? undefined
      : listening(failure, reason?.ranked[0], reason?.section)
  const tail = tailOf(log)
  if (unreached !== undefined) {
    return { ...unreached, decisive: linesAround(log, unreached.at), annotations: [], found: true, tail }
  }
  if (reason !== undefined) return { ...explained(failure, reason), found: true, tail }
  const end = final ?? ending(failure, said, log)
  const lastLine = log.findLastIndex((line) => line.trim() !== '')
  const shown = linesAround(log, lastLine)
  const decisive = final === undefined ? shown : [said.text, ...shown]
  const paths = repositoryPaths(failure.rootDirectory ?? '', failure.files)
  const annotations = annotate(failingSection(log, said.raw), undefined, end.cause, paths)
  return { cause: oneLine(end.cause), hint: end.hint, decisive, annotations, found: final !== undefined, tail }
}

/** What must speak at least for a line that says little, to be better than an exit code. */
const WEAK = { build: TELLING / 2, run: 3 } as const

/** The best line of the log nearest to the failure, of the others where that one tells nothing. */
function reasonOf(failure: Failure, said: Said): Reason | undefined {
  const { deployLogs, runtimeLogs } = failure
  const run = (): Reason => reasonIn('run', wholeSection(runtimeLogs), said)
  const failing = failingSection(deployLogs, said.raw)
  const step = (): Reason => reasonIn('build', failing, said)
  const whole = (): Reason => reasonIn('build', wholeSection(deployLogs), said)
  // A build that failed says nothing about the containers of earlier versions, nor a good one about those that failed.
  const order = said.ended === 'run' ? [run] : failing.isWhole ? [step] : [step, whole]
  let weak: Reason | undefined
  for (const search of order) {
    const reason = search()
    const score = reason.ranked[0]?.score ?? 0
    if (score >= TELLING) return reason
    if (score > (weak?.ranked[0]?.score ?? WEAK[said.ended])) weak = reason
  }
  return weak
}

function reasonIn(ended: 'build' | 'run', section: Section, said: Said): Reason {
  const own = said.tells ? ['', said.text] : []
  const lines = [...section.lines, ...own]
  return { ended, section: { ...section, lines }, ranked: rank(lines, ended) }
}

/** How far a line may be from the best one and still speak for it, in points and in lines. */
const NEAR_BEST = { points: 34, lines: 40 }
const MOST_CANDIDATES = 10

function explained(
  failure: Failure,
  { ended, section, ranked }: Reason,
): Pick<Diagnosis, 'cause' | 'hint' | 'decisive' | 'annotations'> {
  const { lines } = section
  const [best = { at: 0, score: 0 }] = ranked
  const paths = repositoryPaths(failure.rootDirectory ?? '', failure.files)
  const alone = ended === 'build' && isListed(lines[best.at] ?? '')
  const candidates = ranked
    .filter(
      ({ at, score }) =>
        at === best.at ||
        (!alone && score >= best.score - NEAR_BEST.points && Math.abs(at - best.at) <= NEAR_BEST.lines),
    )
    .slice(0, MOST_CANDIDATES)
  const hints = ended === 'run' ? [...RUN_HINTS, ...BUILD_HINTS] : [...BUILD_HINTS, ...RUN_HINTS]
  let advice: ReturnType<typeof adviceFor>
  let at = best.at
  for (const candidate of candidates) {
    advice = adviceFor(hints, lines, candidate.at, reasonAt(lines, candidate.at), ended)
    if (advice !== undefined) {
      at = advice.cause === undefined ? best.at : candidate.at
      break
    }
  }
  const reason = reasonAt(lines, at)
  const annotations = annotate(section, at, advice?.cause ?? reason, paths).map((each) =>
    ended === 'run' && each.title === 'Build error' ? { ...each, title: 'Error' } : each,
  )
  const plain = () =>
    plainCause(failure, ended, doing(lines, at, section.command), withoutOwnPlace(reason, annotations[0]))
  const cause = withPlace(advice?.cause ?? plain(), annotations[0])
  return {
    cause,
    hint: (advice?.lacksStart ? failure.howToStart : undefined) ?? advice?.todo ?? usualHint(ended),
    decisive: decisiveLines(lines, at, ranked, advice?.from ?? []),
    annotations,
  }
}

function plainCause(failure: Failure, ended: 'build' | 'run', command: string | undefined, reason: string): string {
  if (failure.status === 'unhealthy') return `The app fails: ${reason}`
  if (ended === 'run') return `${failure.wasLive ? 'The app ended' : 'The app does not start'}: ${reason}`
  if (command === undefined || reason.includes(command)) return `The build failed: ${reason}`
  return `\`${command}\` failed: ${reason}`
}

function usualHint(ended: 'build' | 'run'): string {
  return ended === 'run'
    ? 'The lines below are what it printed last. Start it the same way on your machine, with the same variables, to see it fail.'
    : 'The lines below are those around the error. Run the same command on a fresh clone to see it fail.'
}

const MOST_SHOWN = 25
const MOST_OTHERS = 6

/** The lines around the reason, and the next best ones that are not among them, in the order of the log. */
function decisiveLines(
  lines: readonly string[],
  at: number,
  ranked: readonly Ranked[],
  used: readonly number[],
): readonly string[] {
  const around = linesAround(lines, at)
  const shown = new Set(around)
  const next = ranked.filter(({ score }) => score >= TELLING).map((each) => each.at)
  const isNew = (each: number, index: number, all: readonly number[]): boolean =>
    !shown.has(lines[each] ?? '') && all.indexOf(each) === index
  const others = [...used, ...next.slice(0, 3 * MOST_OTHERS)]
    .filter(isNew)
    .slice(0, MOST_OTHERS)
    .toSorted((a, b) => a - b)
  const text = (from: number, to: number) =>
    others.filter((each) => each >= from && each < to).map((each) => lines[each] ?? '')
  return [...text(0, at), ...around, ...text(at, lines.length)].slice(0, MOST_SHOWN)
}

/** The log that is shown: the one that the reason is from, or the nearest one that has lines. */
function logOf({ deployLogs, runtimeLogs }: Failure, said: Said, reason: Reason | undefined): readonly string[] {
  const first = (reason?.ended ?? said.ended) === 'run' ? runtimeLogs : deployLogs
  return first.length > 0 || said.ended === 'build' ? first : deployLogs
}

/** A compiler begins its line with the place, which stands at the end of the cause; a path of the system tells nothing. */
function withoutOwnPlace(reason: string, place: SourceAnnotation | undefined): string {
  const name = place?.file.split('/').at(-1) ?? '\0'
  const own = /^(?:in )?(\S{1,300}?)(?::\d+|\(\d+[,:]\d+\)|:\[\d+,\d+\]| \(\d+:\d+\))(?::\d+)?:?(?: -)? (?=\S)/.exec(
    reason,
  )
  const isSystemPath = /^\/(?:usr|root|opt)\//.test(own?.[1] ?? '')
  return own?.[1]?.endsWith(name) || isSystemPath ? reason.slice(own?.[0].length) : reason
}

/** Adds the place to a cause that does not name it. */
function withPlace(cause: string, at: SourceAnnotation | undefined): string {
  const { file, line } = at ?? {}
  const named = [`${file}:${line}`, `${file} (${line}:`, ...(line === undefined ? [file ?? ''] : [])]
  const place = named.some((each) => cause.includes(each)) ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`
  return `${oneLine(cause, LONGEST_CAUSE - place.length)}${place}`
}

/** One line of bearable length: of nested messages the first says what was done, and the last one why it failed. */
function oneLine(text: string, longest = LONGEST_CAUSE): string {
  const line = text.replace(/\s+/g, ' ').trim()
  if (line.length <= longest) return line
  const nested = /: [A-Z]/.test(line.slice(longest))
  const end = nested ? ` …${line.slice(-longest / 2).replace(/^[\udc00-\udfff]/, '')}` : ''
  return `${line.slice(0, longest - end.length).replace(/[\ud800-\udbff]$/, '')}…${end}`
}
