import { BUILDKIT, withoutPrefix } from './lines.ts'
import { scoreOf } from './rank.ts'

/** The lines of a log in which the failure stands: those of the step that failed, without what only repeats them. */
export interface Section {
  /** As the tool wrote them, without what builders, runtimes and hosts put before them. */
  readonly lines: readonly string[]
  /** What the step ran; undefined where the log does not tell. */
  readonly command: string | undefined
  /** The line of the Dockerfile that the builder pointed at, as `Dockerfile:6`. */
  readonly instruction: string | undefined
  /** Whether no step could be told, so that these are the lines of all the log. */
  readonly isWhole: boolean
}

/** The step of BuildKit that a line belongs to; 0 for none. */
function stepOf(line: string): number {
  return line.startsWith('#') ? Number(BUILDKIT.exec(line)?.[1] ?? 0) : 0
}

const ONLY_A_COMMAND =
  /\bprocess "(?<command>(?:[^"\\]|\\.){1,2000})" did not complete successfully|^command failed: (?<command2>.{1,300}?)(?: \(exit(?: code)? \d+\))?$/i
const FAILED_STEP = /^#(\d+) ERROR\b/
const RECAP_EDGE = /^-{6,20}$/
const RECAP_TITLE = /^ ?> (?:\[|importing|exporting|resolve|RUN|COPY)/
const INSTRUCTION = /^[\w./-]{0,200}Dockerfile[\w.-]{0,40}:\d+$/i
/** What platforms put around the builder's reason. */
const SOLVED =
  /^(?:ERROR: |error: |BUILD FAILED: )?(?:(?:failed to build|buildkit solve|docker(?:file)? build|railpack build|build failed(?: \([\w ]{1,20}\))?|failed to solve(?: with frontend [\w.-]{1,40})?|failed to create LLB definition|rpc error: code = \w{1,20} desc =): )+/i

/** Takes the wrappers of builders off a reason: `ERROR: failed to build: failed to solve: …`. */
export function withoutBuilder(text: string): string {
  return text.replace(SOLVED, '')
}

/** The command that a line only says has failed; undefined for other lines. */
export function failedCommand(text: string): string | undefined {
  const groups = ONLY_A_COMMAND.exec(text)?.groups
  return (groups?.command ?? groups?.command2)?.replace(/\\(["\\])/g, '$1')
}

/** Cuts the failing step out of a log; all of the log, without its recaps, where no step can be told. */
export function failingSection(log: readonly string[], said: string | undefined): Section {
  const recap = recapOf(log)
  const step = lastStep(log)
  const command = log.reduce<string | undefined>((last, line) => failedCommand(line) ?? last, undefined)
  const ran = command ?? (said === undefined ? undefined : failedCommand(said))
  const shown = { command: ran, instruction: recap.instruction, isWhole: false }
  if (step !== 0) {
    const lines = linesOf(step, log, recap.within).filter((line) => !isRepetition(line))
    const title = titleOf(lines[0])
    return { ...shown, lines: lines.length > 1 ? lines : [...lines, ...recap.lines], command: ran ?? title }
  }
  const whole = wholeLog(log, recap.within)
  const lines = between(whole, ran)
  return { ...shown, lines, isWhole: lines === whole }
}

/** The lines of a step, of its last try: where the time begins anew, the platform builds for the second time. */
function linesOf(step: number, log: readonly string[], recap: readonly (true | undefined)[]): readonly string[] {
  let lines: string[] = []
  let last = 0
  for (const [at, line] of log.entries()) {
    if (recap[at] || stepOf(line) !== step) continue
    const seconds = Number(/^#\d+ (\d{1,5}\.\d{1,3})/.exec(line)?.[1] ?? last)
    if (seconds < last - 0.5) lines = lines.filter((each) => titleOf(each) !== undefined)
    last = seconds
    lines.push(withoutPrefix(line))
  }
  return lines
}

/** All of a log, without its recaps and what only repeats. */
export function wholeSection(log: readonly string[]): Section {
  return { lines: wholeLog(log, recapOf(log).within), command: undefined, instruction: undefined, isWhole: true }
}

function wholeLog(log: readonly string[], recap: readonly (true | undefined)[]): readonly string[] {
  return log.flatMap((each, at) => {
    const line = recap[at] ? undefined : withoutBuilder(withoutPrefix(each))
    return line === undefined || isRepetition(line) ? [] : line
  })
}

function isRepetition(line: string): boolean {
  return failedCommand(line) !== undefined || /^(?:CANCELED|CACHED|DONE [\d.]+s)$/.test(line)
}

function lastStep(log: readonly string[]): number {
  const failed = log.findLast((line) => FAILED_STEP.test(line))
  return Number(FAILED_STEP.exec(failed ?? '')?.[1] ?? 0)
}

function titleOf(line: string | undefined): string | undefined {
  return /^\[[^\]]{1,80}\] RUN (?:--\S{1,200} ){0,8}(.{1,2000})$/.exec(line ?? '')?.[1]
}

/**
 * BuildKit repeats the end of a failed step, and the instruction with its neighbours, after the log itself. Where only the
 * recap is left of a step, its lines are the best there is.
 */
function recapOf(log: readonly string[]) {
  const within: (true | undefined)[] = []
  const lines: string[] = []
  let instruction: string | undefined
  for (let at = 0; at < log.length; at += 1) {
    const line = log[at] ?? ''
    if (RECAP_EDGE.test(line) && RECAP_TITLE.test(log[at + 1] ?? '')) {
      within[at] = true
      for (at += 1; at < log.length && !RECAP_EDGE.test(log[at] ?? ''); at += 1) {
        within[at] = true
        if (!RECAP_TITLE.test(log[at] ?? '')) lines.push(withoutPrefix(log[at] ?? ''))
      }
      within[at] = true
    } else if (INSTRUCTION.test(line) && RECAP_EDGE.test(log[at + 1] ?? '')) {
      instruction = line
      within[at] = true
      within[at + 1] = true
      for (at += 2; at < log.length && !RECAP_EDGE.test(log[at] ?? ''); at += 1) within[at] = true
      within[at] = true
    }
  }
  return { within, lines, instruction }
}

/** A plain builder prints the command before its output, and often again when it failed. */
function between(lines: readonly string[], command: string | undefined): readonly string[] {
  if (command === undefined) return lines
  const plain = command.replace(/^(?:\/bin\/)?(?:ba)?sh -(?:e?l?c|lec|euc) /, '')
  const marks = lines.flatMap((line, at) =>
    line === command || line === plain || line.endsWith(`RUN ${plain}`) ? at : [],
  )
  // The platform builds twice: of the spans one is output, another what stands between the tries.
  let most = 0
  let telling = lines
  for (const [index, mark] of marks.entries()) {
    const span = lines.slice(mark, marks[index + 1] ?? lines.length)
    const score = span.reduce((best, line) => Math.max(best, scoreOf(line)), 0)
    if (score > most) [most, telling] = [score, span]
  }
  return telling
}
