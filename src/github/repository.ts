import { z } from 'zod'
import { type Api, describeFailure, type Patience } from './api.ts'

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

/** Who may command the action by a comment, and the signs it answers with. */
export interface People {
  /** Whether a user may write to the repository; undefined, with a warning, when GitHub does not say. */
  mayWrite(login: string): Promise<boolean | undefined>
  /** Puts a reaction on a comment. A failure is a missing sign and nothing else, so it is only told to the debug log. */
  react(commentId: number, reaction: 'eyes' | '+1' | '-1'): Promise<void>
}

/** Opens permissions and reactions of a repository. */
export function openPeople(api: Api, log: { warning(message: string): void; debug(message: string): void }): People {
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
