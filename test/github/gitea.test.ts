import { describe, expect, it } from 'vitest'
import { openStand } from './stand.ts'

const record = { environment: 'preview', task: 'ink-preview-pr-1', production: false, description: 'x' }

describe('a Gitea', () => {
  it('has no deployment records, which costs no call and no warning, and is told in one line', async () => {
    await using stand = await openStand({ profile: 'gitea' })
    const { github, warnings, infos } = stand.open()
    const sha = stand.pull.headSha
    expect(await github.records.jobHasEnvironment({ runId: 1, shas: [sha], runnerName: '' })).toBe(false)
    expect(await github.records.open({ ...record, sha })).toBeUndefined()
    expect(await github.records.tasksIn('preview')).toBeUndefined()
    expect(await github.records.remove(record.task)).toBeUndefined()
    expect(await github.pullRequests.changedBetween(sha, sha)).toBeUndefined()
    expect(await github.can('token-outlives-run')).toBe(false)
    expect(stand.calls()).toEqual(['GET /version'])
    expect(warnings).toEqual([])
    expect(infos).toEqual([expect.stringMatching(/^This forge is Gitea 1\.\d+.*no deployment records.*cancelled run/)])
  })

  it('tells the tip of a branch, also of one with a slash', async () => {
    await using stand = await openStand({ profile: 'gitea' })
    const sha = await stand.repository.pushTo('topic/x', { 'index.html': 'three' })
    const { github } = stand.open()
    expect(await github.branches.tip('topic/x')).toBe(sha)
    expect(await github.branches.tip('gone')).toBe('withheld')
  })

  it('is asked for all pages of a list, whose size it chooses itself', async () => {
    await using stand = await openStand({ profile: 'gitea' })
    // The same pull request many times over, in pages of thirty.
    const fetch = async (url: string | URL, init?: RequestInit) => {
      const asked = new URL(url)
      const isFirst = asked.searchParams.get('page') === '1'
      asked.searchParams.set('page', '1')
      const [pull] = (await (await globalThis.fetch(asked, init)).json()) as unknown[]
      const page = Array.from({ length: isFirst ? 30 : 5 }, () => pull)
      return Response.json(page, { headers: { 'x-total-count': '35' } })
    }
    expect(await stand.open({ fetch }).github.pullRequests.list('open')).toHaveLength(35)
  })

  it('tells a job nobody’s permission: the owner may write, and whoever commented what the comment’s event says', async () => {
    await using stand = await openStand({ profile: 'gitea' })
    const { github, warnings } = stand.open({ commenter: { login: 'ada', mayWrite: true } })
    expect(await github.people.mayWrite('Acme')).toBe(true)
    expect(await github.people.mayWrite('ada')).toBe(true)
    expect(await stand.open({ commenter: { login: 'ada', mayWrite: false } }).github.people.mayWrite('ada')).toBe(false)
    expect(warnings).toEqual([])
    expect(await github.people.mayWrite('bo')).toBeUndefined()
    expect(warnings).toEqual([expect.stringMatching(/@bo .*\(Gitea: 403 Only admins/)])
  })

  it('gets issues without labels, which it wants by their numbers, and finds them by their marker', async () => {
    await using stand = await openStand({ profile: 'gitea' })
    const { github, warnings } = stand.open()
    const issue = { marker: '<!-- m -->', label: 'ink', title: 'Down', body: '<!-- m -->\nIt is down.' }
    const opened = await github.issues.upsert(issue)
    expect(await github.issues.find(issue.marker, issue.label)).toMatchObject({ number: opened?.number })
    expect(await github.issues.close(issue.marker, issue.label, 'It is up.')).toMatchObject({ outcome: 'closed' })
    expect(await github.issues.find(issue.marker, issue.label)).toBe('absent')
    expect(warnings).toEqual([])
    expect(stand.server.violations).toEqual([])
  })

  it('takes the token of a cancelled run away, which is told once', async () => {
    await using stand = await openStand({ profile: 'gitea' })
    const token = stand.server.token({ repository: stand.repository, permissions: {} })
    const { github, warnings } = stand.open({ token })
    stand.server.revokeToken(token)
    expect(await github.pullRequests.get(1)).toBeUndefined()
    const fold = () => ({ body: '<!-- m -->', shared: false })
    expect(await github.comments.upsert({ pullRequest: 1, marker: '<!-- m -->', fold })).toBeUndefined()
    expect(warnings).toEqual([expect.stringMatching(/^The token is not accepted \(401 .*next run or sweep/)])
    // A run that cannot ask whether it is still wanted must not take that for a yes.
    expect(github.pullRequests.mayRead()).toBe(true)
  })

  it('is called Forgejo where its version says so', async () => {
    await using stand = await openStand({ profile: 'gitea' })
    const fetch = async (url: string | URL) =>
      new URL(url).pathname.endsWith('/version')
        ? Response.json({ version: '11.0.1+gitea-1.22.0' })
        : Response.json({ message: 'broken' }, { status: 500 })
    const { github, warnings } = stand.open({ fetch, callLimitMs: 1 })
    await github.pullRequests.get(1)
    expect(warnings).toEqual(['Could not read pull request #1 (Forgejo: 500 broken).'])
  })
})
