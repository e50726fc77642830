import type { Addresses, User } from '../state/model.ts'

/** An opaque global id, as GitHub gives one to everything. */
export function nodeId(kind: string, id: number): string {
  return `${kind}_${Buffer.from(String(id)).toString('base64url')}`
}

/** GitHub's `simple-user`. */
export function renderUser(user: User, { serverUrl, apiUrl }: Addresses) {
  const url = `${apiUrl}/users/${encodeURIComponent(user.login)}`
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId('U', user.id),
    avatar_url: `${serverUrl}/avatars/u/${user.id}`,
    gravatar_id: '',
    url,
    html_url: `${serverUrl}/${user.type === 'Bot' ? `apps/${user.login.replace('[bot]', '')}` : user.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    site_admin: false,
  }
}

/** GitHub's time stamps have no milliseconds. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** What of a repository is shown. */
export interface RepositoryFacts {
  readonly id: number
  readonly owner: User
  readonly name: string
  readonly fullName: string
  readonly private: boolean
  readonly fork: boolean
  readonly defaultBranch: string
  readonly createdAt: Date
  readonly pushedAt: Date
  readonly openIssues: number
}

const TEMPLATES: Readonly<Record<string, string>> = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
}

/** GitHub's `repository`: as it stands in pull requests and in every webhook. */
export function renderRepository(repository: RepositoryFacts, addresses: Addresses) {
  const { serverUrl, apiUrl } = addresses
  const url = `${apiUrl}/repos/${repository.fullName}`
  const htmlUrl = `${serverUrl}/${repository.fullName}`
  const host = new URL(serverUrl).host
  return {
    id: repository.id,
    node_id: nodeId('R', repository.id),
    name: repository.name,
    full_name: repository.fullName,
    private: repository.private,
    owner: renderUser(repository.owner, addresses),
    html_url: htmlUrl,
    description: null,
    fork: repository.fork,
    url,
    ...repositoryUrls(url),
    created_at: timestamp(repository.createdAt),
    updated_at: timestamp(repository.pushedAt),
    pushed_at: timestamp(repository.pushedAt),
    git_url: `git://${host}/${repository.fullName}.git`,
    ssh_url: `ssh://git@${host}/${repository.fullName}.git`,
    clone_url: `${htmlUrl}.git`,
    svn_url: htmlUrl,
    homepage: null,
    size: 1,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: false,
    forks_count: 0,
    mirror_url: null,
    archived: false,
    disabled: false,
    open_issues_count: repository.openIssues,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repository.private ? 'private' : 'public',
    forks: 0,
    open_issues: repository.openIssues,
    watchers: 0,
    default_branch: repository.defaultBranch,
    custom_properties: {},
  }
}

function repositoryUrls(url: string): Record<string, string> {
  return Object.fromEntries(Object.entries(TEMPLATES).map(([name, suffix]) => [name, url + suffix]))
}

/** The repository as `push` events have it: some times as seconds, and fields that are found nowhere else. */
export function renderPushedRepository(repository: RepositoryFacts, addresses: Addresses) {
  const rendered = renderRepository(repository, addresses)
  const { login } = repository.owner
  return {
    ...rendered,
    owner: { name: login, email: `${login}@example.com`, ...rendered.owner },
    created_at: Math.floor(repository.createdAt.getTime() / 1000),
    pushed_at: Math.floor(repository.pushedAt.getTime() / 1000),
    stargazers: 0,
    master_branch: repository.defaultBranch,
  }
}
