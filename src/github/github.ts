import * as z from 'zod'
import { type Api, type ApiOptions, openApi, type Patience } from './api.ts'
import { type Comments, openComments } from './comments.ts'
import type { Forge } from './forge.ts'
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
  /** What the forge can do; asked once. */
  readonly can: Forge['can']
}

export interface GitHubOptions extends Omit<ApiOptions, 'token' | 'warnings'> {
  /** Without one GitHub is left alone, which is said once. */
  readonly token: string | undefined
  /** Why the token can write nothing, when that is certain beforehand, as for a pull request from a fork. */
  readonly readOnlyBecause?: string | undefined
  /** What the event's payload says of whoever commented, for forges that do not tell a job who may write. */
  readonly commenter?: { readonly login: string; readonly mayWrite: boolean | undefined } | undefined
}

/** Opens GitHub for one repository. Makes no call. */
export function openGitHub(options: GitHubOptions): GitHub {
  const { log, clock, random, signal } = options
  const debug = (message: string) => log.debug(message)
  const { readOnlyBecause } = options
  const warnings = openPermissionWarnings({ log, readOnlyBecause, hasToken: options.token !== undefined })
  const api = openApi({ ...options, token: options.token ?? 'none', warnings })
  const authorship = openAuthorship(api, options.token ?? '', options.apiUrl)
  // A cancelled run does not wait; what it does next fails by itself.
  const sleep = (ms: number) => clock.sleep(ms, signal).catch(() => debug('Cancelled while waiting for GitHub'))
  return {
    branches: openBranches(api),
    files: openFiles(api),
    comments: openComments({ api, authorship, log, sleep, random }),
    records: openRecords(api, authorship),
    pullRequests: openPullRequests(api),
    people: openPeople(api, options),
    issues: openIssues(api, authorship),
    can: (ability) => api.forge.can(ability),
  }
}

/** The repository's branches on GitHub. */
export interface Branches {
  /**
   * The commit at the tip of a branch. `withheld` when GitHub answers and does not tell: there is no such branch, or the token
   * may not read it, which has been warned about then. Undefined when GitHub gave no answer.
   */
  tip(branch: string, patience?: Patience): Promise<string | 'withheld' | undefined>
  /**
   * Whether a branch is certainly not there: GitHub does not find it, and finds the default branch with the same token, so that
   * it keeps nothing back.
   */
  isGone(branch: string, defaultBranch: string): Promise<boolean>
}

/** Opens the branches of a repository. */
export function openBranches(api: Api): Branches {
  const asGitHub = {
    route: 'GET /repos/{owner}/{repo}/git/ref/{ref}',
    schema: z.object({ object: z.object({ sha: z.string() }) }).transform(({ object }) => object.sha),
  }
  const asGitea = {
    route: 'GET /repos/{owner}/{repo}/branches/{+branch}',
    schema: z.object({ commit: z.object({ id: z.string() }) }).transform(({ commit }) => commit.id),
  }
  const readTip = (branch: string, patience: Patience) =>
    api.call({
      ...patience,
      ...(api.forge.dialect === 'github' ? asGitHub : asGitea),
      params: api.forge.dialect === 'github' ? { ref: `heads/${branch}` } : { branch },
      permission: 'contents',
      access: 'read',
      purpose: 'see where the branch stands',
    })
  return {
    async tip(branch, patience = {}) {
      const read = await readTip(branch, patience)
      if (read.ok) return read.data
      return read.problem === 'unreachable' || read.problem === 'unreadable' ? undefined : 'withheld'
    },

    async isGone(branch, defaultBranch) {
      const read = await readTip(branch, {})
      return !read.ok && read.problem === 'not-found' && (await readTip(defaultBranch, {})).ok
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
export function openPeople(api: Api, { owner, commenter, log }: GitHubOptions): People {
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
      if (api.forge.dialect === 'gitea') {
        // Gitea tells administrators alone. Its comment events carry what their author may do; the owner may write anyway.
        if (login.toLowerCase() === owner.toLowerCase()) return true
        if (login === commenter?.login && commenter.mayWrite !== undefined) return commenter.mayWrite
      }
      return api.warn(read, `learn whether @${login} may write to this repository`)
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
