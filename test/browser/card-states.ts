import type { CardRow } from '../../src/report/model.ts'
import { DIAGNOSIS, FIRST_COMMIT, row, unfinished } from '../report/rows.ts'

const LAST_WORKING = { commit: FIRST_COMMIT, url: 'https://acme-web-pr-12.ml.ink', stillLive: true } as const

const live = (changes: Partial<CardRow> = {}) => row({ service: 'acme-web-pr-12', ...changes })
const notLive = (changes: Partial<CardRow>) => unfinished({ service: 'acme-web-pr-12', ...changes })

/** The states of a card that the documentation shows, by the name of their picture. */
export const CARD_STATES: Readonly<Record<string, readonly CardRow[]>> = {
  live: [live({ bytes: 1_230_000, change: { buildMsBefore: 29_000, bytesBefore: 1_200_000 } })],
  failed: [notLive({ status: 'failed', phase: 'build', diagnosis: DIAGNOSIS, lastWorking: LAST_WORKING })],
}
