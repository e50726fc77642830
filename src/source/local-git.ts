import { simpleGit } from 'simple-git'
import { DeployError } from '../core/errors.ts'
import type { ChildEnvironment } from './git-environment.ts'

export interface LocalGitOptions {
  readonly cwd: string
  readonly environment: ChildEnvironment
  readonly input?: Buffer | string | undefined
  readonly signal: AbortSignal
}

/** git answered with a status other than zero. */
export class GitFailure extends DeployError {
  override readonly name = 'GitFailure'
  readonly exitCode: number
  readonly stderr: string

  constructor(command: string, exitCode: number, stderr: string) {
    super(`git ${command} failed (status ${exitCode}): ${stderr.trim()}`)
    this.exitCode = exitCode
    this.stderr = stderr
  }
}

/**
 * Runs git on local repositories and answers what it wrote, byte by byte: paths need not be UTF-8.
 * Whatever talks to a network goes through {@link runNetworkGit}.
 *
 * @throws GitFailure when git fails
 */
export async function runLocalGit(args: readonly string[], options: LocalGitOptions): Promise<Buffer> {
  options.signal.throwIfAborted()
  const output: Buffer[] = []
  let failure: GitFailure | undefined
  const git = simpleGit({
    baseDir: options.cwd,
    abort: options.signal,
    allowEnvironment: Object.keys(options.environment),
    // The file is our own: it shuts the machine's settings out.
    unsafe: { allowUnsafeConfigPaths: true },
    completion: { onClose: true, onExit: false },
    ...(options.input === undefined ? {} : { input: () => options.input }),
    errors: (error, { exitCode, stdErr }) => {
      if (exitCode === 0) return undefined
      // Kept here, as simple-git passes on no more than an error's text.
      failure = new GitFailure(args[0] ?? '', exitCode, Buffer.concat(stdErr).toString())
      return error ?? failure
    },
  })
  git.env({ ...options.environment })
  // simple-git decodes its own answer as UTF-8.
  git.outputHandler((_command, stdout) => stdout.on('data', (chunk: Buffer) => output.push(chunk)))
  try {
    await git.raw([...args])
  } catch (error) {
    options.signal.throwIfAborted()
    throw failure ?? error
  }
  return Buffer.concat(output)
}
