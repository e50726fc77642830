import { scoreOf, TELLING } from './rank.ts'

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
  /\s*(?:\(from versions: .*\)|-> \[Help \d+\]|\[\/?[\w./-]+\.(?:cs|fs|vb)proj\]|\(mark it as external.*\)|: \{$|\{$)\s*$/

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
