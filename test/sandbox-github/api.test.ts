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
})
