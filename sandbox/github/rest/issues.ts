import { notFound } from '../access.ts'
import type { Json } from '../description.ts'
import { renderTimelineCommit } from '../render/commit.ts'
import { renderComment, renderIssue, renderIssueEvent, renderLabel, renderReaction } from '../render/issue.ts'
import { renderUser } from '../render/repository.ts'
import { readCommit } from '../state/commits.ts'
import type { Comment, Issue, Reaction } from '../state/model.ts'
import { appOf } from '../state/model.ts'
import { type Call, type Handlers, invalid, issueOf, paged, text, viewer } from './call.ts'

/** GitHub refuses longer texts; the API counts characters. */
const LONGEST_BODY = 65_536

/** Issues, comments, reactions and labels. Pull requests are issues here, as on GitHub. */
export const issues: Handlers = {
  'issues/get': (call) => ({ status: 200, body: renderIssue(call.repository, issueOf(call), call.world) }),
  'issues/list-for-repo': (call) =>
    paged(call, listed(call), (issue) => renderIssue(call.repository, issue, call.world)),
  'issues/create': createIssue,
  'issues/update': updateIssue,
  'issues/list-comments': (call) => {
    const since = text(call.query.since)
    const comments = call.repository
      .comments(issueOf(call).number)
      .filter((comment) => since === undefined || comment.updatedAt >= new Date(since))
    return paged(call, comments, (comment) => renderComment(call.repository, comment, call.world))
  },
  'issues/get-comment': (call) => ({
    status: 200,
    body: renderComment(call.repository, commentOf(call), call.world),
  }),
  'issues/create-comment': (call) => {
    const body = commentBody(call)
    const user = viewer(call)
    const comment = call.repository.conversation.addComment(issueOf(call).number, body, user, appOf(user))
    const rendered = renderComment(call.repository, comment, call.world)
    return { status: 201, body: rendered, headers: { location: rendered.url } }
  },
  'issues/update-comment': (call) => {
    const comment = call.repository.conversation.editComment(commentOf(call).id, commentBody(call))
    if (!comment) throw notFound()
    return { status: 200, body: renderComment(call.repository, comment, call.world) }
  },
  'issues/delete-comment': (call) => {
    call.repository.conversation.deleteComment(commentOf(call).id)
    return { status: 204 }
  },
  'issues/list-events': (call) => history(call),
  'issues/list-events-for-timeline': timeline,
  'reactions/list-for-issue-comment': (call) =>
    paged(call, call.repository.reactions(commentOf(call).id), (reaction) => renderReaction(reaction, call.world)),
  'reactions/create-for-issue-comment': (call) => {
    const content = call.body.content as Reaction['content']
    const { reaction, created } = call.repository.conversation.react(commentOf(call).id, content, viewer(call))
    return { status: created ? 201 : 200, body: renderReaction(reaction, call.world) }
  },
  'reactions/delete-for-issue-comment': (call) => {
    if (!call.repository.conversation.deleteReaction(Number(call.params.reaction_id))) throw notFound()
    return { status: 204 }
  },
  'issues/list-labels-for-repo': (call) =>
    paged(call, call.repository.conversation.labels(), (label) => renderLabel(call.repository, label.name, call.world)),
  'issues/get-label': (call) => {
    const label = call.repository.conversation.label(call.params.name ?? '')
    if (!label) throw notFound()
    return { status: 200, body: renderLabel(call.repository, label.name, call.world) }
  },
  'issues/create-label': (call) => {
    const name = text(call.body.name) ?? ''
    if (call.repository.conversation.label(name)) throw invalid('Label', 'name', 'already_exists')
    call.repository.conversation.defineLabel(name, text(call.body.color), text(call.body.description))
    return { status: 201, body: renderLabel(call.repository, name, call.world) }
  },
  'issues/list-labels-on-issue': (call) => labels(call),
  'issues/add-labels': (call) => {
    for (const name of labelNames(call.body.labels)) {
      call.repository.conversation.addLabel(issueOf(call), name, viewer(call))
    }
    return labels(call)
  },
  'issues/remove-label': (call) => {
    const removed = call.repository.conversation.removeLabel(issueOf(call), call.params.name ?? '', viewer(call))
    if (!removed) throw notFound()
    return labels(call)
  },
}

function listed(call: Call): readonly Issue[] {
  const { state = 'open', labels: wanted, creator, direction = 'desc' } = call.query
  const names = text(wanted)?.toLowerCase().split(',') ?? []
  const found = [...call.repository.issues.values()].filter(
    (issue) =>
      (state === 'all' || issue.state === state) &&
      (creator === undefined || issue.user.login === creator) &&
      names.every((name) => issue.labels.some((label) => label.toLowerCase() === name)),
  )
  found.sort((a, b) => a.number - b.number)
  return direction === 'asc' ? found : found.reverse()
}

function createIssue(call: Call) {
  const now = call.world.now()
  const issue: Issue = {
    number: call.repository.nextNumber(),
    id: call.world.nextId(),
    user: viewer(call),
    title: String(call.body.title ?? ''),
    body: text(call.body.body) ?? null,
    state: 'open',
    labels: [],
    createdAt: now,
    updatedAt: now,
    closedAt: undefined,
    closedBy: undefined,
  }
  call.repository.issues.set(issue.number, issue)
  for (const name of labelNames(call.body.labels)) {
    call.repository.conversation.addLabel(issue, name, issue.user)
  }
  const body = renderIssue(call.repository, issue, call.world)
  return { status: 201, body, headers: { location: body.url } }
}

async function updateIssue(call: Call) {
  const issue = issueOf(call)
  const { title, body, state } = call.body
  if (title !== undefined && title !== null) issue.title = String(title)
  if (body !== undefined) issue.body = text(body) ?? null
  if (call.body.labels !== undefined) {
    const wanted = labelNames(call.body.labels)
    for (const name of [...issue.labels].filter((label) => !wanted.includes(label))) {
      call.repository.conversation.removeLabel(issue, name, viewer(call))
    }
    for (const name of wanted) call.repository.conversation.addLabel(issue, name, viewer(call))
  }
  issue.updatedAt = call.world.now()
  if (state === 'closed' && issue.state === 'open') await call.repository.close(issue.number, viewer(call).login)
  if (state === 'open' && issue.state === 'closed') await call.repository.reopen(issue.number, viewer(call).login)
  return { status: 200, body: renderIssue(call.repository, issue, call.world) }
}

function commentOf(call: Call): Comment {
  const comment = call.repository.conversation.comment(Number(call.params.comment_id))
  if (!comment) throw notFound()
  return comment
}

function commentBody(call: Call): string {
  const body = text(call.body.body) ?? ''
  if (body.trim() === '') throw invalid('IssueComment', 'body', 'missing_field')
  if ([...body].length > LONGEST_BODY) {
    throw invalid('IssueComment', 'body', 'custom', `Body is too long (maximum is ${LONGEST_BODY} characters)`)
  }
  return body
}

function history(call: Call) {
  const events = call.repository.conversation.events(issueOf(call).number)
  return paged(call, events, (event) => renderIssueEvent(call.repository, event, call.world))
}

/** Everything that happened, oldest first. Commits stand where they came, yet carry only the dates that their author gave them. */
async function timeline(call: Call) {
  const { repository, world } = call
  const { number } = issueOf(call)
  const entries = repository.conversation.events(number).map((event) => ({
    at: event.createdAt,
    id: event.id,
    body: renderIssueEvent(repository, event, world) as unknown,
  }))
  for (const comment of repository.comments(number)) {
    const body = {
      ...renderComment(repository, comment, world),
      event: 'commented',
      actor: renderUser(comment.user, world),
    }
    entries.push({ at: comment.createdAt, id: comment.id, body })
  }
  for (const push of repository.conversation.pushes(number)) {
    for (const sha of push.shas) {
      const commit = await readCommit(repository.gitDir, sha)
      if (commit)
        entries.push({ at: push.receivedAt, id: push.id, body: renderTimelineCommit(repository, commit, world) })
    }
  }
  entries.sort((one, other) => one.at.getTime() - other.at.getTime() || one.id - other.id)
  return paged(call, entries, (entry) => entry.body)
}

function labels(call: Call) {
  return paged(call, issueOf(call).labels, (name) => renderLabel(call.repository, name, call.world))
}

function labelNames(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return []
  return value.map((item: Json) =>
    String(typeof item === 'object' && item !== null && 'name' in item ? item.name : item),
  )
}
