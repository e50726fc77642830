import { describe, expect, it } from 'vitest'
import { openStand } from './stand.ts'

const MARKER = '<!-- test-trouble web -->'
const TROUBLE = { marker: MARKER, label: 'ink-monitor', title: 'web is in trouble', body: `${MARKER}\nIt answers 502.` }

describe('the issue of a trouble', () => {
  it('is opened once, kept up to date, and closed with a last word', async () => {
    await using stand = await openStand()
    const { issues } = stand.open().github
    const opened = await issues.keep(TROUBLE)
    expect((await issues.keep(TROUBLE))?.outcome).toBe('unchanged')
    const updated = await issues.keep({ ...TROUBLE, body: `${MARKER}\nIt crashed.` })
    expect(updated).toMatchObject({ number: opened?.number, outcome: 'updated' })
    expect(await issues.close(MARKER, 'ink-monitor', 'Well again.')).toMatchObject({
      number: opened?.number,
      outcome: 'closed',
    })
    const issue = stand.repository.issues.get(opened?.number ?? 0)
    expect(issue).toMatchObject({ state: 'closed', body: `${MARKER}\nIt crashed.` })
    expect(stand.repository.comments(opened?.number ?? 0).map(({ body }) => body)).toEqual(['Well again.'])
    expect(await issues.find(MARKER, 'ink-monitor')).toBe('absent')
    expect(stand.server.violations).toEqual([])
  })

  it('is opened anew for the next trouble', async () => {
    await using stand = await openStand()
    const { issues } = stand.open().github
    const first = await issues.keep(TROUBLE)
    await issues.close(MARKER, 'ink-monitor', 'Well again.')
    const second = await issues.keep(TROUBLE)
    expect(second?.outcome).toBe('created')
    expect(second?.number).not.toBe(first?.number)
  })

  it('is one per marker', async () => {
    await using stand = await openStand()
    const { issues } = stand.open().github
    const web = await issues.keep(TROUBLE)
    const api = await issues.keep({
      ...TROUBLE,
      marker: '<!-- test-trouble api -->',
      body: '<!-- test-trouble api -->\nDown.',
    })
    expect(api?.number).not.toBe(web?.number)
  })

  it('that cannot be looked for is not opened a second time', async () => {
    await using stand = await openStand()
    await stand.open().github.issues.keep(TROUBLE)
    stand.server.fault('github.http', { operation: 'issues/list-for-repo', status: 500 })
    const { github, warnings } = stand.open()
    expect(await github.issues.keep(TROUBLE)).toBeUndefined()
    expect(warnings).toHaveLength(1)
    expect([...stand.repository.issues.values()].filter(({ title }) => title === TROUBLE.title)).toHaveLength(1)
  })
})
