import type { GitSetting } from './git-environment.ts'
import { GitFailure, runLocalGit } from './local-git.ts'

// How to cross a proxy, and whom to trust. Headers are not among them: those are credentials of others.
const wanted =
  '^http\\.(.*\\.)?(proxy|proxyauthmethod|proxysslcainfo|sslbackend|sslcainfo|sslcapath|sslcert|sslkey|sslverify)$'

const homeNames = new Set(['PATH', 'HOME', 'XDG_CONFIG_HOME', 'USERPROFILE', 'HOMEDRIVE', 'HOMEPATH', 'PROGRAMDATA'])

/**
 * What the machine's and the user's git configuration say about proxies and certificates: runners behind a company's
 * proxy reach nothing without. They are handed on in the environment, as a proxy's address may hold a password.
 *
 * @param environment the job's own, with its `HOME`
 * @param cwd any folder
 */
export async function readNetworkSettings(
  environment: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<readonly GitSetting[]> {
  const own = Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && homeNames.has(entry[0].toUpperCase()),
    ),
  )
  // A matter of milliseconds: nothing to abort.
  const { signal } = new AbortController()
  const found = await Promise.all(
    ['--system', '--global'].map((scope) => read(['config', scope, '--includes', '--null', '--get-regexp', wanted])),
  )
  return found.flat()

  async function read(args: readonly string[]): Promise<readonly GitSetting[]> {
    try {
      const answer = (await runLocalGit(args, { cwd, environment: own, signal })).toString()
      const records = answer.split('\0').filter((record) => record !== '')
      // <key> LF <value>; a key without a value stands for true.
      return records.map((record) => {
        const lineEnd = record.indexOf('\n')
        return lineEnd < 0 ? [record, 'true'] : [record.slice(0, lineEnd), record.slice(lineEnd + 1)]
      })
    } catch (error) {
      // No such setting, or no such file, or one that git cannot read: then nothing is handed on.
      if (error instanceof GitFailure) return []
      throw error
    }
  }
}
