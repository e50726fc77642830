import * as z from 'zod'
import type { Api } from './api.ts'
import type { CallFailure, GitHubLog } from './failures.ts'

/** A comment that is kept up to date instead of written anew, shared by all jobs of a pull request. */
export interface StickyComment {
  readonly pullRequest: number
  /** A line of the body by which the comment is found; the first, unless somebody has edited it. */
  readonly marker: string
  /**
   * The new body from those found (none, one, or several when two jobs made one each). Folding the result in again
   * must give the same body: that is how a lost write is noticed. `shared` when other jobs write to it as well.
   */
  readonly fold: (bodies: readonly string[]) => { readonly body: string; readonly shared: boolean }
  /**
   * Whether a body proves by itself that it is ours. Where it does, its author need not be; of those that do not, one whose
   * author is us is written over, and none is removed.
   */
  readonly authentic?: ((body: string) => boolean) | undefined
  /** `false`: only change a comment that is there. */
  readonly create?: boolean
}

interface CommentsOptions {
  readonly api: Api
  readonly authorship: Authorship
  readonly log: GitHubLog
  readonly sleep: (ms: number) => Promise<void>
  readonly random: () => number
}

/** `again`: another job came between. `unanswered`: whether the comment was made shows when one looks for it. */
type Round = WrittenComment | 'again' | 'unwanted' | { readonly unanswered: CallFailure } | CallFailure

const MAX_ROUNDS = 6

const reads = { permission: 'pull-requests', purpose: 'read the comments of pull requests' } as const
const writes = { permission: 'pull-requests', purpose: 'write comments on pull requests' } as const
const OF_ISSUE = '/repos/{owner}/{repo}/issues/{issue_number}/comments'
const ONE = '/repos/{owner}/{repo}/issues/comments/{comment_id}'

/** Opens the comments of a repository's pull requests. */
export function openComments({ api, authorship, log, sleep, random }: CommentsOptions) {
  const knownIds = new Map<string, number>()
  const keyOf = ({ pullRequest, marker }: StickyComment) => `${pullRequest} ${marker}`
  const read = (comment_id: number) => api.call(reads, `GET ${ONE}`, { comment_id }, commentSchema)
  const post = (issue_number: number, body: string) =>
    api.call(writes, `POST ${OF_ISSUE}`, { issue_number, body }, commentSchema)

  async function find(sticky: StickyComment): Promise<Comment[] | CallFailure> {
    const knownId = knownIds.get(keyOf(sticky))
    if (knownId !== undefined) {
      const known = await read(knownId)
      if (known.ok) return [known.data]
      if (known.problem !== 'not-found') return known
      knownIds.delete(keyOf(sticky))
    }
    return search(sticky, 'first')
  }

  /** Stops at the first page that has a comment of ours, unless `all` are wanted. A stranger's marker stops nothing. */
  async function search(sticky: StickyComment, extent: 'first' | 'all'): Promise<Comment[] | CallFailure> {
    const { authentic } = sticky
    const ours: Comment[] = []
    const unproven: Comment[] = []
    const sort = async (page: readonly Comment[]) => {
      for (const comment of page) {
        if (!hasMarker(comment.body, sticky.marker)) continue
        const proof = authentic?.(comment.body ?? '') === true ? 'proven' : 'unproven'
        if (proof === 'unproven' && authentic !== undefined) unproven.push(comment)
        else if (await authorship.isOurs(comment.user, proof)) ours.push(comment)
      }
      return extent === 'first' && ours.length > 0
    }
    const listed = await api.pages(reads, `GET ${OF_ISSUE}`, { issue_number: sticky.pullRequest }, commentSchema, sort)
    if (!listed.ok || ours.length > 0) return listed.ok ? ours : listed
    for (const comment of unproven) if (await authorship.isOurs(comment.user, 'unproven')) return [comment]
    return []
  }

  /** One round of read, merge, write, verify. */
  async function round(sticky: StickyComment): Promise<Round> {
    const writtenBefore = knownIds.has(keyOf(sticky))
    const found = await find(sticky)
    if (!Array.isArray(found)) return found
    const [oldest, ...others] = found
    const { body, shared } = sticky.fold(found.map((comment) => comment.body ?? ''))
    if (oldest === undefined) return sticky.create === false ? 'unwanted' : create(sticky, body)
    const { id } = oldest
    knownIds.set(keyOf(sticky), id)
    if (others.length === 0 && sameText(oldest.body ?? '', body)) return written(oldest, 'unchanged')
    const updated = await api.call(writes, `PATCH ${ONE}`, { comment_id: id, body }, commentSchema)
    if (!updated.ok) {
      if (updated.problem !== 'not-found') return updated
      knownIds.delete(keyOf(sticky))
      return 'again'
    }
    for (const other of others) await api.call(writes, `DELETE ${ONE}`, { comment_id: other.id }, z.unknown())
    // A job that began later and does not show in the card yet may have read it before this write and written after it.
    if ((shared || writtenBefore) && !(await hasArrived(sticky, id))) return 'again'
    return written(updated.data, 'updated')
  }

  /** Two jobs may both find no comment and make one each: look once more, and let the oldest take in the others. */
  async function create(sticky: StickyComment, body: string): Promise<Round> {
    const created = await post(sticky.pullRequest, body)
    if (!created.ok) return created.problem === 'unreachable' ? { unanswered: created } : created
    authorship.learn(created.data.user)
    knownIds.set(keyOf(sticky), created.data.id)
    const all = await search(sticky, 'all')
    if (!Array.isArray(all) || all.length <= 1) return written(created.data, 'created')
    knownIds.delete(keyOf(sticky))
    return 'again'
  }

  /** Waits long enough for a job that had read before we wrote to write over us, and looks. */
  async function hasArrived(sticky: StickyComment, id: number): Promise<boolean> {
    await sleep(400 + random() * 800)
    const now = await read(id)
    if (!now.ok) return now.problem !== 'not-found'
    const body = now.data.body ?? ''
    return sameText(sticky.fold([body]).body, body)
  }

  function warn(failure: CallFailure, what: string): undefined {
    const locked = 'Its conversation is locked; unlock it, or set `comment: none`.'
    const advice = failure.problem === 'locked' ? locked : 'The deployment itself is not affected.'
    return api.warn(failure, `write ${what}`, advice)
  }

  return {
    /** Undefined when it could not be written, which has then been warned about, or was not wanted (`create: false`). */
    async upsert(sticky: StickyComment): Promise<WrittenComment | undefined> {
      const what = `the comment on pull request #${sticky.pullRequest}`
      let unanswered = 0
      for (let count = 1; count <= MAX_ROUNDS; count++) {
        const result = await round(sticky)
        if (result === 'unwanted') return undefined
        if (result !== 'again') {
          if ('outcome' in result) return result
          if ('problem' in result) return warn(result, what)
          if (++unanswered > 1) return warn(result.unanswered, what)
        }
        log.debug(`Round ${count} for ${what}`)
      }
      const others = `other jobs or ${api.forge.name} got in the way ${MAX_ROUNDS} times`
      log.warning(`Could not bring ${what} up to date: ${others}. The next run will write it again.`)
      return undefined
    },

    /** A plain comment, such as the answer to a command. */
    async add(pullRequest: number, body: string): Promise<WrittenComment | undefined> {
      const created = await post(pullRequest, body)
      return created.ok ? written(created.data, 'created') : warn(created, `a comment on pull request #${pullRequest}`)
    },
  }
}

/** Whether a line of the text is this marker and nothing else: one that is quoted or within a sentence is not. */
export function hasMarker(body: string | null | undefined, marker: string): boolean {
  return body?.includes(marker) === true && body.split('\n').some((line) => line.trim() === marker)
}

type WrittenComment = ReturnType<typeof written>

function written(comment: Comment, outcome: 'created' | 'updated' | 'unchanged') {
  return { id: comment.id, url: comment.html_url, outcome }
}

// An editor in a browser leaves CRLF behind, and white space at the end means nothing.
function sameText(a: string, b: string): boolean {
  return a.replaceAll('\r\n', '\n').trim() === b.replaceAll('\r\n', '\n').trim()
}

export const authorSchema = z.object({ login: z.string(), type: z.string().nullish().catch(undefined) })

type Author = z.infer<typeof authorSchema> | null | undefined

const commentSchema = z.object({
  id: z.number(),
  html_url: z.string(),
  body: z.string().nullish(),
  user: authorSchema.nullable(),
})

type Comment = z.infer<typeof commentSchema>

/** Whom a workflow's own token writes as, on every GitHub. */
const WORKFLOW_BOT = 'github-actions[bot]'

/** Tells what we have written ourselves from what anybody else has, in whose name ever they write. */
export type Authorship = ReturnType<typeof openAuthorship>

/**
 * Only the very account that writes ours counts: other apps write as bots too, and what they write may be a stranger's
 * words. A personal token says whose it is. A workflow's token (and any other app's, `ghs_…`) is not allowed `GET /user`:
 * GraphQL is asked. Where that gives no answer nothing is assumed, until something made in this run settles the question.
 */
export function openAuthorship(api: Api, token: string, apiUrl: string) {
  const ofApp = token.startsWith('ghs_')
  let written: string | undefined
  let asked: Promise<string | undefined> | undefined

  const ownLogin = async (): Promise<string | undefined> => {
    const about = { permission: 'contents', access: 'read', purpose: 'learn who it belongs to', silent: true } as const
    if (!ofApp) {
      const user = await api.call(about, 'GET /user', {}, authorSchema)
      return user.ok ? user.data.login : undefined
    }
    // An Enterprise Server has its REST below /api/v3 and GraphQL beside that.
    const query = { query: 'query { viewer { login } }', baseUrl: apiUrl.replace(/\/v3\/?$/, '') }
    const schema = z.object({ data: z.object({ viewer: authorSchema }) })
    const viewer = await api.call({ ...about, repeatable: true }, 'POST /graphql', query, schema)
    return viewer.ok ? viewer.data.data.viewer.login : undefined
  }

  return {
    /**
     * Whether it is ours; undefined when GitHub does not say who we are.
     * @param text `proven`: it shows by itself that it is ours, so that the name in which workflows write is enough
     */
    async isOurs(author: Author, text: 'proven' | 'unproven'): Promise<boolean | undefined> {
      if (!author) return false
      const login = author.login.toLowerCase()
      if (written !== undefined) return login === written
      if (ofApp && text === 'proven' && login === WORKFLOW_BOT) return true
      // People are never an app; asking for their sake would cost a call on every pull request with a pasted marker.
      if (ofApp && !login.endsWith('[bot]')) return false
      asked ??= ownLogin()
      const own = await asked
      return own === undefined ? undefined : login === own.toLowerCase()
    },
    /** Takes note of the author that GitHub names for something just made. */
    learn(author: Author): void {
      written = author?.login.toLowerCase() ?? written
    },
  }
}
