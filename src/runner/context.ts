import { tmpdir } from 'node:os'
import { z } from 'zod'
import { DeployError } from '../core/errors.ts'
import { branchOf, type Repository, type RunContext } from '../plan/event.ts'
import type { Environment } from './environment.ts'

// Scheduled runs have come with and without a repository in their payload.
const repositoryPayload = z.object({
  repository: z.object({ default_branch: z.string().nullish(), private: z.boolean().nullish() }).nullish(),
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
  const actor = environment.GITHUB_ACTOR ?? ''
  return {
    repository,
    actor,
    triggeringActor: environment.GITHUB_TRIGGERING_ACTOR || actor,
    runId,
    runAttempt,
    runUrl: runAttempt > 1 ? `${runPage}/attempts/${runAttempt}` : runPage,
    workflow: environment.GITHUB_WORKFLOW ?? '',
    job: environment.GITHUB_JOB ?? '',
    sha: needed('GITHUB_SHA'),
    ref: environment.GITHUB_REF ?? '',
    eventName: needed('GITHUB_EVENT_NAME'),
    workspace: needed('GITHUB_WORKSPACE'),
    tempDir: environment.RUNNER_TEMP || tmpdir(),
  }
}

function readRepository(environment: Environment, fullName: string, payload: unknown): Repository {
  const [owner = '', name = ''] = fullName.split('/')
  const parsed = repositoryPayload.safeParse(payload)
  const described = parsed.success ? parsed.data.repository : undefined
  const serverUrl = withoutSlash(environment.GITHUB_SERVER_URL || 'https://github.com')
  return {
    owner,
    name,
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
