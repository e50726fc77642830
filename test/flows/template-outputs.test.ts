import { describe, expect, it } from 'vitest'
import type { Platform } from '../../src/ink/platform.ts'
import type { TemplateInstance } from '../../src/ink/results.ts'
import type { How } from './stage.ts'
import { useStage } from './use-stage.ts'

type Output = TemplateInstance['outputs'][number]

/** A run in which an instance tells other outputs; `times` counts how often they were read, from 1. */
function telling(outputs: (told: readonly Output[], times: number) => readonly Output[]): NonNullable<How['change']> {
  let times = 0
  return (deps) => ({
    ...deps,
    openPlatform: async (...args) => {
      const platform = await deps.openPlatform(...args)
      const templateInstance: Platform['templateInstance'] = async (...call) => {
        const instance = await platform.templateInstance(...call)
        return instance && { ...instance, outputs: [...outputs(instance.outputs, ++times)] }
      }
      return { ...platform, templateInstance }
    },
  })
}

describe('outputs of a template', () => {
  const stage = useStage({ profile: 'g2' })

  it('are masked when they are said or look to be secret, and not for their names alone', async () => {
    const scene = await stage.scene()
    const more: Output[] = [
      { key: 'max_connections', value: '100', sensitive: false },
      { key: 'token_ttl', value: '3600000', sensitive: false },
      { key: 'console_url', value: 'https://console.example.com', sensitive: false },
      { key: 'admin_password', value: 'hidden-in-plain-sight', sensitive: false },
      { key: 'replica', value: 'postgresql://app:of-the-replica@replica.example.com/app', sensitive: false },
      { key: 'pin', value: '4711', sensitive: true },
    ]
    const change = telling((told) => [...told, ...more])
    const run = await scene.act('push', { after: scene.first }, { inputs: { database: 'postgres' }, change })
    expect(run.told).toBe('live')
    expect(run.secrets).toEqual(expect.arrayContaining(['hidden-in-plain-sight', 'of-the-replica', '4711']))
    for (const plain of ['100', '3600000', 'https://console.example.com']) expect(run.secrets).not.toContain(plain)
  })

  it('that are not there, or empty, or empty but for some at first are waited for', async () => {
    const scene = await stage.scene()
    const none = () => []
    const empty = (told: readonly Output[]) => told.map((output) => ({ ...output, value: '' }))
    const some = (told: readonly Output[]) => told.map((one) => (one.sensitive ? { ...one, value: '' } : one))
    // While the template is being deployed nobody looks at them.
    const at = [none, none, none, empty, some]
    let last = 0
    const change = telling((told, times) => {
      last = times
      return at[times - 1]?.(told) ?? told
    })
    const run = await scene.act('push', { after: scene.first }, { inputs: { database: 'postgres' }, change })
    expect(run.told).toBe('live')
    expect(last).toBeGreaterThan(at.length)
    expect(stage.ink.service(scene.production)?.env.DATABASE_URL).toMatch(/^postgresql:/)
  })

  it.each([
    ['5 minutes', '10m', 299_000],
    ['the time of the run, if that is less,', '60s', 50_000],
  ])('that stay empty for %s are no value, and end the run', async (_what, timeout, leastMs) => {
    const scene = await stage.scene()
    const emptied = telling((told) => told.map((one) => (one.key === 'password' ? { ...one, value: '' } : one)))
    let ahead = 0
    const change: How['change'] = (deps) => {
      const { clock } = deps
      const startedAt = clock.now()
      // Pauses pass at once.
      const sleep: typeof clock.sleep = (ms, signal, isLimit) => {
        if (isLimit) return clock.sleep(ms, signal, isLimit)
        ahead += ms
        return clock.sleep(0, signal)
      }
      return emptied({ ...deps, clock: { now: () => startedAt + ahead, sleep } })
    }
    const inputs = { database: 'postgres', 'database-env': 'PGPASSWORD=password', timeout }
    const run = await scene.act('push', { after: scene.first }, { inputs, change })
    expect(run.told).toContain('no output “password”, which database.env wants as PGPASSWORD')
    expect(run.outcome?.failure?.hint).not.toContain('password')
    expect(ahead).toBeGreaterThan(leastMs)
    expect(stage.ink.service(scene.production)).toBeUndefined()
  })
})
