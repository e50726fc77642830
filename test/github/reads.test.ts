import { describe, expect, it } from 'vitest'
import { openStand } from './stand.ts'

describe('a pull request', () => {
  it('is read as it is now', async () => {
    await using stand = await openStand()
    const { pullRequests } = stand.open().github
    stand.repository.label(stand.pull.number, 'preview')
    expect(await pullRequests.get(stand.pull.number)).toMatchObject({
      open: true,
      draft: false,
      labels: ['preview'],
      head: { sha: stand.pull.headSha, ref: 'feature', repository: 'acme/shop' },
      base: { sha: expect.stringMatching(/^[0-9a-f]{40}$/) },
    })
    await stand.repository.merge(stand.pull.number)
    expect(await pullRequests.get(stand.pull.number)).toMatchObject({ open: false })
    expect(stand.server.violations).toEqual([])
  })

  it('that does not exist is absent, which does not deserve a warning', async () => {
    await using stand = await openStand()
    const { github, warnings } = stand.open()
    expect(await github.pullRequests.get(999)).toBe('absent')
    expect(warnings).toEqual([])
  })

  it('that cannot be read is undefined, and that is said', async () => {
    await using stand = await openStand()
    stand.server.fault('github.http', { status: 500 })
    const { github, warnings } = stand.open()
    expect(await github.pullRequests.get(stand.pull.number)).toBeUndefined()
    expect(warnings).toEqual([expect.stringContaining(`#${stand.pull.number}`)])
  })

  it('tells its changed files, a renamed one under both names, over several pages', { timeout: 60_000 }, async () => {
    await using stand = await openStand()
    const files = Object.fromEntries(
      Array.from({ length: 130 }, (_, index) => [`pages/${index}.html`, `page ${index}`]),
    )
    await stand.repository.pushTo('feature', { ...files, 'index.html': null, 'home.html': 'one' })
    const changed = await stand.open().github.pullRequests.changedFiles(stand.pull.number)
    expect(changed?.complete).toBe(true)
    expect(changed?.paths.filter((path) => path.startsWith('pages/'))).toHaveLength(130)
    expect(changed?.paths).toEqual(expect.arrayContaining(['index.html', 'home.html']))
    expect(stand.server.violations).toEqual([])
  })

  it('tells who labelled it, in order', async () => {
    await using stand = await openStand()
    stand.repository.label(stand.pull.number, 'preview', 'maria')
    stand.repository.unlabel(stand.pull.number, 'preview', 'otto')
    expect(await stand.open().github.pullRequests.timeline(stand.pull.number)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ event: 'labeled', label: 'preview' }),
        expect.objectContaining({ event: 'unlabeled', label: 'preview' }),
      ]),
    )
    expect(stand.server.violations).toEqual([])
  })

  it('is listed with the others', async () => {
    await using stand = await openStand()
    const { pullRequests } = stand.open().github
    expect((await pullRequests.list('open'))?.map(({ number }) => number)).toEqual([stand.pull.number])
    await stand.repository.close(stand.pull.number)
    expect(await pullRequests.list('open')).toEqual([])
    expect((await pullRequests.list('all'))?.map(({ number }) => number)).toEqual([stand.pull.number])
  })
})

describe('a push', () => {
  it('tells what changed between its ends', async () => {
    await using stand = await openStand()
    const before = await stand.repository.head('main')
    const after = await stand.repository.pushTo('main', { 'docs/a.md': 'a' })
    expect(await stand.open().github.pullRequests.changedBetween(before, after)).toEqual({
      paths: ['docs/a.md'],
      complete: true,
      relation: 'ahead',
    })
    expect(stand.server.violations).toEqual([])
  })
})

describe('a branch', () => {
  it('tells its tip, also when its name has a slash', async () => {
    await using stand = await openStand()
    const parent = await stand.repository.head('main')
    const sha = await stand.repository.commit({ branch: 'fix/a#b', parent, message: 'x', files: { a: 'b' } })
    const { branches } = stand.open().github
    expect(await branches.tip('fix/a#b')).toBe(sha)
    expect(await branches.tip('gone')).toBe('withheld')
    expect(stand.server.violations).toEqual([])
  })

  it('is gone only where others can be seen', async () => {
    await using stand = await openStand()
    const { branches } = stand.open().github
    expect(await branches.isGone('gone', 'main')).toBe(true)
    expect(await branches.isGone('main', 'main')).toBe(false)
    stand.server.fault('github.not-found', { times: 2 })
    expect(await branches.isGone('gone', 'main')).toBe(false)
  })
})

describe('people', () => {
  it.each([
    ['admin', true],
    ['maintain', true],
    ['write', true],
    ['triage', false],
    ['read', false],
  ] as const)('with the role %s may write: %s', async (role, may) => {
    await using stand = await openStand()
    stand.repository.setCollaborator('maria', role)
    expect(await stand.open().github.people.mayWrite('maria')).toBe(may)
    expect(stand.server.violations).toEqual([])
  })

  it('get their answer as a reaction, and a missing one stops nothing', async () => {
    await using stand = await openStand()
    const comment = stand.repository.comment(stand.pull.number, '/ink deploy', 'maria')
    const { github, warnings } = stand.open()
    await github.people.react(comment.id, 'eyes')
    await github.people.react(comment.id + 99, '+1')
    expect(stand.repository.reactions(comment.id).map(({ content }) => content)).toEqual(['eyes'])
    expect(warnings).toEqual([])
    expect(stand.server.violations).toEqual([])
  })
})
