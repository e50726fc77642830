import { createHash } from 'node:crypto'
import { excerpt, oneLine, prose } from './foreign-text.ts'
import { block, code, folded, list, paragraph, serialise, text } from './markdown.ts'

const commandWords: readonly (readonly [string, string])[] = [
  ['/ink deploy', 'deploys the head of this pull request; for one that comes from a fork, name the commit in full'],
  ['/ink stop', 'removes the preview'],
  ['/ink logs', 'shows the end of the preview’s runtime log'],
  ['/ink rollback', 'switches the preview back to the version before'],
  ['/ink help', 'shows this list'],
]

/** The answer to `/ink help`, or to a command that does not exist. */
export function helpAnswer(unknown: string | undefined): string {
  const intro =
    unknown === undefined ? [] : [paragraph(text('There is no command '), code(oneLine(unknown, 40)), text('.'))]
  return serialise([
    ...intro,
    paragraph(text('Commands, each on a line of its own:')),
    list(commandWords.map(([command, what]) => [code(command), text(` ${what}`)])),
  ])
}

/** First line of a polite no, by which it is found when the same person asks for the same again. */
export function declineMarker(login: string, reason: string): string {
  const said = createHash('sha256').update(`${login}\n${reason}`).digest('hex').slice(0, 16)
  return `<!-- ink-deploy:declined ${said} -->`
}

/** The polite no to somebody who may not give commands, or to a command that cannot be carried out. */
export function declineAnswer(reason: string): string {
  return serialise([paragraph(text('Sorry, this was not done: '), ...prose(reason))])
}

/** The answer to `/ink logs`. */
export function logsAnswer(serviceName: string, status: string, lines: readonly string[]): string {
  const shown = excerpt(lines, 'end', { maxLines: 200, maxLineChars: 300 })
  return serialise([
    paragraph(
      code(serviceName),
      text(' is '),
      ...prose(status, 60),
      text(shown.length === 0 ? ', and its runtime log is empty.' : '.'),
    ),
    ...(shown.length === 0 ? [] : folded(`Runtime log, the last ${shown.length} lines`, block(shown))),
  ])
}
