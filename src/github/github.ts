import type { Clock } from '../core/clock.ts'
import type { Fetch } from '../core/http.ts'
import { openApi } from './api.ts'
import { type Comments, openComments } from './comments.ts'
import { type Issues, openIssues } from './issues.ts'
import { openPullRequests, type PullRequests } from './pull-requests.ts'
import { openRecords, type Records } from './records.ts'
import { type Branches, openBranches, openFiles, openPeople, type People, type RepositoryFiles } from './repository.ts'
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
    people: openPeople(api, { warning, debug }),
    issues: openIssues(api, authorship, warning),
  }
}
