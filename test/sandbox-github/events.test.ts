import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EventOptions, type GitHub, type Repository, startGitHub } from '../../sandbox/github/github.ts'

interface Example {
  readonly name: string
  readonly examples: readonly Readonly<Record<string, unknown>>[]
}

const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly Example[]

/** Where a payload lacks what every real example of its event and action has, or has it as another type. */
function differences(real: readonly unknown[], ours: unknown, path = ''): string[] {
  if (!real.every(isObject))
    return typesDiffer(real, ours) ? [`${path}: ${kind(ours)} instead of ${kind(real[0])}`] : []
  if (!isObject(ours)) return [`${path}: ${kind(ours)} instead of an object`]
  const [first = {}, ...others] = real
  const shared = Object.keys(first).filter((key) => !UNSET.includes(key) && others.every((other) => key in other))
  return shared.flatMap((key) => {
    if (!(key in ours)) return [`${path}.${key} is missing`]
    const values = real.map((one) => one[key])
    return differences(values, ours[key], `${path}.${key}`)
  })
}

/** Nobody is assigned here; organisations and apps' installations are not imitated, and a workflow's event has the latter never. */
const UNSET = ['assignee', 'milestone', 'organization', 'installation']

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const kind = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

/** `null` says nothing about the type: GitHub has it wherever something may be unset. */
function typesDiffer(real: readonly unknown[], ours: unknown): boolean {
  const kinds = new Set(real.map(kind))
  return ours !== null && !kinds.has('null') && !kinds.has(kind(ours))
}

let github: GitHub
let repository: Repository
let commentId: number

beforeAll(async () => {
  github = await startGitHub()
  repository = await github.createRepository({ owner: 'acme', name: 'web' })
  await repository.commit({ branch: 'main', files: { a: '1\n' }, message: 'Start' })
  await repository.pushTo('main', { b: '2\n' })
  await repository.commit({
    branch: 'feature',
    parent: await repository.head(),
    files: { a: '3\n' },
    message: 'Change',
  })
  await repository.openPullRequest({ head: 'feature', author: 'ada', labels: ['preview'] })
  await repository.setReference('refs/tags/v1', await repository.head())
  const startedAt = new Date()
  repository.runs.set(7, {
    id: 7,
    number: 1,
    attempt: 1,
    name: 'Build',
    path: '.github/workflows/build.yml',
    event: 'push',
    headBranch: 'main',
    headSha: await repository.head(),
    actor: repository.owner,
    createdAt: startedAt,
    jobs: [{ id: 71, name: 'build', status: 'completed', conclusion: 'success', startedAt, completedAt: startedAt }],
  })
  commentId = repository.comment(1, '/ink deploy', 'ada').id
})

afterAll(() => github.stop())

const pullActions = [
  'opened',
  'reopened',
  'synchronize',
  'ready_for_review',
  'converted_to_draft',
  'labeled',
  'unlabeled',
  'closed',
]

describe('an event has everything that GitHub’s own examples of it have in common', () => {
  const cases: readonly (readonly [string, () => EventOptions])[] = [
    ...pullActions.map((action) => {
      const label = action.endsWith('labeled') ? { label: 'preview' } : {}
      return ['pull_request', () => ({ action, number: 1, ...label })] as const
    }),
    ['push', () => ({})],
    ['workflow_dispatch', () => ({ inputs: { 'pr-number': '1' } })],
    ['issue_comment', () => ({ action: 'created', number: 1, commentId })],
    ['release', () => ({ action: 'published', tag: 'v1' })],
    ['workflow_run', () => ({ action: 'completed', runId: 7 })],
    ['delete', () => ({ ref: 'refs/heads/feature' })],
  ]

  it.each(cases.map(([name, options]) => [name, options().action ?? '', options] as const))(
    '%s %s',
    async (name, action, options) => {
      const all = examples.find((one) => one.name === name)?.examples ?? []
      const same = action === '' ? all : all.filter((example) => example.action === action)
      expect(same.length).toBeGreaterThan(0)
      const { payload } = await repository.event(name as 'push', options())
      expect(differences(same, payload)).toEqual([])
    },
  )
})

describe('an event can be told', () => {
  it('without the reference that GitHub puts into it', async () => {
    for (const kind of ['push', 'workflow_dispatch'] as const) {
      expect((await repository.event(kind)).payload).toHaveProperty('ref', 'refs/heads/main')
      expect((await repository.event(kind, { withoutRef: true })).payload).not.toHaveProperty('ref')
    }
  })

  it('of a run whose head belongs to two pull requests: both are in it, or the one that is named', async () => {
    const other = await repository.commit({
      branch: 'release',
      parent: await repository.head(),
      files: { r: '1\n' },
      message: 'R',
    })
    expect(other).toBe(await repository.head('release'))
    const { number } = await repository.openPullRequest({ head: 'feature', base: 'release' })
    const known = repository.runs.get(7)
    if (!known) throw new Error('The run is missing.')
    repository.runs.set(8, { ...known, id: 8, headBranch: 'feature', headSha: await repository.head('feature') })
    const numbers = async (options: EventOptions) => {
      const { payload } = await repository.event('workflow_run', { runId: 8, ...options })
      const run = payload.workflow_run as { pull_requests: { number: number }[] }
      return run.pull_requests.map((pull) => pull.number)
    }
    expect(await numbers({})).toEqual([1, number])
    expect(await numbers({ number })).toEqual([number])
  })
})
