import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Facts } from '../../src/plan/context.ts'
import { describePlan } from '../../src/plan/describe.ts'
import type { RunEvent } from '../../src/plan/event.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { comment, planInput, pullRequestEvent, pullRequestOf, push } from './plan-inputs.ts'

function lines(event: RunEvent, given: Parameters<typeof planInput>[1] = {}, facts: Facts = {}): string {
  const plan = makePlan(planInput(event, given), facts)
  if (plan.kind === 'needs') throw new Error('a fact is missing')
  return describePlan(plan).join('\n')
}

describe('the plan in words', () => {
  test('of limits and of scaling', () => {
    const given = { 'max-cost-per-day': '2.50', 'on-quota': 'skip' }
    expect(lines(pullRequestEvent('opened'), given)).toContain(
      'Previews cost at most $2.50 a day together; beyond that: skip.',
    )
    const scaled = { command: 'monitor', autoscale: 'memory 256Mi..1Gi, vcpus 0.5..2' }
    expect(lines(push('refs/heads/main'), scaled)).toContain(
      'Change the size of acme-web on evidence, one step at a time: memory 256Mi to 1024Mi, vCPUs 0.5 to 2.',
    )
    expect(lines(push('refs/heads/main'), { command: 'monitor' })).not.toContain('Change the size')
  })

  test('of a preview', () => {
    const secret = randomBytes(12).toString('hex')
    const given = {
      env: `TOKEN=${secret}`,
      'publish-directory': 'out',
      port: '8080',
      database: 'sqlite',
      'database-seed': 'db/seed.sql',
      'preview-ttl': '36h',
      'max-previews': '3',
    }
    const text = lines(pullRequestEvent('opened'), given)
    expect(text).toBe(
      [
        'Preview of pull request #12, because pull request #12: opened.',
        'Service acme-web-pr-12 in project default, from repository web.',
        'Commit 2222222 (refs/pull/12/head).',
        'Settings: publish-directory "out", port 8080.',
        'Environment variables (merge): INK_ENVIRONMENT, INK_GIT_COMMIT_SHA, INK_GIT_PULL_REQUEST, INK_GIT_REF, INK_GIT_REPOSITORY, INK_MANAGED_BY, TOKEN.',
        'Healthy when / answers 200-399 within 2m; 20m at most for everything.',
        'Database acme-web-pr-12-db (sqlite), as DATABASE_AUTH_TOKEN, DATABASE_URL.',
        'If it is new, db/seed.sql is run in it before the build.',
        'At most 3 previews; when full: fail.',
        'It may live for 36h; the next sweep after that removes it.',
      ].join('\n'),
    )
    expect(text).not.toContain(secret)
  })

  test('names what came empty', () => {
    expect(lines(push('refs/heads/main'), { env: 'B=\nA=\nC=1' })).toContain(
      'Empty, which a secret is that was not found: A, B.',
    )
  })

  test('of production', () => {
    const given = { directory: 'dist', 'health-path': 'none', timeout: '90s', domain: 'app.example.com', adopt: 'true' }
    const text = lines(push('refs/heads/main'), given)
    expect(text).toContain('The files in dist as they lie in the workspace')
    expect(text).toContain('the platform says that it runs (health-path: none); 90s at most')
    expect(text).toContain('Domain app.example.com.')
    expect(text).toContain('Switched back if the new version is unhealthy.')
    expect(text).toContain('taken over')
  })

  test.each<[string, RunEvent, Parameters<typeof planInput>[1], Facts, string]>([
    ['teardown', pullRequestEvent('closed'), {}, {}, 'database acme-web-pr-12-db, branches ink/pr-12/…'],
    ['sweep', { kind: 'schedule', cron: '0 * * * *' }, { 'preview-ttl': '7d' }, {}, 'or older than 7d'],
    ['monitor', push('refs/heads/main'), { command: 'monitor', 'health-path': 'mcp' }, {}, 'MCP handshake within 2m'],
    ['rollback', push('refs/heads/main'), { command: 'rollback' }, {}, 'acme-web back to the version before'],
    ['skipped', pullRequestEvent('opened'), { 'preview-label': 'x' }, {}, 'Skip: it does not have the label x.'],
    ['nothing', push('refs/tags/v1'), {}, {}, 'Nothing to do: refs/tags/v1'],
    ['refused', push('refs/heads/main'), { 'api-key': '' }, {}, 'Stop: api-key: is not set.'],
    ['check', push('refs/heads/main'), { command: 'plan' }, {}, 'lead to:\nProduction, because push to main.'],
    ['dry run', push('refs/heads/main'), { 'dry-run': 'true' }, {}, 'nothing is changed.\nProduction'],
    ['declined', comment('/ink stop'), {}, { permission: 'read' }, 'Decline, because grace commented /ink stop'],
    ['help', comment('/ink help'), {}, { permission: 'write' }, 'list of commands'],
    ['logs', comment('/ink logs'), {}, { permission: 'write', pullRequest: pullRequestOf() }, 'log of acme-web-pr-12'],
  ])('%s', (_, event, given, facts, expected) => {
    expect(lines(event, given, facts)).toContain(expected)
  })
})
