import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs git with a configuration of its own: neither the user's nor the machine's settings or credentials take part. */
export interface GitCommand {
  /** Environment for a git process. */
  readonly env: Readonly<Record<string, string>>
  /** Runs git and returns its output; throws with git's own words when it fails. */
  run(args: readonly string[], options?: GitRunOptions): Promise<string>
  /** The same, for output that is not text. */
  read(args: readonly string[], options?: GitRunOptions): Promise<Buffer>
}

export interface GitRunOptions {
  readonly cwd?: string
  readonly signal?: AbortSignal
  readonly env?: Readonly<Record<string, string>>
}

/**
 * @param path - `PATH` to find git on
 * @param home - an empty directory that serves as git's home
 */
export function createGitCommand(path: string, home: string): GitCommand {
  const env = {
    PATH: path,
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
    // Nothing here lives long enough to be tidied up, and every push would start a process to find that out.
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'receive.autogc',
    GIT_CONFIG_VALUE_0: 'false',
    // What is pushed waits in a folder that borrows the repository's objects: git would ask for its references once more.
    GIT_CONFIG_KEY_1: 'core.alternateRefsCommand',
    GIT_CONFIG_VALUE_1: 'true',
  }
  async function read(args: readonly string[], options: GitRunOptions = {}): Promise<Buffer> {
    const given = { ...options, env: { ...env, ...options.env } }
    try {
      const { stdout } = await execute('git', [...args], { maxBuffer: 32 * 1024 * 1024, encoding: 'buffer', ...given })
      return stdout
    } catch (error) {
      const { stderr } = error as { stderr?: Buffer }
      throw new Error(stderr?.toString().trim() || (error as Error).message, { cause: error })
    }
  }
  return { env, read, run: async (args, options) => (await read(args, options)).toString() }
}
