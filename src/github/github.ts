import * as z from 'zod'
import { type Api, type ApiOptions, openApi, type Patience } from './api.ts'
import { openAuthorship, openComments } from './comments.ts'
import { openPermissionWarnings } from './failures.ts'
import { openIssues } from './issues.ts'
import { openPullRequests } from './pull-requests.ts'
import { openRecords } from './records.ts'

/** GitHub's side of a deployment. Nothing here throws; what cannot be written is one warning. */
export type GitHub = ReturnType<typeof openGitHub>

export interface GitHubOptions extends Omit<ApiOptions, 'token' | 'warnings'> {
  /** Without one GitHub is left alone, which is said once. */
  readonly token: string | undefined
  /** Why the token can write nothing, when that is certain beforehand, as for a pull request from a fork. */
  readonly readOnlyBecause?: string | undefined
  /** What the event's payload says of whoever commented, for forges that do not tell a job who may write. */
  readonly commenter?: { readonly login: string; readonly mayWrite: boolean | undefined } | undefined
}

/** Opens GitHub for one repository. Makes no call. */
export function openGitHub(options: GitHubOptions) {
  const { log, clock, random, signal, token } = options
  const warnings = openPermissionWarnings(log, token !== undefined, options.readOnlyBecause)
  const api = openApi({ ...options, token: token ?? 'none', warnings })
  const authorship = openAuthorship(api, token ?? '', options.apiUrl)
  // A cancelled run does not wait; what it does next fails by itself.
  const sleep = (ms: number) => clock.sleep(ms, signal).catch(() => log.debug('Cancelled while waiting for GitHub'))
  return {
    branches: openBranches(api),
    files: openFiles(api),
    comments: openComments({ api, authorship, log, sleep, random }),
    records: openRecords(api, authorship),
    pullRequests: openPullRequests(api),
    people: openPeople(api, options),
    issues: openIssues(api, authorship),
    /** What the forge can do; asked once. */
    can: api.forge.can,
  }
}

/** Opens the repository's branches on GitHub. */
function openBranches(api: Api) {
  const readTip = (branch: string, patience: Patience = {}) => {
    const about = { ...patience, permission: 'contents', purpose: 'see where the branch stands' } as const
    if (api.forge.dialect === 'github') {
      const schema = z.object({ object: z.object({ sha: z.string() }) }).transform(({ object }) => object.sha)
      return api.call(about, 'GET /repos/{owner}/{repo}/git/ref/{ref}', { ref: `heads/${branch}` }, schema)
    }
    const schema = z.object({ commit: z.object({ id: z.string() }) }).transform(({ commit }) => commit.id)
    return api.call(about, 'GET /repos/{owner}/{repo}/branches/{+branch}', { branch }, schema)
  }
  return {
    /**
     * The commit at the tip of a branch. `withheld` when GitHub answers and does not tell: there is no such branch, or the
     * token may not read it, which has been warned about then. Undefined when GitHub gave no answer.
     */
    async tip(branch: string, patience?: Patience): Promise<string | 'withheld' | undefined> {
      const read = await readTip(branch, patience)
      if (read.ok) return read.data
      return read.problem === 'unreachable' || read.problem === 'unreadable' ? undefined : 'withheld'
    },

    /**
     * Whether a branch is certainly not there: GitHub does not find it, and finds the default branch with the same token,
     * so that it keeps nothing back.
     */
    async isGone(branch: string, defaultBranch: string): Promise<boolean> {
      const read = await readTip(branch)
      return !read.ok && read.problem === 'not-found' && (await readTip(defaultBranch)).ok
    },
  }
}

/** Opens who may command the action by a comment, and the signs it answers with. */
function openPeople(api: Api, { owner, commenter, log }: GitHubOptions) {
  return {
    /** Whether a user may write to the repository; undefined, with a warning, when GitHub does not say. */
    async mayWrite(login: string): Promise<boolean | undefined> {
      const read = await api.call(
        { permission: 'contents', purpose: 'read who may write to the repository' },
        'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
        { username: login },
        z.object({ permission: z.string() }),
      )
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

    /** Puts a reaction on a comment. A failure is a missing sign and nothing else, so it is only told to the debug log. */
    async react(comment_id: number, reaction: 'eyes' | '+1' | '-1'): Promise<void> {
      const reacted = await api.call(
        { permission: 'pull-requests', purpose: 'react to comments', repeatable: true },
        'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions',
        { comment_id, content: reaction },
        z.unknown(),
      )
      if (!reacted.ok) log.debug(`No ${reaction} reaction: ${reacted.message}`)
    },
  }
}

/** Opens the files of the repository as GitHub hands them out. */
function openFiles(api: Api) {
  return {
    /** Contents of a text file in a commit; `absent` when there is none that may be read, undefined when GitHub did not say. */
    async read(path: string, commit: string): Promise<string | 'absent' | undefined> {
      const read = await api.call(
        { permission: 'contents', purpose: `read ${path}`, silent: true },
        'GET /repos/{owner}/{repo}/contents/{+path}',
        { path: path.split('/').map(encodeURIComponent).join('/'), ref: commit },
        z.object({ type: z.string(), content: z.string().optional() }).or(z.array(z.unknown())),
      )
      if (!read.ok) return read.problem === 'not-found' ? 'absent' : undefined
      // A list is what a directory has.
      if (Array.isArray(read.data) || read.data.type !== 'file') return 'absent'
      return read.data.content === undefined ? undefined : Buffer.from(read.data.content, 'base64').toString('utf8')
    },
  }
}
