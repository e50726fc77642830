import { createHash } from 'node:crypto'
import type { RecordStatus } from '../github/records.ts'
import type { Place } from '../plan/event.ts'
import { environmentName, nameIn, placeName, previewName, serviceName as productionName } from '../plan/names.ts'
import type { CardRow, RowStatus } from '../report/model.ts'
import type { Deps } from './run.ts'

/** What a deployment record is made for. */
export interface RecordSubject {
  readonly place: Pick<Place, 'project' | 'workspace' | 'repository' | 'environment'>
  readonly serviceName: string
  readonly pullRequest: number | undefined
}

/**
 * The task by which the records of one service are found again. All previews share one environment, because one of their
 * own each could never be deleted with a workflow's token; the task tells them apart, and several services of one
 * repository as well.
 */
export function recordTask({ place, serviceName, pullRequest }: RecordSubject): string {
  const base = productionName(undefined, place.repository.madeAs ?? place.repository)
  const { environment } = place
  const usual = pullRequest === undefined ? nameIn(environment, base) : previewName(base, pullRequest)
  const beside = environment === undefined ? 'ink-production' : `ink-env-${environment}`
  const task = pullRequest === undefined ? beside : `ink-preview-pr-${pullRequest}`
  const named = serviceName === usual ? task : `${task}:${serviceName}`
  const where = placeName(place)
  return bounded(where === undefined ? named : `${named}@${where}`)
}

/** The pull request that a task of {@link recordTask} is about; undefined for all others. */
export function pullRequestOfTask(task: string): number | undefined {
  const [, number] = /^ink-preview-pr-(\d+)(?:[:@]|$)/.exec(task) ?? []
  return number === undefined ? undefined : Number(number)
}

// GitHub's limit for a task.
const longestTask = 128

function bounded(task: string): string {
  if (task.length <= longestTask) return task
  const hash = createHash('sha256').update(task).digest('hex').slice(0, 16)
  return `${task.slice(0, longestTask - hash.length - 1)}~${hash}`
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
export function finalStatus({ status, url, reason, diagnosis, runUrl }: CardRow): RecordStatus {
  const state = ended[status] ?? 'error'
  const environmentUrl = state === 'success' && url ? { environmentUrl: url } : {}
  return { state, logUrl: runUrl, description: reason ?? diagnosis?.cause ?? status, ...environmentUrl }
}

/** The GitHub deployment record of this run. */
export interface RunRecord {
  readonly id: number
  /** Says that the run is at work on it. */
  underWay(): Promise<unknown>
  settle(row: CardRow): Promise<unknown>
  /** Retires the records of earlier deployments, once this one is live; `live` is the commit that was before, if known. */
  retireOlder(live: string | undefined): Promise<void>
}

/** Opens the record, unless none is wanted or the runner makes one of its own because the job has an `environment`. */
export async function openRecord(deps: Deps, subject: RecordSubject, sha: string): Promise<RunRecord | undefined> {
  const { records } = deps.github
  if (deps.settings.deploymentRecord === 'false') return undefined
  const auto = deps.settings.deploymentRecord === 'auto'
  const { runId, runnerName, runUrl: logUrl } = deps.context
  if (auto && (await records.jobHasEnvironment({ runId, shas: [sha, deps.context.sha], runnerName }))) return undefined
  const named = subject.place.environment
  const production = subject.pullRequest === undefined && named === undefined
  const task = recordTask(subject)
  const environment = environmentName(subject.pullRequest, named)
  const id = await records.open({ environment, task, sha, production, description: `ml.ink: ${subject.serviceName}` })
  if (id === undefined) return undefined
  return {
    id,
    underWay: () => records.setStatus(id, { state: 'in_progress', logUrl }, production),
    settle: (row) => records.setStatus(id, finalStatus(row), production),
    retireOlder: (live) => records.retireOlder(task, id, live),
  }
}
