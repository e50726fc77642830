import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** A command running in a process group of its own, so that whatever it starts ends together with it. */
export interface ProcessGroup {
  readonly pid: number | undefined
  /** Resolves when the command itself has ended: its exit code, or 128 plus the signal's number. */
  readonly exited: Promise<number>
  /** Ends the whole group: SIGTERM, and SIGKILL after the grace period. Resolves when it is gone. */
  stop(): Promise<void>
  /** Ends the whole group at once. */
  kill(): void
}

export interface ProcessGroupOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly onLine: (line: string) => void
  readonly killGraceMs: number
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGKILL: 9, SIGTERM: 15, SIGSEGV: 11, SIGABRT: 6 }

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const hasEnded = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null || child.pid === undefined

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

async function endGroup(child: ChildProcess, exited: Promise<number>, killGraceMs: number): Promise<void> {
  // A group whose first process has ended is gone already; its number may meanwhile be somebody else's.
  if (hasEnded(child)) return
  signalGroup(child, 'SIGTERM')
  const deadline = Date.now() + killGraceMs
  while (!hasEnded(child) && Date.now() < deadline) await pause(10)
  if (!hasEnded(child)) signalGroup(child, 'SIGKILL')
  await exited
}

/** Starts a command with exactly the given environment; nothing is inherited. */
export function startProcessGroup(options: ProcessGroupOptions): ProcessGroup {
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const readLines = (stream: Readable) => createInterface({ input: stream }).on('line', options.onLine)
  readLines(child.stdout)
  readLines(child.stderr)

  const exited = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      options.onLine(error.message)
      resolve(127)
    })
    // A process left behind may hold the pipes open, so 'close' comes late or never; 'exit' alone may lose the last lines.
    child.once('exit', (code, signal) => {
      // As in a container: when the first process ends, all others end with it.
      signalGroup(child, 'SIGKILL')
      const status = code ?? 128 + (signal === null ? 0 : (SIGNAL_NUMBERS[signal] ?? 0))
      const settle = () => resolve(status)
      child.once('close', settle)
      setTimeout(settle, 200).unref()
    })
  })

  let stopping: Promise<void> | undefined
  return {
    pid: child.pid,
    exited,
    stop() {
      stopping ??= endGroup(child, exited, options.killGraceMs)
      return stopping
    },
    kill() {
      if (!hasEnded(child)) signalGroup(child, 'SIGKILL')
    },
  }
}

/** All processes of a platform. */
export interface ProcessBook {
  start(options: ProcessGroupOptions): ProcessGroup
  /** Ends all of them. */
  stop(): Promise<void>
}

/** Keeps book of all processes, so that none outlives this one, however it ends (save by SIGKILL). */
export function trackProcesses(): ProcessBook {
  const groups = new Set<ProcessGroup>()
  const killAll = () => {
    for (const group of groups) group.kill()
  }
  process.once('exit', killAll)
  return {
    start(options) {
      const group = startProcessGroup(options)
      groups.add(group)
      // A group may outlive its first process, so it is forgotten only when it has been stopped.
      return {
        ...group,
        async stop() {
          await group.stop()
          groups.delete(group)
        },
      }
    },
    async stop() {
      await Promise.all([...groups].map((group) => group.stop()))
      groups.clear()
      process.off('exit', killAll)
    },
  }
}
