import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InkProfile } from '../../sandbox/ink/platform.ts'
import { applyDnsRecords } from '../../src/flows/resources/dns.ts'
import type { WantedRecord } from '../../src/plan/dns.ts'
import type { ProductionPlan } from '../../src/plan/plan.ts'
import { openStage, type Scene, type Stage } from './stage.ts'
import { openSteps, type Steps } from './step.ts'

// That they are added and stay on the others, `data-generations` tests.
const profiles: readonly InkProfile[] = ['g1', 'g2']

describe.each(profiles)('DNS records on a platform of the generation %s', (profile) => {
  let stage: Stage
  let scene: Scene
  let steps: Steps
  beforeAll(async () => {
    stage = await openStage({ profile })
    scene = await stage.scene()
    steps = await openSteps(stage.ink)
    stage.ink.delegateZone('example.com')
    stage.ink.delegateZone('example.org')
    stage.ink.addDnsRecord('example.com', { name: 'hand', type: 'A', content: '192.0.2.9' })
  })
  afterAll(async () => {
    await steps[Symbol.asyncDispose]()
    await stage[Symbol.asyncDispose]()
  })

  /** The step alone that comes once a deployment is live. */
  const apply = (dnsRecords: readonly WantedRecord[]) => {
    const plan = { kind: 'production', dnsRecords, place: { baseName: scene.production } } as unknown as ProductionPlan
    return steps.take((run) => applyDnsRecords(run, plan))
  }

  const push = (records: unknown, more: Record<string, string> = {}) =>
    scene.act(
      'push',
      { after: scene.first },
      { inputs: { 'dns-records': JSON.stringify(records), ...more }, runAttempt: 2 },
    )
  const seen = (zone = 'example.com') =>
    stage.ink
      .dnsRecords(zone)
      .filter(({ name }) => name !== '_ink-deploy')
      .map(({ name, type, content }) => `${name} ${type} ${content}`)
      .sort()
  const marks = () => stage.ink.dnsRecords('example.com').filter(({ name }) => name === '_ink-deploy').length

  const www = { zone: 'example.com', name: 'www', type: 'A', content: '192.0.2.1', ttl: 300 } as const
  const alias = { zone: 'example.com', name: 'alias', type: 'CNAME', content: 'shop.example.net', ttl: 300 } as const

  it('are shown by a dry run and by a plan, and not changed', async () => {
    const dry = await push([www], { 'dry-run': 'true' })
    expect(dry.log.join('\n')).toContain('DNS: would add `A www.example.com 192.0.2.1`')
    expect(dry.summary).toContain('would add `A www.example.com 192.0.2.1`')
    const plan = await push([www], { command: 'plan' })
    expect(plan.summary).toContain('would add `A www.example.com 192.0.2.1`')
    expect(seen()).toEqual(['hand A 192.0.2.9'])
  })

  it('are added once, changed, and removed when they are no longer listed; others stay', async () => {
    const added = await apply([www, alias])
    expect(added.warnings).toEqual([])
    expect(seen()).toEqual(['alias CNAME shop.example.net', 'hand A 192.0.2.9', 'www A 192.0.2.1'])
    expect(marks()).toBe(2)

    const changed = [
      { ...www, content: '192.0.2.2' },
      { ...alias, content: 'other.example.net' },
    ]
    await apply(changed)
    expect(seen()).toEqual(['alias CNAME other.example.net', 'hand A 192.0.2.9', 'www A 192.0.2.2'])
    expect(marks()).toBe(2)
    const dry = await push(changed, { 'dry-run': 'true' })
    expect(dry.log.join('\n')).toContain('DNS: in step')

    await apply([{ ...www, zone: 'example.org' }])
    expect(seen()).toEqual(['hand A 192.0.2.9'])
    expect(seen('example.org')).toEqual(['www A 192.0.2.1'])
    await push([])
    expect(seen('example.org')).toEqual([])
    expect(marks()).toBe(0)
  })

  it('in a zone that is not delegated, or in the way of others, are a warning', async () => {
    const run = await push([
      { ...www, zone: 'elsewhere.example' },
      { ...alias, name: 'hand' },
    ])
    expect(run.told).toBe('live')
    expect(run.warnings.join('\n')).toContain('elsewhere.example of `dns` is not delegated to ml.ink')
    expect(run.warnings.join('\n')).toContain(
      'there is `A hand.example.com 192.0.2.9`, which was not made by this action',
    )
    expect(seen()).toEqual(['hand A 192.0.2.9'])
  })
})
