import * as z from 'zod'
import type { Api, CallOutcome } from './api.ts'
import { type Authorship, authorSchema } from './comments.ts'
import type { CallFailure } from './failures.ts'

/**
 * GitHub's deployment records, the "View deployment" box. All previews share one environment (one of their own each
 * could never be deleted with a workflow's token); the task tells them apart.
 */
export interface NewRecord {
  readonly environment: string
  /** Such as `ink-preview-pr-12`. */
  readonly task: string
  /** The source commit. Never a merge ref: the box would show up on no pull request. */
  readonly sha: string
  readonly production: boolean
  readonly description: string
}

export interface RecordStatus {
  readonly state: 'in_progress' | 'success' | 'failure' | 'error' | 'inactive'
  readonly environmentUrl?: string | undefined
  /** The run. */
  readonly logUrl?: string | undefined
  readonly description?: string | undefined
}

/** Names what is known about the run that asks whether its job has an `environment` of its own. */
interface OwnRun {
  readonly runId: number
  /** Commits that the runner may have recorded: the source commit and `github.sha`. */
  readonly shas: readonly string[]
  /** `RUNNER_NAME`, by which the job of this run is told from the others; empty when it is not known. */
  readonly runnerName: string
}

// GitHub allows some 80 writes a minute (docs.github.com, rate limits for the REST API); a comment is to come as well.
const MOST_WRITES = 60

// What the runner writes into the records it makes for a job's `environment`.
const RUNNER_TASK = 'deploy'
// The environment of jobs that publish to GitHub Pages, and of no other.
const PAGES = 'github-pages'

const recordSchema = z.object({ id: z.number(), sha: z.string(), task: z.string(), environment: z.string().nullish() })
const statusSchema = z.object({ state: z.string(), log_url: z.string().nullish(), target_url: z.string().nullish() })

type Listed = z.infer<typeof recordSchema>
type Status = z.infer<typeof statusSchema>
type Filter = Partial<Pick<NewRecord, 'task' | 'sha' | 'environment'>>

/** Of a list that is read no further than its first page. */
const PAGE_SIZE = 100
// GitHub's limit for the description of a status.
const MAX_DESCRIPTION_CHARS = 140
const ROUTE = '/repos/{owner}/{repo}/deployments'
const records = { permission: 'deployments', ability: 'deployment-records' } as const
const reads = { ...records, purpose: 'read deployment records' } as const
const writes = { ...records, purpose: 'write deployment records' } as const

/** Opens the deployment records of a repository. */
export function openRecords(api: Api, authorship: Authorship) {
  let recent: Promise<CallOutcome<readonly Listed[]>> | undefined

  const warn = (failure: CallFailure, what: string) => api.warn(failure, what, 'The deployment itself is not affected.')

  function succeeded<T>(outcome: CallOutcome<T>, what: string): outcome is { ok: true; data: T } {
    if (!outcome.ok) warn(outcome, what)
    return outcome.ok
  }

  /** The newest first, a hundred at most. */
  const list = (filter: Filter): Promise<CallOutcome<readonly Listed[]>> =>
    api.call(reads, `GET ${ROUTE}`, { ...filter, per_page: PAGE_SIZE }, z.array(recordSchema))

  async function all(filter: Filter) {
    const listed = await api.pages(reads, `GET ${ROUTE}`, filter, recordSchema)
    return succeeded(listed, 'read the deployment records') ? listed.data : undefined
  }

  /** The newest first; none where they could not be read. */
  async function ofCommit(task: string, sha: string): Promise<readonly Listed[]> {
    const listed = await list({ task, sha })
    return listed.ok ? listed.data : []
  }

  /** The newest first; undefined where they could not be read. */
  async function statusesOf({ id }: Listed): Promise<readonly Status[] | undefined> {
    const params = { deployment_id: id, per_page: 30 }
    const statuses = await api.call(reads, `GET ${ROUTE}/{deployment_id}/statuses`, params, z.array(statusSchema))
    return statuses.ok ? statuses.data : undefined
  }

  const statesOf = async (record: Listed) => (await statusesOf(record))?.map(({ state }) => state)

  /** Newest first. Whoever has asked for the environment of the job has the newest hundred of all tasks already. */
  async function olderOf(task: string, keepId: number): Promise<readonly Listed[]> {
    const isOlder = (record: Listed) => record.task === task && record.id < keepId
    const known = recent === undefined ? undefined : await recent
    if (known?.ok === true && (known.data.length < PAGE_SIZE || known.data.some(isOlder)))
      return known.data.filter(isOlder)
    const listed = await list({ task })
    return succeeded(listed, 'read the deployment records') ? listed.data.filter(isOlder) : []
  }

  function addStatus(deployment_id: number, status: RecordStatus, production: boolean) {
    const { state, environmentUrl, logUrl, description } = status
    const params = {
      deployment_id,
      state,
      // In the shared environment it would retire the previews of other pull requests.
      auto_inactive: production && state === 'success',
      ...(environmentUrl !== undefined && { environment_url: environmentUrl }),
      ...(logUrl !== undefined && { log_url: logUrl }),
      ...(description !== undefined && { description: description.slice(0, MAX_DESCRIPTION_CHARS) }),
    }
    const repeated = { ...writes, repeatable: true }
    return api.call(repeated, `POST ${ROUTE}/{deployment_id}/statuses`, params, z.unknown())
  }

  const retire = ({ id }: Listed) => addStatus(id, { state: 'inactive' }, false)

  /**
   * Whether a record that a runner has made belongs to this very job, and not to another one of the same run. In doubt it
   * does: then the runner's own record is enough. At most one call.
   */
  async function isOfThisJob(statuses: readonly Status[], { runId, runnerName }: OwnRun): Promise<boolean> {
    if (!isOfRun(statuses, runId)) return false
    const ids = statuses.flatMap((status) => jobIn(linkOf(status)) ?? [])
    if (ids.length === 0 || runnerName === '') return true
    const jobs = await api.call(
      { permission: 'actions', purpose: 'tell the jobs of this run apart', silent: true },
      'GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs',
      { run_id: runId, per_page: 100 },
      z.object({ jobs: z.array(z.object({ id: z.number(), runner_name: z.string().nullish() })) }),
    )
    const job = jobs.ok ? jobs.data.jobs.find(({ id }) => ids.includes(id)) : undefined
    return !job?.runner_name || job.runner_name === runnerName
  }

  return {
    /**
     * Whether the runner has made a deployment record for this very job, as it does when the job has an `environment`; that
     * of another job of the run, which publishes pages say, is none. One to three calls.
     */
    async jobHasEnvironment(run: OwnRun): Promise<boolean> {
      recent ??= list({})
      const listed = await recent
      const made = (listed.ok ? listed.data : []).filter(
        ({ task, sha, environment }) => task === RUNNER_TASK && run.shas.includes(sha) && environment !== PAGES,
      )
      for (const candidate of made.slice(0, 3)) {
        const statuses = await statusesOf(candidate)
        if (statuses && (await isOfThisJob(statuses, run))) return true
      }
      return false
    },

    /** The tasks of all records of an environment; undefined when they could not be listed. */
    async tasksIn(environment: string): Promise<readonly string[] | undefined> {
      const tasks = (await all({ environment }))?.map(({ task }) => task)
      return tasks && [...new Set(tasks)]
    },

    /** Undefined when it could not be made; that has then been warned about. */
    async open(record: NewRecord): Promise<number | undefined> {
      const { sha: ref, task, environment, production, description } = record
      const params = {
        ...{ ref, task, environment, description: description.slice(0, MAX_DESCRIPTION_CHARS) },
        transient_environment: !production,
        production_environment: production,
        // The base branch must not be merged in, and our own check, still running, must not stand in the way.
        auto_merge: false,
        required_contexts: [],
      }
      const schema = z.object({ id: z.number(), creator: authorSchema.nullish().catch(undefined) })
      const created = await api.call(writes, `POST ${ROUTE}`, params, schema)
      if (created.ok) {
        authorship.learn(created.data.creator)
        return created.data.id
      }
      // The answer was lost, not necessarily the record.
      const [found] = created.problem === 'unreachable' ? await ofCommit(task, ref) : []
      return found ? found.id : warn(created, 'make a deployment record')
    },

    /** `true` when it was written. */
    async setStatus(id: number, status: RecordStatus, production: boolean): Promise<boolean> {
      return succeeded(await addStatus(id, status, production), `set deployment record ${id} to ${status.state}`)
    },

    /**
     * Makes older records of this task inactive, which GitHub does by itself neither for production nor for transient
     * environments (https://docs.github.com/rest/deployments/deployments#inactive-deployments).
     * @param live the commit that was live before, where the platform tells: then its record is the active one, and one
     *   call does. Else each is asked for its state, back to the last retired one.
     */
    async retireOlder(task: string, keepId: number, live: string | undefined): Promise<void> {
      const older = await olderOf(task, keepId)
      const known = older.find(({ sha }) => sha === live)
      for (const record of known ? [known] : older) {
        const states = known ? ['success'] : ((await statesOf(record)) ?? [])
        // Each success retires what came before it, so behind one that is retired there is nothing left to do. What never was a
        // success, of a run that was superseded say, tells nothing of those before it.
        const [state] = states
        if (state === 'inactive' && states.includes('success')) return
        if (state === 'inactive' || state === 'failure' || state === 'error') continue
        if (!succeeded(await retire(record), `set deployment record ${record.id} to inactive`)) return
      }
    },

    /** Whether the deployment of a commit worked, by its newest record; undefined where none tells. One or two calls. */
    async outcomeOf(task: string, sha: string): Promise<'worked' | 'failed' | undefined> {
      const [newest] = await ofCommit(task, sha)
      const states = (newest && (await statesOf(newest))) ?? []
      if (states.includes('success')) return 'worked'
      return states.some((state) => state === 'failure' || state === 'error') ? 'failed' : undefined
    },

    /** The newest record of a commit that has come to no end. One to three calls. */
    async unfinished(task: string, sha: string): Promise<number | undefined> {
      for (const record of (await ofCommit(task, sha)).slice(0, 2)) {
        const [newest = 'none'] = (await statesOf(record)) ?? ['unknown']
        if (newest === 'none' || newest === 'in_progress') return record.id
      }
      return undefined
    },

    /**
     * Makes the records of this task inactive and deletes them, the newest first, as many as GitHub's limits for writing
     * allow at a time. How many are left is returned; undefined when they could not be listed.
     */
    async remove(task: string): Promise<{ readonly removed: number; readonly left: number } | undefined> {
      const found = await all({ task })
      if (!found) return undefined
      let removed = 0
      let writesLeft = MOST_WRITES
      for (const record of found) {
        if (writesLeft <= 0) break
        // GitHub deletes only what is inactive, and reading costs nothing of what may be written.
        if ((await statesOf(record))?.[0] !== 'inactive') {
          writesLeft--
          await retire(record)
        }
        writesLeft--
        const params = { deployment_id: record.id }
        const deleted = await api.call(writes, `DELETE ${ROUTE}/{deployment_id}`, params, z.unknown())
        if (deleted.ok || deleted.problem === 'not-found') removed++
        else if (!succeeded(deleted, `delete deployment record ${record.id}`)) break
      }
      return { removed, left: found.length - removed }
    },
  }
}

/**
 * Whether a job of this run that is still at work made the record. Its statuses link to
 * `…/actions/runs/<run>/job/<job>`; older GitHub Enterprise Servers link to `…/runs/<job>?check_suite_focus=true`, which
 * does not name the run, so there any job at work on this commit counts.
 */
function isOfRun(statuses: readonly Status[], runId: number): boolean {
  const [latest] = statuses
  if (latest === undefined || ['success', 'failure', 'error', 'inactive'].includes(latest.state)) return false
  const ofRun = new RegExp(`/actions/runs/${runId}(/|$)|/runs/\\d+\\?check_suite_focus=`)
  return statuses.some((status) => ofRun.test(linkOf(status)))
}

function linkOf({ log_url: log, target_url: target }: Status): string {
  return log || target || ''
}

function jobIn(link: string): number | undefined {
  const [, id] = /\/actions\/runs\/\d+\/job\/(\d+)/.exec(link) ?? []
  return id === undefined ? undefined : Number(id)
}
