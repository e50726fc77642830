import type { WrittenIssue } from '../github/issues.ts'
import { troubleIssueBody, troubleIssueMarker, troubleOverComment } from '../report/messages.ts'
import type { Run } from './run.ts'

const label = 'ink-monitor'

/** Keeps one issue per service: opened when trouble begins, kept up to date, closed with a last word when it is over. */
export async function keepIssue(
  run: Run,
  serviceName: string,
  trouble: string | undefined,
  logTail: readonly string[],
): Promise<WrittenIssue | undefined> {
  const marker = troubleIssueMarker(serviceName)
  if (trouble !== undefined) {
    const body = troubleIssueBody({ serviceName, trouble, logTail, runUrl: run.context.runUrl })
    return run.github.issues.keep({ marker, label, title: `${serviceName} on ml.ink is in trouble`, body })
  }
  const open = await run.github.issues.find(marker, label)
  if (open === undefined || open === 'absent') return undefined
  const lastedMs = run.clock.now() - Date.parse(open.openedAt)
  const closed = await run.github.issues.close(
    marker,
    label,
    troubleOverComment(serviceName, lastedMs, run.context.runUrl),
  )
  return closed === 'absent' ? undefined : closed
}
