import * as z from 'zod'
import type { Api } from './api.ts'
import { type Authorship, authorSchema, hasMarker } from './comments.ts'

/** One issue for one trouble: opened when it begins, kept up to date, closed when it is over. */
interface TroubleIssue {
  /** A line of the body by which the issue is found; the first, unless somebody has edited it. */
  readonly marker: string
  /** Narrows the search. */
  readonly label: string
  readonly title: string
  readonly body: string
}

const issueSchema = z.object({
  number: z.number(),
  html_url: z.string(),
  created_at: z.string(),
  title: z.string(),
  body: z.string().nullish(),
  user: authorSchema.nullable(),
  pull_request: z.unknown().optional(),
})

type Issue = z.infer<typeof issueSchema>

const ROUTE = '/repos/{owner}/{repo}/issues'
const reads = { permission: 'issues', purpose: 'read issues' } as const
const writes = { permission: 'issues', purpose: 'write issues' } as const

/** Opens the issues of a repository. */
export function openIssues(api: Api, authorship: Authorship) {
  // Gitea wants labels by their numbers, and they have to exist; there the marker alone finds the issue.
  const labels = (name: string) =>
    api.forge.dialect === 'github'
      ? { filter: { labels: name }, given: { labels: [name] } }
      : { filter: { type: 'issues' } }

  async function search(marker: string, label: string): Promise<Issue | 'absent' | undefined> {
    const params = { state: 'open', ...labels(label).filter, sort: 'created', direction: 'asc' }
    const listed = await api.pages(reads, `GET ${ROUTE}`, params, issueSchema)
    if (!listed.ok) return api.warn(listed, 'look for the open issue')
    for (const issue of listed.data) {
      if (issue.pull_request !== undefined || !hasMarker(issue.body, marker)) continue
      const isOurs = await authorship.isOurs(issue.user, 'unproven')
      if (isOurs) return issue
      // Rather no issue than another one at each run, or a stranger's.
      if (isOurs === undefined) {
        const unknown = { ok: false, problem: 'unreadable', message: 'it does not say who we are' } as const
        return api.warn(unknown, `learn whether issue #${issue.number} is ours`, 'The issues are left as they are.')
      }
    }
    return 'absent'
  }

  async function open({ title, body, label }: TroubleIssue): Promise<WrittenIssue | undefined> {
    const created = await api.call(writes, `POST ${ROUTE}`, { title, body, ...labels(label).given }, issueSchema)
    if (!created.ok) return api.warn(created, 'open an issue')
    authorship.learn(created.data.user)
    return written(created.data, 'created')
  }

  const change = (issue_number: number, params: Readonly<Record<string, string>>) =>
    api.call(writes, `PATCH ${ROUTE}/{issue_number}`, { issue_number, ...params }, issueSchema)

  return {
    /** The open issue of ours with this marker; `'absent'` when there is none, undefined when that could not be read. */
    async find(marker: string, label: string): Promise<WrittenIssue | 'absent' | undefined> {
      const found = await search(marker, label)
      return found === undefined || found === 'absent' ? found : written(found, 'unchanged')
    },

    /** Opens the issue, or brings the open one up to date. */
    async upsert(issue: TroubleIssue): Promise<WrittenIssue | undefined> {
      const found = await search(issue.marker, issue.label)
      if (found === undefined) return undefined
      if (found === 'absent') return open(issue)
      const { title, body } = issue
      if (found.title === title && found.body === body) return written(found, 'unchanged')
      const updated = await change(found.number, { title, body })
      return updated.ok ? written(updated.data, 'updated') : api.warn(updated, `update issue #${found.number}`)
    },

    /** Closes the open issue with a last comment; `'absent'` when none is open. */
    async close(marker: string, label: string, comment: string): Promise<WrittenIssue | 'absent' | undefined> {
      const found = await search(marker, label)
      if (found === undefined || found === 'absent') return found
      const { number: issue_number } = found
      const params = { issue_number, body: comment }
      const said = await api.call(writes, `POST ${ROUTE}/{issue_number}/comments`, params, z.unknown())
      if (!said.ok) api.warn(said, `comment on issue #${issue_number}`)
      const closed = await change(issue_number, { state: 'closed', state_reason: 'completed' })
      return closed.ok ? written(closed.data, 'closed') : api.warn(closed, `close issue #${issue_number}`)
    },
  }
}

export type WrittenIssue = ReturnType<typeof written>

function written(issue: Issue, outcome: 'created' | 'updated' | 'unchanged' | 'closed') {
  /** `openedAt` is ISO 8601. */
  return { number: issue.number, url: issue.html_url, openedAt: issue.created_at, outcome }
}
