import type { Deployment, Repository, WorkflowJob, WorkflowRun } from '../github/github.ts'
import { ACTIONS_BOT } from '../github/state/model.ts'
import type { JobStatus } from './expression.ts'
import type { JobContext, RunNumbers } from './job-context.ts'

export interface RunRecord {
  readonly run: WorkflowRun
  readonly job: WorkflowJob
  /** Writes the end of the job into the run and, when the job has an environment, into its deployment record. */
  finish(conclusion: JobStatus): void
}

export interface RunRecordOptions extends RunNumbers {
  readonly environment: string | undefined
  readonly otherJobs: readonly { readonly name: string; readonly environment?: string }[]
  readonly serverUrl: string
  readonly now: Date
}

/**
 * Makes the run and its job visible in the API. A job with an `environment` gets a deployment record from GitHub itself: by
 * `github-actions[bot]`, for the head commit, in progress while the job runs.
 */
export function recordRun(repository: Repository, context: JobContext, options: RunRecordOptions): RunRecord {
  const pull = context.event.payload.pull_request as { head: { sha: string; ref: string } } | undefined
  const headSha = pull?.head.sha ?? context.sha
  const job: WorkflowJob = {
    id: options.runId * 10 + options.runAttempt,
    name: options.jobName,
    status: 'in_progress',
    conclusion: null,
    startedAt: options.now,
    completedAt: undefined,
  }
  const run: WorkflowRun = {
    id: options.runId,
    number: options.runNumber,
    attempt: options.runAttempt,
    name: options.workflow.name,
    path: options.workflow.path,
    event: context.event.name,
    headBranch: pull?.head.ref ?? context.ref.replace(/^refs\/(heads|tags)\//, ''),
    headSha,
    actor: repository.user(context.actor),
    createdAt: options.now,
    jobs: [],
    start: { payload: context.event.payload, sha: context.sha, ref: context.ref },
  }
  for (const [index, other] of options.otherJobs.entries()) {
    const id = options.runId * 1000 + index
    run.jobs.push({
      ...job,
      id,
      name: other.name,
      status: 'completed',
      conclusion: 'success',
      completedAt: options.now,
    })
    const track = trackEnvironment(repository, run, options, id, other.environment)
    track('in_progress')
    track('success')
  }
  run.jobs.push(job)
  repository.runs.set(run.id, run)
  const setState = trackEnvironment(repository, run, options, job.id, options.environment)
  setState('in_progress')
  return {
    run,
    job,
    finish(conclusion) {
      job.status = 'completed'
      job.conclusion = conclusion
      job.completedAt = new Date()
      setState(conclusion === 'success' ? 'success' : 'failure')
    },
  }
}

/** Opens a record for a job's environment, if it has one, and returns how to say how the job goes. */
function trackEnvironment(
  repository: Repository,
  run: WorkflowRun,
  options: RunRecordOptions,
  jobId: number,
  environment: string | undefined,
) {
  const logUrl = `${options.serverUrl}/${repository.fullName}/actions/runs/${run.id}/job/${jobId}`
  const deployment = environment === undefined ? undefined : openRecord(repository, run, environment)
  return (state: 'in_progress' | 'success' | 'failure') => {
    if (!deployment) return
    const facts = { state, description: '', environment: undefined, environmentUrl: '', logUrl, autoInactive: true }
    repository.deploymentRecords.addStatus(deployment, facts, ACTIONS_BOT)
  }
}

function openRecord(repository: Repository, run: WorkflowRun, environment: string): Deployment {
  return repository.deploymentRecords.create(
    {
      sha: run.headSha,
      ref: run.headBranch,
      task: 'deploy',
      environment,
      description: null,
      payload: {},
      transientEnvironment: false,
      // So it is on records that GitHub Actions makes, whatever the environment's name.
      productionEnvironment: false,
    },
    ACTIONS_BOT,
  )
}
