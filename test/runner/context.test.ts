import { expect, test } from 'vitest'
import { readContext } from '../../src/runner/load-run.ts'
import { runnerEnvironment } from './runner-environment.ts'

const payload = { repository: { default_branch: 'trunk', private: false } }

test('the context is read from the runner’s variables and the payload', () => {
  expect(readContext(runnerEnvironment(), payload)).toEqual({
    repository: {
      id: '77',
      owner: 'acme',
      name: 'web',
      fullName: 'acme/web',
      defaultBranch: 'trunk',
      private: false,
      serverUrl: 'https://github.com',
      apiUrl: 'https://api.github.com',
    },
    actor: 'ada',
    runId: 42,
    runAttempt: 1,
    runUrl: 'https://github.com/acme/web/actions/runs/42',
    workflow: 'Deploy',
    workflowPath: undefined,
    workflowSha: undefined,
    action: undefined,
    job: 'deploy',
    runnerName: 'GitHub Actions 1',
    sha: '1'.repeat(40),
    ref: 'refs/heads/main',
    eventName: 'push',
    workspace: '/home/runner/work/web/web',
    tempDir: '/home/runner/work/_temp',
  })
})

test('the workflow is known by its file, and the action by its repository, where the runner tells them', () => {
  const ref = 'Acme/web/.github/workflows/deploy.yml@refs/heads/main'
  const told = { GITHUB_WORKFLOW_REF: ref, GITHUB_WORKFLOW_SHA: 'abc', GITHUB_ACTION_REPOSITORY: 'ink/ink-deploy' }
  expect(readContext(runnerEnvironment(told), payload)).toMatchObject({
    workflowPath: '.github/workflows/deploy.yml',
    workflowSha: 'abc',
    action: 'ink/ink-deploy',
  })
  // An organisation may require a workflow of another repository.
  const elsewhere = { GITHUB_WORKFLOW_REF: 'acme/rules/.github/workflows/deploy.yml@refs/heads/main' }
  expect(readContext(runnerEnvironment(elsewhere), payload).workflowPath).toBeUndefined()
})

test('a second attempt links to itself', () => {
  const { runUrl } = readContext(runnerEnvironment({ GITHUB_RUN_ATTEMPT: '2' }), payload)
  expect(runUrl).toBe('https://github.com/acme/web/actions/runs/42/attempts/2')
})

test('links of a GitHub Enterprise Server go there', () => {
  const environment = { GITHUB_SERVER_URL: 'https://ghe.example/', GITHUB_API_URL: 'https://ghe.example/api/v3' }
  const { runUrl, repository } = readContext(runnerEnvironment(environment), payload)
  expect(runUrl).toBe('https://ghe.example/acme/web/actions/runs/42')
  expect(repository.apiUrl).toBe('https://ghe.example/api/v3')
})

test('a payload without a repository: the default branch is the one the run is on', () => {
  const { repository } = readContext(runnerEnvironment({ GITHUB_REF: 'refs/heads/master' }), {})
  expect(repository).toMatchObject({ defaultBranch: 'master', private: true })
})

test.each(['GITHUB_REPOSITORY', 'GITHUB_RUN_ID', 'GITHUB_SHA', 'GITHUB_EVENT_NAME', 'GITHUB_WORKSPACE'])(
  'without %s it says who sets it',
  (name) => {
    expect(() => readContext(runnerEnvironment({ [name]: undefined }), payload)).toThrow(
      `The variable ${name} is not set`,
    )
  },
)
