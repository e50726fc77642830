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
    jobs: [job],
  }
  repository.runs.set(run.id, run)
  const logUrl = `${options.serverUrl}/${repository.fullName}/actions/runs/${run.id}/job/${job.id}`
  const deployment = options.environment === undefined ? undefined : openRecord(repository, run, options.environment)
  const setState = (state: 'in_progress' | 'success' | 'failure') => {
    if (!deployment) return
    const facts = { state, description: '', environment: undefined, environmentUrl: '', logUrl, autoInactive: true }
    repository.deploymentRecords.addStatus(deployment, facts, ACTIONS_BOT)
  }
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
