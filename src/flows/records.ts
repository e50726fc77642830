import type { RecordStatus } from '../github/records.ts'
import type { Repository } from '../plan/event.ts'
import { environmentName, previewName, serviceName as productionName } from '../plan/names.ts'
import type { CardRow, RowStatus } from '../report/model.ts'
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

/** What a deployment record says in the end. */
export function finalStatus({ status, url, reason, runUrl }: CardRow): RecordStatus {
  const state = ended[status] ?? 'error'
  const environmentUrl = state === 'success' && url ? { environmentUrl: url } : {}
  return { state, logUrl: runUrl, description: reason ?? status, ...environmentUrl }
}

/** One GitHub deployment record of this run. */
export interface RunRecord {
  readonly id: number | undefined
  /** Says that it takes a while; a run that is over sooner needs no such word. */
  begin(): Promise<void>
  settle(row: CardRow): Promise<void>
  /** Retires the records of earlier deployments, once this one is live. */
  retireOlder(extent: 'newest' | 'all'): Promise<void>
}

const none: RunRecord = {
  id: undefined,
  begin: async () => undefined,
  settle: async () => undefined,
  retireOlder: async () => undefined,
}

/** Opens the record, unless the runner makes one of its own because the job has an `environment`. */
export async function openRecord(deps: Deps, subject: RecordSubject, sha: string): Promise<RunRecord> {
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
  return {
    id,
    begin: async () => {
      await records.settle(id, { state: 'in_progress', logUrl: deps.context.runUrl }, production)
    },
    settle: async (row) => {
      await records.settle(id, finalStatus(row), production)
    },
    retireOlder: (extent) => records.retireOlder(task, id, extent),
  }
}
