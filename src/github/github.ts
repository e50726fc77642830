import * as z from 'zod'
import type { Clock } from '../core/clock.ts'
import type { Fetch } from '../core/http.ts'
import { type Api, describeFailure, openApi, type Patience } from './api.ts'
import { type Comments, openComments } from './comments.ts'
import { type Issues, openIssues } from './issues.ts'
import { openPullRequests, type PullRequests } from './pull-requests.ts'
import { openRecords, type Records } from './records.ts'
import { openAuthorship, openPermissionWarnings } from './token.ts'

/** GitHub's side of a deployment. Nothing here throws; what cannot be written is one warning. */
export interface GitHub {
  readonly branches: Branches
  readonly files: RepositoryFiles
  readonly comments: Comments
  readonly records: Records
  readonly pullRequests: PullRequests
  readonly people: People
  readonly issues: Issues
}

export interface GitHubOptions {
  /** Without one GitHub is left alone, which is said once. */
  readonly token: string | undefined
  /** As in `GITHUB_API_URL`. */
  readonly apiUrl: string
  readonly owner: string
  readonly repo: string
  readonly log: { warning(message: string): void; debug(message: string): void }
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  /** Why the token can write nothing, when that is certain beforehand, as for a pull request from a fork. */
  readonly readOnlyBecause?: string | undefined
  /** Milliseconds for one call with all its repetitions; a minute unless told otherwise. */
  readonly callLimitMs?: number | undefined
  readonly fetch?: Fetch | undefined
}

const CALL_LIMIT_MS = 60_000
const ATTEMPT_LIMIT_MS = 15_000

/** Opens GitHub for one repository. Makes no call. */
export function openGitHub(options: GitHubOptions): GitHub {
  const { log, clock, random, signal } = options
  const warning = (message: string) => log.warning(message)
  const debug = (message: string) => log.debug(message)
  const api = openApi({
    token: options.token ?? 'none',
    apiUrl: options.apiUrl,
    owner: options.owner,
    repo: options.repo,
    clock,
    random,
    signal,
    debug,
    warnings: openPermissionWarnings({
      warning,
      debug,
      readOnlyBecause: options.readOnlyBecause,
      hasToken: options.token !== undefined,
    }),
    callLimitMs: options.callLimitMs ?? CALL_LIMIT_MS,
    attemptLimitMs: ATTEMPT_LIMIT_MS,
    fetch: options.fetch,
  })
  const authorship = openAuthorship(api, options.token ?? '', options.apiUrl)
  // A cancelled run does not wait; what it does next fails by itself.
  const sleep = (ms: number) => clock.sleep(ms, signal).catch(() => debug('Cancelled while waiting for GitHub'))
  return {
    branches: openBranches(api),
    files: openFiles(api),
    comments: openComments({ api, authorship, warning, debug, sleep, random }),
    records: openRecords(api, authorship, warning),
    pullRequests: openPullRequests(api, warning),
    people: openPeople(api, options.owner, { warning, debug }),
    issues: openIssues(api, authorship, warning),
  }
}

/** The repository's branches on GitHub. */
export interface Branches {
  /** The commit at the tip of a branch; undefined when it cannot be read, which decides nothing and is not worth a warning. */
  tip(branch: string, patience?: Patience): Promise<string | undefined>
}

/** Opens the branches of a repository. */
export function openBranches(api: Api): Branches {
  return {
    async tip(branch, patience = {}) {
      const read = await api.call({
        ...patience,
        route: 'GET /repos/{owner}/{repo}/git/ref/{ref}',
        params: { ref: `heads/${branch}` },
        schema: z.object({ object: z.object({ sha: z.string() }) }),
        permission: 'contents',
        access: 'read',
        purpose: 'see whether the production branch has moved on',
        silent: true,
      })
      return read.ok ? read.data.object.sha : undefined
    },
  }
}

/** Who may command the action by a comment, and the signs it answers with. */
export interface People {
  /** Whether a user may write to the repository; undefined, with a warning, when GitHub does not say. */
  mayWrite(login: string): Promise<boolean | undefined>
  /** Puts a reaction on a comment. A failure is a missing sign and nothing else, so it is only told to the debug log. */
  react(commentId: number, reaction: 'eyes' | '+1' | '-1'): Promise<void>
}

/** Opens permissions and reactions of a repository. */
export function openPeople(
  api: Api,
  owner: string,
  log: { warning(message: string): void; debug(message: string): void },
): People {
  return {
    async mayWrite(login) {
      const read = await api.call({
        route: 'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
        params: { username: login },
        schema: z.object({ permission: z.string() }),
        permission: 'contents',
        access: 'read',
        purpose: 'read who may write to the repository',
      })
      // GitHub reports the roles maintain and custom ones that include writing as `write`.
      if (read.ok) return read.data.permission === 'admin' || read.data.permission === 'write'
      if (read.problem === 'not-found') return false
      // Gitea and Forgejo do not tell a job's token; whose repository it is may write to it anyway.
      if (login.toLowerCase() === owner.toLowerCase()) return true
      log.warning(`Could not learn whether @${login} may write to this repository (GitHub: ${describeFailure(read)}).`)
      return undefined
    },

    async react(commentId, reaction) {
      const reacted = await api.call({
        route: 'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions',
        params: { comment_id: commentId, content: reaction },
        schema: z.unknown(),
        permission: 'pull-requests',
        access: 'write',
        purpose: 'react to comments',
        repeatable: true,
      })
      if (!reacted.ok) log.debug(`No ${reaction} reaction: ${reacted.message}`)
    },
  }
}

/** Files of the repository as GitHub hands them out. */
export interface RepositoryFiles {
  /** Contents of a text file in a commit; `absent` when there is none that may be read, undefined when GitHub did not say. */
  read(path: string, commit: string): Promise<string | 'absent' | undefined>
}

/** Opens the files of a repository. */
export function openFiles(api: Api): RepositoryFiles {
  return {
    async read(path, commit) {
      const read = await api.call({
        route: 'GET /repos/{owner}/{repo}/contents/{+path}',
        params: { path: path.split('/').map(encodeURIComponent).join('/'), ref: commit },
        schema: z.object({ type: z.string(), content: z.string().optional() }).or(z.array(z.unknown())),
        permission: 'contents',
        access: 'read',
        purpose: `read ${path}`,
        silent: true,
      })
      if (!read.ok) return read.problem === 'not-found' ? 'absent' : undefined
      // A list is what a directory has.
      if (Array.isArray(read.data) || read.data.type !== 'file') return 'absent'
      return read.data.content === undefined ? undefined : Buffer.from(read.data.content, 'base64').toString('utf8')
    },
  }
}
