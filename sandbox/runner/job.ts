import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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
  await writeFile(facts.event_path, JSON.stringify(options.event.payload, null, 2))
  const contexts = {
    github: { ...facts, token: given.token, event: options.event.payload },
    runner: { os: 'Linux', arch: 'X64', temp: folders.temp, tool_cache: folders.tools, environment: 'github-hosted' },
    job: { status: 'success' },
  }
  const workflow = { ...contexts, secrets: given.secrets }
  const env = evaluateAll(options.env, workflow)
  const step = { given: evaluateAll(options.with, { ...workflow, env }), env }
  const environment = { ...env, ...jobEnvironment(facts, folders, options.debug ?? false) }
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
  }
}

function runNumbers(options: RunOptions): RunNumbers {
  const { repository, runId = FIRST_RUN_ID + repository.runs.size, runAttempt = 1 } = options
  const workflow = options.workflow ?? { name: 'Preview', path: '.github/workflows/preview.yml' }
  return { runId, runNumber: repository.runs.size + 1, runAttempt, jobName: options.job?.name ?? 'preview', workflow }
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
