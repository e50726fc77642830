import { formatDuration } from '../core/format.ts'
import { excerpt, prose } from './foreign-text.ts'
import { block, code, link, paragraph, serialise, text } from './markdown.ts'

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
    ...(log.length === 0 ? [] : [paragraph(text('The end of its log:')), block(log)]),
    paragraph(
      text('Found by '),
      ...link(of.runUrl, text('a scheduled run')),
      text('. This issue is closed by the first run that finds the service well again.'),
    ),
  ]
  return `${troubleIssueMarker(of.serviceName)}\n${serialise(blocks)}`
}

/**
 * The last word in the issue.
 * @param lastedMs milliseconds since the issue was opened
 */
export function troubleOverComment(serviceName: string, lastedMs: number, runUrl: string): string {
  return serialise([
    paragraph(
      code(serviceName),
      text(` is well again after ${formatDuration(lastedMs)} (`),
      ...link(runUrl, text('run')),
      text(').'),
    ),
  ])
}
