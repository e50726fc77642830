import { ApiError, notFound } from '../access.ts'
import type { Json } from '../description.ts'
import type { GitHubFaults, RequestFacts } from '../faults.ts'
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
  readonly paging: Paging
  readonly body: Readonly<Record<string, Json>>
  readonly url: URL
  readonly faults: GitHubFaults
  readonly facts: RequestFacts
}

export interface Answer {
  readonly status: number
  /** A page of HTML in place of JSON. */
  readonly page?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Which page of which list this is; each forge has its own way of saying so. */
  readonly list?: Paging & { readonly url: URL; readonly total: number }
}

export interface Paging {
  readonly size: number
  /** From 1. */
  readonly page: number
}

export type Handler = (call: Call) => Answer | Promise<Answer>
/** Handlers by the operation's id in GitHub's description. */
export type Handlers = Readonly<Record<string, Handler>>

/** One page of a list. */
export function paged<T>(call: Call, items: readonly T[], render: (item: T) => unknown): Answer {
  const { slice, list } = pageOf(call, items)
  return { status: 200, body: slice.map(render), list }
}

/** The same for answers in which the list is a part of the body. */
export function pageOf<T>(call: Call, items: readonly T[]) {
  const { size, page } = call.paging
  const list = { url: call.url, page, size, total: items.length }
  return { slice: items.slice((page - 1) * size, page * size), list }
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
