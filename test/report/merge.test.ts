import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CardRow } from '../../src/report/model.ts'
import { mergeRow, mergeRows } from '../../src/report/state.ts'
import { FIRST_COMMIT, laterRun, row, SECOND_COMMIT, unfinished } from './rows.ts'

describe('merging rows', () => {
  it('never puts an older run over a newer one, however late the older one writes', () => {
    const newer = row({ run: laterRun(5), updatedAt: '2026-11-22T10:10:00.000Z' })
    const older = unfinished({ status: 'failed', run: laterRun(1), updatedAt: '2026-11-22T10:59:00.000Z' })
    expect(mergeRow([newer], older)).toEqual([newer])
  })

  it('lets a run that was refused give way to the services of a later one, whatever they are called', () => {
    const refused = unfinished({ service: 'acme-web-pr-12', status: 'failed', refused: true, run: laterRun(1) })
    const front = row({ service: 'acme-web-front-pr-12', run: laterRun(2) })
    expect(mergeRow([refused], front)).toEqual([front])
    const before = row({ service: 'acme-web-front-pr-12', run: laterRun(0) })
    expect(mergeRow([before], refused)).toHaveLength(2)
  })

  it('lets a re-run, which begins later under an older id, replace the run after it', () => {
    const first = unfinished({ status: 'failed', run: { id: 71, attempt: 1, startedAt: '2026-11-22T10:00:00Z' } })
    const second = row({ run: { id: 72, attempt: 1, startedAt: '2026-11-22T10:05:00Z' } })
    const rerun = row({ run: { id: 71, attempt: 2, startedAt: '2026-11-22T10:30:00Z' }, buildMs: 1 })
    expect(mergeRows([first], [second, rerun]).map((merged) => merged.buildMs)).toEqual([1])
  })

  it('knows the newer of two runs by its number, whatever the clocks of their runners say', () => {
    const older = row({ run: { id: 71, attempt: 1, startedAt: '2026-11-22T10:10:00Z' }, buildMs: 1 })
    const newer = row({ run: { id: 72, attempt: 1, startedAt: '2026-11-22T10:05:00Z' }, buildMs: 2 })
    for (const [first, second] of [
      [older, newer],
      [newer, older],
    ] as const)
      expect(mergeRow([first], second).map((merged) => merged.buildMs)).toEqual([2])
  })

  it('takes the later of two rows of one run', () => {
    const building = unfinished({ status: 'building', updatedAt: '2026-11-22T10:04:00Z' })
    const live = row({ updatedAt: '2026-11-22T10:05:00Z' })
    expect(mergeRow([live], building)).toEqual([live])
    expect(mergeRow([building], live)).toEqual([live])
  })

  it('does not let a run that gave way hide the one it gave way to', () => {
    const winner = unfinished({ status: 'building', commit: FIRST_COMMIT, run: laterRun(1) })
    const loser = unfinished({ status: 'superseded', supersededBy: FIRST_COMMIT, run: laterRun(2) })
    expect(mergeRow([winner], loser)).toEqual([winner])
  })

  it('keeps a live row when a later commit was skipped, and says so', () => {
    const skipped = unfinished({ status: 'skipped', reason: 'Nothing below `web/` changed.', run: laterRun(1) })
    const [merged] = mergeRow([row()], skipped)
    expect(merged).toMatchObject({ status: 'live', commit: SECOND_COMMIT, note: 'Nothing below `web/` changed.' })
  })

  it('keeps production and preview of one service apart', () => {
    expect(mergeRow([row({ target: 'production' })], row())).toHaveLength(2)
  })

  it('does not offer the version before an unhealthy one as still live while the next is built', () => {
    const lastWorking = { commit: FIRST_COMMIT, url: 'https://acme-web-pr-12.ml.ink', stillLive: true }
    const unhealthy = row({ status: 'unhealthy', lastWorking })
    const [merged] = mergeRow([unhealthy], unfinished({ status: 'building', commit: 'e'.repeat(40), run: laterRun(1) }))
    expect(merged?.lastWorking).toEqual({ commit: FIRST_COMMIT, url: 'https://acme-web-pr-12.ml.ink' })
  })

  it('forgets what worked once the preview is removed', () => {
    const removed = unfinished({ status: 'removed', lastWorking: { commit: FIRST_COMMIT } })
    const [merged] = mergeRow([removed], unfinished({ status: 'building', commit: 'e'.repeat(40), run: laterRun(1) }))
    expect(merged?.lastWorking).toBeUndefined()
  })

  it('keeps the figures of the last live version to compare with, whatever came between', () => {
    const first = row({ buildMs: 30_000, bytes: 700 })
    const cached = row({ buildMs: undefined, cached: true, bytes: 800, run: laterRun(1) })
    const failed = unfinished({ status: 'failed', bytes: 999, run: laterRun(2) })
    const building = unfinished({ status: 'building', run: laterRun(3) })
    const live = row({ buildMs: 20_000, bytes: 900, run: laterRun(3), updatedAt: '2026-11-22T10:30:00.000Z' })
    const change = { buildMsBefore: 30_000, bytesBefore: 800 }
    expect(mergeRows([first], [cached, failed, building, live])).toEqual([{ ...live, change }])
  })

  const anyRow = fc
    .record({
      service: fc.constantFrom('api', 'web'),
      status: fc.constantFrom<CardRow['status']>(
        'building',
        'live',
        'failed',
        'removed',
        'cancelled',
        'superseded',
        'skipped',
      ),
      runNumber: fc.nat(4),
      minute: fc.nat(30),
    })
    .map(({ service, status, runNumber, minute }) =>
      row({
        service,
        status,
        run: laterRun(runNumber),
        buildMs: minute * 1000,
        bytes: minute,
        commit: `${runNumber}`.repeat(40),
        updatedAt: new Date(Date.UTC(2026, 10, 22, 11, minute)).toISOString(),
      }),
    )

  it('changes nothing when applied twice', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 6 }), anyRow, (found, incoming) => {
        const once = mergeRow(mergeRows([], found), incoming)
        expect(mergeRow(once, incoming)).toEqual(once)
      }),
    )
  })

  it('ends with the newest run of each service, in whatever order the jobs write', () => {
    const rows = fc.uniqueArray(anyRow, { maxLength: 8, selector: (one) => `${one.service} ${one.run.id}` })
    fc.assert(
      fc.property(rows, fc.infiniteStream(fc.nat()), (written, order) => {
        const deploying = written.filter((one) => one.status !== 'skipped' && one.status !== 'superseded')
        const shuffled = [...deploying]
          .map((one) => ({ one, at: order.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one)
        for (const merged of mergeRows([], shuffled)) {
          const ids = deploying.filter((one) => one.service === merged.service).map((one) => one.run.id)
          expect(merged.run.id).toBe(Math.max(...ids))
        }
      }),
    )
  })
})
