import type { CardRow } from '../../src/report/model.ts'
import { DIAGNOSIS, FIRST_COMMIT, row, unfinished } from '../report/rows.ts'

const LAST_WORKING = { commit: FIRST_COMMIT, url: 'https://acme-web-pr-12.ml.ink', stillLive: true } as const

/** The states of a card that the documentation shows, by the name of their picture. */
export const CARD_STATES: Readonly<Record<string, readonly CardRow[]>> = {
  building: [unfinished({ status: 'building', phase: 'build', lastWorking: LAST_WORKING })],
  live: [row()],
  failed: [unfinished({ status: 'failed', phase: 'build', diagnosis: DIAGNOSIS, lastWorking: LAST_WORKING })],
  superseded: [unfinished({ status: 'superseded', supersededBy: FIRST_COMMIT })],
  removed: [unfinished({ status: 'removed', reason: 'The pull request was merged.' })],
  'rolled-back': [
    unfinished({
      target: 'production',
      status: 'rolled-back',
      reason: 'The new version answered 500 at `/`.',
      lastWorking: { ...LAST_WORKING, url: 'https://acme-web.ml.ink' },
    }),
  ],
  'several-services': [
    row({ service: 'api', url: 'https://acme-api-pr-12.ml.ink' }),
    unfinished({ service: 'docs', status: 'building', phase: 'queue' }),
    row({ service: 'web' }),
  ],
}
