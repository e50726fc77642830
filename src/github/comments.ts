import * as z from 'zod'
import type { Api, GitHubLog } from './api.ts'
import type { CallFailure } from './failures.ts'
import { type Authorship, authorSchema } from './token.ts'

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

interface WrittenComment {
  readonly id: number
  readonly url: string
  readonly outcome: 'created' | 'updated' | 'unchanged'
}

export interface Comments {
  /** Undefined when it could not be written, which has then been warned about, or was not wanted (`create: false`). */
  upsert(comment: StickyComment): Promise<WrittenComment | undefined>
  /** A plain comment, such as the answer to a command. */
  add(pullRequest: number, body: string): Promise<WrittenComment | undefined>
}

interface CommentsOptions {
  readonly api: Api
  readonly authorship: Authorship
  readonly log: GitHubLog
  readonly sleep: (ms: number) => Promise<void>
  readonly random: () => number
}

type Address = Pick<StickyComment, 'pullRequest' | 'marker' | 'authentic'>

/** `again`: another job came between. `unanswered`: whether the comment was made shows when one looks for it. */
type Round = WrittenComment | 'again' | 'unwanted' | { readonly unanswered: CallFailure } | CallFailure

const MAX_ROUNDS = 6

/** Opens the comments of a repository's pull requests. */
export function openComments(options: CommentsOptions): Comments {
  const calls = commentCalls(options.api)
  const knownIds = new Map<string, number>()

  async function find(sticky: Address): Promise<Comment[] | CallFailure> {
    const knownId = knownIds.get(keyOf(sticky))
    if (knownId !== undefined) {
      const read = await calls.read(knownId)
      if (read.ok) return [read.data]
      if (read.problem !== 'not-found') return read
      knownIds.delete(keyOf(sticky))
    }
    return search(sticky, 'first')
  }

  /** Stops at the first page that has a comment of ours, unless `all` are wanted. A stranger's marker stops nothing. */
  async function search(sticky: Address, extent: 'first' | 'all'): Promise<Comment[] | CallFailure> {
    const { authentic } = sticky
    const ours: Comment[] = []
    const unproven: Comment[] = []
    const listed = await calls.list(sticky.pullRequest, async (page) => {
      for (const comment of page) {
        if (!hasMarker(comment.body, sticky.marker)) continue
        const proof = authentic?.(comment.body ?? '') === true ? 'proven' : 'unproven'
        if (proof === 'unproven' && authentic !== undefined) unproven.push(comment)
        else if (await options.authorship.isOurs(comment.user, proof)) ours.push(comment)
      }
      return extent === 'first' && ours.length > 0
    })
    if (!listed.ok || ours.length > 0) return listed.ok ? ours : listed
    for (const comment of unproven) if (await options.authorship.isOurs(comment.user, 'unproven')) return [comment]
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
    knownIds.set(keyOf(sticky), oldest.id)
    if (others.length === 0 && sameText(oldest.body ?? '', body)) return written(oldest, 'unchanged')
    const updated = await calls.update(oldest.id, body)
    if (!updated.ok) return updated.problem === 'not-found' ? forget(sticky) : updated
    for (const other of others) await calls.remove(other.id)
    // A job that began later and does not show in the card yet may have read it before this write and written after it.
    if ((shared || writtenBefore) && !(await hasArrived(sticky, oldest.id))) return 'again'
    return written(updated.data, 'updated')
  }

  function forget(sticky: StickyComment): 'again' {
    knownIds.delete(keyOf(sticky))
    return 'again'
  }

  /** Two jobs may both find no comment and make one each: look once more, and let the oldest take in the others. */
  async function create(sticky: StickyComment, body: string): Promise<Round> {
    const created = await calls.create(sticky.pullRequest, body)
    if (!created.ok) return created.problem === 'unreachable' ? { unanswered: created } : created
    options.authorship.learn(created.data.user)
    knownIds.set(keyOf(sticky), created.data.id)
    const all = await search(sticky, 'all')
    if (!Array.isArray(all) || all.length <= 1) return written(created.data, 'created')
    knownIds.delete(keyOf(sticky))
    return 'again'
  }

  /** Waits long enough for a job that had read before we wrote to write over us, and looks. */
  async function hasArrived(sticky: StickyComment, id: number): Promise<boolean> {
    await options.sleep(400 + options.random() * 800)
    const read = await calls.read(id)
    if (!read.ok) return read.problem !== 'not-found'
    const body = read.data.body ?? ''
    return sameText(sticky.fold([body]).body, body)
  }

  return {
    async upsert(sticky) {
      const what = `the comment on pull request #${sticky.pullRequest}`
      let unanswered = 0
      for (let count = 1; count <= MAX_ROUNDS; count++) {
        const result = await round(sticky)
        if (result === 'unwanted') return undefined
        if (result !== 'again' && 'outcome' in result) return result
        if (result !== 'again' && 'problem' in result) return warnAbout(options, result, what)
        if (result !== 'again' && ++unanswered > 1) return warnAbout(options, result.unanswered, what)
        options.log.debug(`Round ${count} for ${what}`)
      }
      options.log.warning(
        `Could not bring ${what} up to date: other jobs or ${options.api.forge.name} got in the way ${MAX_ROUNDS} times. The next run will write it again.`,
      )
      return undefined
    },

    async add(pullRequest, body) {
      const created = await calls.create(pullRequest, body)
      return created.ok
        ? written(created.data, 'created')
        : warnAbout(options, created, `a comment on pull request #${pullRequest}`)
    },
  }
}

/** Whether a line of the text is this marker and nothing else: one that is quoted or within a sentence is not. */
export function hasMarker(body: string | null | undefined, marker: string): boolean {
  return body?.includes(marker) === true && body.split('\n').some((line) => line.trim() === marker)
}

function warnAbout({ api }: CommentsOptions, failure: CallFailure, what: string): undefined {
  const advice =
    failure.problem === 'locked'
      ? 'Its conversation is locked; unlock it, or set `comment: none`.'
      : 'The deployment itself is not affected.'
  return api.warn(failure, `write ${what}`, advice)
}

function keyOf(sticky: Address): string {
  return `${sticky.pullRequest} ${sticky.marker}`
}

function written(comment: Comment, outcome: WrittenComment['outcome']): WrittenComment {
  return { id: comment.id, url: comment.html_url, outcome }
}

// An editor in a browser leaves CRLF behind, and white space at the end means nothing.
function sameText(a: string, b: string): boolean {
  return a.replaceAll('\r\n', '\n').trim() === b.replaceAll('\r\n', '\n').trim()
}

const commentSchema = z.object({
  id: z.number(),
  html_url: z.string(),
  body: z.string().nullish(),
  user: authorSchema.nullable(),
})

type Comment = z.infer<typeof commentSchema>

const ROUTE = '/repos/{owner}/{repo}/issues'
const ONE = `${ROUTE}/comments/{comment_id}`

/** Binds the calls to a repository. */
function commentCalls(api: Api) {
  const reads = { permission: 'pull-requests', access: 'read', purpose: 'read the comments of pull requests' } as const
  const writes = { permission: 'pull-requests', access: 'write', purpose: 'write comments on pull requests' } as const
  const changes = { ...writes, repeatable: true }
  return {
    list: (issue_number: number, enough: (page: readonly Comment[]) => Promise<boolean>) =>
      api.pages(
        {
          ...reads,
          route: `GET ${ROUTE}/{issue_number}/comments`,
          params: { issue_number },
          schema: z.array(commentSchema),
        },
        enough,
      ),
    read: (comment_id: number) =>
      api.call({ ...reads, route: `GET ${ONE}`, params: { comment_id }, schema: commentSchema }),
    create: (issue_number: number, body: string) =>
      api.call({
        ...writes,
        route: `POST ${ROUTE}/{issue_number}/comments`,
        params: { issue_number, body },
        schema: commentSchema,
      }),
    update: (comment_id: number, body: string) =>
      api.call({ ...changes, route: `PATCH ${ONE}`, params: { comment_id, body }, schema: commentSchema }),
    remove: (comment_id: number) =>
      api.call({ ...changes, route: `DELETE ${ONE}`, params: { comment_id }, schema: z.unknown() }),
  }
}
