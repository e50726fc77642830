import type { ActionFile } from './action-file.ts'
import { evaluateCondition } from './expression.ts'
import type { Job } from './job.ts'
import type { RunOptions } from './run-options.ts'
import { runStep, type StepOptions, type StepResult } from './step.ts'
import type { StepLog } from './step-log.ts'

const CLEAN_UP_MS = 5 * 60_000
/** However short a test makes the other times, cleaning up is real work on a machine that may be busy. */
const SHORTEST_CLEAN_UP_MS = 60_000

/** Runs `main` and, when its condition holds, `post`; both know nothing of each other but the saved state. */
export async function runStages(options: RunOptions, job: Job) {
  const cancelled = new AbortController()
  const cancel = () => cancelled.abort()
  // A Gitea ends the token with the job's task, and cancelling ends the task at once; GitHub's lives until the job is over.
  if (options.github.profile === 'gitea')
    cancelled.signal.addEventListener('abort', job.grant.revokeToken, { once: true })
  if (options.signal?.aborted) cancel()
  options.signal?.addEventListener('abort', cancel, { once: true })
  try {
    const main = await runMain(options, job, cancelled)
    const post = await runPost(options, job, main)
    return { main, post }
  } finally {
    options.signal?.removeEventListener('abort', cancel)
  }
}

async function runMain(options: RunOptions, job: Job, cancelled: AbortController): Promise<StepResult> {
  const watch = watchLog()
  const mistakes: unknown[] = []
  const result = await runStep({
    ...stepBase(options, job, 'main', watch.add),
    script: job.file.runs.main,
    environment: { ...job.environment, ...job.inputs },
    cancel: cancelled.signal,
    introduce: (log) => introduce(log, job),
    onStart({ pid }) {
      options.onStart?.({ pid, stage: 'main' })
      const run = { pid, log: watch.text, logMatches: watch.matches }
      // A condition that fails ends the run as well: it is the caller's mistake, and must not wait for ever.
      options
        .cancelAfter?.(run)
        .catch((error: unknown) => mistakes.push(error))
        .finally(() => cancelled.abort())
    },
  })
  if (mistakes.length > 0) throw mistakes[0]
  return result
}

async function runPost(options: RunOptions, job: Job, main: StepResult): Promise<StepResult | undefined> {
  const { post, 'post-if': condition = 'always()' } = job.file.runs
  const contexts = { ...job.contexts, job: { status: main.conclusion } }
  if (post === undefined || !evaluateCondition(condition, contexts, main.conclusion)) return undefined
  const state = Object.entries(main.state).map(([name, value]) => [`STATE_${name}`, value])
  const path = [...main.paths]
    .reverse()
    .concat(job.environment.PATH ?? '')
    .join(':')
  return runStep({
    ...stepBase(options, job, 'post', () => undefined),
    script: post,
    environment: { ...job.environment, ...main.environment, ...job.inputs, ...Object.fromEntries(state), PATH: path },
    cancel: postDeadline(options),
    introduce: (log) => log.print('Post job cleanup.'),
    onStart: ({ pid }) => options.onStart?.({ pid, stage: 'post' }),
  })
}

/**
 * Cancelling a run spares its post step, but not for ever; cancelling while the post step runs hits that.
 * Source: actions/runner, where a cancelled job has five minutes to clean up.
 */
function postDeadline(options: RunOptions): AbortSignal {
  const { signal, graceFactor = 1 } = options
  return signal && !signal.aborted
    ? signal
    : AbortSignal.timeout(Math.max(SHORTEST_CLEAN_UP_MS, CLEAN_UP_MS * graceFactor))
}

function stepBase(options: RunOptions, job: Job, stage: 'main' | 'post', record: (line: string) => void) {
  return {
    node: options.node ?? process.execPath,
    action: job.action,
    workspace: job.folders.workspace,
    temp: job.folders.temp,
    nodeOptions: job.nodeOptions,
    summaryFile: job.summaryFile,
    masker: job.grant.masker,
    debug: options.debug ?? false,
    graceFactor: options.graceFactor ?? 1,
    onLine(line: string) {
      record(line)
      options.onLine?.(line, stage)
    },
  } satisfies Partial<StepOptions>
}

function watchLog() {
  const lines: string[] = []
  const waiting = new Set<{ readonly pattern: RegExp; readonly resolve: () => void }>()
  return {
    text: () => lines.join('\n'),
    add(line: string): void {
      lines.push(line)
      for (const waiter of waiting) {
        if (line.search(waiter.pattern) < 0) continue
        waiting.delete(waiter)
        waiter.resolve()
      }
    },
    matches(pattern: RegExp): Promise<void> {
      if (lines.some((line) => line.search(pattern) >= 0)) return Promise.resolve()
      return new Promise((resolve) => waiting.add({ pattern, resolve }))
    },
  }
}

/** The lines every step's log begins with: what is run, and with what; then warnings about inputs. */
function introduce(log: StepLog, job: Job): void {
  log.print(`##[group]Run ${job.file.name}`)
  printPairs(log, 'with:', job.given)
  printPairs(log, 'env:', job.env)
  log.print('##[endgroup]')
  warnOfDeprecated(log, job.file, job.given)
  warnOfUnexpected(log, job.file, job.given)
}

function printPairs(log: StepLog, heading: string, values: Readonly<Record<string, string>>): void {
  const pairs = Object.entries(values)
  if (pairs.length > 0) log.print(heading)
  for (const [name, value] of pairs) {
    for (const line of `${name}: ${value}`.split('\n')) log.print(`  ${line}`)
  }
}

function warnOfDeprecated(log: StepLog, file: ActionFile, given: Readonly<Record<string, string>>): void {
  const names = new Set(Object.keys(given).map((name) => name.toLowerCase()))
  for (const [name, input] of Object.entries(file.inputs ?? {})) {
    if (input?.deprecationMessage === undefined || !names.has(name.toLowerCase())) continue
    const message = `Input '${name}' has been deprecated with message: ${input.deprecationMessage}`
    log.annotate({ level: 'warning', message })
  }
}

function warnOfUnexpected(log: StepLog, file: ActionFile, given: Readonly<Record<string, string>>): void {
  const valid = Object.keys(file.inputs ?? {})
  const known = new Set(valid.map((name) => name.toLowerCase()))
  const unexpected = Object.keys(given).filter((name) => !known.has(name.toLowerCase()))
  if (unexpected.length === 0) return
  const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ')
  const message = `Unexpected input(s) ${quoted(unexpected)}, valid inputs are [${quoted(valid)}]`
  log.annotate({ level: 'warning', message })
}
