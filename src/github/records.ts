import { z } from 'zod'
import type { Api } from './api.ts'
import type { Failure, Outcome } from './outcome.ts'

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
  readonly state: 'queued' | 'in_progress' | 'success' | 'failure' | 'error' | 'inactive'
  readonly environmentUrl?: string | undefined
  /** The run. */
  readonly logUrl?: string | undefined
  readonly description?: string | undefined
}

/** Names what is known about the run that asks whether its job has an `environment` of its own. */
export interface OwnRun {
  readonly runId: number
  /** Commits that the runner may have recorded: the source commit and `github.sha`. */
  readonly shas: readonly string[]
}

export interface Records {
  /** Whether the runner has made a deployment record for this run, as it does when the job has an `environment`. One or two calls. */
  jobHasEnvironment(run: OwnRun): Promise<boolean>
  /** Undefined when it could not be made; that has then been warned about. */
  open(record: NewRecord): Promise<number | undefined>
  /** `true` when it was written. For production a success makes the records before it inactive. */
  settle(id: number, status: RecordStatus, production: boolean): Promise<boolean>
  /**
   * Makes older records of this task inactive. `newest` when the deployment before this one succeeded: then only that
   * one can be active and two calls do; `all` asks each for its state.
   */
  retireOlder(task: string, keepId: number, extent: 'newest' | 'all'): Promise<void>
  /** Makes all records of this task inactive and deletes them. What is left is returned; undefined when they could not be listed. */
  remove(task: string): Promise<{ readonly removed: number; readonly left: number } | undefined>
}

const recordSchema = z.object({ id: z.number(), sha: z.string(), task: z.string() })
const statusSchema = z.object({ state: z.string(), log_url: z.string().nullish(), target_url: z.string().nullish() })

// GitHub's limit for the description of a status.
const MAX_DESCRIPTION_CHARS = 140
const ROUTE = '/repos/{owner}/{repo}/deployments'

/** Opens the deployment records of a repository. */
export function openRecords(api: Api, warning: (message: string) => void): Records {
  const calls = recordCalls(api)

  function succeeded(outcome: Outcome<unknown>, what: string): boolean {
    if (!outcome.ok) warnUnlessPermission(warning, outcome, what)
    return outcome.ok
  }

  async function isActive(id: number): Promise<boolean> {
    const statuses = await calls.statuses(id)
    const [latest] = statuses.ok ? statuses.data : []
    return latest?.state !== 'inactive' && latest?.state !== 'failure' && latest?.state !== 'error'
  }

  return {
    async jobHasEnvironment({ runId, shas }) {
      const listed = await calls.list({ task: 'deploy' })
      const candidates = listed.ok ? listed.data.filter((record) => shas.includes(record.sha)) : []
      for (const candidate of candidates.slice(0, 3)) {
        const statuses = await calls.statuses(candidate.id)
        const links = statuses.ok ? statuses.data.map((status) => status.log_url || status.target_url || '') : []
        if (links.some((link) => new RegExp(`/runs/${runId}(/|$)`).test(link))) return true
      }
      return false
    },

    async open(record) {
      const created = await calls.create(record)
      if (created.ok) return created.data.id
      if (created.problem === 'unreachable') {
        // The answer was lost, not necessarily the record.
        const listed = await calls.list({ task: record.task, sha: record.sha })
        const [found] = listed.ok ? listed.data : []
        if (found !== undefined) return found.id
      }
      warnUnlessPermission(warning, created, 'make a deployment record')
      return undefined
    },

    async settle(id, status, production) {
      return succeeded(await calls.addStatus(id, status, production), `set deployment record ${id} to ${status.state}`)
    },

    async retireOlder(task, keepId, extent) {
      const listed = await calls.list({ task })
      if (!succeeded(listed, 'read the deployment records') || !listed.ok) return
      const older = listed.data.filter((record) => record.id < keepId && record.task === task)
      for (const record of extent === 'newest' ? older.slice(0, 1) : older) {
        if (extent === 'newest' || (await isActive(record.id))) {
          const outcome = await calls.addStatus(record.id, { state: 'inactive' }, false)
          if (!succeeded(outcome, `set deployment record ${record.id} to inactive`)) return
        }
      }
    },

    async remove(task) {
      const listed = await calls.listAll(task)
      if (!succeeded(listed, 'read the deployment records') || !listed.ok) return undefined
      let removed = 0
      for (const record of listed.data) {
        // GitHub deletes only what is inactive.
        await calls.addStatus(record.id, { state: 'inactive' }, false)
        const deleted = await calls.remove(record.id)
        if (deleted.ok || deleted.problem === 'not-found') removed++
        else if (!succeeded(deleted, `delete deployment record ${record.id}`)) break
      }
      return { removed, left: listed.data.length - removed }
    },
  }
}

function recordCalls(api: Api) {
  const reads = { permission: 'deployments', access: 'read', purpose: 'read deployment records' } as const
  const writes = { permission: 'deployments', access: 'write', purpose: 'write deployment records' } as const
  const records = z.array(recordSchema)
  return {
    list: (filter: { readonly task: string; readonly sha?: string }) =>
      api.call({ ...reads, route: `GET ${ROUTE}`, params: { ...filter, per_page: 100 }, schema: records }),

    listAll: (task: string) => api.pages({ ...reads, route: `GET ${ROUTE}`, params: { task }, schema: records }),

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
        schema: z.object({ id: z.number() }),
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

function warnUnlessPermission(warning: (message: string) => void, failure: Failure, what: string): void {
  if (failure.problem === 'missing-permission') return
  const said = `${failure.status === undefined ? '' : `${failure.status} `}${failure.message}`
  warning(`Could not ${what} (GitHub: ${said}). The deployment itself is not affected.`)
}
