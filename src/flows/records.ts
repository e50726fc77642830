import { createHash } from 'node:crypto'
import type { GitHub } from '../github/github.ts'
import type { RecordStatus } from '../github/records.ts'
import type { Place } from '../plan/context.ts'
import { environmentName, nameIn, placeName, previewName, serviceName as productionName } from '../plan/names.ts'
import type { CommentMode } from '../plan/settings.ts'
import { cardOf, foldCard } from '../report/comments.ts'
import type { CardRow, RowStatus, Surroundings } from '../report/model.ts'
import { decodeState } from '../report/state.ts'
import type { Deps, NamedService, OpenDeployment } from './run.ts'

/** What a deployment record is made for. */
export interface RecordSubject extends NamedService {
  readonly place: Pick<Place, 'project' | 'workspace' | 'repository' | 'environment'>
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
  const target = pullRequest === undefined ? beside : `ink-preview-pr-${pullRequest}`
  const named = serviceName === usual ? target : `${target}:${serviceName}`
  const where = placeName(place)
  const task = where === undefined ? named : `${named}@${where}`
  if (task.length <= longestTask) return task
  const hash = createHash('sha256').update(task).digest('hex').slice(0, 16)
  return `${task.slice(0, longestTask - hash.length - 1)}~${hash}`
}

// GitHub's limit.
const longestTask = 128

/** The pull request that a task of {@link recordTask} is about; undefined for all others. */
export function pullRequestOfTask(task: string): number | undefined {
  const [, number] = /^ink-preview-pr-(\d+)(?:[:@]|$)/.exec(task) ?? []
  return number === undefined ? undefined : Number(number)
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
function finalStatus({ status, url, reason, diagnosis, runUrl }: CardRow): RecordStatus {
  const state = ended[status] ?? 'error'
  const environmentUrl = state === 'success' && url ? { environmentUrl: url } : {}
  return { state, logUrl: runUrl, description: reason ?? diagnosis?.cause ?? status, ...environmentUrl }
}

/**
 * The GitHub deployment record of this run. None is made where none is wanted, nor where the runner makes one of its own
 * because the job has an `environment`; then there is nothing to set. Makes no call yet.
 */
export function openRecord({ github: { records }, settings, context, output }: Deps, subject: RecordSubject) {
  const { serviceName, pullRequest, place } = subject
  const production = pullRequest === undefined && place.environment === undefined
  const task = recordTask(subject)
  let id: number | undefined
  let isKnown = false
  const make = async (sha: string) => {
    const { deploymentRecord } = settings
    if (deploymentRecord === 'false') return undefined
    const { runId, runnerName } = context
    const job = { runId, shas: [sha, context.sha], runnerName }
    if (deploymentRecord === 'auto' && (await records.jobHasEnvironment(job))) return undefined
    const environment = environmentName(pullRequest, place.environment)
    return await records.open({ environment, task, sha, production, description: `ml.ink: ${serviceName}` })
  }
  const set = async (status: RecordStatus) => id !== undefined && records.setStatus(id, status, production)
  return {
    open: async (sha: string): Promise<void> => {
      id = await make(sha)
      isKnown = true
      if (id !== undefined) output('deployment-id', id)
    },
    /** Says that the run is at work on it. */
    underWay: () => set({ state: 'in_progress', logUrl: context.runUrl }),
    settle: (row: CardRow) => set(finalStatus(row)),
    /** Retires the records of earlier deployments, once this one is live; `live` is the commit that was before, if known. */
    retireOlder: async (live: string | undefined) => id !== undefined && records.retireOlder(task, id, live),
    /** By what the post step finds it. Until GitHub has answered, it may have made one whose id nobody knows. */
    remains: (sha: string) => ({ deploymentId: id, recordOf: isKnown ? undefined : { task, sha } }),
  }
}

interface SettleDeps {
  readonly github: Pick<GitHub, 'comments' | 'records' | 'pullRequests'>
  readonly surroundingsOf: (pullRequest: number) => Surroundings
  readonly comment: CommentMode
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * Brings comments and deployment records of what was cut short into their true state: superseded when the pull request has
 * a newer head, else cancelled. All of it at once, as the runner gives a post step little time.
 * @returns the states that were written; what was remembered and cannot be read has none
 */
export async function finishInterrupted(all: readonly OpenDeployment[], deps: SettleDeps): Promise<CardRow[]> {
  const updatedAt = new Date(deps.now).toISOString()
  const { pullRequests } = deps.github
  const asked = new Map<number, ReturnType<typeof pullRequests.get>>()
  const stateOf = (number: number) => {
    const state = asked.get(number) ?? pullRequests.get(number)
    asked.set(number, state)
    return state
  }
  const endOf = async (row: CardRow, { pullRequest }: OpenDeployment): Promise<Partial<CardRow>> => {
    // It had come to its end, and was killed while saying so.
    if (row.status !== 'building') return {}
    const now = pullRequest === undefined ? undefined : await stateOf(pullRequest)
    const head = typeof now === 'object' ? now.head.sha : row.commit
    return head === row.commit
      ? { status: 'cancelled', reason: 'The run was cancelled' }
      : { status: 'superseded', supersededBy: head, reason: 'The run was cancelled because a newer commit was pushed' }
  }
  const found = all.flatMap((open) => (decodeState(open.row) ?? []).slice(0, 1).map((row) => ({ row, open })))
  const settled = await Promise.all(
    found.map(async ({ row, open }) => ({
      open,
      row: { ...row, ...(await endOf(row, open)), phase: undefined, updatedAt },
    })),
  )
  const numbers = [...new Set(settled.flatMap(({ open }) => open.pullRequest ?? []))]
  const rowsOf = (number: number) => settled.flatMap(({ open, row }) => (open.pullRequest === number ? [row] : []))
  await Promise.all([
    ...numbers.map((number) => settleCard(rowsOf(number), number, deps)),
    ...settled.map(({ row, open }) => settleRecord(row, open, deps.github)),
  ])
  return settled.map(({ row }) => row)
}

async function settleCard(
  rows: readonly CardRow[],
  pullRequest: number,
  { github, surroundingsOf, comment }: SettleDeps,
): Promise<void> {
  if (comment === 'none') return
  const surroundings = surroundingsOf(pullRequest)
  const fold = (bodies: readonly string[]) => foldCard(bodies, rows, surroundings)
  // A removal does not know the commit, and has nothing to say where there is no card.
  const create = comment === 'sticky' && rows.some(({ commit }) => commit !== '')
  await github.comments.upsert({ ...cardOf(surroundings, pullRequest), fold, create })
}

async function settleRecord(
  row: CardRow,
  { deploymentId, recordOf, pullRequest }: OpenDeployment,
  { records }: SettleDeps['github'],
): Promise<void> {
  if (row.status === 'removed') return
  const id = deploymentId ?? (recordOf && (await records.unfinished(recordOf.task, recordOf.sha)))
  if (id !== undefined) await records.setStatus(id, finalStatus(row), pullRequest === undefined)
}
