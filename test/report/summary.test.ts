import { describe, expect, it } from 'vitest'
import type { DeployReport, Phase, Report } from '../../src/report/model.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { DIAGNOSIS, FIRST_COMMIT, row, SECOND_COMMIT, SURROUNDINGS, unfinished } from './rows.ts'
import { parseMarkdown, searchedTexts } from './structure.ts'

const RUN_URL = 'https://github.com/acme/shop/actions/runs/71'
const START_MS = Date.UTC(2026, 10, 22, 10, 3)

const PHASES: readonly Phase[] = [
  { name: 'snapshot', startMs: START_MS, endMs: START_MS + 900, result: 'done' },
  { name: 'push', startMs: START_MS + 900, endMs: START_MS + 4200, result: 'done' },
  { name: 'queue', startMs: START_MS + 4200, endMs: START_MS + 6000, result: 'done' },
  { name: 'build', startMs: START_MS + 6000, endMs: START_MS + 47_000, result: 'done' },
  { name: 'roll-out', startMs: START_MS + 47_000, endMs: START_MS + 55_000, result: 'done' },
  { name: 'probe', startMs: START_MS + 55_000, endMs: START_MS + 61_500, result: 'done' },
]

const LIVE: DeployReport = {
  kind: 'deploy',
  row: row({ database: 'web-pr-12-db' }),
  phases: PHASES,
  pushed: {
    branch: `ink/pr-12/${SECOND_COMMIT}`,
    snapshot: '5ca1ab1e00000000000000000000000000000000',
    files: 214,
    bytes: 4212,
    objects: 7,
    kind: 'incremental',
  },
  envNames: ['NODE_ENV', 'API_BASE', 'INK_GIT_COMMIT_SHA'],
  cost: { perDay: 0.34, basis: '0.5 vCPU, 256 MiB' },
  account: {
    name: 'acme',
    project: 'default',
    workspace: undefined,
    servicesInUse: 3,
    mostServices: 5,
    limits: ['plan free', 'at most 1024 MiB of memory'],
  },
  annotations: [],
  runUrl: RUN_URL,
  warnings: [],
}

const REPORTS: Readonly<Record<string, Report>> = {
  live: LIVE,
  failed: {
    ...LIVE,
    row: unfinished({
      status: 'failed',
      phase: 'build',
      diagnosis: DIAGNOSIS,
      lastWorking: { commit: FIRST_COMMIT, url: 'https://acme-web-pr-12.ml.ink', stillLive: true },
    }),
    phases: [
      ...PHASES.slice(0, 3),
      { name: 'build', startMs: START_MS + 6000, endMs: START_MS + 20_000, result: 'failed' },
    ],
    cost: undefined,
    annotations: [
      {
        level: 'error',
        title: 'TypeScript TS2304',
        message: "Cannot find name 'greeting'.",
        file: 'src/app.ts',
        line: 7,
        column: 15,
      },
    ],
    warnings: [
      'The GitHub token may not write deployment records (403 Resource not accessible by integration). The deployment goes on without it.\nTo allow it, add to the job:\n    permissions:\n      deployments: write',
    ],
  },
  'nothing-sent': {
    ...LIVE,
    row: row({ cached: true }),
    pushed: { branch: 'ink/pr-12/x', snapshot: FIRST_COMMIT, kind: 'none' },
    envNames: [],
  },
  teardown: {
    kind: 'teardown',
    service: 'acme-web-pr-12',
    target: 'pr-12',
    removed: [
      { kind: 'service', name: 'acme-web-pr-12' },
      { kind: 'database', name: 'acme-web-pr-12-db' },
      { kind: 'branch', name: `ink/pr-12/${SECOND_COMMIT}` },
    ],
    left: [],
    runUrl: RUN_URL,
    warnings: [],
  },
  'teardown-incomplete': {
    kind: 'teardown',
    service: 'acme-web-pr-12',
    target: 'pr-12',
    removed: [{ kind: 'service', name: 'acme-web-pr-12' }],
    left: [{ kind: 'database', name: 'acme-web-pr-12-db', why: 'ml.ink answered: `internal error`' }],
    runUrl: RUN_URL,
    warnings: [],
  },
  'teardown-nothing-there': {
    kind: 'teardown',
    service: 'acme-web-pr-12',
    target: 'pr-12',
    removed: [],
    left: [],
    runUrl: RUN_URL,
    warnings: [],
  },
  sweep: {
    kind: 'sweep',
    dryRun: false,
    removed: [
      { service: 'acme-web-pr-7', pullRequest: 7, why: 'closed 3 days ago', costPerDay: 0.34 },
      { service: 'acme-web-pr-9', pullRequest: 9, why: 'older than 7 days', costPerDay: 0.34 },
    ],
    kept: [{ service: 'acme-web-pr-12', pullRequest: 12, why: 'open', costPerDay: 0.34 }],
    failed: [{ service: 'acme-web-pr-5', pullRequest: 5, why: 'ml.ink answered: `internal error`' }],
    cost: { perDay: 0.68, basis: '2 open previews' },
    runUrl: RUN_URL,
    warnings: [],
  },
  'sweep-dry-run': {
    kind: 'sweep',
    dryRun: true,
    removed: [{ service: 'acme-web-pr-7', pullRequest: 7, why: 'closed 3 days ago', costPerDay: 0.34 }],
    kept: [],
    failed: [],
    runUrl: RUN_URL,
    warnings: [],
  },
  monitor: {
    kind: 'monitor',
    services: [
      {
        service: 'acme-web',
        target: 'production',
        verdict: 'healthy',
        platformStatus: 'active',
        url: 'https://acme-web.ml.ink',
        health: { status: 200, latencyMs: 88 },
        uptime: { healthy: 2999, asked: 3000, sinceIso: '2026-10-01T08:00:00Z' },
      },
      {
        service: 'acme-api',
        target: 'production',
        verdict: 'trouble',
        platformStatus: 'crashed',
        uptime: { healthy: 2, asked: 3, sinceIso: '2026-11-22T09:00:00Z' },
        trouble: { what: 'The service crashed', logTail: ['Killed'] },
        issue: { number: 31, url: 'https://github.com/acme/shop/issues/31' },
        scaling: 'Memory raised from 256 to 512 MiB: it was killed for memory twice.',
      },
      { service: 'acme-web-pr-12', target: 'pr-12', verdict: 'unknown', platformStatus: 'unreadable' },
    ],
    cost: { perDay: 0.34, basis: '1 open preview' },
    credits: '$0.42',
    runUrl: RUN_URL,
    warnings: [],
  },
  plan: {
    kind: 'plan',
    services: [
      {
        service: 'acme-web-api',
        what: 'create',
        after: [],
        changes: [{ setting: 'database', from: undefined, to: 'acme-web-api-db (sqlite)' }],
        costPerDay: 0.34,
      },
      {
        service: 'acme-web',
        what: 'update',
        after: ['api'],
        changes: [
          { setting: 'size.memory', from: '256Mi', to: '512Mi' },
          { setting: 'watch', from: 'a/**\nb|c', to: undefined },
          { setting: 'env.API_URL', from: undefined, to: 'another value' },
        ],
        costPerDay: 0.4,
      },
      { service: 'acme-web-old', what: 'remove', after: [], changes: [], why: 'ink.yml no longer has it' },
    ],
    steps: ['Deploy commit `abc1234` as preview `acme-web-pr-12`', 'Delete branches that no deployment needs'],
    checks: [
      { name: 'API key', result: 'fine', detail: 'belongs to `acme`' },
      { name: 'Checkout', result: 'warning', detail: 'depth 1: the whole snapshot is pushed' },
      {
        name: 'Permissions',
        result: 'problem',
        detail: 'the job may not write comments',
        fix: ['permissions:', '  pull-requests: write'],
      },
    ],
    runUrl: RUN_URL,
    warnings: [],
  },
  skipped: {
    kind: 'none',
    status: 'skipped',
    reason: 'A pull request from a fork has no secrets, so there is no API key.',
    hint: 'A maintainer can comment `/ink deploy`.',
    runUrl: RUN_URL,
    warnings: [],
  },
  refused: {
    kind: 'none',
    status: 'failed',
    reason: 'api-key: is not set',
    hint: `Save it as the repository secret INK_API_KEY and pass it: api-key: \${{ secrets.INK_API_KEY }}.`,
    runUrl: RUN_URL,
    warnings: [],
  },
  nothing: {
    kind: 'none',
    status: 'nothing',
    reason: 'The event `delete` needs no deployment.',
    runUrl: RUN_URL,
    warnings: [],
  },
}

describe('the job summary', () => {
  it.each(Object.entries(REPORTS))('shows %s as in its golden file', async (name, report) => {
    await expect(renderSummary(report, SURROUNDINGS, START_MS + 61_500)).toMatchFileSnapshot(
      `golden/summary-${name}.md`,
    )
  })

  it.each(Object.entries(REPORTS))(
    'of %s has no two dollar signs in one text, which would make a formula',
    (_, report) => {
      const texts = searchedTexts(parseMarkdown(renderSummary(report, SURROUNDINGS, 0)))
      expect(texts.filter((text) => text.split('$').length > 2)).toEqual([])
    },
  )

  it('says in the title that something was left behind', () => {
    const report = REPORTS['teardown-incomplete']
    expect(report && renderSummary(report, SURROUNDINGS, 0)).toContain('## 🔴 Preview could not be removed completely')
  })

  it('does not round an outage away', () => {
    const report = REPORTS.monitor
    expect(report && renderSummary(report, SURROUNDINGS, 0)).toContain('99.9 % over 3000 checks since 2026-10-01')
  })

  it('gives up the details rather than exceeding what GitHub keeps', () => {
    const left = Array.from({ length: 200 }, (_, index) => ({
      kind: 'branch' as const,
      name: `b${index}`,
      why: '*_`'.repeat(4000),
    }))
    const report: Report = {
      kind: 'teardown',
      service: 'web',
      target: 'pr-12',
      removed: [],
      left,
      runUrl: RUN_URL,
      warnings: Array.from({ length: 30 }, () => `${'*'.repeat(900)}\n${'é\n'.repeat(9)}`),
    }
    const summary = renderSummary(report, SURROUNDINGS, 0)
    expect(Buffer.byteLength(summary)).toBeLessThan(1024 * 1024)
    expect(summary).toContain('could not be removed completely')
  })
})
