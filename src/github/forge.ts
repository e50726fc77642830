/** What GitHub can do and others cannot, and what that means for a run. */
const ONLY_GITHUB = {
  'deployment-records': 'has no deployment records (“View deployment”)',
  comparison:
    'does not say how commits lie to each other (`watch` can hold back the first preview of a pull request only)',
  'token-outlives-run':
    'takes the token of a cancelled run away at once (its comment is put right by the next run or sweep)',
} as const

/** Something that not every forge can do. */
export type Ability = keyof typeof ONLY_GITHUB

/** The program that hosts the repository: GitHub, or one that speaks Gitea's dialect of GitHub's API. */
export interface Forge {
  readonly dialect: 'github' | 'gitea'
  /** For messages: `GitHub`, `Gitea`, `Forgejo`. */
  readonly name: string
  /** Asks which one it is, where the address leaves that open. One call per run, none on GitHub; never throws. */
  known(): Promise<void>
  /** Whether it can do that. The first time that it cannot, one line of the log names all that it cannot. */
  can(ability: Ability): Promise<boolean>
}

/**
 * Tells forges apart by the address of their API: below `/api/v1` it is Gitea's, which calls itself Forgejo where its
 * version says so (`11.0.1+gitea-1.22.0`, https://forgejo.org/docs/latest/user/versions).
 *
 * @param askVersion what `GET /version` answers; undefined when it gives none
 */
export function openForge(
  apiUrl: string,
  askVersion: () => Promise<string | undefined>,
  info: (message: string) => void,
): Forge {
  const dialect = /\/api\/v1\/?$/.test(apiUrl) ? 'gitea' : 'github'
  let name = dialect === 'github' ? 'GitHub' : 'Gitea'
  let version = ''
  let asked: Promise<void> | undefined
  let told = false

  const known = (): Promise<void> => {
    if (dialect === 'github') return Promise.resolve()
    asked ??= askVersion().then((answer = '') => {
      version = answer
      if (/\+gitea-/.test(answer)) name = 'Forgejo'
    })
    return asked
  }

  return {
    dialect,
    get name() {
      return name
    },
    known,
    async can() {
      if (dialect === 'github') return true
      await known()
      const called = [name, version].filter(Boolean).join(' ')
      if (!told) info(`This forge is ${called}. It ${Object.values(ONLY_GITHUB).join(', ')}.`)
      told = true
      return false
    },
  }
}
