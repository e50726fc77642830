import type { CardRow, DiagnosisView, Surroundings } from '../../src/report/model.ts'

export const SURROUNDINGS: Surroundings = {
  repositoryUrl: 'https://github.com/acme/shop',
  removal: 'closing',
}

export const FIRST_COMMIT = '9f8e7d6c5b4a39281706f5e4d3c2b1a098765432'
export const SECOND_COMMIT = 'abc1234def5678901234567890abcdef12345678'

/** The row of a live preview, with `changes` laid over it; `undefined` takes a field away. */
export function row(changes: Partial<CardRow> = {}): CardRow {
  return {
    service: 'web',
    target: 'pr-12',
    status: 'live',
    url: 'https://acme-web-pr-12.ml.ink',
    health: { status: 200, latencyMs: 143 },
    buildMs: 41_000,
    commit: SECOND_COMMIT,
    updatedAt: '2026-11-22T10:04:31.000Z',
    runUrl: 'https://github.com/acme/shop/actions/runs/71',
    run: { id: 71, attempt: 1, startedAt: '2026-11-22T10:03:00.000Z' },
    costPerDay: 0.34,
    ...changes,
  }
}

/** A row that is not live: no answer, no build time, no cost. */
export function unfinished(changes: Partial<CardRow>): CardRow {
  return row({ url: undefined, health: undefined, buildMs: undefined, costPerDay: undefined, ...changes })
}

export const DIAGNOSIS: DiagnosisView = {
  cause: 'TypeScript error TS2304 in `src/app.ts`: Cannot find name `greeting`',
  hint: 'Declare or import `greeting`; `npx tsc --noEmit` shows the same error on your machine.',
  decisive: ["src/app.ts(7,15): error TS2304: Cannot find name 'greeting'."],
  tail: [
    '> shop@1.0.0 build',
    '> tsc',
    '',
    "src/app.ts(7,15): error TS2304: Cannot find name 'greeting'.",
    'error: build failed with exit code 2',
  ],
}

/** `count` runs after the first one, one minute apart. */
export function laterRun(count: number): CardRow['run'] {
  return { id: 71 + count, attempt: 1, startedAt: new Date(Date.UTC(2026, 10, 22, 10, 3 + count)).toISOString() }
}
