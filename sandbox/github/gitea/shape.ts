/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>

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

const ACTIONS: Readonly<Record<string, string>> = {
  synchronize: 'synchronized',
  labeled: 'label_updated',
  unlabeled: 'label_updated',
  // A draft is a pull request whose title says so.
  ready_for_review: 'edited',
  converted_to_draft: 'edited',
}

/** The payload of an event made for GitHub as Gitea writes it. Source: Gitea 1.26, `modules/structs/hook.go`. */
export function shapeEvent(name: string, payload: Fields, rightsOf: (login: string) => Fields): Fields {
  const shaped = shape(payload) as Fields
  if (name === 'issue_comment') {
    // Of the repository it tells what whoever commented may do there.
    const { admin, push, pull } = rightsOf((payload.sender as { readonly login: string }).login)
    return { ...shaped, repository: { ...(shaped.repository as Fields), permissions: { admin, push, pull } } }
  }
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
