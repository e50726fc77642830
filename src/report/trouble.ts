import { excerpt, oneLine, prose } from './foreign-text.ts'
import { count, formatDuration } from './format.ts'
import { block, code, folded, link, paragraph, serialise, text } from './markdown.ts'

/** The issue that tells of a service in trouble. Its body holds no times, so that it changes only with the trouble. */

const LOG_LIMITS = { maxLines: 60, maxLineChars: 300 }

/** First line of the issue's body, by which it is found. */
export function troubleIssueMarker(service: string): string {
  const name = oneLine(service, 100)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replaceAll('--', '-_')
  return `<!-- ink-deploy:trouble ${name} -->`
}

export interface TroubleView {
  readonly serviceName: string
  /** What is wrong, in one line. */
  readonly trouble: string
  readonly logTail: readonly string[]
  readonly runUrl: string
}

/** The body of the issue, marker included. */
export function troubleIssueBody({ serviceName, trouble, logTail, runUrl }: TroubleView): string {
  const tail = excerpt(logTail, 'end', LOG_LIMITS)
  const body = serialise([
    paragraph(code(serviceName), text(' on ml.ink: '), ...prose(trouble)),
    ...(tail.length === 0 ? [] : folded(`End of the log (${count(tail.length, 'line')})`, block(tail, 'text'))),
    paragraph(
      text('Seen by '),
      ...link(runUrl, text('this run')),
      text('. The issue is kept up to date, and closed when the service is well again.'),
    ),
  ])
  return `${troubleIssueMarker(serviceName)}\n${body}`
}

/** The last comment, when it is over. `lastedMs` counts from the opening of the issue. */
export function troubleOverComment(serviceName: string, lastedMs: number, runUrl: string): string {
  return serialise([
    paragraph(
      code(serviceName),
      text(` is well again, after ${formatDuration(lastedMs)} (`),
      ...link(runUrl, text('run')),
      text(').'),
    ),
  ])
}
