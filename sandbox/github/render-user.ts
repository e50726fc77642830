import type { User } from './model.ts'

/** The addresses everything is rendered with. */
export interface Addresses {
  /** For example `http://127.0.0.1:4000`. */
  readonly serverUrl: string
  /** `serverUrl` + `/api/v3`, as on GitHub Enterprise Server. */
  readonly apiUrl: string
}

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
