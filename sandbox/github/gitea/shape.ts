import type { Answer } from '../rest/call.ts'

type Fields = Readonly<Record<string, unknown>>

/** What only GitHub tells of the things that Gitea has as well. Source: Gitea 1.26, `modules/structs`. */
const GITHUB_ONLY = [
  '_links',
  'active_lock_reason',
  'author_association',
  'auto_merge',
  'closed_by',
  'head_repository',
  'maintainer_can_modify',
  'mergeable_state',
  'node_id',
  'performed_via_github_app',
  'reactions',
  'rebaseable',
  'state_reason',
  'triggering_actor',
]

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

/** Everything below a value in Gitea's shape. */
export function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape)
  if (typeof value !== 'object' || value === null) return value
  const fields = value as Fields
  if (typeof fields.login === 'string' && 'gravatar_id' in fields) return shapeUser(fields)
  const kept = Object.entries(fields).filter(([name]) => !GITHUB_ONLY.includes(name))
  const shaped = Object.fromEntries(kept.map(([name, inner]) => [name, shape(inner)]))
  if ('full_name' in shaped && 'clone_url' in shaped) return shapeRepository(shaped)
  // A side of a pull request.
  if ('label' in shaped && 'sha' in shaped && 'repo' in shaped) {
    return { ...shaped, label: shaped.ref, repo_id: (shaped.repo as Fields | null)?.id ?? 0 }
  }
  return shaped
}

/** A user: without `type`, and the job's own by another name than GitHub's. */
function shapeUser({ login, id, html_url, avatar_url }: Fields) {
  const name = String(login)
  return {
    id,
    login,
    login_name: '',
    source_id: 0,
    full_name: '',
    email: `${name}@noreply.example.com`,
    avatar_url,
    html_url: String(html_url),
    language: '',
    is_admin: false,
    last_login: '0001-01-01T00:00:00Z',
    created: '1970-01-01T00:00:00Z',
    restricted: false,
    active: false,
    prohibit_login: false,
    location: '',
    website: '',
    description: '',
    visibility: 'public',
    followers_count: 0,
    following_count: 0,
    starred_repos_count: 0,
    username: login,
  }
}

function shapeRepository(repository: Fields): Fields {
  const kept = Object.entries(repository).filter(
    ([name]) => !name.endsWith('_url') || GITEA_REPOSITORY_URLS.includes(name),
  )
  return {
    ...Object.fromEntries(kept),
    empty: false,
    internal: false,
    permissions: { admin: false, push: true, pull: true },
  }
}

const GITEA_REPOSITORY_URLS = ['html_url', 'ssh_url', 'clone_url', 'languages_url', 'avatar_url']

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
  if (status === 404) return { errors: null, message: "The target couldn't be found.", url }
  if (status === 401) return { message: 'invalid username, password or token', url }
  return { message: body?.message ?? '', url }
}

const ACTIONS: Readonly<Record<string, string>> = {
  synchronize: 'synchronized',
  labeled: 'label_updated',
  unlabeled: 'label_updated',
  // A draft is a pull request whose title says so.
  ready_for_review: 'edited',
  converted_to_draft: 'edited',
}

/** The payload of an event made for GitHub as Gitea writes it. Source: Gitea 1.26, `modules/structs/hook.go`. */
export function shapeEvent(name: string, payload: Fields): Fields {
  const shaped = shape(payload) as Fields
  if (name === 'workflow_dispatch') return { ...shaped, ref: String(payload.ref).replace('refs/heads/', '') }
  if (!name.startsWith('pull_request')) return shaped
  const { before: _before, after: _after, label: _label, action, ...rest } = shaped
  const pull = rest.pull_request as { readonly head: { readonly sha: string } } & Fields
  const change =
    action === 'ready_for_review' || action === 'converted_to_draft' ? { changes: { title: { from: pull.title } } } : {}
  return {
    ...rest,
    ...change,
    action: ACTIONS[String(action)] ?? action,
    pull_request: pull,
    commit_id: pull.head.sha,
    requested_reviewer: null,
    review: null,
  }
}
