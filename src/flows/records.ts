import type { RecordStatus } from '../github/records.ts'
import type { Repository } from '../plan/event.ts'
import { environmentName, previewName, serviceName as productionName } from '../plan/names.ts'
import type { RowStatus } from '../report/model.ts'
import type { Deps } from './deps.ts'

/** What a deployment record is made for. */
export interface RecordSubject {
  readonly repository: Repository
  readonly serviceName: string
  readonly pullRequest: number | undefined
}

/**
 * The task by which the records of one service are found again. All previews share one environment, because one of their
 * own each could never be deleted with a workflow's token; the task tells them apart, and several services of one
 * repository as well.
 */
export function recordTask({ repository, serviceName, pullRequest }: RecordSubject): string {
  const base = productionName(undefined, repository)
  const usual = pullRequest === undefined ? base : previewName(base, pullRequest)
  const task = pullRequest === undefined ? 'ink-production' : `ink-preview-pr-${pullRequest}`
  return serviceName === usual ? task : `${task}:${serviceName}`
}

/** One GitHub deployment record of this run, from “in progress” to its end. */
export interface RunRecord {
  readonly id: number | undefined
  settle(status: RowStatus, url: string | undefined, description: string): Promise<void>
}

const ended: Partial<Record<RowStatus, RecordStatus['state']>> = {
  live: 'success',
  failed: 'failure',
  unhealthy: 'failure',
  'rolled-back': 'failure',
  'timed-out': 'failure',
  superseded: 'inactive',
  cancelled: 'inactive',
  removed: 'inactive',
  skipped: 'inactive',
}

/** Opens the record, unless the runner makes one of its own because the job has an `environment`. */
export async function openRecord(deps: Deps, subject: RecordSubject, sha: string): Promise<RunRecord> {
  const none: RunRecord = { id: undefined, settle: async () => undefined }
  const { records } = deps.github
  if (deps.settings.deploymentRecord === 'false') return none
  const auto = deps.settings.deploymentRecord === 'auto'
  if (auto && (await records.jobHasEnvironment({ runId: deps.context.runId, shas: [sha, deps.context.sha] })))
    return none
  const production = subject.pullRequest === undefined
  const task = recordTask(subject)
  const environment = environmentName(subject.pullRequest)
  const id = await records.open({ environment, task, sha, production, description: `ml.ink: ${subject.serviceName}` })
  if (id === undefined) return none
  const logUrl = deps.context.runUrl
  await records.settle(id, { state: 'in_progress', logUrl }, production)
  return {
    id,
    settle: async (status, url, description) => {
      const state = ended[status] ?? 'error'
      await records.settle(
        id,
        { state, logUrl, description, ...(state === 'success' && url ? { environmentUrl: url } : {}) },
        production,
      )
      if (state === 'success' && !production) await records.retireOlder(task, id, 'all')
    },
  }
}
