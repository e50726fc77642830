import { join } from 'node:path'
import type { JobStatus } from './expression.ts'
import { createFileCommands, processFileCommands } from './file-commands.ts'
import type { Masker } from './masker.ts'
import { runProcess } from './process.ts'
import { type Annotation, StepLog } from './step-log.ts'

export interface StepOptions {
  readonly node: string
  readonly action: string
  readonly script: string
  readonly workspace: string
  readonly temp: string
  readonly nodeOptions: readonly string[]
  /** The summary of all steps, where they share one. */
  readonly summaryFile: string | undefined
  readonly environment: Readonly<Record<string, string>>
  readonly masker: Masker
  readonly debug: boolean
  readonly cancel: AbortSignal
  readonly graceFactor: number
  readonly onLine: (line: string) => void
  readonly onStart: (child: { readonly pid: number }) => void
  /** Called before the process starts, for what the runner itself has to say. */
  readonly introduce: (log: StepLog) => void
}

/** What one step did: `main` or `post`. */
export interface StepResult {
  readonly conclusion: JobStatus
  readonly exitCode: number
  /** What the process wrote, byte for byte. */
  readonly rawStdout: string
  readonly rawStderr: string
  /** What the runner shows: commands obeyed, secrets hidden. */
  readonly log: string
  readonly annotations: readonly Annotation[]
  readonly droppedAnnotations: number
  /** Every output set, whether or not it may leave the job. */
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string>>
  readonly paths: readonly string[]
  readonly summary: string
  /** What it took to end it when it was cancelled. */
  readonly signals: readonly NodeJS.Signals[]
  readonly durationMs: number
}

/** Runs one step of a job from its first line to the files it left for the runner. */
export async function runStep(options: StepOptions): Promise<StepResult> {
  const started = performance.now()
  const lines: string[] = []
  const log = new StepLog({
    masker: options.masker,
    debug: options.debug,
    workspace: options.workspace,
    onLine(line) {
      lines.push(line)
      options.onLine(line)
    },
  })
  const files = await createFileCommands(options.temp, options.summaryFile)
  options.introduce(log)
  const ended = await runProcess({
    executable: options.node,
    script: join(options.action, options.script),
    nodeOptions: options.nodeOptions,
    workingDirectory: options.workspace,
    environment: { ...options.environment, ...files.environment },
    onLine: (line) => log.receive(line),
    onStart: options.onStart,
    cancel: options.cancel,
    graceFactor: options.graceFactor,
  })
  const results = await processFileCommands(files, log, options.masker)
  const failed = ended.exitCode !== 0 || log.commandFailed
  const cancelled = options.cancel.aborted
  if (cancelled) log.annotate({ level: 'error', message: 'The operation was canceled.' })
  return {
    conclusion: cancelled ? 'cancelled' : failed ? 'failure' : 'success',
    exitCode: ended.exitCode,
    rawStdout: ended.stdout,
    rawStderr: ended.stderr,
    log: lines.map((line) => `${line}\n`).join(''),
    annotations: log.annotations,
    droppedAnnotations: log.droppedAnnotations,
    outputs: Object.fromEntries(log.outputs),
    state: Object.fromEntries(log.state),
    environment: Object.fromEntries(log.environment),
    paths: results.paths,
    summary: results.summary,
    signals: ended.signals,
    durationMs: performance.now() - started,
  }
}
