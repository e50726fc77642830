import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'

/** How long a cancelled process has after each signal. Source: actions/runner, `ProcessInvoker`. */
const SIGINT_GRACE_MS = 7_500
const SIGTERM_GRACE_MS = 2_500
/** How long output of grandchildren is awaited after the process itself has ended. */
const STREAM_GRACE_MS = 5_000
/** However short a test makes the other times, what a process wrote before it ended must get through. */
const SHORTEST_STREAM_GRACE_MS = 1_000

export interface ProcessOptions {
  readonly executable: string
  readonly script: string
  /** Node's own options, which the script does not see. */
  readonly nodeOptions?: readonly string[]
  readonly workingDirectory: string
  readonly environment: Readonly<Record<string, string>>
  /** Every line of either stream, in the order of arrival. */
  readonly onLine: (line: string) => void
  readonly onStart: (child: { readonly pid: number }) => void
  /** Starts the runner's way of cancelling: SIGINT, SIGTERM, SIGKILL. */
  readonly cancel: AbortSignal
  /** Scales all waiting times. */
  readonly graceFactor: number
}

export interface ProcessResult {
  /** As a shell would say it: 128 + signal for a process that was killed. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** The signals that it took to end a cancelled process. */
  readonly signals: readonly NodeJS.Signals[]
}

/** Runs a script as the runner does and, when told to, cancels it as the runner does: signals go to the process alone. */
export async function runProcess(options: ProcessOptions): Promise<ProcessResult> {
  const { executable, script, workingDirectory, environment } = options
  // A group of its own, so that what it leaves behind can be found and ended afterwards.
  const child = spawn(executable, [...(options.nodeOptions ?? []), script], {
    cwd: workingDirectory,
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const stdout = collect(child.stdout, options.onLine)
  const stderr = collect(child.stderr, options.onLine)
  const exited = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
  const { pid } = child
  if (pid !== undefined) options.onStart({ pid })
  const signals: NodeJS.Signals[] = []
  const cancelling = cancelWhenAsked(options, exited, (signal) => {
    signals.push(signal)
    child.kill(signal)
  })
  try {
    const exitCode = await exited
    await Promise.race([
      Promise.all([stdout.ended, stderr.ended]),
      delay(Math.max(SHORTEST_STREAM_GRACE_MS, STREAM_GRACE_MS * options.graceFactor)),
    ])
    return { exitCode, stdout: stdout.text(), stderr: stderr.text(), signals }
  } finally {
    cancelling.stop()
    stdout.stop()
    stderr.stop()
    endGroup(pid)
  }
}

function cancelWhenAsked(
  options: ProcessOptions,
  exited: Promise<number>,
  send: (signal: NodeJS.Signals) => void,
): { stop(): void } {
  let over = false
  const finish = () => {
    over = true
  }
  exited.then(finish, finish)
  const escalate = async (): Promise<void> => {
    send('SIGINT')
    await Promise.race([exited, delay(SIGINT_GRACE_MS * options.graceFactor)])
    if (over) return
    send('SIGTERM')
    await Promise.race([exited, delay(SIGTERM_GRACE_MS * options.graceFactor)])
    if (!over) send('SIGKILL')
  }
  const start = () => void escalate()
  if (options.cancel.aborted) start()
  else options.cancel.addEventListener('abort', start, { once: true })
  return { stop: () => options.cancel.removeEventListener('abort', start) }
}

/** At the end of a job the runner ends whatever processes are left of it. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: nothing was left, which is the rule.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Splits a stream into lines as .NET does, where a lone carriage return ends a line too. */
function collect(stream: Readable, onLine: (line: string) => void) {
  const chunks: Buffer[] = []
  const decoder = new TextDecoder()
  let rest = ''
  const take = (text: string, last: boolean): void => {
    rest += text
    // A carriage return at the very end may be the first half of \r\n.
    const lines = rest.split(last ? /\r\n|\n|\r/ : /\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
    if (last && rest !== '') onLine(rest)
  }
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    take(decoder.decode(chunk, { stream: true }), false)
  })
  const ended = new Promise<void>((resolve) => {
    stream.on('close', () => {
      take(decoder.decode(), true)
      resolve()
    })
  })
  return { ended, text: () => Buffer.concat(chunks).toString('utf8'), stop: () => stream.destroy() }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref()
  })
}
