import { getOctokit } from '@actions/github'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GitHub, type Repository, startGitHub } from '../../sandbox/github/github.ts'

let github: GitHub
let repository: Repository
let clock = Date.parse('2026-11-22T10:00:00Z')
let rest: ReturnType<typeof getOctokit>['rest']

const at = { owner: 'acme', repo: 'web', issue_number: 1 }

beforeAll(async () => {
  github = await startGitHub({ now: () => new Date(clock) })
  repository = await github.createRepository({ owner: 'acme', name: 'web' })
  await repository.commit({ branch: 'main', files: { a: '1\n' }, message: 'Start' })
  const parent = await repository.head()
  const push = (files: Record<string, string>, message: string, from?: string) => {
    // A minute later, with the date of an author whose clock is far ahead.
    clock += 60_000
    const date = new Date('2030-01-01T00:00:00Z')
    return repository.commit({
      branch: 'feature',
      files,
      message,
      date,
      ...(from === undefined ? {} : { parent: from }),
    })
  }
  await push({ a: '2\n' }, 'First', parent)
  await repository.openPullRequest({ head: 'feature', author: 'ada' })
  clock += 60_000
  repository.label(1, 'preview', 'acme')
  await push({ a: '3\n' }, 'After the label')
  clock += 60_000
  repository.unlabel(1, 'preview', 'acme')
  repository.comment(1, 'Again, please', 'ada')
  await push({ a: '4\n' }, 'Rewritten', parent)
  rest = getOctokit(github.token({ repository, permissions: {} }), { baseUrl: github.apiUrl }).rest
})

afterAll(async () => {
  expect(github.violations).toEqual([])
  await github.stop()
})

describe('the history of a pull request', () => {
  it('has labels, comments and pushes in the order in which they came, whatever dates the commits carry', async () => {
    const { data } = await rest.issues.listEventsForTimeline(at)
    expect(data.map((entry) => [entry.event, 'message' in entry ? entry.message : undefined])).toEqual([
      ['committed', 'First'],
      ['labeled', undefined],
      ['committed', 'After the label'],
      ['unlabeled', undefined],
      ['commented', undefined],
      ['committed', 'Rewritten'],
      ['head_ref_force_pushed', undefined],
    ])
  })

  it('tells when a label was set and a head was rewritten by GitHub’s own clock, and of a commit only what its author says', async () => {
    const { data } = await rest.issues.listEventsForTimeline(at)
    const [first, label, , , , , forced] = data
    expect(first).toMatchObject({ committer: { date: '2030-01-01T00:00:00Z' } })
    expect(first).not.toHaveProperty('created_at')
    expect(label).toMatchObject({
      created_at: '2026-11-22T10:02:00Z',
      label: { name: 'preview' },
      actor: { login: 'acme' },
    })
    expect(forced).toMatchObject({ created_at: '2026-11-22T10:05:00Z', commit_id: repository.pull(1).headSha })
  })

  it('has no commits and comments in the list of events', async () => {
    const { data } = await rest.issues.listEvents(at)
    expect(data.map((entry) => entry.event)).toEqual(['labeled', 'unlabeled', 'head_ref_force_pushed'])
  })
})
