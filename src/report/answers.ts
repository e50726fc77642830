import { excerpt, oneLine, prose } from './foreign-text.ts'
import { count } from './format.ts'
import { block, code, folded, paragraph, serialise, table, text } from './markdown.ts'

/** The comments that answer a command given in a comment. */

const COMMANDS: readonly (readonly [string, string])[] = [
  ['/ink deploy', 'deploys the newest commit of this pull request'],
  ['/ink stop', 'removes the preview'],
  ['/ink logs', 'shows the end of the log of the running app'],
  ['/ink rollback', 'goes back to the version deployed before'],
  ['/ink help', 'shows this list'],
]

const LOG_LIMITS = { maxLines: 200, maxLineChars: 250 }

/** What can be commanded; `unknown` is the command that does not exist, when one was given. */
export function helpAnswer(unknown?: string): string {
  const excuse =
    unknown === undefined
      ? []
      : [paragraph(text('There is no command '), code(unknown, 60), text('. These there are:'))]
  const rows = COMMANDS.map(([command, effect]) => [[code(command)], [text(effect)]])
  const note = paragraph(
    text(
      'A command stands alone in the first line of a comment, and works for those who may write to this repository.',
    ),
  )
  return serialise([...excuse, table(['Comment', 'Effect'], rows), note])
}

/** A polite no. `reason` is the rest of the sentence. */
export function declineAnswer(reason: string): string {
  return serialise([
    paragraph(text('Sorry, not done: '), ...prose(reason), text(/[.!?]$/.test(oneLine(reason, 500)) ? '' : '.')),
  ])
}

/** The end of an app's log, folded. The lines must be free of secrets already. */
export function logsAnswer(service: string, status: string, lines: readonly string[]): string {
  const tail = excerpt(lines, 'end', LOG_LIMITS)
  const state = paragraph(
    code(service),
    text(' is '),
    code(status, 40),
    ...(tail.length === 0 ? [text(' and has logged nothing.')] : [text('.')]),
  )
  return serialise([
    state,
    ...(tail.length === 0 ? [] : folded(`Log (${count(tail.length, 'line')})`, block(tail, 'text'))),
  ])
}
