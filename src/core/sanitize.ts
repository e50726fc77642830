import { errorMessage } from './errors.ts'
import { createRedactor } from './redact.ts'

/** The longest line shown, in UTF-16 units. */
export const LONGEST_LINE = 2_000
/** What lies further inside one line is cut before the costly steps; terminal codes seldom fill more than half. */
const LONGEST_RAW_LINE = 16 * LONGEST_LINE

// CSI, OSC (closed by BEL or ST), the other string sequences, charset choices and two-byte escapes; 7 and 8 bit.
// An unclosed string sequence swallows no more than its introducer, as a hostile line could hide the rest otherwise.
const TERMINAL_CODES =
  /(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)|\x1b[ -/]{1,4}[0-~]|\x1b[0-~]/g
// Control characters but the tab, format characters (bidi, zero width, byte order mark, tags), line separators.
const INVISIBLE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]|\p{Cf}/gu
const LONE_SURROGATE = /[\ud800-\udfff]/gu
const NEEDS_CARE = /[^\t\x20-\x7e]/

/**
 * Makes lines written by strangers (build logs, HTTP answers) harmless to print, one line in, one line out:
 * no terminal codes, control, bidi or invisible characters, broken UTF-16, overlong lines or given secrets, and
 * nothing that the Actions runner would take for a command. The runner trims a line and looks for `::` at its start,
 * and for the older `##[` anywhere (ActionCommand.cs in actions/runner).
 *
 * @param secrets values to mask, also when base64 or URL encoded, and each line of those that have several
 */
export function createSanitizer(secrets: readonly string[] = []): (line: string) => string {
  const redact = createRedactor(secrets)
  return (line) => {
    const visible = NEEDS_CARE.test(line) ? visibleText(redact(line)) : line
    return withoutCommands(shorten(redact(visible)))
  }
}

/** {@link createSanitizer} without secrets. */
export const sanitize: (line: string) => string = createSanitizer()

function visibleText(line: string): string {
  const text = afterLastReturn(line).slice(0, LONGEST_RAW_LINE)
  const plain = text.replace(TERMINAL_CODES, '').replace(/\n+/g, ' ⏎ ').replace(INVISIBLE, '')
  return plain.replace(LONE_SURROGATE, '\ufffd')
}

/** A progress bar rewrites its line; a terminal shows what was written last. */
function afterLastReturn(line: string): string {
  let end = line.length
  while (end > 0 && (line[end - 1] === '\r' || line[end - 1] === '\n')) end -= 1
  return line.slice(line.lastIndexOf('\r', end - 1) + 1, end)
}

function shorten(text: string): string {
  if (text.length <= LONGEST_LINE) return text.trimEnd()
  const cut = text.slice(0, LONGEST_LINE).replace(/[\ud800-\udbff]$/, '')
  return `${cut} … (${text.length - cut.length} more characters)`
}

// Comparisons in .NET may skip characters without a width of their own, so whatever is not visible ASCII counts as
// nothing here; and what breaks the marker is a space, which none skips.
const COMMAND = /^([^\x21-\x7e]*:)(?=[^\x20-\x7e]*:)/
const OLD_COMMAND = /(#[^\x20-\x7e]*#[^\x20-\x7e]*)(?=\[)/g

/**
 * Breaks up what the Actions runner would take for a command: it trims a line and looks for `::` at its start, and for the
 * older `##[` anywhere (ActionCommand.cs in actions/runner).
 */
export function withoutCommands(text: string): string {
  const withoutOld = text.includes('#') ? text.replace(OLD_COMMAND, '$1 ') : text
  return withoutOld.replace(COMMAND, '$1 ')
}

/** One line for the runner's log: without control and invisible characters, and with no command in it. Keeps its length. */
export function harmlessLine(line: string): string {
  return withoutCommands(line.replace(INVISIBLE, ''))
}

/** {@link harmlessLine} for text of several lines. */
export function harmlessText(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map(harmlessLine)
    .join('\n')
}

/** Words of a stranger on one line of at most 300 characters, harmless to a terminal. */
export function sanitizePhrase(text: string): string {
  const longest = 300
  // White space first: what comes before a carriage return counts as overwritten otherwise.
  const line = text
    .slice(0, longest * 4)
    .replace(/\s+/g, ' ')
    .trim()
  return sanitize(line.slice(0, longest))
}

/** The text of an error for log and reports, with no secret that is known. */
export function safeMessage(known: { readonly secrets: () => readonly string[] }, thrown: unknown): string {
  return createSanitizer(known.secrets())(errorMessage(thrown))
}
