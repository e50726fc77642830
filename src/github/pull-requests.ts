import * as z from 'zod'
import { shortSha } from '../core/format.ts'
import type { Api, Patience } from './api.ts'
import type { CallFailure } from './failures.ts'

/** Files of a change. `complete` is false where GitHub cuts the list (3000 files of a pull request, 300 of a comparison). */
export interface ChangedFiles {
  readonly paths: readonly string[]
  readonly complete: boolean
  /** How the second of two commits lies to the first: `ahead`, `behind`, `identical`, `diverged`. */
  readonly relation?: string | undefined
}

const pullSchema = z
  .object({
    number: z.number(),
    state: z.string(),
    draft: z.boolean().default(false),
    updated_at: z.string(),
    labels: z.array(z.object({ name: z.string() })),
    head: z.object({
      sha: z.string(),
      ref: z.string(),
      // Null once a fork has been deleted.
      repo: z.object({ full_name: z.string(), pushed_at: z.string().nullish() }).nullable(),
    }),
    base: z.object({ sha: z.string() }),
  })
  .transform(({ number, draft, base, head: { sha, ref, repo }, ...pull }) => ({
    number,
    open: pull.state === 'open',
    draft,
    labels: pull.labels.map(({ name }) => name) as readonly string[],
    /** `pushedAt` is when its repository was pushed to last, by GitHub's clock. ISO 8601. */
    head: { sha, ref, repository: repo?.full_name, ...(repo?.pushed_at ? { pushedAt: repo.pushed_at } : {}) },
    base,
    /** ISO 8601. */
    updatedAt: pull.updated_at,
  }))

/** A pull request as it is now, not as the event said it was. */
export type PullRequestState = z.infer<typeof pullSchema>

const fileSchema = z.object({ filename: z.string(), previous_filename: z.string().optional() })

const timelineSchema = z
  .object({
    event: z.string().default(''),
    created_at: z.string().nullish(),
    sha: z.string().nullish(),
    commit_id: z.string().nullish(),
    label: z.object({ name: z.string() }).nullish(),
  })
  .transform(({ event, sha, commit_id: commit, label, created_at: at }) => ({
    /** `committed`, `head_ref_force_pushed`, `labeled`, … as GitHub names them. */
    event,
    /** The commit, or the head after a force push. */
    sha: sha ?? commit ?? undefined,
    label: label?.name,
    /** ISO 8601. Commits have no time of GitHub's. */
    at: at ?? undefined,
  }))

type TimelineEntry = z.infer<typeof timelineSchema>

const MOST_FILES_OF_PULL_REQUEST = 3000
const MOST_FILES_OF_COMPARISON = 300

/** Opens the pull requests of a repository. Guards rely on these reads: each gives `undefined`, with a warning, when GitHub does not answer it. */
export function openPullRequests(api: Api) {
  const reads = { permission: 'pull-requests', purpose: 'read pull requests' } as const
  let forbidden = false

  function unread(failure: CallFailure, what: string): undefined {
    if (failure.problem === 'missing-permission') forbidden = true
    return api.warn(failure, `read ${what}`)
  }

  async function all<T>(route: string, params: Readonly<Record<string, unknown>>, item: z.ZodType<T>, what: string) {
    const read = await api.pages(reads, `GET /repos/{owner}/{repo}/${route}`, params, item)
    return read.ok ? read.data : unread(read, what)
  }

  return {
    /** `'absent'` when there is no such pull request. */
    async get(number: number, patience: Patience = {}): Promise<PullRequestState | 'absent' | undefined> {
      const params = { pull_number: number }
      const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}'
      const read = await api.call({ ...reads, ...patience }, route, params, pullSchema)
      if (read.ok) return read.data
      return read.problem === 'not-found' ? 'absent' : unread(read, `pull request #${number}`)
    },

    /** Whether the token may read pull requests, as far as is known: what it may not, no waiting will tell. */
    mayRead: (): boolean => !forbidden,

    list: (state: 'open' | 'all'): Promise<readonly PullRequestState[] | undefined> =>
      all('pulls', { state }, pullSchema, 'the pull requests'),

    async changedFiles(pull_number: number): Promise<ChangedFiles | undefined> {
      const what = `the files of pull request #${pull_number}`
      const files = await all('pulls/{pull_number}/files', { pull_number }, fileSchema, what)
      return files && { paths: pathsOf(files), complete: files.length < MOST_FILES_OF_PULL_REQUEST }
    },

    /** What `head` has that `base` had not, for pushes. */
    async changedBetween(base: string, head: string): Promise<ChangedFiles | undefined> {
      const read = await api.call(
        { permission: 'contents', purpose: 'compare commits', ability: 'comparison' },
        'GET /repos/{owner}/{repo}/compare/{basehead}',
        { basehead: `${base}...${head}`, per_page: 1 },
        z.object({ status: z.string().optional(), files: z.array(fileSchema).optional() }),
      )
      if (!read.ok) return unread(read, `what changed between ${shortSha(base)} and ${shortSha(head)}`)
      const { status: relation, files } = read.data
      // An answer without a list says nothing about what changed.
      if (files === undefined) return { paths: [], complete: false, relation }
      return { paths: pathsOf(files), complete: files.length < MOST_FILES_OF_COMPARISON, relation }
    },

    /** What happened to it, oldest first. */
    async timeline(issue_number: number): Promise<readonly TimelineEntry[] | undefined> {
      const what = `the history of pull request #${issue_number}`
      return all('issues/{issue_number}/timeline', { issue_number }, timelineSchema, what)
    },
  }
}

// A file that was renamed concerns both its names.
function pathsOf(files: readonly z.infer<typeof fileSchema>[]): string[] {
  return files.flatMap(({ filename, previous_filename: before }) =>
    before === undefined ? filename : [filename, before],
  )
}
