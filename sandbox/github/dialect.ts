import { acceptedPermissions } from './access.ts'
import { asObject, type Json, type Match, readDescription } from './description.ts'
import type { Answer, Paging } from './rest/call.ts'
import { createValidator } from './validation.ts'

/** What a GITHUB_TOKEN may ask per hour. It is told, as GitHub tells it, but not enforced. */
const RATE_LIMIT = 1000
const DEFAULT_PAGE_SIZE = 30
const LARGEST_PAGE_SIZE = 100

export interface RequestParts {
  readonly query: Readonly<Record<string, string>>
  readonly body: Json | undefined
}

/** How one kind of forge is spoken to: which calls there are, and in which shape it answers. */
export interface Dialect {
  /** The call that a request means; `undefined` where there is no such call. */
  find(method: string, path: string): Match | undefined
  /** What is wrong with a request, or with our own answer to it. An empty list: nothing. */
  requestProblems(match: Match, parts: RequestParts): string[]
  answerProblems(match: Match, answer: Answer): string[]
  /** Query values, typed. */
  query(match: Match, query: RequestParts['query']): Record<string, Json>
  paging(match: Match, query: Readonly<Record<string, Json>>): Paging
  /** An answer in this forge's own shape. */
  shape(operation: string, answer: Answer): Answer
  /** Headers of every answer. `used` counts the token's requests so far. */
  headers(operation: string, answer: Answer, used: number): Record<string, string>
  /** True where a request that nobody describes is a mistake of whoever sent it, not just a 404. */
  readonly strict: boolean
}

let loading: Promise<Dialect> | undefined

/** GitHub's: measured against GitHub's own description of its API. Kept for the life of the process, with what it has compiled. */
export function githubDialect(): Promise<Dialect> {
  loading ??= openDialect()
  return loading
}

async function openDialect(): Promise<Dialect> {
  const description = await readDescription()
  const validator = createValidator(description)
  return {
    strict: true,
    find: description.find,
    requestProblems: ({ operation, params }, parts) => validator.request(operation, { params, ...parts }),
    answerProblems: ({ operation }, { status, body }) =>
      validator.response(operation, status, body === undefined ? undefined : plain(body)),
    query: ({ operation }, query) => validator.typed(operation, query),
    paging: (_match, query) => ({
      size: Math.min(LARGEST_PAGE_SIZE, Math.max(1, Number(query.per_page ?? DEFAULT_PAGE_SIZE))),
      page: Math.max(1, Number(query.page ?? 1)),
    }),
    shape: (_operation, answer) => answer,
    headers(operation, answer, used) {
      const accepted = acceptedPermissions(operation)
      return {
        'x-github-media-type': 'github.v3; format=json',
        'x-github-request-id': `SAND:${used.toString(16).toUpperCase()}`,
        'x-ratelimit-limit': String(RATE_LIMIT),
        'x-ratelimit-remaining': String(Math.max(0, RATE_LIMIT - used)),
        'x-ratelimit-used': String(used),
        'x-ratelimit-reset': String(Math.ceil(Date.now() / 3_600_000) * 3600),
        'x-ratelimit-resource': 'core',
        ...(accepted === undefined ? {} : { 'x-accepted-github-permissions': accepted }),
        ...(answer.list === undefined ? {} : linkHeader(answer.list)),
      }
    },
  }
}

/** The `Link` header that leads from one page of a list to the others. */
function linkHeader({ url, page, size, total }: NonNullable<Answer['list']>): Record<string, string> {
  const last = Math.max(1, Math.ceil(total / size))
  const link = (relation: string, target: number): string => {
    const there = new URL(url)
    there.searchParams.set('page', String(target))
    return `<${there.href}>; rel="${relation}"`
  }
  const links = [
    ...(page > 1 ? [link('prev', page - 1)] : []),
    ...(page < last ? [link('next', page + 1), link('last', last)] : []),
    ...(page > 1 ? [link('first', 1)] : []),
  ]
  return links.length === 0 ? {} : { link: links.join(', ') }
}

/** The value as the client will see it: dates as text, `undefined` left out. */
export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}

/** The body of a request as an object; anything else counts as an empty one. */
export function bodyObject(body: Json | undefined) {
  return asObject(body ?? {})
}
