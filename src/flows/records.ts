import { createHash } from 'node:crypto'
import type { RecordStatus } from '../github/records.ts'
import { environmentName, nameIn, placeName, previewName, serviceName as productionName } from '../plan/names.ts'
import type { Place } from '../plan/plan.ts'
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

/** One GitHub deployment record of this run: queued, in progress, and how it ended. */
export interface RunRecord {
  readonly id: number | undefined
  /** From now on it says how far the run is; one that is over soon needs only its last word. */
  takesTime(): void
  /** The platform is at work on it. */
  underWay(): void
  settle(row: CardRow): Promise<void>
  /** Retires the records of earlier deployments, once this one is live; `live` is the commit that was before, if known. */
  retireOlder(live: string | undefined): Promise<void>
}

const none: RunRecord = {
  id: undefined,
  takesTime: () => undefined,
  underWay: () => undefined,
  settle: async () => undefined,
  retireOlder: async () => undefined,
}

/** Opens the record, unless the runner makes one of its own because the job has an `environment`. */
export async function openRecord(deps: Deps, subject: RecordSubject, sha: string): Promise<RunRecord> {
  const { records } = deps.github
  if (deps.settings.deploymentRecord === 'false') return none
  const auto = deps.settings.deploymentRecord === 'auto'
  const { runId, runnerName } = deps.context
  if (auto && (await records.jobHasEnvironment({ runId, shas: [sha, deps.context.sha], runnerName }))) return none
  const named = subject.place.environment
  const production = subject.pullRequest === undefined && named === undefined
  const task = recordTask(subject)
  const environment = environmentName(subject.pullRequest, named)
  const id = await records.open({ environment, task, sha, production, description: `ml.ink: ${subject.serviceName}` })
  if (id === undefined) return none
  const write = async (status: RecordStatus) => {
    await records.setStatus(id, status, production)
  }
  const logUrl = deps.context.runUrl
  const progress = progressWords((state) => write({ state, logUrl }))
  return {
    id,
    takesTime: progress.takesTime,
    underWay: progress.underWay,
    settle: async (row) => {
      await progress.end()
      await write(finalStatus(row))
    },
    retireOlder: (live) => records.retireOlder(task, id, live),
  }
}

/** Keeps the words on the way in their order: each is said once, none that another has overtaken, and none after the end. */
function progressWords(write: (state: 'queued' | 'in_progress') => Promise<void>) {
  const known = { lasting: false, working: false, over: false }
  const due = ['queued', 'in_progress'] as const
  let said = 0
  let written = Promise.resolve()
  const say = () => {
    const next = known.working ? 1 : 0
    const state = due[next]
    if (!known.lasting || known.over || state === undefined || next < said) return
    written = written.then(() => write(state))
    said = next + 1
  }
  return {
    takesTime: () => {
      known.lasting = true
      say()
    },
    underWay: () => {
      known.working = true
      say()
    },
    /** Resolves when all that was begun is written. */
    end: () => {
      known.over = true
      return written
    },
  }
}
