import type { Comment, Issue, IssueEvent, Repository } from '../github/github.ts'
import type { CommitFacts } from '../github/state/commits.ts'
import { renderDeploymentEntry, type ShownDeployment } from './deployments.ts'
import { author, avatar, commitLink, moment } from './elements.ts'
import { type Html, html } from './html.ts'
import { renderMarkdown } from './markdown.ts'

interface Entry {
  readonly at: Date
  readonly html: Html
}

/** What is said and what happened, in order: as on GitHub, the description comes first. */
export function renderConversation(
  repository: Repository,
  issue: Issue,
  commits: readonly CommitFacts[],
  deployments: readonly ShownDeployment[],
): Html {
  const entries: Entry[] = [
    ...commits.map((commit) => ({ at: new Date(commit.committer.date), html: renderCommitEntry(repository, commit) })),
    ...repository.comments(issue.number).map((comment) => ({
      at: comment.createdAt,
      html: renderComment(repository, comment),
    })),
    ...repository.conversation.events(issue.number).map((event) => ({
      at: event.createdAt,
      html: renderEvent(repository, event),
    })),
    ...deployments.map((shown) => ({
      at: shown.deployment.createdAt,
      html: renderDeploymentEntry(shown, repository),
    })),
  ]
  entries.sort((a, b) => a.at.getTime() - b.at.getTime())
  const description = issue.body?.trim()
    ? markdown(repository, issue.body)
    : html`<p class="muted">No description provided.</p>`
  return html`${said(repository, issue.user.login, issue.createdAt, description, { id: `issue-${issue.number}` })}
${entries.map((entry) => entry.html)}`
}

function markdown(repository: Repository, source: string): Html {
  return renderMarkdown(source, { repository: repository.fullName, breaks: true })
}

function renderComment(repository: Repository, comment: Comment): Html {
  const edited = comment.updatedAt.getTime() !== comment.createdAt.getTime()
  const id = `issuecomment-${comment.id}`
  const reactions = repository.reactions(comment.id).map((reaction) => reaction.content)
  return said(repository, comment.user.login, comment.createdAt, markdown(repository, comment.body), {
    id,
    edited,
    reactions,
  })
}

interface CommentDetails {
  readonly id: string
  readonly edited?: boolean
  readonly reactions?: readonly Reaction[]
}

type Reaction = keyof typeof REACTIONS

const REACTIONS = {
  '+1': '👍',
  '-1': '👎',
  laugh: '😄',
  confused: '😕',
  heart: '❤️',
  hooray: '🎉',
  rocket: '🚀',
  eyes: '👀',
} as const

function said(repository: Repository, login: string, at: Date, body: Html, details: CommentDetails): Html {
  const role = login === repository.owner.login && html`<span class="badge">Owner</span>`
  const { edited = false, reactions = [] } = details
  return html`<article class="comment" id="${details.id}">
<header>${avatar(login)} ${author(login)} <span class="muted">${moment(at)}${edited && ' · edited'}</span>${role}</header>
<div class="markdown-body">${body}</div>
${reactions.length > 0 && html`<footer>${reactions.map((content) => html`<span class="reaction" title="${content}">${REACTIONS[content]}</span>`)}</footer>`}
</article>`
}

function renderCommitEntry(repository: Repository, commit: CommitFacts): Html {
  const [subject = ''] = commit.message.split('\n')
  return html`<div class="event commit"><span class="event-sign">◦</span>
<p class="split"><span>${subject}</span>${commitLink(repository.fullName, commit.sha)}</p></div>`
}

const EVENT_WORDS: Readonly<Record<IssueEvent['event'], string>> = {
  labeled: 'added the label',
  unlabeled: 'removed the label',
  closed: 'closed this',
  reopened: 'reopened this',
  merged: 'merged commit',
  ready_for_review: 'marked this as ready for review',
  convert_to_draft: 'made this a draft',
  head_ref_force_pushed: 'force-pushed',
}

function renderEvent(repository: Repository, event: IssueEvent): Html {
  return html`<div class="event"><span class="event-sign">·</span>
<p>${avatar(event.actor.login)} ${author(event.actor.login)} ${EVENT_WORDS[event.event]}
${event.label !== undefined && html`<span class="label">${event.label}</span>`}
${event.commitSha !== undefined && commitLink(repository.fullName, event.commitSha)} <span class="muted">${moment(event.createdAt)}</span></p></div>`
}
