import { describe, expect, it } from 'vitest'
import { foldCard, MAX_CARD_CHARS, renderCard } from '../../src/report/comments.ts'
import type { CardRow } from '../../src/report/model.ts'
import { CARD_MARKER, decodeState } from '../../src/report/state.ts'
import { DIAGNOSIS, FIRST_COMMIT, laterRun, row, SECOND_COMMIT, SURROUNDINGS, unfinished } from './rows.ts'

const LAST_WORKING = { commit: FIRST_COMMIT, url: 'https://acme-web-pr-12.ml.ink', stillLive: true }

const STATES: Readonly<Record<string, readonly CardRow[]>> = {
  'building-first': [unfinished({ status: 'building', phase: 'build' })],
  'building-update': [unfinished({ status: 'building', phase: 'roll-out', lastWorking: LAST_WORKING })],
  live: [row({ database: 'web-pr-12-db' })],
  'live-cached': [row({ cached: true, buildMs: undefined })],
  'live-not-probed': [row({ health: undefined, probe: 'off' })],
  'live-worker': [row({ service: 'worker', url: undefined, health: undefined, probe: 'no-url' })],
  'live-mcp': [row({ service: 'mcp', health: { status: 200, latencyMs: 88, tools: 5 } })],
  'live-slower-build': [row({ bytes: 1_230_000, change: { buildMsBefore: 29_000, bytesBefore: 1_200_000 } })],
  'live-head-moved-on': [row({ note: 'The pull request has moved on to `1112223`, which is being deployed.' })],
  'failed-build': [unfinished({ status: 'failed', phase: 'build', diagnosis: DIAGNOSIS })],
  'failed-build-previous-live': [
    unfinished({ status: 'failed', phase: 'build', diagnosis: DIAGNOSIS, lastWorking: LAST_WORKING }),
  ],
  unhealthy: [
    row({
      status: 'unhealthy',
      health: { status: 502, latencyMs: 1210 },
      costPerDay: undefined,
      diagnosis: {
        cause: 'The app answers 502 at `/` instead of 200-399',
        hint: 'Listen on 0.0.0.0 and on the port in `$PORT`.',
        decisive: ['listening on http://127.0.0.1:3000'],
        tail: [],
      },
    }),
  ],
  'live-tolerated': [
    row({
      health: { status: 404, latencyMs: 12 },
      note: 'The app answers HTTP 404 at `/`, which counts as live because nothing else is set. Name a path that it knows with `health-path`, such as `/health`, which the app itself names.',
    }),
  ],
  'rolled-back': [
    unfinished({
      target: 'production',
      status: 'rolled-back',
      reason: 'The new version answered 500 at `/`.',
      lastWorking: { ...LAST_WORKING, url: 'https://acme-web.ml.ink' },
    }),
  ],
  removed: [unfinished({ status: 'removed', reason: 'The pull request was merged.', database: 'web-pr-12-db' })],
  superseded: [unfinished({ status: 'superseded', supersededBy: FIRST_COMMIT, reason: 'A newer commit took over.' })],
  cancelled: [
    unfinished({ status: 'cancelled', reason: 'The run was cancelled.', lastWorking: { commit: FIRST_COMMIT } }),
  ],
  'timed-out': [
    unfinished({
      status: 'timed-out',
      reason: 'Not finished after 20 min, of which 18 min were spent building.',
      lastWorking: LAST_WORKING,
    }),
  ],
  skipped: [unfinished({ status: 'skipped', reason: 'No file below `apps/web/**` changed.' })],
  'several-services': [
    row({ service: 'api', url: 'https://acme-api-pr-12.ml.ink' }),
    unfinished({ service: 'docs', status: 'building', phase: 'queue' }),
    unfinished({ service: 'web', status: 'failed', phase: 'build', diagnosis: DIAGNOSIS, lastWorking: LAST_WORKING }),
  ],
  'production-with-domain': [
    row({
      target: 'production',
      url: 'https://acme-web.ml.ink',
      domain: {
        name: 'shop.example.com',
        status: 'pending',
        error: 'no CNAME record found',
        records: [{ type: 'CNAME', name: 'shop.example.com', content: 'acme-web.ml.ink' }],
      },
    }),
  ],
}

describe('the card', () => {
  it.each(Object.entries(STATES))('shows %s as in its golden file', async (name, rows) => {
    await expect(renderCard(rows, SURROUNDINGS)).toMatchFileSnapshot(`golden/card-${name}.md`)
  })

  it('begins with the marker by which it is found', () => {
    expect(renderCard([row()], SURROUNDINGS).startsWith(CARD_MARKER)).toBe(true)
  })

  it('never shows green for a commit that is not live', () => {
    for (const rows of Object.values(STATES).filter((rows) => rows.every((one) => one.status !== 'live'))) {
      expect(renderCard(rows, SURROUNDINGS)).not.toContain('🟢')
    }
  })

  it('links nothing that does not serve yet', () => {
    const card = renderCard([unfinished({ status: 'building', url: 'https://acme-web-pr-12.ml.ink' })], SURROUNDINGS)
    expect(card.slice(0, card.indexOf('<!-- ink-deploy:state'))).not.toContain('ml.ink')
  })

  it('does not call a version still live that an unhealthy one has replaced', () => {
    expect(renderCard([row({ status: 'unhealthy', lastWorking: LAST_WORKING })], SURROUNDINGS)).not.toContain(
      'still live',
    )
  })

  it('leads to commits and runs of a GitHub Enterprise Server', () => {
    const card = renderCard([row()], { repositoryUrl: 'https://git.corp.example/acme/shop' })
    expect(card).toContain(`](https://git.corp.example/acme/shop/commit/${SECOND_COMMIT})`)
  })

  it('calls a mixed lot by the state that needs somebody most', () => {
    const rows = [row(), row({ service: 'api' }), unfinished({ service: 'docs', status: 'failed' })]
    expect(renderCard(rows, SURROUNDINGS)).toContain('### 🔴 1 of 3 previews failed')
  })

  it('keeps an endless log within what GitHub accepts, and the end of it first', () => {
    const log = Array.from({ length: 100_000 }, (_, index) => `line ${index} ${'x'.repeat(400)}`)
    const services = Array.from({ length: 9 }, (_, index) => `web-${index}`)
    const rows = services.map((service) =>
      unfinished({ service, status: 'failed', diagnosis: { ...DIAGNOSIS, tail: log } }),
    )
    expect(renderCard(rows.slice(0, 1), SURROUNDINGS)).toContain('line 99999 ')
    const card = renderCard(rows, SURROUNDINGS)
    expect(card.length).toBeLessThanOrEqual(MAX_CARD_CHARS)
    expect(decodeState(card)?.map((found) => found.service)).toEqual(services)
  })

  it('shows the newest rows where there are more than a comment can hold', () => {
    const rows = Array.from({ length: 300 }, (_, index) =>
      row({
        service: `web-${index}-${'x'.repeat(40)}`,
        updatedAt: new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString(),
      }),
    )
    const card = renderCard(rows, SURROUNDINGS)
    expect(card.length).toBeLessThanOrEqual(MAX_CARD_CHARS)
    expect(card).toContain('web-299-')
  })
})

describe('folding a row into the card', () => {
  it('makes a card where there is none', () => {
    const folded = foldCard([], [row()], SURROUNDINGS)
    expect(folded).toMatchObject({ body: renderCard([row()], SURROUNDINGS), shared: false })
    expect([folded.before(row()), folded.after(row())]).toEqual([undefined, row()])
  })

  it('takes several at once, as one after the other, and nothing a second time', () => {
    const card = renderCard([row({ service: 'api', commit: 'a'.repeat(40) }), row()], SURROUNDINGS)
    const added = [
      unfinished({ status: 'failed', run: laterRun(1) }),
      unfinished({ service: 'api', status: 'removed', commit: '', run: laterRun(1) }),
      row({ service: 'new', run: laterRun(1) }),
    ]
    const { body } = foldCard([card], added, SURROUNDINGS)
    const apart = added.reduce((before, one) => foldCard([before], [one], SURROUNDINGS).body, card)
    expect(body).toBe(apart)
    expect(foldCard([body], added, SURROUNDINGS).body).toBe(body)
    expect(decodeState(body)).toMatchObject([
      { service: 'api', status: 'removed', commit: 'a'.repeat(40) },
      { service: 'new', status: 'live' },
      { service: 'web', status: 'failed' },
    ])
  })

  it('replaces the row of the same service and keeps the others', () => {
    const card = renderCard([row({ service: 'api' }), row()], SURROUNDINGS)
    const folded = foldCard([card], [unfinished({ status: 'failed', run: laterRun(1) })], SURROUNDINGS)
    expect(decodeState(folded.body)?.map(({ service, status }) => [service, status])).toEqual([
      ['api', 'live'],
      ['web', 'failed'],
    ])
    expect(folded.shared).toBe(true)
    expect(folded.before(row())?.status).toBe('live')
  })

  it('takes in a second card that another job made at the same time', () => {
    const cards = [
      renderCard([row({ service: 'api' })], SURROUNDINGS),
      renderCard([row({ service: 'docs' })], SURROUNDINGS),
    ]
    const services = decodeState(foldCard(cards, [row()], SURROUNDINGS).body)?.map(({ service }) => service)
    expect(services).toEqual(['api', 'docs', 'web'])
  })

  it('starts afresh from a card whose state somebody has damaged', () => {
    const card = renderCard([row({ service: 'api' })], SURROUNDINGS).replace('"version":1', '"version":"x"')
    expect(foldCard([card], [row()], SURROUNDINGS).body).toBe(renderCard([row()], SURROUNDINGS))
  })

  it('says removed of what an older run took down after a newer one had put it up, and live of what comes after', () => {
    const live = renderCard([row({ run: laterRun(1) })], SURROUNDINGS)
    const removal = unfinished({ status: 'removed', commit: '', updatedAt: '2026-11-22T10:09:00.000Z' })
    const removed = foldCard([live], [removal], SURROUNDINGS).body
    expect(decodeState(removed)).toMatchObject([{ status: 'removed', commit: SECOND_COMMIT }])
    expect(foldCard([removed], [removal], SURROUNDINGS).body).toBe(removed)
    const before = { ...removal, updatedAt: '2026-11-22T10:04:30.000Z' }
    expect(decodeState(foldCard([live], [before], SURROUNDINGS).body)).toMatchObject([{ status: 'live' }])
    const building = renderCard([unfinished({ status: 'building', run: laterRun(1) })], SURROUNDINGS)
    expect(decodeState(foldCard([building], [removal], SURROUNDINGS).body)).toMatchObject([{ status: 'building' }])
    const again = row({ run: laterRun(2), updatedAt: '2026-11-22T10:08:00.000Z' })
    expect(decodeState(foldCard([removed], [again], SURROUNDINGS).body)).toMatchObject([{ status: 'live' }])
  })

  it('remembers which version worked last when a later one fails, without claiming that it still serves', () => {
    const live = renderCard([row({ commit: FIRST_COMMIT })], SURROUNDINGS)
    const building = foldCard([live], [unfinished({ status: 'building', run: laterRun(1) })], SURROUNDINGS).body
    const failed = foldCard([building], [unfinished({ status: 'failed', run: laterRun(1) })], SURROUNDINGS).body
    expect(building).toContain(' at `9f8e7d6`')
    expect(failed).toContain('**Last working:** [`9f8e7d6`]')
    expect(failed).not.toContain('still live')
  })
})

describe('Markdown of one’s own above the card', () => {
  const header = '## Shop\n\nAsk *ada* about previews. `x`'
  const [first, second] = [row({ service: 'web' }), row({ service: 'api' })]

  it('stands above it, and changes nothing of what the card carries', () => {
    const { body } = foldCard([], [first], { ...SURROUNDINGS, header })
    expect(body.indexOf(header)).toBeGreaterThan(-1)
    expect(body.indexOf(header)).toBeLessThan(body.indexOf('###'))
    expect(decodeState(body)).toEqual(decodeState(foldCard([], [first], SURROUNDINGS).body))
  })

  it('is kept by whoever does not know it, and goes with the run that has none', () => {
    const { body } = foldCard([], [first], { ...SURROUNDINGS, header })
    expect(foldCard([body.replaceAll('\n', '\r\n')], [second], SURROUNDINGS).body).toContain(header)
    expect(foldCard([body], [second], { ...SURROUNDINGS, header: '' }).body).not.toContain('Shop')
    const other = foldCard([body], [second], { ...SURROUNDINGS, header: 'Other' }).body
    expect(other).toContain('Other')
    expect(other).not.toContain('Shop')
  })

  it('counts against what a comment may hold', () => {
    const long = 'x'.repeat(2000)
    const rows = Array.from({ length: 60 }, (_, index) => row({ service: `service-${index}` }))
    expect(foldCard([], rows, { ...SURROUNDINGS, header: long }).body.length).toBeLessThanOrEqual(MAX_CARD_CHARS)
  })
})
