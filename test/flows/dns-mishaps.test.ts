import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { applyDnsRecords } from '../../src/flows/resources/dns.ts'
import { PlatformError } from '../../src/ink/errors.ts'
import type { Platform } from '../../src/ink/platform.ts'
import type { WantedRecord } from '../../src/plan/dns.ts'
import type { ProductionPlan } from '../../src/plan/plan.ts'
import { openSteps, type StepOptions, type Steps } from './step.ts'

// The step of a deployment that comes once it is live; the deployments themselves are in `dns.test.ts`.
describe('a DNS record', () => {
  let ink: InkPlatform
  let steps: Steps
  let zone: string
  let zones = 0
  beforeAll(async () => {
    ink = await startInkPlatform()
    steps = await openSteps(ink)
  })
  beforeEach(() => {
    zone = `example${++zones}.com`
    ink.delegateZone(zone)
  })
  afterAll(async () => {
    await steps[Symbol.asyncDispose]()
    await ink.stop()
  })

  const apply = (wanted: readonly Omit<WantedRecord, 'zone'>[], how?: StepOptions) => {
    const dnsRecords = wanted.map((one) => ({ zone, ...one }))
    const plan = { kind: 'production', dnsRecords, place: { baseName: 'acme-shop' } } as unknown as ProductionPlan
    return steps.take((run) => applyDnsRecords(run, plan), how)
  }
  const records = () => ink.dnsRecords(zone)
  const seen = () =>
    records()
      .filter(({ name }) => name !== '_ink-deploy')
      .map(({ name, type, content, ttl }) => `${name} ${type} ${content} ${ttl}`)
  /** What each mark is of: the name of a record that is there, or nothing. */
  const marked = () =>
    records().flatMap(({ name, content }) =>
      name === '_ink-deploy' ? [records().find(({ id }) => content.endsWith(`record=${id}`))?.name] : [],
    )

  const www = { name: 'www', type: 'A', content: '192.0.2.1', ttl: 300 } as const
  const alias = { name: 'alias', type: 'CNAME', content: 'shop.example.net', ttl: 300 } as const
  const cutOff = () => new PlatformError('lost-answer', 'cut off')

  it('whose mark could not be made is taken back, so that the next run makes it anew', async () => {
    const run = await apply(
      [www],
      addingDns(2, () => Promise.reject(new Error('cut off'))),
    )
    expect(run.thrown).toBeUndefined()
    expect(run.warnings.join()).toContain('cut off')
    expect(records()).toEqual([])
    await apply([www])
    expect(seen()).toEqual(['www A 192.0.2.1 300'])
    expect(marked()).toEqual(['www'])
  })

  it('that was made although the answer got lost is found and marked', async () => {
    const run = await apply(
      [www],
      addingDns(1, (add) => add().then(() => Promise.reject(cutOff()))),
    )
    expect(run.warnings).toEqual([])
    expect(seen()).toEqual(['www A 192.0.2.1 300'])
    expect(marked()).toEqual(['www'])
  })

  it.each([
    ['another target', { ...alias, content: 'other.example.net' }],
    ['another lifetime', { ...alias, ttl: 600 }],
  ])('stays what it was, and ours, when %s is refused', async (_what, changed) => {
    await apply([alias])
    const run = await apply(
      [changed],
      addingDns(1, () => Promise.reject(new Error('no such luck'))),
    )
    expect(run.thrown).toBeUndefined()
    expect(run.warnings.join()).toContain('no such luck')
    expect(seen()).toEqual(['alias CNAME shop.example.net 300'])
    await apply([changed])
    expect(seen()).toEqual([`alias CNAME ${changed.content} ${changed.ttl}`])
    expect(marked()).toEqual(['alias'])
  })

  it('stays what it was when it cannot be told whether it was removed', async () => {
    await apply([alias])
    const lose: StepOptions['change'] = (platform) => ({
      ...platform,
      deleteDnsRecord: async (...args) => {
        await platform.deleteDnsRecord(...args)
        throw cutOff()
      },
    })
    await apply([{ ...alias, content: 'other.example.net' }], { change: lose })
    expect(seen()).toEqual(['alias CNAME shop.example.net 300'])
  })

  it('stays what it was when the run is cancelled between its removal and its replacement', async () => {
    await apply([alias])
    const cancel = new AbortController()
    const onLine = (line: string) => line.startsWith('DNS: removed') && cancel.abort(new Error('cancelled'))
    const changed = { ...alias, content: 'other.example.net' }
    const run = await apply([changed], { signal: cancel.signal, onLine: (line) => void onLine(line) })
    expect(run.thrown).toBeDefined()
    expect(seen()).toEqual(['alias CNAME shop.example.net 300'])
    expect(marked()).toContain('alias')
  })

  it('that changes is served all along, where the name server keeps sets of one name and type', async () => {
    const served = new Map<string, string>()
    const withSets: StepOptions['change'] = (platform) => ({
      ...platform,
      addDnsRecord: async (record, signal) => {
        const made = await platform.addDnsRecord(record, signal)
        served.set(`${record.name} ${record.type}`, record.content)
        return made
      },
      deleteDnsRecord: async (of, id, signal) => {
        const record = records().find((one) => one.id === id)
        await platform.deleteDnsRecord(of, id, signal)
        served.delete(`${record?.name} ${record?.type}`)
      },
    })
    await apply([www, alias], { change: withSets })
    await apply([{ ...www, content: '192.0.2.2' }, alias], { change: withSets })
    expect([served.get('www A'), served.get('alias CNAME')]).toEqual(['192.0.2.2', 'shop.example.net'])
    // Somebody adds a value of the same name and type by hand, and ours is no longer wanted.
    ink.addDnsRecord(zone, { name: 'www', type: 'A', content: '192.0.2.9' })
    await apply([alias], { change: withSets })
    expect(seen().sort()).toEqual(['alias CNAME shop.example.net 300', 'www A 192.0.2.9 300'])
    expect(served.get('www A')).toBe('192.0.2.9')
  })

  it('that is refused does not stop the others', async () => {
    const run = await apply(
      [{ ...www, name: 'first' }, www, alias],
      addingDns(1, () => Promise.reject(new Error('no such luck'))),
    )
    expect(run.warnings).toEqual([expect.stringContaining(`A first.${zone} 192.0.2.1: no such luck`)])
    expect(seen().sort()).toEqual(['alias CNAME shop.example.net 300', 'www A 192.0.2.1 300'])
    expect(marked().sort()).toEqual(['alias', 'www'])
  })

  it('that has no mark yet when the run is cancelled is taken back', async () => {
    const cancel = new AbortController()
    const how = addingDns(2, (add) => {
      cancel.abort(new Error('cancelled'))
      return add()
    })
    const run = await apply([www], { ...how, signal: cancel.signal })
    expect(run.thrown).toBeDefined()
    expect(seen()).toEqual([])
  })

  it('that cannot be put back either is named in a warning', async () => {
    await apply([alias])
    const fail: StepOptions['change'] = (platform) => ({
      ...platform,
      addDnsRecord: () => Promise.reject(new Error('no such luck')),
    })
    const run = await apply([{ ...alias, ttl: 600 }], { change: fail })
    expect(run.warnings.join()).toContain(`CNAME alias.${zone} shop.example.net was to be replaced, which failed`)
  })

  it('of a zone that cannot be read is told without what is secret in the reason', async () => {
    const change: StepOptions['change'] = (platform) => ({
      ...platform,
      dnsRecords: () => Promise.reject(new Error(`asked with ${ink.apiKey}`)),
    })
    const run = await apply([www], { change })
    expect(run.warnings.join()).toContain(`The records of ${zone} could not be read: asked with`)
    expect(run.warnings.join()).not.toContain(ink.apiKey)
  })
})

/** A step in which one call that adds a DNS record, counted from 1, goes otherwise. */
function addingDns(
  which: number,
  otherwise: (add: () => ReturnType<Platform['addDnsRecord']>) => ReturnType<Platform['addDnsRecord']>,
): StepOptions {
  let adds = 0
  const change: StepOptions['change'] = (platform) => ({
    ...platform,
    addDnsRecord: (...call) => {
      const add = () => platform.addDnsRecord(...call)
      return ++adds === which ? otherwise(add) : add()
    },
  })
  return { change }
}
