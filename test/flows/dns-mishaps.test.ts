import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PlatformError } from '../../src/ink/errors.ts'
import type { Platform } from '../../src/ink/platform.ts'
import { type How, openStage, type Scene, type Stage } from './stage.ts'

describe('a DNS record', () => {
  let stage: Stage
  let scene: Scene
  let zone: string
  let zones = 0
  beforeAll(async () => {
    stage = await openStage()
    scene = await stage.scene()
  })
  beforeEach(() => {
    zone = `example${++zones}.com`
    stage.ink.delegateZone(zone)
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  const push = (records: readonly object[], how: How = {}) =>
    scene.act(
      'push',
      { after: scene.first },
      { ...how, runAttempt: 2, inputs: { 'dns-records': JSON.stringify(records.map((one) => ({ zone, ...one }))) } },
    )
  const records = () => stage.ink.dnsRecords(zone)
  const seen = () =>
    records()
      .filter(({ name }) => name !== '_ink-deploy')
      .map(({ name, type, content, ttl }) => `${name} ${type} ${content} ${ttl}`)
  /** What each mark is of: the name of a record that is there, or nothing. */
  const marked = () =>
    records().flatMap(({ name, content }) =>
      name === '_ink-deploy' ? [records().find(({ id }) => content.endsWith(`record=${id}`))?.name] : [],
    )

  const www = { name: 'www', type: 'A', content: '192.0.2.1' }
  const alias = { name: 'alias', type: 'CNAME', content: 'shop.example.net', ttl: 300 }
  const cutOff = () => new PlatformError('lost-answer', 'cut off')

  it('whose mark could not be made is taken back, so that the next run makes it anew', async () => {
    const run = await push(
      [www],
      addingDns(2, () => Promise.reject(new Error('cut off'))),
    )
    expect(run.told).toBe('live')
    expect(run.warnings.join()).toContain('cut off')
    expect(records()).toEqual([])
    await push([www])
    expect(seen()).toEqual(['www A 192.0.2.1 300'])
    expect(marked()).toEqual(['www'])
  })

  it('that was made although the answer got lost is found and marked', async () => {
    const run = await push(
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
    await push([alias])
    const run = await push(
      [changed],
      addingDns(1, () => Promise.reject(new Error('no such luck'))),
    )
    expect(run.told).toBe('live')
    expect(run.warnings.join()).toContain('no such luck')
    expect(seen()).toEqual(['alias CNAME shop.example.net 300'])
    await push([changed])
    expect(seen()).toEqual([`alias CNAME ${changed.content} ${changed.ttl}`])
    expect(marked()).toEqual(['alias'])
  })

  it('stays what it was when it cannot be told whether it was removed', async () => {
    await push([alias])
    const lose: How['change'] = onPlatform((platform) => ({
      ...platform,
      deleteDnsRecord: async (...args) => {
        await platform.deleteDnsRecord(...args)
        throw cutOff()
      },
    }))
    await push([{ ...alias, content: 'other.example.net' }], { change: lose })
    expect(seen()).toEqual(['alias CNAME shop.example.net 300'])
  })

  it('stays what it was when the run is cancelled between its removal and its replacement', async () => {
    await push([alias])
    const cancel = new AbortController()
    const onLine = (line: string) => line.startsWith('DNS: removed') && cancel.abort(new Error('cancelled'))
    const changed = { ...alias, content: 'other.example.net' }
    const run = await push([changed], { signal: cancel.signal, onLine: (line) => void onLine(line) })
    expect(run.thrown).toBeDefined()
    expect(seen()).toEqual(['alias CNAME shop.example.net 300'])
    expect(marked()).toContain('alias')
  })

  it('that changes is served all along, where the name server keeps sets of one name and type', async () => {
    const served = new Map<string, string>()
    const withSets: How['change'] = onPlatform((platform) => ({
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
    }))
    await push([www, alias], { change: withSets })
    await push([{ ...www, content: '192.0.2.2' }, alias], { change: withSets })
    expect([served.get('www A'), served.get('alias CNAME')]).toEqual(['192.0.2.2', 'shop.example.net'])
    // Somebody adds a value of the same name and type by hand, and ours is no longer wanted.
    stage.ink.addDnsRecord(zone, { name: 'www', type: 'A', content: '192.0.2.9' })
    await push([alias], { change: withSets })
    expect(seen().sort()).toEqual(['alias CNAME shop.example.net 300', 'www A 192.0.2.9 300'])
    expect(served.get('www A')).toBe('192.0.2.9')
  })

  it('that is refused does not stop the others', async () => {
    const run = await push(
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
    const run = await push([www], { ...how, signal: cancel.signal })
    expect(run.thrown).toBeDefined()
    expect(seen()).toEqual([])
  })

  it('that cannot be put back either is named in a warning', async () => {
    await push([alias])
    const fail: How['change'] = onPlatform((platform) => ({
      ...platform,
      addDnsRecord: () => Promise.reject(new Error('no such luck')),
    }))
    const run = await push([{ ...alias, ttl: 600 }], { change: fail })
    expect(run.warnings.join()).toContain(`CNAME alias.${zone} shop.example.net was to be replaced, which failed`)
  })

  it('of a zone that cannot be read is told without what is secret in the reason', async () => {
    const change: How['change'] = (deps) => {
      const failing = onPlatform((platform) => ({
        ...platform,
        dnsRecords: () => Promise.reject(new Error(`asked with ${deps.settings.apiKey?.reveal()}`)),
      }))
      return failing(deps)
    }
    const run = await push([www], { change })
    expect(run.warnings.join()).toContain(`The records of ${zone} could not be read: asked with`)
    expect(run.warnings.join()).not.toContain(stage.ink.apiKey)
  })
})

type Change = NonNullable<How['change']>

function onPlatform(change: (platform: Platform) => Platform): Change {
  return (deps) => ({ ...deps, openPlatform: async (...args) => change(await deps.openPlatform(...args)) })
}

/** A run in which one call that adds a DNS record, counted from 1, goes otherwise. */
function addingDns(
  which: number,
  otherwise: (add: () => ReturnType<Platform['addDnsRecord']>) => ReturnType<Platform['addDnsRecord']>,
): How {
  let adds = 0
  const change = onPlatform((platform) => ({
    ...platform,
    addDnsRecord: (...call) => {
      const add = () => platform.addDnsRecord(...call)
      return ++adds === which ? otherwise(add) : add()
    },
  }))
  return { change }
}
