import { z } from 'zod'
import type { Api } from './api.ts'

/** Tells our own comments from those in which somebody pasted our marker. */
export interface Authorship {
  isOurs(author: Author | null): Promise<boolean>
}

export const authorSchema = z.object({ login: z.string(), type: z.string() })

export type Author = z.infer<typeof authorSchema>

/**
 * A workflow's token (and any other app's, `ghs_…`) is not allowed `GET /user`, and writes as a bot: there, bots count
 * as us, and people never. A personal token writes as its user, who is asked for once.
 */
export function openAuthorship(api: Api, token: string): Authorship {
  let login: Promise<string | undefined> | undefined

  const ownLogin = async (): Promise<string | undefined> => {
    if (token.startsWith('ghs_')) return undefined
    const outcome = await api.call({
      route: 'GET /user',
      schema: z.object({ login: z.string() }),
      permission: 'contents',
      access: 'read',
      purpose: 'learn who it belongs to',
      silent: true,
    })
    return outcome.ok ? outcome.data.login : undefined
  }

  return {
    async isOurs(author) {
      if (author === null) return false
      login ??= ownLogin()
      const own = await login
      return own === undefined ? author.type === 'Bot' : author.login.toLowerCase() === own.toLowerCase()
    },
  }
}
