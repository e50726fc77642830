import { describe, expect, it } from 'vitest'
import { type Opened, openStand, type Stand } from './stand.ts'

async function wholeUpdate({ github }: Opened, stand: Stand): Promise<void> {
  const { number, headSha } = stand.pull
  const fold = () => ({ body: '<!-- test -->\nlive', shared: false })
  await github.pullRequests.get(number)
  await github.comments.upsert({ pullRequest: number, marker: '<!-- test -->', fold })
  await github.comments.upsert({ pullRequest: number, marker: '<!-- test -->', fold })
  const record = { environment: 'preview', task: 'ink-preview-pr-1', sha: headSha, production: false, description: 'x' }
  await github.records.jobHasEnvironment({ runId: 1, shas: [headSha], runnerName: '' })
  await github.records.open(record)
  await github.records.open(record)
  await github.records.retireOlder('ink-preview-pr-1', 1e9, undefined)
}

describe('a token that may not do everything', () => {
  it('gets one warning per permission, each with the two lines to add', async () => {
    await using stand = await openStand()
    const opened = stand.open({ permissions: { contents: 'read' } })
    await wholeUpdate(opened, stand)
    expect(opened.warnings).toEqual([
      expect.stringContaining('    permissions:\n      pull-requests: write'),
      expect.stringContaining('    permissions:\n      deployments: write'),
    ])
    expect(opened.warnings.join()).toContain('403 Resource not accessible by integration')
  })

  it('is not asked again for what it was refused', async () => {
    await using stand = await openStand()
    const opened = stand.open({ permissions: { contents: 'read' } })
    await wholeUpdate(opened, stand)
    stand.calls()
    await wholeUpdate(opened, stand)
    // What is public may be read by every token.
    expect(stand.calls()).toEqual(['GET /pulls/1', 'GET /issues/1/comments', 'GET /issues/1/comments'])
  })

  it('is told to add what writing needs, although reading was refused first', async () => {
    await using stand = await openStand()
    const opened = stand.open({ permissions: { 'pull-requests': 'read', deployments: 'read' } })
    await wholeUpdate(opened, stand)
    expect(opened.warnings).toEqual([
      expect.stringMatching(/write comments[\s\S]*pull-requests: write/),
      expect.stringMatching(/write deployment records[\s\S]*deployments: write/),
    ])
  })

  it('still writes comments with issues: write alone', async () => {
    await using stand = await openStand()
    const opened = stand.open({ permissions: { issues: 'write' } })
    await wholeUpdate(opened, stand)
    expect(stand.repository.comments(stand.pull.number)).toHaveLength(1)
  })

  it('is spared every write when it is known to be read-only, without a warning', async () => {
    await using stand = await openStand()
    const opened = stand.open({
      permissions: { contents: 'read', 'pull-requests': 'read', deployments: 'read' },
      readOnlyBecause: 'the pull request comes from a fork',
    })
    await wholeUpdate(opened, stand)
    expect(stand.calls().filter((call) => !call.startsWith('GET'))).toEqual([])
    expect(opened.warnings).toEqual([])
  })

  it('that is missing altogether is told once, and nothing is called', async () => {
    await using stand = await openStand()
    const opened = stand.open({ token: undefined })
    await wholeUpdate(opened, stand)
    expect(stand.calls()).toEqual([])
    expect(opened.warnings).toEqual([expect.stringContaining("'github-token' is empty")])
  })

  it('never shows in a warning', async () => {
    await using stand = await openStand()
    const token = stand.server.token({ repository: stand.repository, permissions: {} })
    const opened = stand.open({ token })
    await wholeUpdate(opened, stand)
    stand.server.fault('github.http', { status: 401, message: 'Bad credentials' })
    await wholeUpdate(stand.open({ token }), stand)
    expect(opened.warnings.length).toBeGreaterThan(0)
    expect(opened.warnings.join()).not.toContain(token)
  })
})
