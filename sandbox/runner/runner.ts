import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { AccessLevel, GitHub, Repository, WebhookEvent } from '../github/github.ts'
import { type ActionFile, inputVariable, readActionFile } from './action-file.ts'
import { type CheckoutOptions, checkOut } from './checkout.ts'
import { evaluateCondition, evaluateTemplate, type JobStatus } from './expression.ts'
import { githubContext, type JobContext, type JobFolders, jobContext, jobEnvironment } from './job-context.ts'
import { Masker } from './masker.ts'
import { type RunRecord, recordRun } from './run-record.ts'
import { runStep, type StepOptions, type StepResult } from './step.ts'
import type { Annotation, StepLog } from './step-log.ts'

export type { CheckoutOptions } from './checkout.ts'
export type { JobStatus } from './expression.ts'
export type { StepResult } from './step.ts'
export type { Annotation } from './step-log.ts'

/** A run that is going on. */
export interface RunningStep {
  readonly pid: number
  /** Everything shown so far. */
  log(): string
  /** Resolves as soon as the log matches. */
  logMatches(pattern: RegExp): Promise<void>
}

export interface RunOptions {
  /** Directory with `action.yml`. */
  readonly action: string
  readonly github: GitHub
  readonly repository: Repository
  readonly event: WebhookEvent
  /** The step's `with:`; expressions in it are evaluated. */
  readonly with?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Default: a GITHUB_TOKEN with `permissions`, read-only where GitHub makes it so. */
  readonly token?: string
  /** The job's `permissions:`. Default: `contents: read`, as for new repositories. */
  readonly permissions?: Readonly<Record<string, AccessLevel>>
  /** Values hidden from the start, as the runner does for all secrets of a workflow. */
  readonly secrets?: readonly string[]
  /** An existing directory instead of a fresh one; it is then not deleted. */
  readonly workspace?: string
  /** Default: as `actions/checkout` does without any inputs. */
  readonly checkout?: false | CheckoutOptions
  /** Called after checkout: a build step's files, for example. */
  readonly prepare?: (workspace: string) => Promise<void>
  readonly job?: { readonly environment?: string }
  /** Path of the Node executable. Default: the one that runs this. */
  readonly node?: string
  readonly runId?: number
  readonly runAttempt?: number
  readonly actor?: string
  /** Step debugging, as after “Enable debug logging”. */
  readonly debug?: boolean
  /** Cancels the run as soon as the promise it returns is fulfilled. */
  readonly cancelAfter?: (run: RunningStep) => Promise<void>
  /** Cancels the run as well. */
  readonly signal?: AbortSignal
  /** Scales the runner's 7.5 s and 2.5 s between its signals. Default: 1. */
  readonly graceFactor?: number
  readonly onStart?: (child: { readonly pid: number; readonly stage: 'main' | 'post' }) => void
  /** Every line as it is shown. */
  readonly onLine?: (line: string, stage: 'main' | 'post') => void
  /** Leaves all folders of the job; whoever asks for it deletes `folder`. */
  readonly keepWorkspace?: boolean
}

export interface RunResult {
  readonly conclusion: JobStatus
  readonly exitCode: number
  readonly rawStdout: string
  readonly rawStderr: string
  readonly log: string
  readonly annotations: readonly Annotation[]
  readonly droppedAnnotations: number
  /** Outputs as another job gets them. */
  readonly outputs: Readonly<Record<string, string>>
  /** Names of the outputs that the runner withheld because they contain a secret. */
  readonly droppedOutputs: readonly string[]
  /** Outputs as later steps of the same job get them: all. */
  readonly stepOutputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  /** All values registered as secrets, in order: the token first. */
  readonly masks: readonly string[]
  readonly signals: readonly NodeJS.Signals[]
  readonly main: StepResult
  /** `undefined` when the action has none, or its condition did not hold. */
  readonly post: StepResult | undefined
  readonly durationMs: number
  readonly runId: number
  readonly workspace: string
  /** The folder that holds all of the job's folders. */
  readonly folder: string
}

const DEFAULT_PERMISSIONS: Readonly<Record<string, AccessLevel>> = { contents: 'read', packages: 'read' }
let lastRunId = 9_000_000_000

/** Runs an action as one job of a workflow: checkout, `main`, then `post`, each as a process of its own. */
export async function runAction(options: RunOptions): Promise<RunResult> {
  const started = performance.now()
  const action = resolve(options.action)
  const file = await readActionFile(action)
  const context = await jobContext(options.repository, options.event, options.actor)
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sandbox-job-')))
  try {
    const job = await prepareJob(options, action, file, context, folder)
    const { main, post } = await runStages(options, job)
    job.record.finish(main.conclusion)
    return resultOf(job, main, post, performance.now() - started)
  } finally {
    if (!options.keepWorkspace) await rm(folder, { recursive: true, force: true })
  }
}

interface Job {
  readonly action: string
  readonly file: ActionFile
  readonly folders: JobFolders
  readonly folder: string
  readonly masker: Masker
  readonly record: RunRecord
  readonly contexts: Readonly<Record<string, unknown>>
  readonly environment: Readonly<Record<string, string>>
  readonly inputs: Readonly<Record<string, string>>
  readonly unexpected: readonly string[]
}

async function prepareJob(
  options: RunOptions,
  action: string,
  file: ActionFile,
  context: JobContext,
  folder: string,
): Promise<Job> {
  const { github, repository } = options
  const folders = await makeFolders(folder, repository, options.workspace)
  const token = options.token ?? github.token({ repository, permissions: effectivePermissions(options, context) })
  const masker = new Masker()
  for (const secret of [token, ...(options.secrets ?? [])]) masker.add(secret)
  lastRunId += 1
  const id = options.runId ?? lastRunId
  const attempt = options.runAttempt ?? 1
  const record = recordRun(repository, context, {
    id,
    attempt,
    number: repository.runs.size + 1,
    environment: options.job?.environment,
    serverUrl: github.serverUrl,
    now: new Date(),
  })
  if (options.checkout !== false) {
    const { serverUrl } = github
    const { sha, ref } = context
    await checkOut({ ...folders, serverUrl, fullName: repository.fullName, token, sha, ref }, options.checkout ?? {})
  }
  await options.prepare?.(folders.workspace)
  const numbers = { runId: id, runNumber: record.run.number, runAttempt: attempt, jobName: record.job.name }
  const facts = githubContext(github, repository, context, folders, numbers)
  await mkdir(join(folders.temp, '_github_workflow'), { recursive: true })
  await writeFile(facts.event_path, JSON.stringify(options.event.payload, null, 2))
  const contexts = {
    github: { ...facts, token, event: options.event.payload },
    runner: { os: 'Linux', arch: 'X64', temp: folders.temp, tool_cache: folders.tools, environment: 'github-hosted' },
    env: options.env ?? {},
    job: { status: 'success' },
  }
  const environment = { ...options.env, ...jobEnvironment(facts, folders, options.debug ?? false) }
  return {
    action,
    file,
    folders,
    folder,
    masker,
    record,
    contexts,
    environment,
    ...readInputs(options, file, contexts),
  }
}

async function makeFolders(root: string, repository: Repository, workspace: string | undefined): Promise<JobFolders> {
  const folders = {
    root: join(root, 'work', repository.name),
    workspace:
      workspace === undefined ? join(root, 'work', repository.name, repository.name) : await realpath(workspace),
    temp: join(root, 'work', '_temp'),
    tools: join(root, 'tools'),
    home: join(root, 'home'),
  }
  await Promise.all(Object.values(folders).map((path) => mkdir(path, { recursive: true })))
  return folders
}

/** GitHub turns every `write` into `read` for pull requests of forks and of Dependabot. */
function effectivePermissions(options: RunOptions, context: JobContext): Readonly<Record<string, AccessLevel>> {
  const wanted = options.permissions ?? DEFAULT_PERMISSIONS
  if (!context.untrusted) return wanted
  return Object.fromEntries(Object.entries(wanted).map(([name, level]) => [name, level === 'write' ? 'read' : level]))
}

function readInputs(options: RunOptions, file: ActionFile, contexts: Readonly<Record<string, unknown>>) {
  const declared = Object.entries(file.inputs ?? {})
  const given = Object.entries(options.with ?? {})
  const inputs: Record<string, string> = {}
  for (const [name, input] of declared) {
    inputs[inputVariable(name)] = evaluateTemplate(input?.default ?? '', contexts, 'success')
  }
  for (const [name, value] of given) inputs[inputVariable(name)] = evaluateTemplate(value, contexts, 'success')
  const known = new Set(declared.map(([name]) => name.toLowerCase()))
  return { inputs, unexpected: given.map(([name]) => name).filter((name) => !known.has(name.toLowerCase())) }
}

async function runStages(options: RunOptions, job: Job) {
  const cancelled = new AbortController()
  const cancel = () => cancelled.abort()
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
  return runStep({
    ...stepBase(options, job, 'main', watch.add),
    script: job.file.runs.main,
    environment: { ...job.environment, ...job.inputs },
    cancel: cancelled.signal,
    introduce: (log) => introduce(log, job, options),
    onStart({ pid }) {
      options.onStart?.({ pid, stage: 'main' })
      const run = { pid, log: watch.text, logMatches: watch.matches }
      // A condition that fails is a mistake in the caller: cancelling then makes it visible instead of waiting for ever.
      options.cancelAfter?.(run).then(
        () => cancelled.abort(),
        () => cancelled.abort(),
      )
    },
  })
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
    cancel: new AbortController().signal,
    introduce: (log) => log.print('Post job cleanup.'),
    onStart: ({ pid }) => options.onStart?.({ pid, stage: 'post' }),
  })
}

function stepBase(options: RunOptions, job: Job, stage: 'main' | 'post', record: (line: string) => void) {
  return {
    node: options.node ?? process.execPath,
    action: job.action,
    workspace: job.folders.workspace,
    temp: job.folders.temp,
    masker: job.masker,
    debug: options.debug ?? false,
    graceFactor: options.graceFactor ?? 1,
    onLine(line: string) {
      record(line)
      options.onLine?.(line, stage)
    },
  } satisfies Partial<StepOptions>
}

/** The lines every step's log begins with: what is run, and with what. */
function introduce(log: StepLog, job: Job, options: RunOptions): void {
  log.print(`##[group]Run ${job.file.name}`)
  const given = Object.entries(options.with ?? {})
  if (given.length > 0) log.print('with:')
  for (const [name, value] of given) for (const line of `${name}: ${value}`.split('\n')) log.print(`  ${line}`)
  const environment = Object.entries(options.env ?? {})
  if (environment.length > 0) log.print('env:')
  for (const [name, value] of environment) for (const line of `${name}: ${value}`.split('\n')) log.print(`  ${line}`)
  log.print('##[endgroup]')
  if (job.unexpected.length === 0) return
  const valid = Object.keys(job.file.inputs ?? {})
  const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ')
  const message = `Unexpected input(s) ${quoted(job.unexpected)}, valid inputs are [${quoted(valid)}]`
  log.annotate({ level: 'warning', message })
}

function watchLog() {
  const lines: string[] = []
  const waiting = new Set<{ readonly pattern: RegExp; readonly resolve: () => void }>()
  const text = () => lines.join('\n')
  return {
    text,
    add(line: string): void {
      lines.push(line)
      for (const waiter of waiting) {
        if (!waiter.pattern.test(text())) continue
        waiting.delete(waiter)
        waiter.resolve()
      }
    },
    matches(pattern: RegExp): Promise<void> {
      if (pattern.test(text())) return Promise.resolve()
      return new Promise((resolve) => waiting.add({ pattern, resolve }))
    },
  }
}

function resultOf(job: Job, main: StepResult, post: StepResult | undefined, durationMs: number): RunResult {
  const safe = ([, value]: [string, string]) => job.masker.mask(value) === value
  const outputs = Object.entries(main.outputs)
  return {
    conclusion: main.conclusion === 'success' ? (post?.conclusion ?? 'success') : main.conclusion,
    exitCode: main.exitCode,
    rawStdout: main.rawStdout,
    rawStderr: main.rawStderr,
    log: main.log,
    annotations: main.annotations,
    droppedAnnotations: main.droppedAnnotations,
    outputs: Object.fromEntries(outputs.filter(safe)),
    droppedOutputs: outputs.filter((entry) => !safe(entry)).map(([name]) => name),
    stepOutputs: main.outputs,
    state: main.state,
    summary: main.summary,
    masks: job.masker.values,
    signals: main.signals,
    main,
    post,
    durationMs,
    runId: job.record.run.id,
    workspace: job.folders.workspace,
    folder: job.folder,
  }
}
