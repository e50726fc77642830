import type { Place } from '../plan/plan.ts'
import { recordTask } from './records.ts'
import type { Run } from './run.ts'

/** After a preview was removed: its deployment records go, and its row of the card says so. */
export async function retire(
  run: Run,
  place: Place,
  preview: { serviceName: string; pullRequest: number },
  reason: string,
): Promise<void> {
  const task = recordTask({ ...preview, repository: place.repository })
  await Promise.all([run.github.records.remove(task), run.reporter.markRemoved(preview, reason)])
}
