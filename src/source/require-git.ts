import type { ChildEnvironment } from './git-environment.ts'
import { runLocalGit } from './local-git.ts'
import { SourceError } from './source-error.ts'

// 2.32 brought GIT_CONFIG_GLOBAL, which shuts the machine's settings out (June 2021).
const oldest = { major: 2, minor: 32 }

/**
 * Makes sure that there is a git, and that it is new enough.
 *
 * @param cwd any folder
 * @throws SourceError `no-git`
 */
export async function requireGit(environment: ChildEnvironment, cwd: string): Promise<void> {
  const hint = `Use a runner with git ${oldest.major}.${oldest.minor} or newer. In a container job, install it in the image.`
  const { signal } = new AbortController()
  let answer: string
  try {
    answer = (await runLocalGit(['version'], { cwd, environment, signal })).toString()
  } catch (error) {
    throw new SourceError('no-git', 'git cannot be started on this runner.', { hint, cause: error })
  }
  const [, major = 0, minor = 0] = (/git version (\d+)\.(\d+)/.exec(answer) ?? []).map(Number)
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return
  throw new SourceError('no-git', `This runner's git is too old: ${answer.trim()}.`, { hint })
}
