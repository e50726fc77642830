import type { Api } from './api.ts'
import type { Authorship } from './authorship.ts'
import { type Comment, commentCalls } from './comment-calls.ts'
import type { Failure } from './outcome.ts'

/** A comment that is kept up to date instead of written anew, shared by all jobs of a pull request. */
export interface StickyComment {
  readonly pullRequest: number
  /** First line of the body, by which the comment is found. */
  readonly marker: string
  /**
   * The new body from those found (none, one, or several when two jobs made one each). Folding the result in again
   * must give the same body: that is how a lost write is noticed. `shared` when other jobs write to it as well.
   */
  readonly fold: (bodies: readonly string[]) => { readonly body: string; readonly shared: boolean }
  /** `false`: only change a comment that is there. */
  readonly create?: boolean
}

export interface WrittenComment {
  readonly id: number
  readonly url: string
  readonly outcome: 'created' | 'updated' | 'unchanged'
}

export interface Comments {
  /** The bodies of our comments with this marker, oldest first; undefined when they could not be read. */
  read(comment: Pick<StickyComment, 'pullRequest' | 'marker'>): Promise<readonly string[] | undefined>
  /** Undefined when it could not be written, which has then been warned about, or was not wanted (`create: false`). */
  keep(comment: StickyComment): Promise<WrittenComment | undefined>
  /** A plain comment, such as the answer to a command. */
  add(pullRequest: number, body: string): Promise<WrittenComment | undefined>
}

interface CommentsOptions {
  readonly api: Api
  readonly authorship: Authorship
  readonly warning: (message: string) => void
  readonly debug: (message: string) => void
  readonly sleep: (ms: number) => Promise<void>
  readonly random: () => number
}

type Place = Pick<StickyComment, 'pullRequest' | 'marker'>

/** `again`: another job came between. `unanswered`: whether the comment was made shows when one looks for it. */
type Round = WrittenComment | 'again' | 'unwanted' | { readonly unanswered: Failure } | Failure

const MAX_ROUNDS = 6

/** Opens the comments of a repository's pull requests. */
export function openComments(options: CommentsOptions): Comments {
  const calls = commentCalls(options.api)
  const knownIds = new Map<string, number>()

  async function find(sticky: Place): Promise<Comment[] | Failure> {
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
  async function search(sticky: Place, extent: 'first' | 'all'): Promise<Comment[] | Failure> {
    const ours: Comment[] = []
    const listed = await calls.list(sticky.pullRequest, async (page) => {
      for (const comment of page) {
        const marked = comment.body?.startsWith(sticky.marker) === true
        if (marked && (await options.authorship.isOurs(comment.user))) ours.push(comment)
      }
      return extent === 'first' && ours.length > 0
    })
    return listed.ok ? ours : listed
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
    async read(place) {
      const found = await find(place)
      if (!Array.isArray(found))
        return give(options, found, `the comment on pull request #${place.pullRequest}`, 'read')
      const [only] = found
      if (found.length === 1 && only !== undefined) knownIds.set(keyOf(place), only.id)
      return found.map((comment) => comment.body ?? '')
    },

    async keep(sticky) {
      const what = `the comment on pull request #${sticky.pullRequest}`
      let unanswered = 0
      for (let count = 1; count <= MAX_ROUNDS; count++) {
        const result = await round(sticky)
        if (result === 'unwanted') return undefined
        if (result !== 'again' && 'outcome' in result) return result
        if (result !== 'again' && 'problem' in result) return give(options, result, what)
        if (result !== 'again' && ++unanswered > 1) return give(options, result.unanswered, what)
        options.debug(`Round ${count} for ${what}`)
      }
      options.warning(
        `Could not bring ${what} up to date: other jobs or GitHub got in the way ${MAX_ROUNDS} times. The next run will write it again.`,
      )
      return undefined
    },

    async add(pullRequest, body) {
      const created = await calls.create(pullRequest, body)
      return created.ok
        ? written(created.data, 'created')
        : give(options, created, `a comment on pull request #${pullRequest}`)
    },
  }
}

function give(options: CommentsOptions, failure: Failure, what: string, verb = 'write'): undefined {
  if (failure.problem === 'missing-permission') return undefined
  const said = `${failure.status === undefined ? '' : `${failure.status} `}${failure.message}`
  const advice =
    failure.problem === 'locked'
      ? 'Its conversation is locked; unlock it, or set `comment: none`.'
      : 'The deployment itself is not affected.'
  options.warning(`Could not ${verb} ${what} (GitHub: ${said}). ${advice}`)
  return undefined
}

function keyOf(sticky: Place): string {
  return `${sticky.pullRequest} ${sticky.marker}`
}

function written(comment: Comment, outcome: WrittenComment['outcome']): WrittenComment {
  return { id: comment.id, url: comment.html_url, outcome }
}

// An editor in a browser leaves CRLF behind, and white space at the end means nothing.
function sameText(a: string, b: string): boolean {
  return a.replaceAll('\r\n', '\n').trim() === b.replaceAll('\r\n', '\n').trim()
}
