import { createHash } from 'node:crypto'
import { formatDuration } from '../core/format.ts'
import {
  block,
  code,
  excerpt,
  folded,
  given,
  ifAny,
  link,
  list,
  paragraph,
  prose,
  serialise,
  text,
} from './markdown.ts'

const commandWords: readonly (readonly [string, string])[] = [
  ['/ink deploy', 'deploys the head of this pull request; for one that comes from a fork, name the commit in full'],
  ['/ink stop', 'removes the preview'],
  ['/ink logs', 'shows the end of the preview’s runtime log'],
  ['/ink rollback', 'switches the preview back to the version before'],
  ['/ink help', 'shows this list'],
]

/** The answer to `/ink help`, or to a command that does not exist. */
export function helpAnswer(unknown: string | undefined): string {
  return serialise([
    ...given(unknown, (word) => [paragraph(text('There is no command '), code(word, 40), text('.'))]),
    paragraph(text('Commands, each on a line of its own:')),
    list(commandWords.map(([command, what]) => [code(command), text(` ${what}`)])),
  ])
}

/** First line of a refusal, by which it is found when the same person asks for the same again. */
export function declineMarker(login: string, reason: string): string {
  const said = createHash('sha256').update(`${login}\n${reason}`).digest('hex').slice(0, 16)
  return `<!-- ink-deploy:declined ${said} -->`
}

/** The refusal to somebody who may not give commands, or to a command that cannot be carried out. */
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
    ...ifAny(shown, (log) => folded(`Runtime log, the last ${log.length} lines`, block(log))),
  ])
}

/** First line of the issue about a service, by which it is found again. */
export function troubleIssueMarker(serviceName: string): string {
  return `<!-- ink-deploy:trouble ${serviceName.replaceAll(/[^a-z0-9-]/gi, '')} -->`
}

/** The body of the issue that stays open as long as a service is in trouble. */
export function troubleIssueBody(of: {
  serviceName: string
  trouble: string
  logTail: readonly string[]
  runUrl: string
}): string {
  const log = excerpt(of.logTail, 'end', { maxLines: 40, maxLineChars: 300 })
  const blocks = [
    paragraph(code(of.serviceName), text(' is in trouble: '), ...prose(of.trouble)),
    ...ifAny(log, (tail) => [paragraph(text('The end of its log:')), block(tail)]),
    paragraph(
      text('Found by '),
      ...link(of.runUrl, text('a scheduled run')),
      text('. This issue is closed by the first run that finds the service healthy.'),
    ),
  ]
  return `${troubleIssueMarker(of.serviceName)}\n${serialise(blocks)}`
}

/**
 * The comment that closes the issue.
 * @param lastedMs milliseconds since the issue was opened
 */
export function troubleOverComment(serviceName: string, lastedMs: number, runUrl: string): string {
  return serialise([
    paragraph(
      code(serviceName),
      text(` has recovered after ${formatDuration(lastedMs)} (`),
      ...link(runUrl, text('run')),
      text(').'),
    ),
  ])
}
