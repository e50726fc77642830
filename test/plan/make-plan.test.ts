import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Facts } from '../../src/plan/context.ts'
import type { RunEvent } from '../../src/plan/event.ts'
import type { NeedsPlan } from '../../src/plan/intent.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import type { Plan } from '../../src/plan/plan.ts'
import type { SettingName } from '../../src/plan/settings.ts'
import {
  baseSha,
  beforeSha,
  comment,
  headSha,
  mergeSha,
  planInput,
  pullRequestEvent,
  pullRequestOf,
  push,
  revealed,
} from './plan-inputs.ts'

type Given = Partial<Record<SettingName, string>>

const plan = (event: RunEvent, given: Given = {}, facts: Facts = {}): Plan | NeedsPlan =>
  makePlan(planInput(event, given), facts)

/** The plan, insisting on its kind. */
function planned<K extends Plan['kind'] | 'needs'>(
  kind: K,
  event: RunEvent,
  given: Given = {},
  facts: Facts = {},
): Extract<Plan | NeedsPlan, { kind: K }> {
  const made = plan(event, given, facts)
  expect(made.kind, JSON.stringify(made)).toBe(kind)
  return made as Extract<Plan | NeedsPlan, { kind: K }>
}

const dispatch: RunEvent = { kind: 'dispatch', ref: 'refs/heads/main' }
const schedule: RunEvent = { kind: 'schedule', cron: '0 * * * *' }
const release = (action: string): RunEvent => ({ kind: 'release', action, tag: 'v1.0.0' })
const workflowRun = (overrides: Partial<Extract<RunEvent, { kind: 'workflow-run' }>> = {}): RunEvent => ({
  kind: 'workflow-run',
  action: 'completed',
  conclusion: 'success',
  event: 'pull_request',
  headSha,
  headBranch: 'feature',
  headRepository: 'acme/web',
  pullRequests: [12],
  ...overrides,
})

describe('what an event means', () => {
  test.each(['opened', 'reopened', 'synchronize', 'ready_for_review', 'labeled'])(
    'pull_request %s: preview',
    (action) => {
      expect(planned('preview', pullRequestEvent(action)).serviceName).toBe('acme-web-pr-12')
    },
  )

  test('pull_request closed: teardown', () => {
    const closed = pullRequestOf({ state: 'closed' })
    expect(planned('teardown', pullRequestEvent('closed', { pullRequest: closed }))).toMatchObject({
      serviceName: 'acme-web-pr-12',
      pullRequest: 12,
      target: 'pr-12/acme-web-pr-12',
    })
  })

  test('pull_request unlabeled: teardown for the gate’s label, nothing for others', () => {
    const unlabeled = (label: string) => pullRequestEvent('unlabeled', { label })
    planned('teardown', unlabeled('preview'), { 'preview-label': 'preview' })
    planned('none', unlabeled('bug'), { 'preview-label': 'preview' })
    planned('none', unlabeled('preview'))
  })

  test('pull_request labeled or unlabeled with another label than the gate’s: nothing, and the card stays', () => {
    const gate = { 'preview-label': 'preview' }
    const labels = ['preview', 'bug']
    const fork = pullRequestOf({ labels, head: { sha: headSha, ref: 'feature', repository: 'eve/web' } })
    for (const pullRequest of [pullRequestOf({ labels }), fork])
      for (const action of ['labeled', 'unlabeled'])
        expect(planned('none', pullRequestEvent(action, { label: 'bug', pullRequest }), gate).status).toBe('nothing')
    expect(planned('none', pullRequestEvent('labeled', { label: 'bug' })).status).toBe('nothing')
  })

  test('pull_request converted_to_draft: teardown where drafts get no preview', () => {
    planned('teardown', pullRequestEvent('converted_to_draft'), { 'preview-drafts': 'false' })
  })

  test.each(['edited', 'assigned', 'converted_to_draft', 'review_requested', 'locked'])(
    'pull_request %s: nothing',
    (action) => {
      expect(planned('none', pullRequestEvent(action))).toMatchObject({ status: 'nothing' })
    },
  )

  test('push to the production branch: production', () => {
    expect(planned('production', push('refs/heads/main'))).toMatchObject({
      serviceName: 'acme-web',
      target: 'production/acme-web',
      wanted: { sha: mergeSha, ref: 'refs/heads/main' },
      bases: [beforeSha],
    })
    planned('production', push('refs/heads/live'), { 'production-branch': 'live' })
  })

  test.each(['refs/heads/feature', 'refs/tags/main', 'refs/tags/v1'])('push of %s: nothing', (ref) => {
    expect(planned('none', push(ref)).reason).toContain('is not the production branch main')
  })

  test('the production branch deleted: nothing', () => {
    const event: RunEvent = { kind: 'push', ref: 'refs/heads/main', before: beforeSha, after: undefined }
    expect(planned('none', event)).toMatchObject({ status: 'nothing' })
  })

  test('workflow_dispatch: production on the production branch, a preview with pr-number, else nothing', () => {
    planned('production', dispatch)
    expect(planned('none', { kind: 'dispatch', ref: 'refs/heads/feature' }).reason).toContain('give pr-number')
    expect(planned('needs', dispatch, { 'pr-number': '12' }).need).toEqual({ fact: 'pullRequest', number: 12 })
    planned('preview', dispatch, { 'pr-number': '12' }, { pullRequest: pullRequestOf() })
  })

  test('release: production when published, of the tagged commit', () => {
    expect(planned('production', release('published')).wanted).toEqual({ sha: mergeSha, ref: 'refs/tags/v1.0.0' })
    planned('none', release('created'))
    planned('none', release('prereleased'))
  })

  test('schedule: sweep, then monitor', () => {
    const given = { 'preview-ttl': '7d', 'max-previews': '3', 'preview-label': 'preview' }
    const sweep = planned('sweep', schedule, given)
    expect(sweep).toMatchObject({ previewTtlMs: 7 * 86_400_000, maxPreviews: 3, previewLabel: 'preview' })
    expect(sweep.followedBy).toMatchObject({ kind: 'monitor', serviceName: 'acme-web' })
  })

  test('a branch deleted: what it had deployed to an environment of its own goes', () => {
    const deleted = { kind: 'delete', refType: 'branch', ref: 'feature' } as const
    const pushed: RunEvent = { kind: 'push', ref: 'refs/heads/feature', before: beforeSha, after: undefined }
    for (const event of [deleted, pushed])
      expect(planned('retire', event)).toMatchObject({ branch: 'feature', because: 'the branch feature was deleted' })
    planned('none', { ...deleted, ref: 'main' })
    planned('none', { ...pushed, ref: 'refs/tags/feature' })
  })

  test('a tag deleted and everything else: nothing, with the reason', () => {
    expect(planned('none', { kind: 'delete', refType: 'tag', ref: 'v1' }).reason).toContain('v1 was deleted')
    expect(planned('none', { kind: 'other', name: 'watch' }).reason).toContain('the event watch means nothing')
  })

  test('workflow_run: the pull request or the push that passed, else nothing', () => {
    expect(planned('needs', workflowRun()).need).toMatchObject({ fact: 'pullRequest', headSha, headBranch: 'feature' })
    planned('preview', workflowRun(), {}, { pullRequest: pullRequestOf() })
    planned('none', workflowRun(), {}, { pullRequest: 'not-found' })
    const onMain = { event: 'push', headBranch: 'main', headSha: beforeSha }
    expect(planned('production', workflowRun(onMain)).wanted).toEqual({ sha: beforeSha, ref: 'refs/heads/main' })
    planned('none', workflowRun({ ...onMain, headRepository: 'eve/web' }))
    planned('none', workflowRun({ conclusion: 'failure' }))
    planned('none', workflowRun({ action: 'requested', conclusion: undefined }))
  })

  test('workflow_run for a head that several pull requests have: asks for the one that is named', () => {
    expect(planned('needs', workflowRun()).need).toMatchObject({ numbers: [12] })
    expect(planned('needs', workflowRun(), { 'pr-number': '13' }).need).toMatchObject({ numbers: [13] })
  })

  test('workflow_run for a head that was pushed over meanwhile: skipped', () => {
    const moved = pullRequestOf({ head: { sha: beforeSha, ref: 'feature', repository: 'acme/web' } })
    expect(planned('none', workflowRun(), {}, { pullRequest: moved })).toMatchObject({ status: 'skipped' })
  })
})

describe('a command overrides the event', () => {
  test('preview', () => {
    planned('preview', pullRequestEvent('edited'), { command: 'preview' })
    planned('preview', schedule, { command: 'preview', 'pr-number': '12' }, { pullRequest: pullRequestOf() })
    expect(planned('refused', dispatch, { command: 'preview' }).hint).toContain('pr-number')
  })

  test('production, but never of code that is not merged', () => {
    expect(planned('production', push('refs/heads/feature'), { command: 'production' }).wanted).toMatchObject({
      sha: mergeSha,
    })
    planned('production', schedule, { command: 'production' })
    planned('production', workflowRun({ event: 'push', headBranch: 'main' }), { command: 'production' })
    planned('refused', pullRequestEvent('opened'), { command: 'production' })
    planned('refused', comment('/ink deploy'), { command: 'production' })
    planned('refused', workflowRun(), { command: 'production' })
  })

  test('teardown', () => {
    expect(planned('teardown', dispatch, { command: 'teardown', 'pr-number': '7' }).serviceName).toBe('acme-web-pr-7')
    planned('teardown', pullRequestEvent('opened'), { command: 'teardown' })
    planned('refused', dispatch, { command: 'teardown' })
  })

  test('sweep, monitor and rollback', () => {
    expect(planned('sweep', push('refs/heads/main'), { command: 'sweep' }).followedBy).toBeUndefined()
    planned('monitor', push('refs/heads/main'), { command: 'monitor' })
    expect(planned('rollback', dispatch, { command: 'rollback' })).toMatchObject({
      target: 'production/acme-web',
      serviceName: 'acme-web',
      to: undefined,
    })
    const of = { command: 'rollback', 'pr-number': '12' }
    expect(planned('rollback', dispatch, of, { pullRequest: pullRequestOf() }).serviceName).toBe('acme-web-pr-12')
  })

  test('plan: what the event would lead to, also without a key', () => {
    expect(planned('check', pullRequestEvent('opened'), { command: 'plan' }).would.kind).toBe('preview')
    const keyless = planned('check', push('refs/heads/main'), { command: 'plan', 'api-key': '' })
    expect(keyless.would).toMatchObject({ kind: 'refused', problem: 'api-key: is not set' })
    planned('needs', dispatch, { command: 'plan', 'pr-number': '12' })
  })

  test('dry-run goes with every plan', () => {
    expect(planned('production', push('refs/heads/main'), { 'dry-run': 'true' }).dryRun).toBe(true)
    expect(planned('sweep', schedule, { 'dry-run': 'true' }).followedBy?.dryRun).toBe(true)
  })
})

describe('the plan of a preview', () => {
  test('is for the head, never for the merge commit', () => {
    const event = pullRequestEvent('synchronize', { before: beforeSha })
    expect(planned('preview', event)).toMatchObject({
      target: 'pr-12/acme-web-pr-12',
      environment: 'preview',
      wanted: { sha: headSha, ref: 'refs/pull/12/head' },
      ordinaryCheckouts: [mergeSha, headSha],
      bases: [beforeSha, baseSha],
      untrusted: false,
      place: { project: 'default', repositoryName: 'web', baseName: 'acme-web' },
    })
  })

  test('lays preview-env over env, and the marks over both', () => {
    const given = { env: 'A=1\nB=1\nINK_MANAGED_BY=me', 'preview-env': 'B=2', 'production-env': 'C=3' }
    expect(revealed(planned('preview', pullRequestEvent('opened'), given).variables)).toEqual({
      A: '1',
      B: '2',
      INK_MANAGED_BY: 'ink-deploy',
      INK_GIT_REPOSITORY: 'acme/web',
      INK_GIT_PULL_REQUEST: '12',
      INK_ENVIRONMENT: 'preview',
      INK_GIT_COMMIT_SHA: headSha,
      INK_GIT_REF: 'feature',
    })
    const { variables } = planned('production', push('refs/heads/main'), { ...given, 'git-env': 'false' })
    expect(Object.keys(revealed(variables)).sort()).toEqual(['A', 'B', 'C', 'INK_GIT_REPOSITORY', 'INK_MANAGED_BY'])
  })

  test('carries what the flow needs', () => {
    const given = {
      directory: 'dist',
      database: 'sqlite',
      timeout: '5m',
      'on-quota': 'skip',
      adopt: 'true',
      project: 'shop',
      workspace: 'team',
      'max-previews': '4',
      'preview-ttl': '12h',
      service: 'shop',
    }
    expect(planned('preview', pullRequestEvent('opened'), given)).toMatchObject({
      directory: 'dist',
      build: { buildPack: 'static' },
      database: { type: 'sqlite', name: 'shop-pr-12-db' },
      timeoutMs: 300_000,
      onQuota: 'skip',
      adopt: true,
      maxPreviews: 4,
      previewTtlMs: 12 * 3_600_000,
      place: { project: 'shop', repositoryName: 'web', workspace: 'team', baseName: 'shop' },
    })
  })

  test('of a prebuilt directory is static only if nothing else is said', () => {
    const build = (given: Given) => planned('preview', pullRequestEvent('opened'), { directory: 'out', ...given }).build
    expect(build({ 'start-command': 'node server.js' }).buildPack).toBeUndefined()
    expect(build({ 'build-pack': 'dockerfile' }).buildPack).toBe('dockerfile')
  })
})

describe('the plan of production', () => {
  test('carries domain and rollback', () => {
    const given = { domain: 'app.example.com', rollback: 'false' }
    expect(planned('production', push('refs/heads/main'), given)).toMatchObject({
      domain: 'app.example.com',
      rollback: false,
      environment: 'production',
    })
  })

  test('has no base after the first push of a branch', () => {
    const first: RunEvent = { kind: 'push', ref: 'refs/heads/main', before: undefined, after: mergeSha }
    expect(planned('production', first).bases).toEqual([])
  })
})

describe('a run that is started again', () => {
  const again = (facts: Facts, event: RunEvent = push('refs/heads/main')) =>
    makePlan(planInput(event, {}, { runAttempt: 2 }), facts)

  test('does not put its commit over a newer one, and says how to go back on purpose', () => {
    expect(again({})).toMatchObject({ kind: 'needs', need: { fact: 'live', serviceName: 'acme-web' } })
    const live: Facts = { live: { commit: headSha } }
    expect(again(live)).toMatchObject({ need: { fact: 'relation', of: { base: mergeSha, head: headSha } } })
    for (const event of [push('refs/heads/main'), dispatch]) {
      const refused = again({ ...live, relation: 'ahead' }, event)
      expect(refused).toMatchObject({ kind: 'none', status: 'superseded' })
      for (const said of [mergeSha.slice(0, 7), headSha.slice(0, 7), 'command: rollback'])
        expect(refused).toMatchObject({ reason: expect.stringContaining(said) })
    }
  })

  test('goes on when nothing newer is live, or nobody knows', () => {
    for (const facts of [
      { live: 'absent' },
      { live: 'unknown' },
      { live: { commit: mergeSha } },
      { live: { commit: headSha }, relation: 'other' },
      { live: { commit: headSha }, relation: 'unreadable' },
    ] satisfies Facts[])
      expect(again(facts)).toMatchObject({ kind: 'production' })
  })
})

describe('an activity of a pull request that nobody knows', () => {
  test('leads to a look at the pull request as it is', () => {
    const event = pullRequestEvent('synchronized')
    expect(planned('needs', event).need).toEqual({ fact: 'pullRequest', number: 12 })
    planned('preview', event, {}, { pullRequest: pullRequestOf() })
    planned('teardown', event, {}, { pullRequest: pullRequestOf({ state: 'closed' }) })
    planned('teardown', event, { 'preview-label': 'preview' }, { pullRequest: pullRequestOf() })
    const draft = pullRequestOf({ draft: true })
    planned('none', event, { 'preview-drafts': 'false' }, { pullRequest: draft })
  })
})

describe('the domain of a preview', () => {
  const given = { 'preview-domain': 'pr-{number}.preview.example.com' }

  test('has the number of the pull request in it', () => {
    expect(planned('preview', pullRequestEvent('opened'), given).domain).toBe('pr-12.preview.example.com')
    expect(planned('production', push('refs/heads/main'), given).domain).toBeUndefined()
  })
})

describe('what holds a preview back', () => {
  test('drafts, when they are not wanted', () => {
    const draft = pullRequestEvent('opened', { pullRequest: pullRequestOf({ draft: true }) })
    planned('preview', draft)
    expect(planned('none', draft, { 'preview-drafts': 'false' })).toMatchObject({ status: 'skipped', pullRequest: 12 })
  })

  test('the label gate', () => {
    const gate = { 'preview-label': 'preview' }
    expect(planned('none', pullRequestEvent('opened'), gate).reason).toContain('label preview')
    planned('preview', pullRequestEvent('opened', { pullRequest: pullRequestOf({ labels: ['bug', 'Preview'] }) }), gate)
  })

  test('a pull request that is closed by now', () => {
    const closed = pullRequestOf({ state: 'closed' })
    expect(planned('none', dispatch, { 'pr-number': '12' }, { pullRequest: closed }).reason).toContain('is closed')
  })

  test('paths: asked for the pull request’s files, then compared', () => {
    const given = { paths: 'src/**\n!**/*.md' }
    const event = pullRequestEvent('synchronize')
    expect(planned('needs', event, given).need).toMatchObject({ fact: 'live', serviceName: 'acme-web-pr-12' })
    const first: Facts = { live: 'absent' }
    expect(planned('needs', event, given, first).need).toEqual({
      fact: 'changedFiles',
      of: { kind: 'pull-request', number: 12 },
    })
    planned('preview', event, given, { ...first, changedFiles: ['README.md', 'src/a.ts'] })
    expect(planned('none', event, given, { ...first, changedFiles: ['src/README.md'] })).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('what was deployed before stays'),
    })
  })

  test('paths of a preview that runs: compared with the version that it runs', () => {
    const given = { paths: 'src/**' }
    const event = pullRequestEvent('synchronize', { before: beforeSha })
    const runs: Facts = { live: { commit: baseSha } }
    expect(planned('needs', event, given, runs).need).toEqual({
      fact: 'changedFiles',
      of: { kind: 'range', before: baseSha, after: headSha },
    })
    planned('preview', event, given, { ...runs, changedFiles: ['src/a.ts'] })
    planned('none', event, given, { ...runs, changedFiles: ['docs/a.md'] })
    planned('none', event, given, { live: { commit: headSha } })
    planned('preview', event, given, { live: 'unknown' })
  })

  test('paths of a push: compared with what is live, never with the push before; unknown means deploy', () => {
    const given = { paths: 'src/**' }
    const event = push('refs/heads/main')
    expect(planned('needs', event, given).need).toMatchObject({ fact: 'live', serviceName: 'acme-web' })
    const runs: Facts = { live: { commit: baseSha } }
    expect(planned('needs', event, given, runs).need).toEqual({
      fact: 'changedFiles',
      of: { kind: 'range', before: baseSha, after: mergeSha },
    })
    planned('none', event, given, { ...runs, changedFiles: ['docs/a.md'] })
    planned('production', event, given, { ...runs, changedFiles: 'unreadable' })
    for (const live of ['absent', 'unknown'] as const) planned('production', event, given, { live })
    planned('production', dispatch, given)
  })

  test('nothing of that kind when a person asks for it, except the label that the sweep goes by', () => {
    const given = { 'pr-number': '12', paths: 'src/**', 'preview-drafts': 'false' }
    planned('preview', dispatch, given, { pullRequest: pullRequestOf({ draft: true }) })
    planned('none', dispatch, { ...given, 'preview-label': 'preview' }, { pullRequest: pullRequestOf() })
  })

  test('a pull request that does not exist or cannot be read stops the run', () => {
    const given = { 'pr-number': '12' }
    expect(planned('refused', dispatch, given, { pullRequest: 'not-found' }).problem).toContain('does not exist')
    expect(planned('refused', dispatch, given, { pullRequest: 'unreadable' }).hint).toContain('pull-requests: read')
  })
})

describe('a command in a comment', () => {
  const writer: Facts = { permission: 'write' }
  const known: Facts = { ...writer, pullRequest: pullRequestOf() }

  test('asks for the author’s permission first, then for the pull request', () => {
    expect(planned('needs', comment('/ink deploy')).need).toEqual({ fact: 'permission', login: 'grace' })
    expect(planned('needs', comment('/ink deploy'), {}, writer).need).toEqual({ fact: 'pullRequest', number: 12 })
    expect(planned('preview', comment('/ink deploy'), {}, known).askedBy).toEqual({ commentId: 99, login: 'grace' })
  })

  test('of somebody who may not write gets a polite no, key or not', () => {
    for (const permission of ['read', 'unreadable'] as const) {
      const declined = planned('decline', comment('/ink stop'), { 'api-key': '' }, { permission })
      expect(declined).toMatchObject({ pullRequest: 12, askedBy: { commentId: 99, login: 'grace' } })
    }
  })

  test('stop, logs, rollback and help', () => {
    planned('teardown', comment('/ink stop'), {}, writer)
    planned('logs', comment('/ink logs'), {}, known)
    expect(planned('rollback', comment('/ink rollback abcdef1'), {}, known)).toMatchObject({
      serviceName: 'acme-web-pr-12',
      target: 'pr-12/acme-web-pr-12',
      to: 'abcdef1',
    })
    planned('help', comment('/ink help'), {}, writer)
    expect(planned('help', comment('/ink dance'), {}, writer).unknown).toBe('dance')
  })

  test('for another commit than the head is declined', () => {
    planned('preview', comment(`/ink deploy ${headSha.slice(0, 9)}`), {}, known)
    expect(planned('decline', comment('/ink deploy 9999999'), {}, known).reason).toContain('9999999 is not the head')
  })

  test('on a closed pull request is declined', () => {
    const facts = { ...writer, pullRequest: pullRequestOf({ state: 'closed' as const }) }
    planned('decline', comment('/ink deploy'), {}, facts)
  })

  test('means nothing when edited, by a bot, on an issue, or when there is none', () => {
    planned('none', comment('/ink deploy', { action: 'edited' }))
    planned('none', comment('/ink deploy', { byBot: true }))
    planned('none', comment('/ink deploy', { onPullRequest: false }))
    planned('none', comment('lovely'))
  })

  test('without a key is refused, not skipped', () => {
    planned('refused', comment('/ink deploy'), { 'api-key': '' }, writer)
  })
})

test('whatever GitHub answers, a plan is made after a few questions, and none is asked twice', () => {
  const fork = pullRequestOf({ head: { sha: headSha, ref: 'feature', repository: 'eve/web' }, labels: ['preview'] })
  const events: RunEvent[] = [
    ...['opened', 'synchronize', 'labeled'].map((action) =>
      pullRequestEvent(action, { withSecretsForForks: true, pullRequest: fork, label: 'preview' }),
    ),
    ...['deploy', `deploy ${headSha}`, 'stop', 'logs', 'rollback', 'help'].map((words) => comment(`/ink ${words}`)),
    push('refs/heads/main'),
    dispatch,
    workflowRun({ headRepository: 'eve/web' }),
  ]
  const answers = fc.record({
    pullRequest: fc.constantFrom(
      pullRequestOf({ labels: ['preview'] }),
      fork,
      'not-found' as const,
      'unreadable' as const,
    ),
    permission: fc.constantFrom('write' as const, 'read' as const, 'unreadable' as const),
    approval: fc.constantFrom('given' as const, 'not-given' as const, 'unreadable' as const),
    live: fc.constantFrom({ commit: headSha }, { commit: baseSha }, 'absent' as const, 'unknown' as const),
    relation: fc.constantFrom('ahead' as const, 'other' as const, 'unreadable' as const),
    changedFiles: fc.constantFrom(['src/a.ts'], ['README.md'], [], 'unreadable' as const),
  })
  const command = fc.constantFrom('auto', 'preview', 'production', 'rollback', 'plan')
  const options = fc.record({
    'preview-label': fc.constantFrom('', 'preview'),
    paths: fc.constantFrom('', 'src/**'),
    command,
  })
  const number = fc.constantFrom('', '12')
  fc.assert(
    fc.property(fc.constantFrom(...events), answers, options, number, (event, all, given, prNumber) => {
      let facts: Facts = {}
      for (let round = 0; ; round++) {
        const made = plan(event, { ...given, 'pr-number': prNumber }, facts)
        if (made.kind !== 'needs') return
        expect(round).toBeLessThan(4)
        expect(facts).not.toHaveProperty(made.need.fact)
        facts = { ...facts, [made.need.fact]: all[made.need.fact] }
      }
    }),
    { numRuns: 500 },
  )
})
