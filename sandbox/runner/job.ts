import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Repository } from '../github/github.ts'
import { type ActionFile, inputVariable } from './action-file.ts'
import { checkOut } from './checkout.ts'
import { type Contexts, evaluateTemplate } from './expression.ts'
import { type Grant, grant } from './grant.ts'
import { githubContext, type JobContext, type JobFolders, jobEnvironment, type RunNumbers } from './job-context.ts'
import type { RunOptions } from './run-options.ts'
import { type RunRecord, recordRun } from './run-record.ts'

const FIRST_RUN_ID = 9_000_000_001

/** A job that is ready for its first step. */
export interface Job {
  readonly action: string
  readonly file: ActionFile
  readonly folders: JobFolders
  readonly folder: string
  readonly grant: Grant
  readonly record: RunRecord
  /** What the action's own expressions can see. */
  readonly contexts: Contexts
  readonly environment: Readonly<Record<string, string>>
  /** The step's `with:` and `env:`, evaluated. */
  readonly given: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly nodeOptions: readonly string[]
  readonly summaryFile: string | undefined
  /** `INPUT_*` */
  readonly inputs: Readonly<Record<string, string>>
}

/** Makes the folders, the token, the run's record, the checkout and the environment of a job. */
export async function prepareJob(
  options: RunOptions,
  action: string,
  file: ActionFile,
  context: JobContext,
  folder: string,
): Promise<Job> {
  const { github, repository } = options
  const folders = await makeFolders(folder, repository, options.workspace)
  const given = grant(options, context)
  const numbers = runNumbers(options)
  const record = recordRun(repository, context, {
    ...numbers,
    environment: options.job?.environment,
    otherJobs: options.otherJobs ?? [],
    serverUrl: github.serverUrl,
    now: new Date(),
  })
  if (options.checkout !== false) {
    const target = { serverUrl: github.serverUrl, fullName: repository.fullName, token: given.token }
    await checkOut({ ...folders, ...target, sha: context.sha, ref: context.ref }, options.checkout ?? {})
  }
  await options.prepare?.(folders.workspace)
  const facts = githubContext(github, repository, context, folders, numbers)
  await mkdir(dirname(facts.event_path), { recursive: true })
  await writeFile(facts.event_path, JSON.stringify(context.event.payload, null, 2))
  const contexts = {
    github: { ...facts, token: given.token, event: context.event.payload },
    runner: { os: 'Linux', arch: 'X64', temp: folders.temp, tool_cache: folders.tools, environment: 'github-hosted' },
    job: { status: 'success' },
  }
  const workflow = { ...contexts, secrets: given.secrets }
  const env = evaluateAll(options.env, workflow)
  const step = { given: evaluateAll(options.with, { ...workflow, env }), env }
  const environment = { ...env, ...jobEnvironment(facts, folders, options.debug ?? false, github.profile) }
  const inputs = inputsOf(file, step.given, { ...contexts, env })
  return {
    action,
    file,
    folders,
    folder,
    grant: given,
    record,
    contexts: { ...contexts, env },
    environment,
    ...step,
    inputs,
    nodeOptions: await clockOptions(options.clockSkewMs ?? 0, folder),
    summaryFile: await sharedSummary(options, folder),
  }
}

/** A module that sets the clock of the processes of a job, before anything else of them runs. */
async function clockOptions(skewMs: number, folder: string): Promise<string[]> {
  if (skewMs === 0) return []
  const path = join(folder, 'clock.mjs')
  const text = `const skew = ${skewMs}
const RealDate = Date
globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + skew)
    else super(...given)
  }
  static now() {
    return RealDate.now() + skew
  }
}
`
  await writeFile(path, text)
  return ['--import', pathToFileURL(path).href]
}

async function sharedSummary(options: RunOptions, folder: string): Promise<string | undefined> {
  if (options.github.profile !== 'gitea') return undefined
  const path = join(folder, 'SUMMARY.md')
  await writeFile(path, options.earlierSummary ?? '')
  return path
}

function runNumbers(options: RunOptions): RunNumbers {
  const { repository } = options
  const again = options.rerunOf === undefined ? undefined : repository.runs.get(options.rerunOf)
  if (again) {
    const { id: runId, number: runNumber, attempt, name, path } = again
    const jobName = options.job?.name ?? again.jobs[0]?.name ?? 'preview'
    return { runId, runNumber, runAttempt: attempt + 1, jobName, workflow: { name, path } }
  }
  const { runId = FIRST_RUN_ID + repository.runs.size, runAttempt = 1 } = options
  const workflow = options.workflow ?? { name: 'Preview', path: '.github/workflows/preview.yml' }
  const { job, reusable = false } = options
  const runNumber = repository.runs.size + 1
  return { runId, runNumber, runAttempt, jobName: job?.name ?? 'preview', workflow, reusable }
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

function evaluateAll(values: Readonly<Record<string, string>> | undefined, contexts: Contexts): Record<string, string> {
  const entries = Object.entries(values ?? {})
  return Object.fromEntries(entries.map(([name, value]) => [name, evaluateTemplate(value, contexts, 'success')]))
}

function inputsOf(file: ActionFile, given: Readonly<Record<string, string>>, contexts: Contexts) {
  const defaults = Object.entries(file.inputs ?? {}).map(([name, input]) => [name, input?.default ?? ''] as const)
  const all = [...Object.entries(evaluateAll(Object.fromEntries(defaults), contexts)), ...Object.entries(given)]
  return Object.fromEntries(all.map(([name, value]) => [inputVariable(name), value]))
}
