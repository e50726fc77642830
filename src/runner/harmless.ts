/**
 * One line of foreign text as the runner may see it: without control and invisible characters, and with nothing that it
 * would take for a command. It trims a line and looks for `::` at its start, and for the older `##[` anywhere
 * (ActionCommand.cs in actions/runner).
 */
export function harmlessLine(line: string): string {
  return line.replaceAll(invisible, '').replace(command, '$1 ').replaceAll(oldCommand, '$1 ')
}

/** The same for text of several lines. */
export function harmlessText(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map(harmlessLine)
    .join('\n')
}

const invisible = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]|\p{Cf}/gu
// The runner compares by culture, where characters without a width may count as nothing.
const oldCommand = /(#[^\x20-\x7e]*#[^\x20-\x7e]*)(?=\[)/g
const command = /^([^\x21-\x7e]*:)(?=[^\x21-\x7e]*:)/
