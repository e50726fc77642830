import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type ActionFile, readActionFile } from './action-file.ts'
import { enterGroup } from './concurrency.ts'
import { type Job, prepareJob } from './job.ts'
import { type JobContext, jobContext } from './job-context.ts'
import type { RunOptions, RunResult } from './run-options.ts'
import { runStages } from './stages.ts'
import type { StepResult } from './step.ts'

export type { CheckoutOptions } from './checkout.ts'
export type { RunOptions, RunResult } from './run-options.ts'
export type { Annotation } from './step-log.ts'

/** Runs an action as one job of a workflow: checkout, `main`, then `post`, each as a process of its own. */
export async function runAction(options: RunOptions): Promise<RunResult> {
  const started = performance.now()
  const action = resolve(options.action)
  const file = await readActionFile(action)
  const { github, repository, rerunOf, actor, concurrency } = options
  const again = rerunOf === undefined ? undefined : repository.runs.get(rerunOf)
  if (rerunOf !== undefined && !again) throw new Error(`${repository.fullName} has no run ${rerunOf}.`)
  const context = await jobContext(repository, options.event, { actor, again, profile: github.profile })
  const superseded = new AbortController()
  const leave = concurrency && (await enterGroup(github, repository, concurrency, () => superseded.abort()))
  const signal = options.signal ? AbortSignal.any([options.signal, superseded.signal]) : superseded.signal
  try {
    return await runJob({ ...options, signal }, action, file, context, started)
  } finally {
    leave?.()
  }
}

async function runJob(
  options: RunOptions,
  action: string,
  file: ActionFile,
  context: JobContext,
  started: number,
): Promise<RunResult> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sandbox-job-')))
  try {
    const job = await prepareJob(options, action, file, context, folder)
    const { main, post } = await runStages(options, job)
    job.record.finish(main.conclusion)
    job.grant.revokeToken()
    return resultOf(job, main, post, performance.now() - started)
  } finally {
    if (!options.keepWorkspace) await rm(folder, { recursive: true, force: true })
  }
}

function resultOf(job: Job, main: StepResult, post: StepResult | undefined, durationMs: number): RunResult {
  const safe = ([, value]: [string, string]) => job.grant.masker.mask(value) === value
  const outputs = Object.entries(main.outputs)
  const dropped = outputs.filter((entry) => !safe(entry)).map(([name]) => name)
  return {
    conclusion: main.conclusion === 'success' ? (post?.conclusion ?? 'success') : main.conclusion,
    exitCode: main.exitCode,
    rawStdout: main.rawStdout,
    rawStderr: main.rawStderr,
    log: main.log,
    annotations: main.annotations,
    droppedAnnotations: main.droppedAnnotations,
    outputs: Object.fromEntries(outputs.filter(safe)),
    droppedOutputs: dropped,
    jobLog: dropped.map((name) => `##[warning]Skip output '${name}' since it may contain secret.\n`).join(''),
    stepOutputs: main.outputs,
    state: main.state,
    summary: main.summary,
    masks: job.grant.masker.values,
    signals: main.signals,
    main,
    post,
    durationMs,
    runId: job.record.run.id,
    workspace: job.folders.workspace,
    folder: job.folder,
  }
}
