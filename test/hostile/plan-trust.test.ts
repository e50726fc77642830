import { describe, expect, test } from 'vitest'
import type { Facts } from '../../src/plan/context.ts'
import type { RunEvent } from '../../src/plan/event.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { comment, headSha, planInput, pullRequestEvent, pullRequestOf } from '../plan/plan-inputs.ts'

const forked = pullRequestOf({ head: { sha: headSha, ref: 'feature', repository: 'eve/web' }, labels: ['preview'] })
const gate = { 'preview-label': 'preview' }

describe('production', () => {
  const strangers: RunEvent[] = [
    ...[
      'pull_request_review',
      'pull_request_review_comment',
      'issues',
      'discussion_comment',
      'fork',
      'watch',
      'merge_group',
    ].map((name) => ({ kind: 'other', name }) as const),
    comment('/ink deploy'),
    pullRequestEvent('opened', { pullRequest: forked }),
    pullRequestEvent('opened', { pullRequest: forked, withSecretsForForks: true }),
  ]

  test.each(strangers)('is not reached by an event that strangers cause: $kind $name', (event) => {
    for (const command of ['production', 'rollback'])
      expect(makePlan(planInput(event, { command }))).toMatchObject({
        kind: 'refused',
        problem: expect.stringMatching(/not merged|anybody can cause/),
      })
  })

  test('is reached by those that only writers cause', () => {
    for (const name of ['repository_dispatch', 'deployment', 'create'])
      expect(makePlan(planInput({ kind: 'other', name }, { command: 'production' }))).toMatchObject({
        kind: 'production',
      })
  })
})

describe('a fork’s code under pull_request, with the key at hand', () => {
  const make = (event: RunEvent, facts: Facts = {}) => makePlan(planInput(event, gate), facts)

  test('is not deployed without approval, whoever handed the key to the fork', () => {
    for (const action of ['opened', 'synchronize', 'reopened', 'ready_for_review'])
      expect(make(pullRequestEvent(action, { pullRequest: forked }))).toMatchObject({ kind: 'none', status: 'skipped' })
    const command = makePlan(planInput(pullRequestEvent('opened', { pullRequest: forked }), { command: 'preview' }))
    expect(command).toMatchObject({ kind: 'none', status: 'skipped' })
  })

  test('gets preview-env alone when it was approved', () => {
    const labeled = pullRequestEvent('labeled', { pullRequest: forked, label: 'preview' })
    const facts: Facts = { permission: 'write', approval: 'given' }
    const plan = makePlan(planInput(labeled, { ...gate, env: 'SHARED=1', 'preview-env': 'OPEN=1' }), facts)
    expect(plan).toMatchObject({ kind: 'preview', untrusted: true })
    const names = plan.kind === 'preview' ? [...plan.variables.keys()] : []
    expect(names).toContain('OPEN')
    expect(names).not.toContain('SHARED')
  })
})
