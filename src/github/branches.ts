import { z } from 'zod'
import type { Api } from './api.ts'

/** Branches of the repository on GitHub. */
export interface Branches {
  /** The commit that a branch points at; undefined when there is no such branch, or, with a warning, when GitHub does not say. */
  tip(branch: string): Promise<string | undefined>
}

/** Opens the branches of a repository. */
export function openBranches(api: Api, warning: (message: string) => void): Branches {
  return {
    async tip(branch) {
      const read = await api.call({
        route: 'GET /repos/{owner}/{repo}/git/ref/{+ref}',
        params: { ref: `heads/${branch.split('/').map(encodeURIComponent).join('/')}` },
        schema: z.object({ object: z.object({ sha: z.string(), type: z.string() }) }),
        permission: 'contents',
        access: 'read',
        purpose: 'read branches',
      })
      if (read.ok) return read.data.object.sha
      if (read.problem !== 'not-found' && read.problem !== 'missing-permission') {
        warning(`Could not read the branch ${branch} (GitHub: ${read.status ?? 'no answer'} ${read.message}).`)
      }
      return undefined
    },
  }
}
