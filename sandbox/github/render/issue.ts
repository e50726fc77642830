import type { Addresses, App, Comment, Issue, IssueEvent, PullRequest, Reaction, User } from '../state/model.ts'
import type { RepositoryState } from '../state/state.ts'
import { nodeId, renderUser, timestamp } from './repository.ts'

const REACTIONS = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes'] as const

/** GitHub's `label`. */
export function renderLabel(repository: RepositoryState, name: string, addresses: Addresses) {
  const label = repository.conversation.label(name) ?? repository.conversation.defineLabel(name)
  return {
    id: label.id,
    node_id: nodeId('LA', label.id),
    url: `${repositoryUrl(repository, addresses)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: false,
    description: label.description,
  }
}

/** How somebody is related to a repository, as comments and pull requests say it. */
export function authorAssociation(repository: RepositoryState, user: User): string {
  if (user.login === repository.owner.login) return 'OWNER'
  const role = repository.role(user.login)
  if (role === 'admin' || role === 'maintain' || role === 'write') return 'COLLABORATOR'
  return [...repository.pulls.values()].some((pull) => pull.merged && pull.user.login === user.login)
    ? 'CONTRIBUTOR'
    : 'NONE'
}

/** GitHub's `issue`; a pull request is an issue with a `pull_request` in it. */
export function renderIssue(repository: RepositoryState, issue: Issue, addresses: Addresses) {
  const repositoryAt = repositoryUrl(repository, addresses)
  const url = `${repositoryAt}/issues/${issue.number}`
  const pull = repository.pulls.get(issue.number)
  const kind = pull ? 'pull' : 'issues'
  return {
    url,
    repository_url: repositoryAt,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: `${repository.htmlUrl}/${kind}/${issue.number}`,
    id: issue.id,
    node_id: nodeId(pull ? 'PR' : 'I', issue.id),
    number: issue.number,
    title: issue.title,
    user: renderUser(issue.user, addresses),
    labels: issue.labels.map((name) => renderLabel(repository, name, addresses)),
    state: issue.state,
    locked: false,
    assignee: null,
    assignees: [],
    milestone: null,
    comments: repository.conversation.comments(issue.number).length,
    created_at: timestamp(issue.createdAt),
    updated_at: timestamp(issue.updatedAt),
    closed_at: issue.closedAt ? timestamp(issue.closedAt) : null,
    author_association: authorAssociation(repository, issue.user),
    active_lock_reason: null,
    ...(pull ? { draft: pull.draft, pull_request: pullRequestLinks(repository, pull, addresses) } : {}),
    body: issue.body,
    closed_by: issue.closedBy ? renderUser(issue.closedBy, addresses) : null,
    reactions: renderRollup([], `${url}/reactions`),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: null,
    state_reason: issue.state === 'closed' && !pull ? 'completed' : null,
  }
}

function pullRequestLinks(repository: RepositoryState, pull: PullRequest, addresses: Addresses) {
  const html = `${repository.htmlUrl}/pull/${pull.number}`
  return {
    url: `${repositoryUrl(repository, addresses)}/pulls/${pull.number}`,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    merged_at: pull.mergedAt ? timestamp(pull.mergedAt) : null,
  }
}

/** GitHub's `issue-comment`. */
export function renderComment(repository: RepositoryState, comment: Comment, addresses: Addresses) {
  const repositoryAt = repositoryUrl(repository, addresses)
  const url = `${repositoryAt}/issues/comments/${comment.id}`
  const kind = repository.pulls.has(comment.issueNumber) ? 'pull' : 'issues'
  return {
    url,
    html_url: `${repository.htmlUrl}/${kind}/${comment.issueNumber}#issuecomment-${comment.id}`,
    issue_url: `${repositoryAt}/issues/${comment.issueNumber}`,
    id: comment.id,
    node_id: nodeId('IC', comment.id),
    user: renderUser(comment.user, addresses),
    created_at: timestamp(comment.createdAt),
    updated_at: timestamp(comment.updatedAt),
    author_association: comment.app ? 'NONE' : authorAssociation(repository, comment.user),
    body: comment.body,
    reactions: renderRollup(repository.conversation.reactions(comment.id), `${url}/reactions`),
    performed_via_github_app: comment.app ? renderApp(comment.app, addresses) : null,
  }
}

/** GitHub's `integration`. */
export function renderApp(app: App, addresses: Addresses) {
  const created = '2018-07-30T09:30:17Z'
  return {
    id: app.id,
    slug: app.slug,
    client_id: `Iv1.${app.id.toString(16).padStart(16, '0')}`,
    node_id: nodeId('A', app.id),
    owner: renderUser({ login: 'github', id: 9919, type: 'Organization' }, addresses),
    name: app.name,
    description: '',
    external_url: `${addresses.serverUrl}/apps/${app.slug}`,
    html_url: `${addresses.serverUrl}/apps/${app.slug}`,
    created_at: created,
    updated_at: created,
    permissions: { issues: 'write', metadata: 'read', pull_requests: 'write' },
    events: ['issue_comment', 'pull_request', 'push'],
  }
}

function renderRollup(reactions: readonly Reaction[], url: string) {
  const counts = REACTIONS.map((content) => [content, reactions.filter((one) => one.content === content).length])
  return { url, total_count: reactions.length, ...Object.fromEntries(counts) }
}

/** GitHub's `reaction`. */
export function renderReaction(reaction: Reaction, addresses: Addresses) {
  return {
    id: reaction.id,
    node_id: nodeId('REA', reaction.id),
    user: renderUser(reaction.user, addresses),
    content: reaction.content,
    created_at: timestamp(reaction.createdAt),
  }
}

/** GitHub's `issue-event`, for `/events` and `/timeline` alike. */
export function renderIssueEvent(repository: RepositoryState, event: IssueEvent, addresses: Addresses) {
  const repositoryAt = repositoryUrl(repository, addresses)
  const label = event.label === undefined ? undefined : renderLabel(repository, event.label, addresses)
  return {
    id: event.id,
    node_id: nodeId('EV', event.id),
    url: `${repositoryAt}/issues/events/${event.id}`,
    actor: renderUser(event.actor, addresses),
    event: event.event,
    commit_id: event.commitSha ?? null,
    commit_url: event.commitSha ? `${repositoryAt}/commits/${event.commitSha}` : null,
    created_at: timestamp(event.createdAt),
    performed_via_github_app: null,
    ...(label ? { label: { name: label.name, color: label.color } } : {}),
    ...(event.event === 'closed' ? { state_reason: null } : {}),
  }
}

/** Where a repository is in the API. */
export function repositoryUrl(repository: RepositoryState, { apiUrl }: Addresses): string {
  return `${apiUrl}/repos/${repository.fullName}`
}
