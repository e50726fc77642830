import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GitHub, type Repository, startGitHub, type WebhookEvent } from '../../sandbox/github/github.ts'
import { type RunOptions, type RunResult, runAction } from '../../sandbox/runner/runner.ts'
import { sampleAction } from './sample-action.ts'

let github: GitHub
let repository: Repository
let opened: WebhookEvent

beforeAll(async () => {
  github = await startGitHub()
  repository = await github.createRepository({ owner: 'acme', name: 'web', private: true })
  await repository.commit({ branch: 'main', files: { 'index.html': 'one\n' }, message: 'Start' })
  await repository.commit({
    branch: 'feature',
    parent: await repository.head(),
    files: { 'index.html': 'two\n' },
    message: 'Change',
  })
  await repository.openPullRequest({ head: 'feature' })
  opened = await repository.event('pull_request', { action: 'opened', number: 1 })
})

afterAll(() => github.stop())

async function run(
  parts: Parameters<typeof sampleAction>[0],
  options: Partial<Omit<RunOptions, 'action' | 'github' | 'repository'>> = {},
): Promise<RunResult> {
  await using action = await sampleAction(parts)
  return await runAction({ action: action.directory, github, repository, event: opened, checkout: false, ...options })
}

describe('what an action is given', () => {
  it('finds its inputs as INPUT_*, with defaults evaluated and names spelt as the runner spells them', async () => {
    const { rawStdout } = await run(
      {
        inputs: {
          'api-key': null,
          'two words': { default: 'x' },
          token: { default: '${{ github.token }}' },
          count: { default: '3' },
        },
        main: `for (const name of ['INPUT_API-KEY', 'INPUT_TWO_WORDS', 'INPUT_COUNT']) console.log(name, JSON.stringify(process.env[name]))
          console.log(process.env.INPUT_TOKEN.startsWith('ghs_'))`,
      },
      { with: { 'API-Key': 'k' } },
    )
    expect(rawStdout).toBe('INPUT_API-KEY "k"\nINPUT_TWO_WORDS "x"\nINPUT_COUNT "3"\ntrue\n')
  })

  it('runs in a shallow, detached checkout of the merge commit', async () => {
    const { rawStdout, conclusion, workspace } = await run(
      {
        main: `import { execFileSync } from 'node:child_process'
          const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()
          console.log(git('rev-parse', 'HEAD') === process.env.GITHUB_SHA, git('rev-list', '--count', 'HEAD'), git('rev-parse', '--abbrev-ref', 'HEAD'))
          console.log(process.env.GITHUB_REF, process.env.GITHUB_HEAD_REF, process.env.GITHUB_BASE_REF)
          console.log(git('fetch', '--depth=1', 'origin', 'main') === '')`,
      },
      { checkout: {} },
    )
    expect(rawStdout).toBe('true 1 HEAD\nrefs/pull/1/merge feature main\ntrue\n')
    expect(conclusion).toBe('success')
    expect(existsSync(workspace)).toBe(false)
  })
})
