import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { CardRow, RowStatus } from '../../src/report/model.ts'
import { CARD_MARKER, decodeState, encodeState } from '../../src/report/state.ts'
import { DIAGNOSIS, FIRST_COMMIT, row } from './rows.ts'

const DOCUMENT = readFileSync(new URL('../../docs/state.md', import.meta.url), 'utf8')

/** A row with every field there is; a new field that is missing here does not compile. */
const FULL: Required<CardRow> = {
  ...row(),
  place: 'acme/shop',
  url: 'https://acme-web-pr-12.ml.ink',
  health: { status: 200, latencyMs: 143, tools: 3 },
  buildMs: 41_000,
  costPerDay: 0.34,
  phase: 'build',
  probe: 'off',
  cached: true,
  lastWorking: { commit: FIRST_COMMIT, url: 'https://acme-web-pr-12.ml.ink', stillLive: true },
  diagnosis: DIAGNOSIS,
  supersededBy: FIRST_COMMIT,
  database: 'web-pr-12-db',
  domain: {
    name: 'a.example',
    status: 'pending',
    error: 'x',
    records: [{ type: 'CNAME', name: 'a.example', content: 'b.example' }],
  },
  bytes: 3,
  change: { buildMsBefore: 1, bytesBefore: 2 },
  reason: 'a reason',
  refused: true,
  note: 'a note',
}

const STATUSES: Readonly<Record<RowStatus, true>> = {
  building: true,
  live: true,
  failed: true,
  unhealthy: true,
  'rolled-back': true,
  removed: true,
  superseded: true,
  cancelled: true,
  'timed-out': true,
  skipped: true,
}

describe('docs/state.md', () => {
  it.each(Object.keys(FULL))('explains the field %s', (field) => {
    expect(DOCUMENT).toContain(`| \`${field}\` |`)
  })

  it.each(Object.keys(STATUSES))('explains the status %s', (status) => {
    expect(DOCUMENT).toContain(`| \`${status}\` |`)
  })

  it('names the marker', () => {
    expect(DOCUMENT).toContain(CARD_MARKER)
  })
})

describe('the state', () => {
  it('keeps every field of a row', () => {
    expect(decodeState(encodeState([FULL]))).toEqual([FULL])
  })
})
