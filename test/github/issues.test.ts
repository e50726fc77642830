import { describe, expect, it } from 'vitest'
import { openStand } from './stand.ts'

const MARKER = '<!-- test-trouble web -->'
const TROUBLE = { marker: MARKER, label: 'ink-monitor', title: 'web is in trouble', body: `${MARKER}\nIt answers 502.` }

describe('the issue of a trouble', () => {
  it('is opened once, kept up to date, and closed with a last word', async () => {
    await using stand = await openStand()
    const { issues } = stand.open().github
    const opened = await issues.upsert(TROUBLE)
    expect((await issues.upsert(TROUBLE))?.outcome).toBe('unchanged')
    const updated = await issues.upsert({ ...TROUBLE, body: `${MARKER}\nIt crashed.` })
    expect(updated).toMatchObject({ number: opened?.number, outcome: 'updated' })
    expect(await issues.close(MARKER, 'ink-monitor', 'It has recovered.')).toMatchObject({
      number: opened?.number,
      outcome: 'closed',
    })
    const issue = stand.repository.issues.get(opened?.number ?? 0)
    expect(issue).toMatchObject({ state: 'closed', body: `${MARKER}\nIt crashed.` })
    expect(stand.repository.comments(opened?.number ?? 0).map(({ body }) => body)).toEqual(['It has recovered.'])
    expect(await issues.find(MARKER, 'ink-monitor')).toBe('absent')
    expect(stand.server.violations).toEqual([])
  })

  it('is opened anew for the next trouble', async () => {
    await using stand = await openStand()
    const { issues } = stand.open().github
    const first = await issues.upsert(TROUBLE)
    await issues.close(MARKER, 'ink-monitor', 'It has recovered.')
    const second = await issues.upsert(TROUBLE)
    expect(second?.outcome).toBe('created')
    expect(second?.number).not.toBe(first?.number)
  })

  it('is one per marker', async () => {
    await using stand = await openStand()
    const { issues } = stand.open().github
    const web = await issues.upsert(TROUBLE)
    const api = await issues.upsert({
      ...TROUBLE,
      marker: '<!-- test-trouble api -->',
      body: '<!-- test-trouble api -->\nDown.',
    })
    expect(api?.number).not.toBe(web?.number)
  })

  it('that cannot be looked for is not opened a second time', async () => {
    await using stand = await openStand()
    await stand.open().github.issues.upsert(TROUBLE)
    stand.server.fault('github.http', { operation: 'issues/list-for-repo', status: 500 })
    const { github, warnings } = stand.open()
    expect(await github.issues.upsert(TROUBLE)).toBeUndefined()
    expect(warnings).toHaveLength(1)
    expect([...stand.repository.issues.values()].filter(({ title }) => title === TROUBLE.title)).toHaveLength(1)
  })
})
