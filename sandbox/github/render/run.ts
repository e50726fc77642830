import { readCommit } from '../state/commits.ts'
import type { WorkflowJob, WorkflowRun } from '../state/model.ts'
import type { RepositoryState, World } from '../state/state.ts'
import { repositoryUrl } from './issue.ts'
import { nodeId, renderRepository, renderUser, timestamp } from './repository.ts'

/** GitHub's `workflow-run`. */
export async function renderRun(world: World, repository: RepositoryState, run: WorkflowRun) {
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
    pull_requests: pullsOf(world, repository, run),
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
    previous_attempt_url: run.attempt > 1 ? `${url}/attempts/${run.attempt - 1}` : null,
    head_commit: await headCommit(repository, run.headSha),
    repository: renderRepository(repository, world),
    head_repository: renderRepository(repository, world),
  }
}

/** The open pull requests that a run's commit is the head of; those of forks are not among them. */
function pullsOf(world: World, repository: RepositoryState, run: WorkflowRun) {
  const at = repositoryUrl(repository, world)
  const repo = { id: repository.id, url: at, name: repository.name }
  return [...repository.pulls.values()]
    .filter((pull) => pull.state === 'open' && pull.headFullName === repository.fullName)
    .filter((pull) => pull.headRef === run.headBranch && pull.headSha === run.headSha)
    .map((pull) => ({
      id: pull.id,
      number: pull.number,
      url: `${at}/pulls/${pull.number}`,
      head: { ref: pull.headRef, sha: pull.headSha, repo },
      base: { ref: pull.baseRef, sha: pull.baseSha, repo },
    }))
}

async function headCommit(repository: RepositoryState, sha: string) {
  const commit = await readCommit(repository.gitDir, sha)
  if (!commit) return null
  const { name, email, date } = commit.author
  const author = { name, email }
  const committer = { name: commit.committer.name, email: commit.committer.email }
  return { id: sha, tree_id: commit.tree, message: commit.message, timestamp: date, author, committer }
}

/** GitHub's `job`. */
export function renderJob(world: World, repository: RepositoryState, run: WorkflowRun, job: WorkflowJob) {
  const at = repositoryUrl(repository, world)
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
    html_url: `${repository.htmlUrl}/actions/runs/${run.id}/job/${job.id}`,
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
