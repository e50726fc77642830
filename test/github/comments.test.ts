import { describe, expect, it } from 'vitest'
import type { StickyComment } from '../../src/github/comments.ts'
import { openStand } from './stand.ts'

const MARKER = '<!-- test-card -->'

/** A card that is a sorted list of names: merging adds this job's name, and merging twice changes nothing. */
function listCard(pullRequest: number, name: string): StickyComment {
  return {
    pullRequest,
    marker: MARKER,
    fold: (bodies) => {
      const names = new Set(bodies.flatMap((body) => body.split('\n').slice(1).filter(Boolean)).concat(name))
      return { body: [MARKER, ...[...names].sort()].join('\n'), shared: names.size > 1 }
    },
  }
}

/** A card that holds one text and nothing else. */
function textCard(pullRequest: number, text: string): StickyComment {
  const fold = () => ({ body: `${MARKER}\n${text}`, shared: false })
  return { pullRequest, marker: MARKER, authentic: () => true, fold }
}

describe('the sticky comment', () => {
  it('is made once and changed afterwards', async () => {
    await using stand = await openStand()
    const { github } = stand.open()
    const first = await github.comments.upsert(textCard(stand.pull.number, 'building'))
    const second = await github.comments.upsert(textCard(stand.pull.number, 'live'))
    expect([first?.outcome, second?.outcome]).toEqual(['created', 'updated'])
    expect(second?.id).toBe(first?.id)
    expect(stand.repository.comments(stand.pull.number).map(({ body }) => body)).toEqual([`${MARKER}\nlive`])
    expect(stand.server.violations).toEqual([])
  })

  it('is not written when nothing has changed, even after an editor has turned its line ends', async () => {
    await using stand = await openStand()
    stand.repository.comment(stand.pull.number, `${MARKER}\r\nlive\r\n`, 'github-actions[bot]')
    const kept = await stand.open().github.comments.upsert(textCard(stand.pull.number, 'live'))
    expect(kept?.outcome).toBe('unchanged')
    expect(stand.calls().filter((call) => !call.startsWith('GET'))).toEqual([])
  })

  it('is found behind hundreds of other comments', async () => {
    await using stand = await openStand()
    for (let index = 0; index < 230; index++)
      stand.repository.comment(stand.pull.number, `Comment ${index}`, 'somebody')
    const own = stand.repository.comment(stand.pull.number, `${MARKER}\nold`, 'github-actions[bot]')
    const kept = await stand.open().github.comments.upsert(textCard(stand.pull.number, 'new'))
    expect(kept).toMatchObject({ id: own.id, outcome: 'updated' })
    expect(stand.server.violations).toEqual([])
  })

  it('costs a later run two calls, one to read and one to write', async () => {
    await using stand = await openStand()
    await stand.open().github.comments.upsert(textCard(stand.pull.number, 'old'))
    stand.calls()
    await stand.open().github.comments.upsert(textCard(stand.pull.number, 'new'))
    expect(stand.calls().map((call) => call.split(' ')[0])).toEqual(['GET', 'PATCH'])
  })

  it('is not the one in which a stranger pasted the marker', async () => {
    await using stand = await openStand()
    const pasted = stand.repository.comment(stand.pull.number, `${MARKER}\nhijacked`, 'mallory')
    for (let index = 0; index < 120; index++) stand.repository.comment(stand.pull.number, 'Hello', 'somebody')
    const own = stand.repository.comment(stand.pull.number, `${MARKER}\nold`, 'github-actions[bot]')
    const kept = await stand.open().github.comments.upsert(textCard(stand.pull.number, 'live'))
    expect(kept?.id).toBe(own.id)
    expect(stand.repository.comments(stand.pull.number).find(({ id }) => id === pasted.id)?.body).toBe(
      `${MARKER}\nhijacked`,
    )
  })

  it('is not a comment that only quotes the marker', async () => {
    await using stand = await openStand()
    stand.repository.comment(stand.pull.number, `> ${MARKER}`, 'github-actions[bot]')
    const kept = await stand.open().github.comments.upsert(textCard(stand.pull.number, 'live'))
    expect(kept?.outcome).toBe('created')
  })

  it('belongs to the user of a personal token, and to no bot', async () => {
    await using stand = await openStand()
    stand.repository.comment(stand.pull.number, `${MARKER}\nbot`, 'github-actions[bot]')
    const own = stand.repository.comment(stand.pull.number, `${MARKER}\nold`, 'acme')
    const { github, warnings } = stand.open({ kind: 'user' })
    expect((await github.comments.upsert(textCard(stand.pull.number, 'live')))?.id).toBe(own.id)
    expect(warnings).toEqual([])
    expect(stand.server.violations).toEqual([])
  })

  it('is made anew when somebody has deleted it meanwhile', async () => {
    await using stand = await openStand()
    const { github } = stand.open()
    const first = await github.comments.upsert(textCard(stand.pull.number, 'building'))
    stand.server.fault('github.comment-deleted', { number: stand.pull.number, method: 'PATCH', times: 1 })
    const second = await github.comments.upsert(textCard(stand.pull.number, 'live'))
    expect(second?.outcome).toBe('created')
    expect(second?.id).not.toBe(first?.id)
    expect(stand.repository.comments(stand.pull.number).map(({ body }) => body)).toEqual([`${MARKER}\nlive`])
  })

  it('is written again when somebody overwrites it while it is shared', async () => {
    await using stand = await openStand()
    stand.repository.comment(stand.pull.number, `${MARKER}\napi`, 'github-actions[bot]')
    // The second read is the one that verifies.
    stand.server.fault('github.comment-edited', {
      number: stand.pull.number,
      operation: 'issues/get-comment',
      times: 1,
      body: `${MARKER}\napi`,
    })
    await stand.open().github.comments.upsert(listCard(stand.pull.number, 'web'))
    expect(stand.repository.comments(stand.pull.number).map(({ body }) => body)).toEqual([`${MARKER}\napi\nweb`])
  })

  it('is left alone where only an existing one is to be changed', async () => {
    await using stand = await openStand()
    const { github, warnings } = stand.open()
    expect(await github.comments.upsert({ ...textCard(stand.pull.number, 'removed'), create: false })).toBeUndefined()
    expect(stand.repository.comments(stand.pull.number)).toEqual([])
    expect(warnings).toEqual([])
  })

  it('takes in and deletes a second one', async () => {
    await using stand = await openStand()
    const oldest = stand.repository.comment(stand.pull.number, `${MARKER}\napi`, 'github-actions[bot]')
    stand.repository.comment(stand.pull.number, `${MARKER}\ndocs`, 'github-actions[bot]')
    await stand.open().github.comments.upsert(listCard(stand.pull.number, 'web'))
    expect(stand.repository.comments(stand.pull.number).map(({ id, body }) => ({ id, body }))).toEqual([
      { id: oldest.id, body: `${MARKER}\napi\ndocs\nweb` },
    ])
  })

  it('keeps the rows of eight jobs that write at once', { timeout: 60_000 }, async () => {
    await using stand = await openStand()
    const names = Array.from({ length: 8 }, (_, index) => `job-${index}`)
    const jobs = names.map((name) =>
      stand.open({ realTime: true }).github.comments.upsert(listCard(stand.pull.number, name)),
    )
    expect((await Promise.all(jobs)).every((job) => job !== undefined)).toBe(true)
    expect(stand.repository.comments(stand.pull.number).map(({ body }) => body)).toEqual([
      [MARKER, ...names].join('\n'),
    ])
    expect(stand.server.violations).toEqual([])
  })

  it('is one comment also when the answer to its making was lost', async () => {
    await using stand = await openStand()
    stand.server.fault('github.reset', { operation: 'issues/create-comment', processed: true, times: 1 })
    const kept = await stand.open().github.comments.upsert(textCard(stand.pull.number, 'live'))
    expect(kept?.outcome).toBe('unchanged')
    expect(stand.repository.comments(stand.pull.number)).toHaveLength(1)
  })

  it('gives up with one warning when GitHub stays away', async () => {
    await using stand = await openStand()
    stand.server.fault('github.http', { status: 502 })
    const { github, warnings } = stand.open()
    expect(await github.comments.upsert(textCard(stand.pull.number, 'live'))).toBeUndefined()
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(`pull request #${stand.pull.number}`)
  })

  it('warns of a locked conversation and says how to fix it', async () => {
    await using stand = await openStand()
    stand.server.fault('github.http', {
      operation: 'issues/create-comment',
      status: 403,
      message: 'Unable to create comment because issue is locked.',
    })
    const { github, warnings } = stand.open()
    expect(await github.comments.upsert(textCard(stand.pull.number, 'live'))).toBeUndefined()
    expect(warnings).toEqual([expect.stringMatching(/conversation is locked; unlock it/)])
  })
})

describe('a plain comment', () => {
  it('is added each time', async () => {
    await using stand = await openStand()
    const { github } = stand.open()
    await github.comments.add(stand.pull.number, 'one')
    await github.comments.add(stand.pull.number, 'two')
    expect(stand.repository.comments(stand.pull.number).map(({ body }) => body)).toEqual(['one', 'two'])
  })
})
