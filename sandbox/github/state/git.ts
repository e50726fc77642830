import { spawn } from 'node:child_process'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { layOutRepository } from '../../empty-repository.ts'

export interface GitRun {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** An environment in which nobody's own git configuration can be seen. */
export function isolatedGitEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    ...extra,
  }
}

/** Runs git in a directory and returns whatever it did; only a failure to start it is an error. */
export function tryGit(
  directory: string,
  args: readonly string[],
  options: { readonly input?: string | Buffer; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<GitRun> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...args], { cwd: directory, env: isolatedGitEnvironment(options.env) })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ exitCode: code ?? 128, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') }),
    )
    // git may exit before it has read everything; its exit code says why.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input)
  })
}

/** Runs git in a directory and returns its trimmed output. A non-zero exit is an error with git's own words. */
export async function git(
  directory: string,
  args: readonly string[],
  options: { readonly input?: string | Buffer; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const run = succeeded(await tryGit(directory, args, options), args)
  return run.stdout.toString('utf8').replace(/\n$/, '')
}

/** A run that went well. Any other is an error with git's own words. */
export function succeeded(run: GitRun, args: readonly string[] = []): GitRun {
  if (run.exitCode !== 0) throw new Error(`git ${args.join(' ')} failed (${run.exitCode}): ${run.stderr.trim()}`)
  return run
}

// As GitHub serves repositories: partial clones, and any commit that is asked for.
const serving = `[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[receive]
	shallowUpdate = true
	autogc = false
[gc]
	auto = 0
`

/** Makes an empty bare repository. */
export function initBare(directory: string, defaultBranch: string): Promise<void> {
  return layOutRepository(directory, { branch: defaultBranch, bare: true, settings: serving })
}

/** Makes a bare copy of a repository with the same objects, branches and tags, and without its pull requests: a fork. */
export async function forkBare(source: string, directory: string): Promise<void> {
  // Over git's protocol: of files that are copied one by one, the branches may be newer than the objects.
  await git('/', ['clone', '--quiet', '--bare', '--no-local', source, directory])
  await appendFile(join(directory, 'config'), serving)
}
