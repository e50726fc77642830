import * as z from 'zod'
import type { Access, Api, GitHubLog, Permission, PermissionWarnings } from './api.ts'

// What the action needs of each in the end: whoever is told to add `read` today would be told to add `write` tomorrow.
const WANTED: Readonly<Record<Permission, Access>> = {
  actions: 'read',
  contents: 'read',
  deployments: 'write',
  issues: 'write',
  'pull-requests': 'write',
}

interface PermissionWarningsOptions {
  readonly log: GitHubLog
  /** Why this token can write nothing (a pull request from a fork, say), when that is certain beforehand. */
  readonly readOnlyBecause: string | undefined
  readonly hasToken: boolean
}

const NO_TOKEN = "No token: the input 'github-token' is empty"

/** Starts with what is certain before any call was made. */
export function openPermissionWarnings({
  log,
  readOnlyBecause,
  hasToken,
}: PermissionWarningsOptions): PermissionWarnings {
  // By purpose, not by permission: writing comments works with `issues: write` as well.
  const missing = new Map<string, string>()
  const warned = new Set<Permission>()
  let told = false

  function tellOnce(level: 'warning' | 'debug', message: string): void {
    if (!told) log[level](message)
    told = true
  }

  return {
    known({ access, purpose }) {
      if (!hasToken) {
        tellOnce(
          'warning',
          `${NO_TOKEN}. There will be no comment and no deployment record; leave the input out to use the job's own token.`,
        )
        return NO_TOKEN
      }
      if (access === 'write' && readOnlyBecause !== undefined) {
        tellOnce('debug', `No comment and no deployment record: ${readOnlyBecause}`)
        return readOnlyBecause
      }
      return missing.get(purpose)
    },

    report({ permission, purpose }, failure) {
      missing.set(purpose, failure.message)
      if (warned.has(permission)) return
      warned.add(permission)
      log.warning(
        [
          `The token may not ${purpose} (${failure.status ?? 403} ${failure.message}). The deployment goes on without it.`,
          "To allow it, add to the job in the workflow, beside what its 'permissions' has already:",
          '    permissions:',
          `      ${permission}: ${WANTED[permission]}`,
        ].join('\n'),
      )
    },

    refused({ message }) {
      tellOnce(
        'warning',
        `The token is not accepted (401 ${message}). A run that was cancelled may have lost it; its comment is put right by the next run or sweep. Otherwise see to the input 'github-token': left out, it is the job's own.`,
      )
    },
  }
}

/** Tells what we have written ourselves from what anybody else has, in whose name ever they write. */
export interface Authorship {
  /**
   * Whether it is ours; undefined when GitHub does not say who we are.
   * @param text `proven`: it shows by itself that it is ours, so that the name in which workflows write is enough
   */
  isOurs(author: Author | null | undefined, text: 'proven' | 'unproven'): Promise<boolean | undefined>
  /** Takes note of the author that GitHub names for something just made. */
  learn(author: Author | null | undefined): void
}

export const authorSchema = z.object({ login: z.string(), type: z.string().nullish().catch(undefined) })

export type Author = z.infer<typeof authorSchema>

/** Whom a workflow's own token writes as, on every GitHub. */
const WORKFLOW_BOT = 'github-actions[bot]'

/**
 * Only the very account that writes ours counts: other apps write as bots too, and what they write may be a stranger's
 * words. A personal token says whose it is. A workflow's token (and any other app's, `ghs_…`) is not allowed `GET /user`:
 * GraphQL is asked. Where that gives no answer nothing is assumed, until something made in this run settles the question.
 */
export function openAuthorship(api: Api, token: string, apiUrl: string): Authorship {
  const ofApp = token.startsWith('ghs_')
  let written: string | undefined
  let asked: Promise<string | undefined> | undefined

  const about = { permission: 'contents', access: 'read', purpose: 'learn who it belongs to', silent: true } as const
  const ownLogin = async (): Promise<string | undefined> => {
    if (!ofApp) {
      const user = await api.call({ ...about, route: 'GET /user', schema: authorSchema })
      return user.ok ? user.data.login : undefined
    }
    const viewer = await api.call({
      ...about,
      route: 'POST /graphql',
      // An Enterprise Server has its REST below /api/v3 and GraphQL beside that.
      params: { query: 'query { viewer { login } }', baseUrl: apiUrl.replace(/\/v3\/?$/, '') },
      schema: z.object({ data: z.object({ viewer: authorSchema }) }),
      repeatable: true,
    })
    return viewer.ok ? viewer.data.data.viewer.login : undefined
  }

  return {
    async isOurs(author, text) {
      if (!author) return false
      const login = author.login.toLowerCase()
      if (written !== undefined) return login === written
      if (ofApp && text === 'proven' && login === WORKFLOW_BOT) return true
      // People are never an app; asking for their sake would cost a call on every pull request with a pasted marker.
      if (ofApp && !login.endsWith('[bot]')) return false
      asked ??= ownLogin()
      const own = await asked
      return own === undefined ? undefined : login === own.toLowerCase()
    },
    learn(author) {
      written = author?.login.toLowerCase() ?? written
    },
  }
}
