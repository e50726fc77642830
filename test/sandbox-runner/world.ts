import {
  type GitHub,
  type GitHubOptions,
  type Repository,
  startGitHub,
  type WebhookEvent,
} from '../../sandbox/github/github.ts'
import { type RunOptions, type RunResult, runAction } from '../../sandbox/runner/runner.ts'
import { sampleAction } from './sample-action.ts'

export interface RunnerWorld extends AsyncDisposable {
  readonly github: GitHub
  readonly repository: Repository
  /** Pull request 1, opened. */
  readonly opened: WebhookEvent
  /** Runs an action of a few lines; without a checkout unless it is asked for. */
  run(
    parts: string | Parameters<typeof sampleAction>[0],
    options?: Partial<Omit<RunOptions, 'action' | 'github' | 'repository'>>,
  ): Promise<RunResult>
}

/** A private repository with two commits on `main` and a pull request, on a GitHub of its own. */
export async function runnerWorld(options: GitHubOptions = {}): Promise<RunnerWorld> {
  const github = await startGitHub(options)
  const repository = await github.createRepository({ owner: 'acme', name: 'web', private: true })
  await repository.commit({ branch: 'main', files: { 'index.html': 'one\n' }, message: 'Start' })
  await repository.pushTo('main', { 'README.md': 'Read me\n' })
  const parent = await repository.head()
  await repository.commit({ branch: 'feature', parent, files: { 'index.html': 'two\n' }, message: 'Change' })
  await repository.openPullRequest({ head: 'feature', author: 'ada' })
  const opened = await repository.event('pull_request', { action: 'opened', number: 1 })
  return {
    github,
    repository,
    opened,
    async run(parts, options = {}) {
      await using action = await sampleAction(typeof parts === 'string' ? { main: parts } : parts)
      return await runAction({
        action: action.directory,
        github,
        repository,
        event: opened,
        checkout: false,
        ...options,
      })
    },
    [Symbol.asyncDispose]: () => github.stop(),
  }
}
