import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccessLevel, Repository } from '../github/github.ts'
import { type ActionFile, inputVariable } from './action-file.ts'
import { basicCredential, checkOut } from './checkout.ts'
import { evaluateTemplate } from './expression.ts'
import { githubContext, type JobContext, type JobFolders, jobEnvironment } from './job-context.ts'
import { Masker } from './masker.ts'
import type { RunOptions } from './run-options.ts'
import { type RunRecord, recordRun } from './run-record.ts'

/** What a job may do when neither workflow nor repository say otherwise (GitHub's restricted default). */
const DEFAULT_PERMISSIONS: Readonly<Record<string, AccessLevel>> = { contents: 'read', packages: 'read' }

const FIRST_RUN_ID = 9_000_000_001

/** A job that is ready for its first step. */
export interface Job {
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
  /** Ends the validity of a token that was made for this job. */
  revokeToken(): void
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
  const minted = options.token === undefined
  const token = options.token ?? github.token({ repository, permissions: effectivePermissions(options, context) })
  const masker = new Masker()
  for (const secret of [token, basicCredential(token), ...(options.secrets ?? [])]) masker.add(secret)
  const id = options.runId ?? FIRST_RUN_ID + repository.runs.size
  const attempt = options.runAttempt ?? 1
  const workflow = options.workflow ?? { name: 'Preview', path: '.github/workflows/preview.yml' }
  const record = recordRun(repository, context, {
    id,
    attempt,
    number: repository.runs.size + 1,
    workflow,
    jobName: options.job?.name ?? 'preview',
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
  const numbers = { runId: id, runNumber: record.run.number, runAttempt: attempt, jobName: record.job.name, workflow }
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
    revokeToken() {
      if (minted) github.revokeToken(token)
    },
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
