import type { Answer } from '../rest/call.ts'
import { type Fields, shape } from './shape.ts'

/** What GitHub calls these events, and Gitea's timeline calls them otherwise. */
const TIMELINE_TYPES: Readonly<Record<string, string>> = {
  labeled: 'label',
  unlabeled: 'label',
  closed: 'close',
  reopened: 'reopen',
  merged: 'merge_pull',
  ready_for_review: 'change_title',
  convert_to_draft: 'change_title',
  head_ref_force_pushed: 'pull_push',
  committed: 'pull_push',
  commented: 'comment',
}

/** An answer made for GitHub as Gitea would give it. */
export function shapeAnswer(operation: string, answer: Answer, serverUrl: string): Answer {
  const { status, body } = answer
  if (answer.page !== undefined) return answer
  if (status >= 400) return { ...answer, body: refusal(status, body as { message?: string } | undefined, serverUrl) }
  if (body === undefined) return answer
  const plain = JSON.parse(JSON.stringify(body)) as unknown
  if (operation === 'repos/compare-commits-with-basehead') {
    const { total_commits, commits } = plain as Fields
    return { ...answer, body: { total_commits, commits: shape(commits) } }
  }
  if (operation === 'issues/list-events-for-timeline')
    return { ...answer, body: (plain as Fields[]).map(timelineEntry) }
  if (operation === 'repos/get-branch' || operation === 'repos/list-branches')
    return { ...answer, body: shapeBranches(plain) }
  // A second reaction of the same kind is the first one, with the same status; an edited reaction has no number.
  if (operation === 'reactions/create-for-issue-comment') return { ...answer, status: 201, body: shape(plain) }
  return { ...answer, body: shape(plain) }
}

/** A branch names its commit `id`, where GitHub says `sha`. */
function shapeBranches(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeBranches)
  const { name, commit, protected: guarded } = value as { name: string; commit: Fields; protected: boolean }
  const facts = (commit.commit ?? {}) as Fields
  return {
    name,
    commit: {
      id: commit.sha,
      message: facts.message ?? '',
      url: commit.html_url ?? commit.url,
      timestamp: (facts.committer as Fields | undefined)?.date,
    },
    protected: guarded,
    user_can_push: true,
    user_can_merge: true,
  }
}

/** A label that was removed has an empty body in the timeline, one that was added has `1` there. */
function timelineEntry(entry: Fields): Fields {
  const { id, event, sha, created_at, updated_at, label, body, issue_url, html_url } = entry
  const committed = entry.committer as { date?: string } | undefined
  const at = created_at ?? committed?.date
  return {
    id: id ?? 0,
    type: TIMELINE_TYPES[String(event)] ?? event,
    html_url: html_url ?? '',
    issue_url: issue_url ?? '',
    pull_request_url: '',
    user: shape(entry.actor ?? null),
    body:
      event === 'labeled'
        ? '1'
        : event === 'committed'
          ? JSON.stringify({ is_force_push: false, commit_ids: [sha] })
          : (body ?? ''),
    created_at: at,
    updated_at: updated_at ?? at,
    label: label === undefined ? null : shape(label),
    ref_commit_sha: '',
  }
}

function refusal(status: number, body: { readonly message?: string } | undefined, serverUrl: string): Fields {
  const url = `${serverUrl}/api/swagger`
  if (status === 404) return { errors: null, message: 'not found', url }
  if (status === 401) return { message: 'invalid username, password or token', url }
  return { message: body?.message ?? '', url }
}
