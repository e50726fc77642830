import { getOctokit } from '@actions/github'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type GitHub, type Repository, startGitHub } from '../../sandbox/github/github.ts'

const all = {
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
  deployments: 'write',
  actions: 'read',
} as const

let github: GitHub
let repository: Repository

beforeEach(async () => {
  github = await startGitHub()
  repository = await github.createRepository({ owner: 'acme', name: 'web' })
  await repository.commit({
    branch: 'main',
    files: { 'index.html': '<h1>one</h1>\n', 'docs/a.md': 'a\n' },
    message: 'Start',
  })
})

afterEach(async () => {
  await github.stop()
})

const at = { owner: 'acme', repo: 'web' }
const client = (permissions: Record<string, 'read' | 'write' | 'none'> = all, kind: 'actions' | 'user' = 'actions') =>
  getOctokit(github.token({ repository, permissions, kind }), { baseUrl: github.apiUrl })

async function openPull(name = 'feature') {
  await repository.commit({ branch: name, files: {}, parent: await repository.head(), message: 'Branch' })
  await repository.pushTo(name, { 'index.html': '<h1>two</h1>\n', 'docs/a.md': null, 'new file.txt': 'new\n' })
  return repository.openPullRequest({ head: name, title: 'Feature', author: 'ada', labels: ['preview'] })
}

describe('answers and requests agree with GitHub’s own description', () => {
  it('for every call that a deployment makes', async () => {
    const pull = await openPull()
    const { rest } = client()
    const sha = pull.headSha
    await rest.repos.get(at)
    await rest.pulls.get({ ...at, pull_number: 1 })
    await rest.pulls.list({ ...at, state: 'all', head: 'acme:feature', sort: 'updated', per_page: 5 })
    const files = await rest.pulls.listFiles({ ...at, pull_number: 1 })
    expect(files.data.map((file) => [file.filename, file.status])).toEqual([
      ['docs/a.md', 'removed'],
      ['index.html', 'modified'],
      ['new file.txt', 'added'],
    ])
    await rest.pulls.listCommits({ ...at, pull_number: 1 })
    await rest.repos.getCommit({ ...at, ref: sha })
    await rest.repos.getCommit({ ...at, ref: 'main' })
    await rest.repos.listCommits({ ...at, sha: 'feature' })
    const comparison = await rest.repos.compareCommitsWithBasehead({ ...at, basehead: 'main...feature' })
    expect(comparison.data).toMatchObject({ status: 'ahead', ahead_by: 2, behind_by: 0 })
    await rest.repos.getContent({ ...at, path: 'docs/a.md' })
    await rest.repos.listBranches(at)
    await rest.git.getRef({ ...at, ref: 'heads/main' })
    await rest.repos.listPullRequestsAssociatedWithCommit({ ...at, commit_sha: sha })
    await rest.repos.getCollaboratorPermissionLevel({ ...at, username: 'ada' })
    await rest.issues.get({ ...at, issue_number: 1 })
    await rest.issues.listEvents({ ...at, issue_number: 1 })
    await rest.issues.listEventsForTimeline({ ...at, issue_number: 1 })
    const comment = await rest.issues.createComment({ ...at, issue_number: 1, body: 'Building' })
    expect(comment.data.user).toMatchObject({ login: 'github-actions[bot]', type: 'Bot' })
    const comment_id = comment.data.id
    await rest.issues.updateComment({ ...at, comment_id, body: 'Live' })
    await rest.issues.getComment({ ...at, comment_id })
    await rest.issues.listComments({ ...at, issue_number: 1, per_page: 100 })
    await rest.reactions.createForIssueComment({ ...at, comment_id, content: 'rocket' })
    await rest.reactions.listForIssueComment({ ...at, comment_id })
    await rest.issues.deleteComment({ ...at, comment_id })
    await rest.issues.addLabels({ ...at, issue_number: 1, labels: ['more'] })
    await rest.issues.removeLabel({ ...at, issue_number: 1, name: 'more' })
    const issue = await rest.issues.create({ ...at, title: 'Down', body: 'It is down', labels: ['monitor'] })
    await rest.issues.update({ ...at, issue_number: issue.data.number, state: 'closed' })
    await rest.issues.listForRepo({ ...at, state: 'all', labels: 'monitor' })
    const created = await rest.repos.createDeployment({
      ...at,
      ref: sha,
      task: 'ink-preview-pr-1',
      environment: 'preview',
      auto_merge: false,
      required_contexts: [],
      transient_environment: true,
      payload: { pr: 1 },
    })
    const deployment_id = (created.data as { id: number }).id
    await rest.repos.createDeploymentStatus({
      ...at,
      deployment_id,
      state: 'success',
      environment_url: 'https://x.ml.ink',
    })
    await rest.repos.listDeployments({ ...at, environment: 'preview', sha })
    await rest.repos.getDeployment({ ...at, deployment_id })
    await rest.repos.listDeploymentStatuses({ ...at, deployment_id })
    await rest.repos.deleteDeployment({ ...at, deployment_id })
    expect(github.violations).toEqual([])
  })

  it('for workflow runs and their jobs', async () => {
    const { rest } = client()
    const job = { id: 71, name: 'preview', status: 'in_progress', conclusion: null, startedAt: new Date() } as const
    repository.runs.set(7, {
      id: 7,
      number: 1,
      attempt: 2,
      name: 'Preview',
      path: '.github/workflows/preview.yml',
      event: 'push',
      headBranch: 'main',
      headSha: await repository.head(),
      actor: repository.owner,
      createdAt: new Date(),
      jobs: [{ ...job, completedAt: undefined }],
    })
    expect((await rest.actions.getWorkflowRun({ ...at, run_id: 7 })).data).toMatchObject({ status: 'in_progress' })
    const attempt = await rest.actions.listJobsForWorkflowRunAttempt({ ...at, run_id: 7, attempt_number: 2 })
    expect(attempt.data.jobs).toMatchObject([{ name: 'preview', run_id: 7 }])
    await expect(rest.actions.listJobsForWorkflowRun({ ...at, run_id: 8 })).rejects.toMatchObject({ status: 404 })
    expect(github.violations).toEqual([])
  })

  it('for labels', async () => {
    const { rest } = client()
    await rest.issues.createLabel({ ...at, name: 'preview', color: '00ff00' })
    await expect(rest.issues.createLabel({ ...at, name: 'Preview' })).rejects.toMatchObject({ status: 422 })
    await rest.issues.getLabel({ ...at, name: 'preview' })
    await rest.issues.listLabelsForRepo(at)
    expect(github.violations).toEqual([])
  })

  it('for forks, also after the fork is gone', async () => {
    const { rest } = client()
    const fork = await github.createRepository({ owner: 'eve', name: 'web', fork: repository })
    await fork.commit({ branch: 'patch', parent: await fork.head(), files: { p: '1\n' }, message: 'Patch' })
    await repository.openPullRequest({ head: 'patch', fromFork: fork })
    const forked = await rest.repos.get({ owner: 'eve', repo: 'web' })
    expect(forked.data).toMatchObject({ fork: true, parent: { full_name: 'acme/web' } })
    const { data } = await rest.repos.compareCommitsWithBasehead({ ...at, basehead: 'main...eve:patch' })
    expect(data).toMatchObject({ status: 'ahead', files: [{ filename: 'p' }] })
    await fork.destroy()
    const pull = await rest.pulls.get({ ...at, pull_number: 1 })
    expect(pull.data.head).toMatchObject({ label: 'eve:patch', repo: null })
    expect(github.violations).toEqual([])
  })

  it('for comparisons of branches that went apart', async () => {
    const { rest } = client()
    await openPull()
    await repository.pushTo('main', { other: '1\n' })
    const compare = async (basehead: string) => (await rest.repos.compareCommitsWithBasehead({ ...at, basehead })).data
    expect(await compare('main...feature')).toMatchObject({
      ...{ status: 'diverged', ahead_by: 2, behind_by: 1 },
      files: [{ filename: 'docs/a.md' }, { filename: 'index.html' }, { filename: 'new file.txt' }],
    })
    expect(await compare('feature...feature')).toMatchObject({ status: 'identical', files: [] })
    await expect(compare('main...nowhere')).rejects.toMatchObject({ status: 404 })
    expect(github.violations).toEqual([])
  })
})
