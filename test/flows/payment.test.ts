import { describe, expect, it } from 'vitest'
import { useStage } from './use-stage.ts'

const stage = useStage()

describe('HTTP 402', () => {
  const terms = {
    x402Version: 1,
    accepts: [{ scheme: 'exact', network: 'base', maxAmountRequired: '10000', payTo: '0xabc', asset: '0xdef' }],
  }
  const asked = (tool: string, from: number) =>
    stage.ink.journal.slice(from).filter(({ kind, name }) => kind === 'http' && name === `mcp ${tool}`).length

  it.each(['get_service', 'create_repo', 'create_service'])(
    'from %s is told with its terms, and not retried',
    async (tool) => {
      const scene = await stage.scene()
      const { number } = await scene.open('a change')
      stage.ink.fault('mcp.http', { status: 402, tool, body: JSON.stringify(terms) })
      const from = stage.ink.journal.length
      const run = await scene.act('pull_request', { action: 'opened', number })
      expect(run.told).toContain('payment required')
      expect(run.told).toContain('10000 of the smallest unit of 0xdef on base (exact) to 0xabc')
      expect(asked(tool, from)).toBe(1)
      const inputs = { 'on-quota': 'skip' }
      expect((await scene.act('pull_request', { action: 'opened', number }, { inputs })).told).toBe('skipped')
    },
  )

  it('from the git host is told, and not retried', async () => {
    const scene = await stage.scene()
    stage.ink.fault('git.http', { status: 402, body: 'top up first', service: 'git-receive-pack' })
    const from = stage.ink.journal.length
    const run = await scene.act('push', { after: scene.first })
    expect(run.told).toMatch(/^failed: The push of .*“payment required” \(HTTP 402\)/)
    const pushes = stage.ink.journal.slice(from).filter(({ kind, ok }) => kind === 'git' && !ok)
    expect(pushes).toHaveLength(1)
    expect((await scene.act('push', { after: scene.first }, { inputs: { 'on-quota': 'skip' } })).told).toBe('skipped')
  })
})
