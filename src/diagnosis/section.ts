import { BUILDKIT, scoreOf, TELLING, withoutPrefix } from './lines.ts'

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

/** What stands before a message and says only that there is one. */
const BEFORE_MESSAGE: readonly RegExp[] = [
  /^[\s│├└╰─▶┌╭×✘✖✗⨯❌•*>|`╯⎯]+/,
  /^npm (?:error|ERR!)\s+/,
  /^(?:404|notarget|nospc|network|enoent|ERESOLVE|gyp ERR! (?:find Python |configure error |build error )?(?:stack )?)\s*(?=\S.{10})/,
  /^(?:nginx|caddy|docker|error parsing|go|gradle|pnpm|bundler|vite|yarn|next|deno|mix): (?=\S.{10})/i,
  /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (?:\[\w+\] )?(?:\d+#\d+: )?/,
  /^\[\w{3,9}\](?: \d+#\d+:)?:? {1,4}/,
  /^(?:-\s|x |\[!\] |➤ YN\d{4}: │ |cause: )/,
  /^(?:Uncaught |Unhandled )?(?:\[?(?:Error|error|ERROR|fatal|FATAL|Fatal|failed|err|ERR|CRITICAL|panic|e|E|PHP Fatal error|PHP Parse error|Sorry)\]?(?: \(\w{1,20}\))?[!:]+ {1,4})+(?=\S)/,
  /^(?:error|ERROR|FATAL|\[(?:error|ERROR|FATAL)\]) {1,4}(?=[^\s:[(].{6})(?!(?:TS|CS|NU|MSB)\d)/,
  /^(?:Caused by|\[cause\]): (?=\S)/,
  /^rpc error: code = \w+ desc = /,
  /^\d+:\d+ {1,4}(?:error|Error:)? {1,8}/,
]
const AFTER_MESSAGE =
  /(?<!\s)\s*(?:\(from versions: .*\)|-> \[Help \d+\]|\[\/?[\w./-]+\.(?:cs|fs|vb)proj\]|\(mark it as external.*\)|: \{$|\{$)\s*$/

/** Loggers that write JSON. */
const STRUCTURED = /"(?:msg|message|error|err)": ?"((?:[^"\\]|\\.){3,400})"/

/** A message as it reads in a sentence: without the decoration and leaders of its tool. */
export function withoutLeaders(line: string): string {
  let text = /^\s*\{/.test(line) ? (STRUCTURED.exec(line)?.[1] ?? line) : line
  for (let round = 0; round < 3; round += 1) {
    const before = text
    for (const pattern of BEFORE_MESSAGE) text = text.replace(pattern, '')
    if (text === before) break
  }
  return text.replace(AFTER_MESSAGE, '').trim()
}

const MOST_JOINED = 5
/** Tools that wrap take a terminal for eighty columns wide. */
const NARROWEST = 44
const WIDEST = 80
const NEW_THOUGHT =
  /^\s*(?:at |File "|\d+ ?[|│]|[|│]\s*(?:$|[\^~])|[-=*~^#]{3,}|>|\$ |npm |error\b|fatal\b|warning\b|info |hint:|note:|help:|= )|^[\s│]*(?:[├╰└`]|[-*•] )/i

/**
 * The reason that begins on a line: with the lines that it was wrapped to, and with the next one where it only
 * announces something (`Error:`, `Description:`).
 */
export function reasonAt(lines: readonly string[], at: number): string {
  let last = lines[at] ?? ''
  let text = withoutLeaders(last)
  const boxed = /^\s*[×x│|├╰]/.test(last)
  for (let next = at + 1; next <= at + MOST_JOINED; next += 1) {
    const line = lines[next] ?? ''
    if (line.trim() === '' ? !announces(text) : !announces(text) && !continues(last, line, boxed)) break
    if (line.trim() === '') continue
    if (/^\s*at /.test(line)) break
    const more = line.replace(/^(?:npm (?:error|ERR!))?[\s│|├╰─▶>×]*/, '').trim()
    // A word that was broken has its hyphen at the end of the line.
    text = /\w-$/.test(text) && /^[a-z]/.test(more) ? text + more : `${text} ${more}`.trim()
    last = line
  }
  return withCauses(lines, at, text.replace(/\s+/g, ' ').trim())
}

/** How far below its announcement the last of a chain of causes is looked for. */
const CHAIN = 14
/** uv, Turborepo and pnpm draw a tree of causes; Gradle indents them. */
const DEEPER =
  /^\s*(?:\[cause\]:|├─▶|╰─▶|├─>|╰─>|`->|cause:|Caused by:|>(?= (?:Could not|Cannot|Failed|No |Plugin|Unsupported)))\s*\S/

/** Adds the last of the causes that a tool draws below its announcement. */
function withCauses(lines: readonly string[], at: number, text: string): string {
  let deepest: number | undefined
  const announced = /^\s*\* What went wrong:/.test(lines[at - 1] ?? '')
  for (let next = at + 1; next <= at + CHAIN && next < lines.length; next += 1) {
    const line = lines[next] ?? ''
    if (/^\s*Caused by:\s*$/.test(line)) deepest = lines[next + 1]?.trim() ? next + 1 : deepest
    else if (DEEPER.test(line) && scoreOf(line.replace(/^\s*\[cause\]: /, '')) >= TELLING) deepest = next
    else if (announced && /^\s*> \S/.test(line) && !/^\s*> (?:Compilation failed|Run with|Process)/.test(line))
      deepest = next
    else if (/^\s*\* Try:/.test(line)) break
  }
  if (deepest === undefined || DEEPER.test(lines[at] ?? '')) return text
  const cause = reasonAt(lines, deepest)
  return text.includes(cause) || cause.includes(text)
    ? cause.length > text.length
      ? cause
      : text
    : `${text.replace(/[.:]$/, '')}: ${cause}`
}

function announces(text: string): boolean {
  return (
    text.length < 90 &&
    /^$|:$|^(?:Error|error|ERROR|Failed to compile|What went wrong)\.?$|^--- FAIL: \S+ \([\d.]+s\)$/.test(text)
  )
}

const OF_NPM = /^npm (?:error|ERR!) /

function continues(above: string, below: string, boxed: boolean): boolean {
  const ofNpm = OF_NPM.test(above) && OF_NPM.test(below)
  const [last, line] = ofNpm ? [above.replace(OF_NPM, ''), below.replace(OF_NPM, '')] : [above, below]
  if (NEW_THOUGHT.test(line) && !(boxed && /^\s*│ {2,}\S/.test(line))) return false
  if (boxed && /^\s*[│|] {1,8}\S/.test(line) && /^\s*[│|×x├╰]/.test(last)) return !/^\s*[│|]\s*\d+ ?[│|]/.test(line)
  const width = last.trimEnd().length
  const word = line.trim().split(/\s/, 1)[0] ?? ''
  const wouldNotFit = width >= NARROWEST && width <= WIDEST && width + 1 + word.length > WIDEST - 2
  const goesOn = /^\s*[a-z('"`\d]/.test(line) && !/[.!?:;]$/.test(last.trimEnd())
  return wouldNotFit && goesOn && indentOf(line) >= indentOf(last) && scoreOf(line) < 45
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

/** npm and pnpm print `> next build`, Yarn `$ tsc -p .`, bun `$ vite build`, make and shells with -x `+ go build`. */
const SCRIPT = /^(?:> |\$ |\+ )(?<command>(?!\S+@\S+ \S)[\w@./-][^\n]{1,300})$/
const BEFORE_COMMAND =
  /^(?:\/bin\/)?(?:ba)?sh -(?:e?l?c|lec|euc) |^(?:[A-Z_][A-Z0-9_]*=\S* )+|^(?:cross-env|env|dotenv --|exec|sudo) (?:[A-Z_][A-Z0-9_]*=\S* )*/
/** Whole words, as many as fit. */
const FIRST_WORDS = /^(?:.{1,60}(?= |$)|\S+)/

/** What was being done when a line was printed: the nearest script above it, else what the step ran. */
export function doing(lines: readonly string[], at: number, command: string | undefined): string | undefined {
  let nearest: string | undefined
  for (let before = at; before >= Math.max(0, at - 2_000); before -= 1) {
    const script = SCRIPT.exec(lines[before] ?? '')?.groups?.command
    if (script === undefined || !/^[a-z@./][\w@./-]*(?: |$)/.test(script)) continue
    // Of several commands in a script nothing tells which one it was.
    if (/&&|\|\||;/.test(script)) return command === undefined ? undefined : short(command)
    if (nearest === undefined && !/[:!?]$|\w\.$/.test(script)) nearest = script
  }
  const ran = nearest ?? command
  return ran === undefined ? undefined : short(ran)
}

function short(command: string): string | undefined {
  let plain = command.replace(/--mount=\S+\s+/g, '').trim()
  for (let round = 0; round < 3; round += 1) plain = plain.replace(BEFORE_COMMAND, '')
  // Of several commands nothing tells which one it was.
  if (plain === '' || /&&|\|\||[;\n|]|^(?:if|for|set|\[) /.test(plain)) return undefined
  const [text = ''] = FIRST_WORDS.exec(plain.replace(/\s+/g, ' ')) ?? []
  return text.replaceAll('`', '')
}
