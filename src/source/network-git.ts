import { spawn } from 'node:child_process'
import { platform } from 'node:os'
import { kill } from 'node:process'
import type { ChildEnvironment } from './git-environment.ts'
import { GitFailure } from './local-git.ts'

export interface NetworkGitOptions {
  readonly cwd: string
  readonly environment: ChildEnvironment
  readonly input?: string | undefined
  readonly signal: AbortSignal
  /** Called for each line or progress update that git writes to its standard error. */
  readonly onMessage?: ((line: string) => void) | undefined
}

export interface NetworkGitOutput {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/**
 * Runs a git command that talks to a server, and does not throw for a failing one.
 *
 * This does not go through simple-git for one reason: on abort simple-git signals git alone, and git's transport helper,
 * which waits for the server with the token in its environment, lives on. Here git leads a process group of its
 * own, and all of it is ended.
 */
export async function runNetworkGit(args: readonly string[], options: NetworkGitOptions): Promise<NetworkGitOutput> {
  options.signal.throwIfAborted()
  const grouped = platform() !== 'win32'
  const child = spawn('git', args, {
    cwd: options.cwd,
    env: { ...options.environment },
    detached: grouped,
    windowsHide: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const end = () => {
    if (child.pid === undefined || !grouped) child.kill('SIGKILL')
    else killGroup(child.pid)
  }
  options.signal.addEventListener('abort', end, { once: true })
  const stdout: Buffer[] = []
  let stderr = ''
  let unfinishedLine = ''
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
    const lines = (unfinishedLine + chunk).split(/[\r\n]/)
    unfinishedLine = lines.pop() ?? ''
    for (const line of lines) if (line !== '') options.onMessage?.(line)
  })
  // git may end without reading its input; its own message says why.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code ?? -1))
    })
    options.signal.throwIfAborted()
    return { stdout: Buffer.concat(stdout).toString(), stderr, exitCode }
  } finally {
    options.signal.removeEventListener('abort', end)
  }
}

function killGroup(leader: number): void {
  try {
    kill(-leader, 'SIGKILL')
  } catch (error) {
    // ESRCH: all of it ended in the meantime.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** The failure that an output stands for. */
export function failureOf(command: string, output: NetworkGitOutput): GitFailure {
  return new GitFailure(command, output.exitCode, output.stderr)
}
