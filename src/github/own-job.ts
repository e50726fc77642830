import * as z from 'zod'
import type { Api } from './api.ts'

/** A status of a deployment record, as far as it tells whose job made it. */
interface JobStatus {
  readonly state: string
  readonly log_url?: string | null | undefined
  readonly target_url?: string | null | undefined
}

const jobsSchema = z.object({ jobs: z.array(z.object({ id: z.number(), runner_name: z.string().nullish() })) })

/**
 * Whether a record that a runner has made belongs to this very job, and not to another one of the same run. In doubt it
 * does: then the runner's own record is enough. At most one call.
 *
 * @param own `runnerName` is `RUNNER_NAME`, which no two jobs at work share
 */
export async function isOfThisJob(
  api: Api,
  statuses: readonly JobStatus[],
  own: { readonly runId: number; readonly runnerName: string },
): Promise<boolean> {
  if (!isOfRun(statuses, own.runId)) return false
  const ids = statuses.flatMap((status) => jobIn(linkOf(status)) ?? [])
  if (ids.length === 0 || own.runnerName === '') return true
  const jobs = await api.call({
    route: 'GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs',
    params: { run_id: own.runId, per_page: 100 },
    schema: jobsSchema,
    permission: 'actions',
    access: 'read',
    purpose: 'tell the jobs of this run apart',
    silent: true,
  })
  const job = jobs.ok ? jobs.data.jobs.find(({ id }) => ids.includes(id)) : undefined
  return !job?.runner_name || job.runner_name === own.runnerName
}

/**
 * Whether a job of this run that is still at work made the record. Its statuses link to
 * `…/actions/runs/<run>/job/<job>`; older GitHub Enterprise Servers link to `…/runs/<job>?check_suite_focus=true`, which
 * does not name the run, so there any job at work on this commit counts.
 */
function isOfRun(statuses: readonly JobStatus[], runId: number): boolean {
  const [latest] = statuses
  if (latest === undefined || ['success', 'failure', 'error', 'inactive'].includes(latest.state)) return false
  return statuses
    .map(linkOf)
    .some(
      (link) => new RegExp(`/actions/runs/${runId}(/|$)`).test(link) || /\/runs\/\d+\?check_suite_focus=/.test(link),
    )
}

function linkOf({ log_url: log, target_url: target }: JobStatus): string {
  return log || target || ''
}

function jobIn(link: string): number | undefined {
  const [, id] = /\/actions\/runs\/\d+\/job\/(\d+)/.exec(link) ?? []
  return id === undefined ? undefined : Number(id)
}
