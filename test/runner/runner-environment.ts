import type { JobEnvironment } from '../../src/core/http.ts'

/** The variables that a runner on github.com sets. */
export function runnerEnvironment(overrides: JobEnvironment = {}): JobEnvironment {
  return {
    GITHUB_REPOSITORY: 'acme/web',
    GITHUB_REPOSITORY_ID: '77',
    RUNNER_NAME: 'GitHub Actions 1',
    GITHUB_RUN_ID: '42',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_ACTOR: 'ada',
    GITHUB_TRIGGERING_ACTOR: 'grace',
    GITHUB_WORKFLOW: 'Deploy',
    GITHUB_JOB: 'deploy',
    GITHUB_SHA: '1'.repeat(40),
    GITHUB_REF: 'refs/heads/main',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_WORKSPACE: '/home/runner/work/web/web',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_API_URL: 'https://api.github.com',
    RUNNER_TEMP: '/home/runner/work/_temp',
    ...overrides,
  }
}
