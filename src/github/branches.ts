import { z } from 'zod'
import type { Api } from './api.ts'

/** The repository's branches on GitHub. */
export interface Branches {
  /** The commit at the tip of a branch; undefined when it cannot be read, which decides nothing and is not worth a warning. */
  tip(branch: string): Promise<string | undefined>
}

/** Opens the branches of a repository. */
export function openBranches(api: Api): Branches {
  return {
    async tip(branch) {
      const read = await api.call({
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
