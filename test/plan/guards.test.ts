import { describe, expect, test } from 'vitest'
import type { Facts } from '../../src/plan/context.ts'
import type { RunEvent } from '../../src/plan/event.ts'
import { mayChange, mayDelete, ownershipOf, previewChange } from '../../src/plan/guards.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { matchesPaths } from '../../src/plan/paths.ts'
import type { SettingName } from '../../src/plan/settings.ts'
import { comment, headSha, planInput, pullRequestEvent, pullRequestOf, push, revealed } from './plan-inputs.ts'

type Given = Partial<Record<SettingName, string>>

const forked = pullRequestOf({ head: { sha: headSha, ref: 'feature', repository: 'eve/web' }, labels: ['preview'] })
const keyless = { 'api-key': '' }

describe('a run without a key', () => {
  const plan = (event: RunEvent, given: Given = {}, actor = 'ada') =>
    makePlan(planInput(event, { ...keyless, ...given }, { actor }))
  const fork = pullRequestEvent('opened', { pullRequest: forked })

  test('is skipped for a fork, and says what a maintainer can do', () => {
    const made = plan(fork)
    expect(made).toMatchObject({ kind: 'none', status: 'skipped', pullRequest: 12 })
    expect(made).toMatchObject({ reason: expect.stringContaining('/ink deploy') })
    expect(plan(pullRequestEvent('closed', { pullRequest: forked }))).toMatchObject({ status: 'skipped' })
  })

  test('is skipped for a fork whose repository is gone', () => {
    const gone = pullRequestOf({ head: { sha: headSha, ref: 'feature', repository: undefined } })
    expect(plan(pullRequestEvent('closed', { pullRequest: gone }))).toMatchObject({ status: 'skipped' })
  })

  test('is skipped for Dependabot, whose branches lie in the same repository', () => {
    const made = plan(pullRequestEvent('opened'), {}, 'dependabot[bot]')
    expect(made).toMatchObject({ status: 'skipped', reason: expect.stringContaining('Dependabot') })
    expect(plan(push('refs/heads/main'), {}, 'dependabot[bot]')).toMatchObject({ status: 'skipped' })
  })

  test('fails otherwise, and says how to set one', () => {
    expect(plan(pullRequestEvent('opened'))).toMatchObject({
      kind: 'refused',
      problem: 'api-key: is not set',
      hint: expect.stringMatching(/api-key: \$\{\{ secrets\.INK_API_KEY \}\}/),
    })
  })

  test('of an event that means nothing is not a failure', () => {
    expect(plan(push('refs/heads/feature'))).toMatchObject({ kind: 'none', status: 'nothing' })
  })
})

describe('a fork’s code, with the repository’s key in reach', () => {
  const gate = { 'preview-label': 'preview' }
  const writer: Facts = { permission: 'write', approval: 'given' }
  const target = (action: string, label?: string) =>
    pullRequestEvent(action, { withSecretsForForks: true, pullRequest: forked, label })
  const make = (event: RunEvent, given: Given, facts: Facts = {}) => makePlan(planInput(event, given), facts)

  test('is not deployed when nobody approved', () => {
    expect(make(target('opened'), {})).toMatchObject({
      kind: 'none',
      status: 'skipped',
      reason: expect.stringContaining(`/ink deploy ${headSha}`),
    })
  })

  test('is not deployed after a new push, whatever label is on', () => {
    expect(make(target('synchronize'), gate)).toMatchObject({ status: 'skipped' })
  })

  test('is deployed when the gate’s label is put on by somebody who may write', () => {
    const labeled = target('labeled', 'preview')
    expect(make(labeled, gate)).toEqual({ kind: 'needs', need: { fact: 'permission', login: 'ada' } })
    expect(make(labeled, gate, { permission: 'write' })).toEqual({
      kind: 'needs',
      need: { fact: 'approval', of: { number: 12, label: 'preview', sha: headSha } },
    })
    expect(make(labeled, gate, writer)).toMatchObject({ kind: 'preview', untrusted: true })
    expect(make(labeled, gate, { permission: 'read' })).toMatchObject({ kind: 'none', status: 'skipped' })
  })

  test('is not deployed when the label may have been meant for an earlier head', () => {
    for (const approval of ['not-given', 'unreadable'] as const)
      expect(make(target('labeled', 'preview'), gate, { permission: 'write', approval })).toMatchObject({
        status: 'skipped',
        reason: expect.stringContaining(`/ink deploy ${headSha}`),
      })
  })

  test('is not deployed for another label put on, although the gate’s is on', () => {
    expect(make(target('labeled', 'bug'), gate)).toMatchObject({ kind: 'none', status: 'nothing' })
    expect(make(target('synchronize'), gate)).toMatchObject({
      kind: 'none',
      status: 'skipped',
      reason: expect.stringContaining('take the label preview off and put it on again'),
    })
  })

  test('is deployed for a comment that names the head in full, and for no other', () => {
    const facts: Facts = { permission: 'write', pullRequest: forked }
    expect(make(comment(`/ink deploy ${headSha}`), {}, facts)).toMatchObject({ kind: 'preview', untrusted: true })
    for (const body of ['/ink deploy', `/ink deploy ${headSha.slice(0, 12)}`]) {
      expect(make(comment(body), {}, facts)).toMatchObject({ kind: 'decline' })
    }
  })

  test('is not deployed because another workflow passed, or by number, without approval', () => {
    const passed: RunEvent = {
      kind: 'workflow-run',
      action: 'completed',
      conclusion: 'success',
      event: 'pull_request',
      headSha,
      headBranch: 'feature',
      headRepository: 'eve/web',
      pullRequests: [],
    }
    expect(make(passed, {}, { pullRequest: forked })).toMatchObject({ kind: 'none', status: 'skipped' })
    const dispatch: RunEvent = { kind: 'dispatch', ref: 'refs/heads/main' }
    expect(make(dispatch, { 'pr-number': '12' }, { pullRequest: forked })).toMatchObject({ status: 'skipped' })
  })

  test('gets the values of preview-env and no others', () => {
    const given = { ...gate, env: 'SHARED=1', 'preview-env': 'OPEN=1', 'production-env': 'P=1' }
    const made = make(target('labeled', 'preview'), given, { permission: 'write', approval: 'given' })
    expect(
      made.kind === 'preview' && Object.keys(revealed(made.variables)).filter((name) => !name.startsWith('INK_')),
    ).toEqual(['OPEN'])
  })

  test('built in this very job is not deployed at all', () => {
    const made = make(
      target('labeled', 'preview'),
      { ...gate, directory: 'dist' },
      { permission: 'write', approval: 'given' },
    )
    expect(made).toMatchObject({ status: 'skipped', reason: expect.stringContaining('directory') })
  })

  test('from the same repository needs no approval', () => {
    const own = pullRequestEvent('synchronize', { withSecretsForForks: true })
    expect(make(own, {})).toMatchObject({ kind: 'preview', untrusted: false })
  })
})

describe('paths', () => {
  test.each([
    [['src/**'], ['src/a/b.ts'], true],
    [['src/**'], ['src/.env.example'], true],
    [['src/**'], ['lib/a.ts'], false],
    [['**'], ['.github/workflows/x.yml'], true],
    [['*.md'], ['docs/a.md'], false],
    [['**/*.{ts,tsx}'], ['app/x.tsx'], true],
    [['src/**', '!src/**/*.md'], ['src/a.md'], false],
    [['src/**', '!src/**/*.md', 'src/keep.md'], ['src/keep.md'], true],
    [['src/**'], [], false],
    [['src/**/x.ts'], ['src/x.ts'], true],
    [['src/**/x.ts'], ['src/a/b/x.ts'], true],
    [['**/test/**'], ['test/a'], true],
    [['a*c?.[jt]s'], ['abbcd.ts'], true],
    [['a*c?.[!jt]s'], ['abbcd.ts'], false],
    [['{web,lib/{a,b}}/**'], ['lib/b/x'], true],
    [['{web,lib/{a,b}}/**'], ['lib/c/x'], false],
    [['app/(shop)/**'], ['app/(shop)/page.tsx'], true],
    [['src/\\*.ts'], ['src/*.ts'], true],
    [['src/\\*.ts'], ['src/a.ts'], false],
    [['*'], ['a/b'], false],
  ])('%j and %j: %s', (globs, files, expected) => {
    expect(matchesPaths(globs, files)).toBe(expected)
  })
})

describe('how a pull request stands now', () => {
  const planned = { wanted: { sha: headSha }, previewLabel: 'preview' }
  const now = pullRequestOf({ labels: ['preview'] })

  test('as planned: go on', () => {
    expect(previewChange(planned, now)).toBeUndefined()
  })

  test('closed, or the label gone: removed', () => {
    expect(previewChange(planned, { ...now, state: 'closed' })).toMatchObject({ kind: 'closed' })
    expect(previewChange(planned, { ...now, labels: [] })).toMatchObject({ kind: 'closed' })
  })

  test('moved on: superseded, by whom', () => {
    const head = { ...now.head, sha: 'f'.repeat(40) }
    expect(previewChange(planned, { ...now, head })).toMatchObject({ kind: 'moved-on', by: head.sha })
  })

  test('closed counts more than moved on', () => {
    const moved = { ...now, state: 'closed' as const, head: { ...now.head, sha: 'f'.repeat(40) } }
    expect(previewChange(planned, moved)).toMatchObject({ kind: 'closed' })
  })
})

describe('whose a service is', () => {
  const ours = { INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: 'acme/web', INK_GIT_PULL_REQUEST: '12' }
  const service = (env: Record<string, string>, fromOurRepository = true) => ({ name: 's', env, fromOurRepository })

  test.each([
    [ours, 'ours'],
    [{ ...ours, INK_GIT_REPOSITORY: 'Acme/Web' }, 'ours'],
    [{}, 'unmarked'],
    [{ OTHER: '1' }, 'unmarked'],
    [{ ...ours, INK_GIT_REPOSITORY: 'eve/web' }, 'of-others'],
    [{ ...ours, INK_MANAGED_BY: 'terraform' }, 'of-others'],
    [{ INK_MANAGED_BY: 'ink-deploy' }, 'of-others'],
    [{ INK_GIT_REPOSITORY: 'acme/web' }, 'of-others'],
  ])('%j: %s', (env, expected) => {
    expect(ownershipOf(env, 'acme/web', undefined)).toBe(expected)
  })

  test('it is changed only when it is ours, or adopted', () => {
    expect(mayChange(service(ours), 'acme/web', false)).toEqual({ allowed: true })
    for (const stranger of [service({}), service({ ...ours, INK_GIT_REPOSITORY: 'eve/web' }), service(ours, false)]) {
      expect(mayChange(stranger, 'acme/web', false)).toMatchObject({
        allowed: false,
        hint: expect.stringContaining('adopt: true'),
      })
      expect(mayChange(stranger, 'acme/web', true)).toEqual({ allowed: true })
    }
  })

  test('it is deleted only when every mark says that it is this pull request’s', () => {
    expect(mayDelete(service(ours), 'acme/web', 12)).toEqual({ allowed: true })
    const { INK_GIT_PULL_REQUEST: _, ...production } = ours
    for (const [other, number] of [
      [service(ours), 13],
      [service(ours), 1],
      [service(production), 12],
      [service({}), 12],
      [service(ours, false), 12],
      [service({ ...ours, INK_GIT_REPOSITORY: 'eve/web' }), 12],
    ] as const) {
      expect(mayDelete(other, 'acme/web', number)).toMatchObject({ allowed: false })
    }
  })
})
