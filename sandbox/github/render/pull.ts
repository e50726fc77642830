import { changedFiles } from '../state/changes.ts'
import { listCommits } from '../state/history.ts'
import type { PullRequest } from '../state/model.ts'
import type { RepositoryState } from '../state/state.ts'
import { findRepository, type World } from '../state/state.ts'
import { authorAssociation, renderLabel, repositoryUrl } from './issue.ts'
import { nodeId, renderRepository, renderUser, timestamp } from './repository.ts'

/** GitHub's `pull-request-simple`, as lists have it. */
export function renderPull(world: World, repository: RepositoryState, pull: PullRequest) {
  const repositoryAt = repositoryUrl(repository, world)
  const url = `${repositoryAt}/pulls/${pull.number}`
  const issueUrl = `${repositoryAt}/issues/${pull.number}`
  const htmlUrl = `${repository.htmlUrl}/pull/${pull.number}`
  const links = {
    self: url,
    html: htmlUrl,
    issue: issueUrl,
    comments: `${issueUrl}/comments`,
    review_comments: `${url}/comments`,
    review_comment: `${repositoryAt}/pulls/comments{/number}`,
    commits: `${url}/commits`,
    statuses: `${repositoryAt}/statuses/${pull.headSha}`,
  }
  return {
    url,
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    html_url: htmlUrl,
    diff_url: `${htmlUrl}.diff`,
    patch_url: `${htmlUrl}.patch`,
    issue_url: links.issue,
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: renderUser(pull.user, world),
    body: pull.body,
    created_at: timestamp(pull.createdAt),
    updated_at: timestamp(pull.updatedAt),
    closed_at: pull.closedAt ? timestamp(pull.closedAt) : null,
    merged_at: pull.mergedAt ? timestamp(pull.mergedAt) : null,
    merge_commit_sha: pull.mergeCommitSha ?? null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: pull.labels.map((name) => renderLabel(repository, name, world)),
    milestone: null,
    draft: pull.draft,
    commits_url: links.commits,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    comments_url: links.comments,
    statuses_url: links.statuses,
    head: renderSide(world, findRepository(world, pull.headFullName), pull.headFullName, pull.headRef, pull.headSha),
    base: renderSide(world, repository, repository.fullName, pull.baseRef, pull.baseSha),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
    author_association: authorAssociation(repository, pull.user),
    auto_merge: null,
    active_lock_reason: null,
  }
}

/** GitHub's `pull-request`, as a single one and every webhook has it. */
export async function renderFullPull(world: World, repository: RepositoryState, pull: PullRequest) {
  const size = await measure(repository, pull)
  return {
    ...renderPull(world, repository, pull),
    merged: pull.merged,
    mergeable: pull.state === 'open' ? (pull.mergeable ?? null) : null,
    rebaseable: pull.state === 'open' ? (pull.mergeable ?? null) : null,
    mergeable_state: mergeableState(pull),
    merged_by: pull.mergedBy ? renderUser(pull.mergedBy, world) : null,
    comments: repository.conversation.comments(pull.number).length,
    review_comments: 0,
    maintainer_can_modify: false,
    ...size,
  }
}

function mergeableState(pull: PullRequest): string {
  if (pull.state === 'closed') return 'unknown'
  if (pull.mergeable === false) return 'dirty'
  return pull.draft ? 'draft' : 'clean'
}

function renderSide(world: World, repository: RepositoryState | undefined, fullName: string, ref: string, sha: string) {
  const owner = world.user(fullName.split('/')[0] ?? '')
  return {
    label: `${owner.login}:${ref}`,
    ref,
    sha,
    user: renderUser(owner, world),
    // A fork may be deleted while its pull request is open; then there is no repository.
    repo: repository ? renderRepository(repository, world) : null,
  }
}

async function measure(repository: RepositoryState, pull: PullRequest) {
  // Histories without a common ancestor cannot be compared; such a pull request has no size.
  const files = (await changedFiles(repository, pull.baseSha, pull.headSha)) ?? []
  const sum = (kind: 'additions' | 'deletions') => files.reduce((total, file) => total + file[kind], 0)
  return {
    commits: (await listCommits(repository, pull.headSha, pull.baseSha)).length,
    additions: sum('additions'),
    deletions: sum('deletions'),
    changed_files: files.length,
  }
}
