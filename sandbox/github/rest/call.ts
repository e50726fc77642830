import { ApiError, notFound } from '../access.ts'
import type { Json } from '../description.ts'
import type { Repository } from '../repository.ts'
import type { Issue, PullRequest, Token, User } from '../state/model.ts'
import type { World } from '../state/state.ts'

/** A request that has been matched with GitHub's description and let through. */
export interface Call {
  readonly world: World<Repository>
  readonly repository: Repository
  readonly token: Token | undefined
  readonly params: Readonly<Record<string, string>>
  /** Typed as described: numbers are numbers. */
  readonly query: Readonly<Record<string, Json>>
  readonly body: Readonly<Record<string, Json>>
  readonly url: URL
}

export interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type Handler = (call: Call) => Answer | Promise<Answer>
/** Handlers by the operation's id in GitHub's description. */
export type Handlers = Readonly<Record<string, Handler>>

const DEFAULT_PAGE_SIZE = 30
const LARGEST_PAGE_SIZE = 100

/** One page of a list, with the `Link` header that leads to the others. */
export function paged<T>(call: Call, items: readonly T[], render: (item: T) => unknown): Answer {
  const { slice, headers } = pageOf(call, items)
  return { status: 200, body: slice.map(render), headers }
}

/** The same for answers in which the list is a part of the body. */
export function pageOf<T>(call: Call, items: readonly T[]): { slice: readonly T[]; headers: Record<string, string> } {
  const size = Math.min(LARGEST_PAGE_SIZE, Math.max(1, Number(call.query.per_page ?? DEFAULT_PAGE_SIZE)))
  const page = Math.max(1, Number(call.query.page ?? 1))
  const last = Math.max(1, Math.ceil(items.length / size))
  const link = (relation: string, target: number): string => {
    const url = new URL(call.url)
    url.searchParams.set('page', String(target))
    return `<${url.href}>; rel="${relation}"`
  }
  const links = [
    ...(page > 1 ? [link('prev', page - 1)] : []),
    ...(page < last ? [link('next', page + 1), link('last', last)] : []),
    ...(page > 1 ? [link('first', 1)] : []),
  ]
  return {
    slice: items.slice((page - 1) * size, page * size),
    headers: links.length === 0 ? {} : { link: links.join(', ') },
  }
}

/** Who is calling; writing is never anonymous, and access has been checked before. */
export function viewer(call: Call): User {
  if (!call.token) throw new ApiError(401, 'Requires authentication')
  return call.token.actor
}

/** The issue or pull request that the path names. */
export function issueOf(call: Call): Issue {
  const issue = call.repository.issues.get(Number(call.params.issue_number))
  if (!issue) throw notFound()
  return issue
}

/** The pull request that the path names. */
export function pullOf(call: Call): PullRequest {
  const pull = call.repository.pulls.get(Number(call.params.pull_number))
  if (!pull) throw notFound()
  return pull
}

/** A text of the body, or `undefined` when it is missing or null. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A refusal of a value, as GitHub words it. */
export function invalid(resource: string, field: string, code: string, message = 'Validation Failed'): ApiError {
  return new ApiError(422, message, { details: { errors: [{ resource, field, code }] } })
}
