import * as z from 'zod'
import type { Api } from './api.ts'
import { hasMarker } from './comments.ts'
import { type Authorship, authorSchema } from './token.ts'

/** One issue for one trouble: opened when it begins, kept up to date, closed when it is over. */
interface TroubleIssue {
  /** A line of the body by which the issue is found; the first, unless somebody has edited it. */
  readonly marker: string
  /** Narrows the search. */
  readonly label: string
  readonly title: string
  readonly body: string
}

export interface WrittenIssue {
  readonly number: number
  readonly url: string
  /** ISO 8601. */
  readonly openedAt: string
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'closed'
}

export interface Issues {
  /** The open issue of ours with this marker; `'absent'` when there is none, undefined when that could not be read. */
  find(marker: string, label: string): Promise<WrittenIssue | 'absent' | undefined>
  /** Opens the issue, or brings the open one up to date. */
  upsert(issue: TroubleIssue): Promise<WrittenIssue | undefined>
  /** Closes the open issue with a last comment; `'absent'` when none is open. */
  close(marker: string, label: string, comment: string): Promise<WrittenIssue | 'absent' | undefined>
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

/** Opens the issues of a repository. */
export function openIssues(api: Api, authorship: Authorship): Issues {
  const reads = { permission: 'issues', access: 'read', purpose: 'read issues' } as const
  const writes = { permission: 'issues', access: 'write', purpose: 'write issues' } as const

  // Gitea wants labels by their numbers, and they have to exist; there the marker alone finds the issue.
  const labels = (name: string) =>
    api.forge.dialect === 'github'
      ? { filter: { labels: name }, given: { labels: [name] } }
      : { filter: { type: 'issues' } }

  async function search(marker: string, label: string): Promise<Issue | 'absent' | undefined> {
    const params = { state: 'open', ...labels(label).filter, sort: 'created', direction: 'asc' }
    const listed = await api.pages({ ...reads, route: `GET ${ROUTE}`, params, schema: z.array(issueSchema) })
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

  async function open(issue: TroubleIssue): Promise<WrittenIssue | undefined> {
    const params = { title: issue.title, body: issue.body, ...labels(issue.label).given }
    const created = await api.call({ ...writes, route: `POST ${ROUTE}`, params, schema: issueSchema })
    if (!created.ok) return api.warn(created, 'open an issue')
    authorship.learn(created.data.user)
    return written(created.data, 'created')
  }

  const change = (issue_number: number, params: Readonly<Record<string, string>>) =>
    api.call({
      ...writes,
      route: `PATCH ${ROUTE}/{issue_number}`,
      params: { issue_number, ...params },
      schema: issueSchema,
      repeatable: true,
    })

  return {
    async find(marker, label) {
      const found = await search(marker, label)
      return found === undefined || found === 'absent' ? found : written(found, 'unchanged')
    },

    async upsert(issue) {
      const found = await search(issue.marker, issue.label)
      if (found === undefined) return undefined
      if (found === 'absent') return open(issue)
      const { title, body } = issue
      if (found.title === title && found.body === body) return written(found, 'unchanged')
      const updated = await change(found.number, { title, body })
      return updated.ok ? written(updated.data, 'updated') : api.warn(updated, `update issue #${found.number}`)
    },

    async close(marker, label, comment) {
      const found = await search(marker, label)
      if (found === undefined || found === 'absent') return found
      const said = await api.call({
        ...writes,
        route: `POST ${ROUTE}/{issue_number}/comments`,
        params: { issue_number: found.number, body: comment },
        schema: z.unknown(),
      })
      if (!said.ok) api.warn(said, `comment on issue #${found.number}`)
      const closed = await change(found.number, { state: 'closed', state_reason: 'completed' })
      return closed.ok ? written(closed.data, 'closed') : api.warn(closed, `close issue #${found.number}`)
    },
  }
}

function written(issue: Issue, outcome: WrittenIssue['outcome']): WrittenIssue {
  return { number: issue.number, url: issue.html_url, openedAt: issue.created_at, outcome }
}
