import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/**
 * Aborted by the first Ctrl-C, or as soon as nobody reads the output any more; a second Ctrl-C ends the process the hard
 * way. Listen before anything is started, so that whoever interrupts the start leaves nothing behind either.
 */
export function interruption(): AbortSignal {
  const interrupted = new AbortController()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const end = () => {
    for (const signal of signals) process.off(signal, end)
    interrupted.abort()
  }
  for (const signal of signals) process.on(signal, end)
  process.stdout.on('error', end)
  return interrupted.signal
}

/** @throws Error that says what is missing */
export async function assertGit(): Promise<void> {
  await promisify(execFile)('git', ['--version']).catch((cause: unknown) => {
    throw new Error('The sandbox needs git, and there is none in PATH: https://git-scm.com/downloads', { cause })
  })
}

/** What is said of a failure, with the usage below where an option is to blame. */
export function explain(error: unknown, usage: string): string {
  const message = error instanceof Error ? error.message : String(error)
  const isOption = message.startsWith('--') || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
  return isOption ? `${message}\n${usage}\n` : `${message}\n`
}
