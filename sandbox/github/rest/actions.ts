import { notFound } from '../access.ts'
import type { WorkflowJob, WorkflowRun } from '../model.ts'
import { repositoryUrl } from '../render-issue.ts'
import { renderRepository, timestamp } from '../render-repository.ts'
import { nodeId, renderUser } from '../render-user.ts'
import { type Answer, type Call, type Handlers, pageOf } from './call.ts'

/** Workflow runs and their jobs. */
export const actions: Handlers = {
  'actions/get-workflow-run': (call) => ({ status: 200, body: renderRun(call, runOf(call)) }),
  'actions/list-jobs-for-workflow-run': listJobs,
  'actions/list-jobs-for-workflow-run-attempt': (call) => {
    if (runOf(call).attempt !== Number(call.params.attempt_number)) throw notFound()
    return listJobs(call)
  },
}

function listJobs(call: Call): Answer {
  const run = runOf(call)
  const { slice, headers } = pageOf(call, run.jobs)
  return {
    status: 200,
    headers,
    body: { total_count: run.jobs.length, jobs: slice.map((job) => renderJob(call, run, job)) },
  }
}

function runOf(call: Call): WorkflowRun {
  const run = call.repository.runs.get(Number(call.params.run_id))
  if (!run) throw notFound()
  return run
}

function renderRun(call: Call, run: WorkflowRun) {
  const { repository, world } = call
  const at = repositoryUrl(repository, world)
  const url = `${at}/actions/runs/${run.id}`
  const running = run.jobs.some((job) => job.status !== 'completed')
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('WFR', run.id),
    head_branch: run.headBranch,
    head_sha: run.headSha,
    path: run.path,
    display_title: run.name,
    run_number: run.number,
    run_attempt: run.attempt,
    event: run.event,
    status: running ? 'in_progress' : 'completed',
    conclusion: running ? null : (run.jobs.at(-1)?.conclusion ?? null),
    workflow_id: 1,
    check_suite_id: run.id,
    check_suite_node_id: nodeId('CS', run.id),
    url,
    html_url: `${repository.htmlUrl}/actions/runs/${run.id}`,
    pull_requests: [],
    created_at: timestamp(run.createdAt),
    updated_at: timestamp(run.createdAt),
    run_started_at: timestamp(run.createdAt),
    actor: renderUser(run.actor, world),
    triggering_actor: renderUser(run.actor, world),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${at}/check-suites/${run.id}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    workflow_url: `${at}/actions/workflows/1`,
    head_commit: null,
    repository: renderRepository(repository, world),
    head_repository: renderRepository(repository, world),
  }
}

function renderJob(call: Call, run: WorkflowRun, job: WorkflowJob) {
  const at = repositoryUrl(call.repository, call.world)
  return {
    id: job.id,
    run_id: run.id,
    run_attempt: run.attempt,
    workflow_name: run.name,
    head_branch: run.headBranch,
    run_url: `${at}/actions/runs/${run.id}`,
    node_id: nodeId('CR', job.id),
    head_sha: run.headSha,
    url: `${at}/actions/jobs/${job.id}`,
    html_url: `${call.repository.htmlUrl}/actions/runs/${run.id}/job/${job.id}`,
    status: job.status,
    conclusion: job.conclusion,
    created_at: timestamp(job.startedAt),
    started_at: timestamp(job.startedAt),
    completed_at: job.completedAt ? timestamp(job.completedAt) : null,
    name: job.name,
    steps: [],
    check_run_url: `${at}/check-runs/${job.id}`,
    labels: ['ubuntu-latest'],
    runner_id: 1,
    runner_name: 'GitHub Actions 1',
    runner_group_id: 0,
    runner_group_name: 'GitHub Actions',
  }
}
