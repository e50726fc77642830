import type { FaultOptions, FaultRegistry } from '../fault.ts'
import { ApiError, forbidden, notFound } from './access.ts'
import type { Repository } from './repository.ts'

/** The faults of this stand-in. `operation`, `method` and `path` (a part of it) narrow down which requests are meant. */
export const GITHUB_FAULTS = {
  'github.http':
    'answers with `status` (default 502), `retryAfterSeconds` and `message`, without doing anything; with `html: true` as a gateway does, with a page instead of JSON',
  'github.rate-limit':
    'answers 403 (or `status: 429`) as the secondary rate limit does, with `retryAfterSeconds` (default 60, `null` for none); with `primary: true` as the hourly one',
  'github.forbidden': 'answers 403 “Resource not accessible by integration”, whatever the token may do',
  'github.not-found': 'answers 404, as it does for what a token may not see',
  'github.reset': 'cuts the connection; with `processed: true` only after the request has had its effect',
  'github.silence': 'does not answer for `ms` milliseconds (default 30000), then goes on',
  'github.compare-files':
    'a comparison lists only the first `keep` files (default 0), or, with `missing: true`, has no list of files at all',
  'github.comment-deleted':
    'somebody deletes comment `id` (default: the newest of pull request `number`) just before the request',
  'github.comment-edited': 'somebody replaces the text of comment `id` (default: the newest of `number`) by `body`',
  'github.pull-closed':
    'somebody closes pull request `number` just before the request; with `merged: true` by merging it',
  'github.pull-pushed': 'somebody pushes `files` to the branch of pull request `number` just before the request',
  'github.git': 'git over HTTP answers with `status` (default 500); `service` may be `read` or `write`',
  'github.git-reset': 'git over HTTP: the connection is cut before the answer; `service` may be `read` or `write`',
} as const

export type GitHubFault = keyof typeof GITHUB_FAULTS
export type GitHubFaults = FaultRegistry<GitHubFault>

export interface RequestFacts {
  readonly operation: string
  readonly method: string
  readonly path: string
}

/** Whether a fault's details leave this request open. */
export function concerns(request: RequestFacts): (options: FaultOptions) => boolean {
  return (options) =>
    (options.operation === undefined || options.operation === request.operation) &&
    (options.method === undefined || options.method === request.method) &&
    (typeof options.path !== 'string' || request.path.includes(options.path))
}

/** Faults that answer in place of the API. */
export function strikeAnswer(faults: GitHubFaults, request: RequestFacts): ApiError | undefined {
  const matches = concerns(request)
  const http = faults.strike('github.http', matches)
  if (http) {
    const { status = 502, message = 'Server Error', retryAfterSeconds, html } = http.options
    return new ApiError(Number(status), String(message), {
      headers: retryAfter(retryAfterSeconds),
      ...(html === true ? { page: errorPage(Number(status)) } : {}),
    })
  }
  const limit = faults.strike('github.rate-limit', matches)
  if (limit?.options.primary === true) return hourlyLimit()
  if (limit) {
    const { status = 403, retryAfterSeconds = 60 } = limit.options
    return secondaryLimit(Number(status), retryAfterSeconds)
  }
  if (faults.strike('github.forbidden', matches)) return forbidden(request.operation)
  if (faults.strike('github.not-found', matches)) return notFound()
  return undefined
}

/** The limit on what is done too quickly. GitHub does not always say when to come back. */
export function secondaryLimit(status: number, retryAfterSeconds: unknown): ApiError {
  const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.'
  return new ApiError(status, message, { headers: retryAfter(retryAfterSeconds) })
}

/** What GitHub's gateways answer when what is behind them does not: a page of some 12 000 characters, most of it a picture. */
function errorPage(status: number): string {
  const picture = 'iVBORw0KGgo'.repeat(1000)
  return `<!DOCTYPE html>\n<html>\n<head><title>Unicorn! &middot; GitHub</title></head>\n<body>\n<p><strong>We had issues producing the response to your request (${status}).</strong></p>\n<img alt="" src="data:image/png;base64,${picture}">\n</body>\n</html>\n`
}

/** The hourly limit says when it ends in `x-ratelimit-reset`, in seconds since 1970, and nothing in `retry-after`. */
function hourlyLimit(): ApiError {
  return new ApiError(
    403,
    'API rate limit exceeded for installation. If you reach out to GitHub Support for help, please include the request ID.',
    {
      headers: { 'x-ratelimit-remaining': '0' },
    },
  )
}

function retryAfter(seconds: unknown): Record<string, string> {
  return seconds === undefined || seconds === null ? {} : { 'retry-after': String(seconds) }
}

/** Faults that are other people's doing: they change the repository, and the request then meets what is left. */
export async function strikeMeanwhile(
  faults: GitHubFaults,
  request: RequestFacts,
  repository: Repository,
): Promise<void> {
  const matches = concerns(request)
  const deleted = faults.strike('github.comment-deleted', matches)
  if (deleted) repository.conversation.deleteComment(commentId(repository, deleted.options))
  const edited = faults.strike('github.comment-edited', matches)
  if (edited) {
    repository.conversation.editComment(commentId(repository, edited.options), String(edited.options.body ?? 'Edited.'))
  }
  const closed = faults.strike('github.pull-closed', matches)
  if (closed) {
    const number = Number(closed.options.number)
    if (closed.options.merged === true) await repository.merge(number)
    else await repository.close(number)
  }
  const pushed = faults.strike('github.pull-pushed', matches)
  if (pushed) await pushMeanwhile(repository, pushed.options)
}

async function pushMeanwhile(repository: Repository, options: FaultOptions): Promise<void> {
  const pull = repository.pull(Number(options.number))
  const files = (options.files ?? { 'meanwhile.txt': 'Pushed meanwhile.\n' }) as Record<string, string>
  await repository.pushTo(pull.headRef, files, 'Pushed meanwhile')
}

function commentId(repository: Repository, options: FaultOptions): number {
  return Number(options.id ?? repository.comments(Number(options.number)).at(-1)?.id ?? 0)
}
