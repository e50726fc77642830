import { randomBytes } from 'node:crypto'
import type { AccessLevel, ForgeProfile, Permissions, Token, TokenKind } from './state/model.ts'
import type { RepositoryState } from './state/state.ts'

/** A refusal or a failure, answered as GitHub answers it. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly details: Readonly<Record<string, unknown>>
  /** A page of HTML in place of JSON. */
  readonly page: string | undefined

  constructor(
    status: number,
    message: string,
    more: {
      headers?: Readonly<Record<string, string>>
      details?: Readonly<Record<string, unknown>>
      page?: string
    } = {},
  ) {
    super(message)
    this.status = status
    this.headers = more.headers ?? {}
    this.details = more.details ?? {}
    this.page = more.page
  }
}

/**
 * Permissions by operation; any one of them is enough.
 * Source: “Permissions required for GitHub Apps” in GitHub's REST documentation. `metadata` belongs to every token.
 */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  'repos/get': ['metadata=read'],
  'repos/get-collaborator-permission-level': ['metadata=read'],
  'repos/list-branches': ['contents=read'],
  'repos/get-branch': ['contents=read'],
  'repos/get-commit': ['contents=read'],
  'repos/list-commits': ['contents=read'],
  'repos/compare-commits-with-basehead': ['contents=read'],
  'repos/get-content': ['contents=read'],
  'repos/list-pull-requests-associated-with-commit': ['contents=read', 'pull_requests=read'],
  'git/get-ref': ['contents=read'],
  'pulls/get': ['pull_requests=read'],
  'pulls/list': ['pull_requests=read'],
  'pulls/list-files': ['pull_requests=read'],
  'pulls/list-commits': ['pull_requests=read'],
  'issues/get': ['issues=read', 'pull_requests=read'],
  'issues/list-for-repo': ['issues=read'],
  'issues/create': ['issues=write'],
  'issues/update': ['issues=write', 'pull_requests=write'],
  'issues/list-comments': ['issues=read', 'pull_requests=read'],
  'issues/get-comment': ['issues=read', 'pull_requests=read'],
  'issues/create-comment': ['issues=write', 'pull_requests=write'],
  'issues/update-comment': ['issues=write', 'pull_requests=write'],
  'issues/delete-comment': ['issues=write', 'pull_requests=write'],
  'issues/list-events': ['issues=read', 'pull_requests=read'],
  'issues/list-events-for-timeline': ['issues=read', 'pull_requests=read'],
  'issues/list-labels-on-issue': ['issues=read', 'pull_requests=read'],
  'issues/add-labels': ['issues=write', 'pull_requests=write'],
  'issues/remove-label': ['issues=write', 'pull_requests=write'],
  'issues/list-labels-for-repo': ['issues=read', 'pull_requests=read'],
  'issues/get-label': ['issues=read', 'pull_requests=read'],
  'issues/create-label': ['issues=write', 'pull_requests=write'],
  'reactions/create-for-issue-comment': ['issues=write', 'pull_requests=write'],
  'reactions/list-for-issue-comment': ['issues=read', 'pull_requests=read'],
  'reactions/delete-for-issue-comment': ['issues=write', 'pull_requests=write'],
  'repos/list-deployments': ['deployments=read'],
  'repos/get-deployment': ['deployments=read'],
  'repos/create-deployment': ['deployments=write'],
  'repos/delete-deployment': ['deployments=write'],
  'repos/list-deployment-statuses': ['deployments=read'],
  'repos/create-deployment-status': ['deployments=write'],
  'repos/list-activities': ['contents=read'],
  'actions/get-workflow-run': ['actions=read'],
  'actions/list-jobs-for-workflow-run': ['actions=read'],
  'actions/list-jobs-for-workflow-run-attempt': ['actions=read'],
}

/** What `x-accepted-github-permissions` says for an operation: alternatives, separated as GitHub does. */
export function acceptedPermissions(operationId: string): string | undefined {
  return REQUIRED[operationId]?.join('; ')
}

/**
 * Lets a call pass or refuses it as GitHub does: 403 where the repository may be seen, 404 where it may not.
 * Whatever is public may be read with any token.
 */
export function checkAccess(
  operationId: string,
  token: Token | undefined,
  repository: Pick<RepositoryState, 'fullName' | 'private' | 'role'>,
  method: string,
): void {
  const reading = method === 'GET'
  const mine = token !== undefined && (token.kind === 'user' || token.repository === repository.fullName)
  if (!repository.private && reading) return
  if (!token) throw repository.private ? notFound() : new ApiError(401, 'Requires authentication')
  const visible =
    !repository.private || (mine && (token.kind !== 'user' || repository.role(token.actor.login) !== 'none'))
  if (!visible) throw notFound()
  const alternatives = REQUIRED[operationId] ?? []
  if (mine && alternatives.some((alternative) => grants(token.permissions, alternative))) return
  throw forbidden(operationId, token)
}

/** The text that an integration without permission gets to read, or the one for a person's token. */
export function forbidden(operationId: string, token?: Token): ApiError {
  const accepted = acceptedPermissions(operationId)
  const kind = token?.kind === 'user' ? 'personal access token' : 'integration'
  return new ApiError(403, `Resource not accessible by ${kind}`, {
    headers: accepted === undefined ? {} : { 'x-accepted-github-permissions': accepted },
  })
}

export function notFound(): ApiError {
  return new ApiError(404, 'Not Found')
}

/** Whether a set of permissions includes `subject=level`. */
export function grants(permissions: Permissions, required: string): boolean {
  const [subject = '', level] = required.split('=')
  if (subject === 'metadata') return true
  const given: AccessLevel = permissions[subject] ?? 'none'
  return given === 'write' || (given === 'read' && level === 'read')
}

/** `pull-requests: write` of a workflow as the API's `pull_requests`. */
export function normalizePermissions(permissions: Permissions): Permissions {
  return Object.fromEntries(
    Object.entries(permissions).map(([subject, level]) => [subject.replaceAll('-', '_'), level]),
  )
}

/** A new token: `ghs_…` for installations (GITHUB_TOKEN is one), `ghp_…` for people; a Gitea's are nothing but digits. */
export function newToken(kind: TokenKind, profile: ForgeProfile): string {
  const digits = randomBytes(20).toString('hex')
  if (profile === 'gitea') return digits
  return (kind === 'user' ? 'ghp_' : 'ghs_') + digits.slice(4)
}

/** The credentials of a request, whichever way they are sent: `Bearer`, `token`, or Basic with the token as password. */
export function credentialsOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  const [scheme = '', value = ''] = authorization.trim().split(/\s+/, 2)
  if (/^(bearer|token)$/i.test(scheme)) return value
  if (!/^basic$/i.test(scheme)) return ''
  const decoded = Buffer.from(value, 'base64').toString('utf8')
  return decoded.slice(decoded.indexOf(':') + 1)
}
