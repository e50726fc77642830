import { z } from 'zod'
import type { Api } from './api.ts'
import type { NewRecord, RecordStatus } from './records.ts'

/** The calls that deployment records need, with the fields that are relied on. */

const recordSchema = z.object({ id: z.number(), sha: z.string(), task: z.string() })
const statusSchema = z.object({ state: z.string(), log_url: z.string().nullish(), target_url: z.string().nullish() })

export type Listed = z.infer<typeof recordSchema>

export type ListedStatus = z.infer<typeof statusSchema>

/** Of a list that is read no further than its first page. */
export const PAGE_SIZE = 100
// GitHub's limit for the description of a status.
const MAX_DESCRIPTION_CHARS = 140
const ROUTE = '/repos/{owner}/{repo}/deployments'

/** Binds the calls to a repository. */
export function recordCalls(api: Api) {
  const reads = { permission: 'deployments', access: 'read', purpose: 'read deployment records' } as const
  const writes = { permission: 'deployments', access: 'write', purpose: 'write deployment records' } as const
  const records = z.array(recordSchema)
  return {
    list: (filter: { readonly task?: string; readonly sha?: string }) =>
      api.call({ ...reads, route: `GET ${ROUTE}`, params: { ...filter, per_page: PAGE_SIZE }, schema: records }),

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
