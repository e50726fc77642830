import * as z from 'zod'
import type { Api, CallOutcome } from './api.ts'
import type { CallFailure } from './failures.ts'
import { isOfThisJob } from './own-job.ts'
import { type Authorship, authorSchema } from './token.ts'

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

export interface Records {
  /**
   * Whether the runner has made a deployment record for this very job, as it does when the job has an `environment`; that
   * of another job of the run, which publishes pages say, is none. One to three calls.
   */
  jobHasEnvironment(run: OwnRun): Promise<boolean>
  /** Undefined when it could not be made; that has then been warned about. */
  open(record: NewRecord): Promise<number | undefined>
  /** `true` when it was written. */
  setStatus(id: number, status: RecordStatus, production: boolean): Promise<boolean>
  /**
   * Makes older records of this task inactive, which GitHub does by itself neither for production nor for transient
   * environments (https://docs.github.com/rest/deployments/deployments#inactive-deployments).
   * @param live the commit that was live before, where the platform tells: then its record is the active one, and one call
   *   does. Else each is asked for its state, back to the last retired one.
   */
  retireOlder(task: string, keepId: number, live: string | undefined): Promise<void>
  /** Whether the deployment of a commit worked, by its newest record; undefined where none tells. One or two calls. */
  outcomeOf(task: string, sha: string): Promise<'worked' | 'failed' | undefined>
  /** The newest record of a commit that has come to no end. One to three calls. */
  unfinished(task: string, sha: string): Promise<number | undefined>
  /** The tasks of all records of an environment; undefined when they could not be listed. */
  tasksIn(environment: string): Promise<readonly string[] | undefined>
  /**
   * Makes the records of this task inactive and deletes them, the newest first, as many as GitHub's limits for writing
   * allow at a time. How many are left is returned; undefined when they could not be listed.
   */
  remove(task: string): Promise<{ readonly removed: number; readonly left: number } | undefined>
}

// GitHub allows some 80 writes a minute (docs.github.com, rate limits for the REST API); a comment is to come as well.
const MOST_WRITES = 60

// What the runner writes into the records it makes for a job's `environment`.
const RUNNER_TASK = 'deploy'
// The environment of jobs that publish to GitHub Pages, and of no other.
const PAGES = 'github-pages'

/** Opens the deployment records of a repository. */
export function openRecords(api: Api, authorship: Authorship): Records {
  const calls = recordCalls(api)
  let recent: Promise<CallOutcome<readonly Listed[]>> | undefined

  const warn = (failure: CallFailure, what: string) => api.warn(failure, what, 'The deployment itself is not affected.')

  function succeeded<T>(outcome: CallOutcome<T>, what: string): outcome is { ok: true; data: T } {
    if (!outcome.ok) warn(outcome, what)
    return outcome.ok
  }

  const listRecent = (): Promise<CallOutcome<readonly Listed[]>> => {
    recent ??= calls.list({})
    return recent
  }

  async function all(filter: { readonly task: string } | { readonly environment: string }) {
    const listed = await calls.listAll(filter)
    return succeeded(listed, 'read the deployment records') ? listed.data : undefined
  }

  /** The newest first; none where they could not be read. */
  async function ofCommit(task: string, sha: string): Promise<readonly Listed[]> {
    const listed = await calls.list({ task, sha })
    return listed.ok ? listed.data : []
  }

  /** The newest first; undefined where they could not be read. */
  async function statesOf({ id }: Listed): Promise<readonly string[] | undefined> {
    const statuses = await calls.statuses(id)
    return statuses.ok ? statuses.data.map(({ state }) => state) : undefined
  }

  /** Newest first. Whoever has asked for the environment of the job has the newest hundred of all tasks already. */
  async function olderOf(task: string, keepId: number): Promise<readonly Listed[]> {
    const isOlder = (record: Listed) => record.task === task && record.id < keepId
    const known = recent === undefined ? undefined : await recent
    if (known?.ok === true && (known.data.length < PAGE_SIZE || known.data.some(isOlder)))
      return known.data.filter(isOlder)
    const listed = await calls.list({ task })
    return succeeded(listed, 'read the deployment records') ? listed.data.filter(isOlder) : []
  }

  const retire = ({ id }: Listed) => calls.addStatus(id, { state: 'inactive' }, false)

  return {
    async jobHasEnvironment({ runId, shas, runnerName }) {
      const listed = await listRecent()
      const made = (listed.ok ? listed.data : []).filter(
        ({ task, sha, environment }) => task === RUNNER_TASK && shas.includes(sha) && environment !== PAGES,
      )
      for (const candidate of made.slice(0, 3)) {
        const statuses = await calls.statuses(candidate.id)
        if (statuses.ok && (await isOfThisJob(api, statuses.data, { runId, runnerName }))) return true
      }
      return false
    },

    async tasksIn(environment) {
      const tasks = (await all({ environment }))?.map(({ task }) => task)
      return tasks && [...new Set(tasks)]
    },

    async open(record) {
      const created = await calls.create(record)
      if (created.ok) {
        authorship.learn(created.data.creator)
        return created.data.id
      }
      // The answer was lost, not necessarily the record.
      const [found] = created.problem === 'unreachable' ? await ofCommit(record.task, record.sha) : []
      return found ? found.id : warn(created, 'make a deployment record')
    },

    async setStatus(id, status, production) {
      return succeeded(await calls.addStatus(id, status, production), `set deployment record ${id} to ${status.state}`)
    },

    async retireOlder(task, keepId, live) {
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

    async outcomeOf(task, sha) {
      const [newest] = await ofCommit(task, sha)
      const states = (newest && (await statesOf(newest))) ?? []
      if (states.includes('success')) return 'worked'
      return states.some((state) => state === 'failure' || state === 'error') ? 'failed' : undefined
    },

    async unfinished(task, sha) {
      for (const record of (await ofCommit(task, sha)).slice(0, 2)) {
        const [newest = 'none'] = (await statesOf(record)) ?? ['unknown']
        if (newest === 'none' || newest === 'in_progress') return record.id
      }
      return undefined
    },

    async remove(task) {
      const records = await all({ task })
      if (!records) return undefined
      let removed = 0
      let writes = 0
      for (const record of records) {
        if (writes >= MOST_WRITES) break
        // GitHub deletes only what is inactive, and reading costs nothing of what may be written.
        if ((await statesOf(record))?.[0] !== 'inactive') {
          writes++
          await retire(record)
        }
        writes++
        const deleted = await calls.remove(record.id)
        if (deleted.ok || deleted.problem === 'not-found') removed++
        else if (!succeeded(deleted, `delete deployment record ${record.id}`)) break
      }
      return { removed, left: records.length - removed }
    },
  }
}

const recordSchema = z.object({ id: z.number(), sha: z.string(), task: z.string(), environment: z.string().nullish() })
const statusSchema = z.object({ state: z.string(), log_url: z.string().nullish(), target_url: z.string().nullish() })

type Listed = z.infer<typeof recordSchema>

/** Of a list that is read no further than its first page. */
const PAGE_SIZE = 100
// GitHub's limit for the description of a status.
const MAX_DESCRIPTION_CHARS = 140
const ROUTE = '/repos/{owner}/{repo}/deployments'

/** Binds the calls to a repository. */
function recordCalls(api: Api) {
  const records = { permission: 'deployments', ability: 'deployment-records' } as const
  const reads = { ...records, access: 'read', purpose: 'read deployment records' } as const
  const writes = { ...records, access: 'write', purpose: 'write deployment records' } as const
  const schema = z.array(recordSchema)
  return {
    list: (filter: { readonly task?: string; readonly sha?: string }) =>
      api.call({ ...reads, route: `GET ${ROUTE}`, params: { ...filter, per_page: PAGE_SIZE }, schema }),

    listAll: (filter: { readonly task: string } | { readonly environment: string }) =>
      api.pages({ ...reads, route: `GET ${ROUTE}`, params: filter, schema }),

    statuses: (deployment_id: number) =>
      api.call({
        ...reads,
        route: `GET ${ROUTE}/{deployment_id}/statuses`,
        params: { deployment_id, per_page: 30 },
        schema: z.array(statusSchema),
      }),

    create: (record: NewRecord) =>
      api.call({
        ...writes,
        route: `POST ${ROUTE}`,
        params: {
          ref: record.sha,
          task: record.task,
          environment: record.environment,
          description: record.description.slice(0, MAX_DESCRIPTION_CHARS),
          transient_environment: !record.production,
          production_environment: record.production,
          // The base branch must not be merged in, and our own check, still running, must not stand in the way.
          auto_merge: false,
          required_contexts: [],
        },
        schema: z.object({ id: z.number(), creator: authorSchema.nullish().catch(undefined) }),
      }),

    addStatus: (deployment_id: number, status: RecordStatus, production: boolean) =>
      api.call({
        ...writes,
        route: `POST ${ROUTE}/{deployment_id}/statuses`,
        params: {
          deployment_id,
          state: status.state,
          // In the shared environment it would retire the previews of other pull requests.
          auto_inactive: production && status.state === 'success',
          ...(status.environmentUrl === undefined ? {} : { environment_url: status.environmentUrl }),
          ...(status.logUrl === undefined ? {} : { log_url: status.logUrl }),
          ...(status.description === undefined
            ? {}
            : { description: status.description.slice(0, MAX_DESCRIPTION_CHARS) }),
        },
        schema: z.unknown(),
        repeatable: true,
      }),

    remove: (deployment_id: number) =>
      api.call({
        ...writes,
        route: `DELETE ${ROUTE}/{deployment_id}`,
        params: { deployment_id },
        schema: z.unknown(),
        repeatable: true,
      }),
  }
}
