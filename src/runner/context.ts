import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as v from 'valibot'
import { DeployError } from '../core/errors.ts'
import type { Repository, RunContext } from '../plan/context.ts'
import { branchOf } from '../plan/event.ts'

/** The process environment, or what a test puts in its place. */
export type Environment = Readonly<Record<string, string | undefined>>

// Scheduled runs have come with and without a repository in their payload.
const repositoryPayload = v.object({
  repository: v.nullish(v.object({ default_branch: v.nullish(v.string()), private: v.nullish(v.boolean()) })),
})

/**
 * Who runs where, from the variables that the runner sets (docs.github.com, "Variables reference") and the payload.
 * @throws DeployError when a variable is missing without which nothing can be done
 */
export function readContext(environment: Environment, payload: unknown): RunContext {
  const needed = (name: string): string => {
    const value = environment[name]
    if (value) return value
    throw new DeployError(`The variable ${name} is not set`, {
      hint: 'This program is an action: it is started by the GitHub Actions runner, which sets it.',
    })
  }
  const repository = readRepository(environment, needed('GITHUB_REPOSITORY'), payload)
  const runId = Number(needed('GITHUB_RUN_ID'))
  const runAttempt = Number(environment.GITHUB_RUN_ATTEMPT ?? '1')
  const runPage = `${repository.serverUrl}/${repository.fullName}/actions/runs/${runId}`
  return {
    repository,
    actor: environment.GITHUB_ACTOR ?? '',
    runId,
    runAttempt,
    runUrl: runAttempt > 1 ? `${runPage}/attempts/${runAttempt}` : runPage,
    workflow: environment.GITHUB_WORKFLOW ?? '',
    workflowPath: workflowPath(environment),
    workflowSha: environment.GITHUB_WORKFLOW_SHA || undefined,
    action: environment.GITHUB_ACTION_REPOSITORY || undefined,
    job: environment.GITHUB_JOB ?? '',
    runnerName: environment.RUNNER_NAME ?? '',
    sha: needed('GITHUB_SHA'),
    ref: environment.GITHUB_REF ?? '',
    eventName: needed('GITHUB_EVENT_NAME'),
    workspace: needed('GITHUB_WORKSPACE'),
    tempDir: environment.RUNNER_TEMP || tmpdir(),
  }
}

/** `owner/name/.github/workflows/deploy.yml@refs/heads/main` without what is around the path; a Gitea tells nothing. */
function workflowPath({ GITHUB_WORKFLOW_REF: ref = '', GITHUB_REPOSITORY: repository = '' }: Environment) {
  const [file = ''] = ref.split('@')
  return file.toLowerCase().startsWith(`${repository.toLowerCase()}/`) ? file.slice(repository.length + 1) : undefined
}

function readRepository(environment: Environment, fullName: string, payload: unknown): Repository {
  const [owner = '', name = ''] = fullName.split('/')
  const parsed = v.safeParse(repositoryPayload, payload)
  const described = parsed.success ? parsed.output.repository : undefined
  const serverUrl = withoutSlash(environment.GITHUB_SERVER_URL || 'https://github.com')
  return {
    owner,
    name,
    id: environment.GITHUB_REPOSITORY_ID || undefined,
    fullName,
    // What has no payload of its own, such as a schedule, runs on the default branch.
    defaultBranch: described?.default_branch ?? branchOf(environment.GITHUB_REF ?? '') ?? 'main',
    private: described?.private ?? true,
    serverUrl,
    apiUrl: withoutSlash(environment.GITHUB_API_URL || 'https://api.github.com'),
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/**
 * Reads the file that the runner names in `GITHUB_EVENT_PATH`.
 * @throws DeployError when it is missing or no JSON
 */
export function readPayload(path: string | undefined): unknown {
  if (!path) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new DeployError('The description of the event could not be read', {
      cause,
      hint: 'The runner writes it to the file named by GITHUB_EVENT_PATH. No step may change that variable or file.',
    })
  }
}
