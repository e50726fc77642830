import type { CardRow } from '../../src/report/model.ts'
import { DIAGNOSIS, FIRST_COMMIT, row, unfinished } from '../report/rows.ts'

const LAST_WORKING = { commit: FIRST_COMMIT, url: 'https://acme-web-pr-12.ml.ink', stillLive: true } as const

const live = (changes: Partial<CardRow> = {}) => row({ service: 'acme-web-pr-12', ...changes })
const notLive = (changes: Partial<CardRow>) => unfinished({ service: 'acme-web-pr-12', ...changes })

/** The states of a card that the documentation shows, by the name of their picture. */
export const CARD_STATES: Readonly<Record<string, readonly CardRow[]>> = {
  building: [notLive({ status: 'building', phase: 'build', lastWorking: LAST_WORKING })],
  live: [live({ bytes: 1_230_000, change: { buildMsBefore: 29_000, bytesBefore: 1_200_000 } })],
  failed: [notLive({ status: 'failed', phase: 'build', diagnosis: DIAGNOSIS, lastWorking: LAST_WORKING })],
  unhealthy: [
    live({
      status: 'unhealthy',
      health: { status: 502, latencyMs: 1210 },
      costPerDay: undefined,
      diagnosis: {
        cause: 'The app listens on 127.0.0.1, where nobody outside of its container can reach it',
        hint: 'Listen on 0.0.0.0 and on the port in `PORT`.',
        decisive: ['listening on http://127.0.0.1:3000'],
        tail: [],
      },
    }),
  ],
  superseded: [notLive({ status: 'superseded', supersededBy: FIRST_COMMIT })],
  cancelled: [notLive({ status: 'cancelled', reason: 'The run was cancelled', lastWorking: LAST_WORKING })],
  removed: [notLive({ status: 'removed', reason: 'Removed because pull request #12 was closed' })],
  'rolled-back': [
    notLive({
      service: 'acme-web',
      target: 'production',
      status: 'rolled-back',
      reason: 'The new version answered 500 at `/`.',
      lastWorking: { ...LAST_WORKING, url: 'https://acme-web.ml.ink' },
    }),
  ],
  'several-services': [
    live({ service: 'acme-api-pr-12', url: 'https://acme-api-pr-12.ml.ink' }),
    notLive({ service: 'acme-docs-pr-12', status: 'building', phase: 'queue' }),
    live(),
  ],
}
