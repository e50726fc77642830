import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { dnsDifference, type ListedRecord, markOf, parseDnsRecords, type WantedRecord } from '../../src/plan/dns.ts'
import { problemsOf } from './plan-inputs.ts'

describe('the list of DNS records', () => {
  test('is YAML, and read in the one spelling by which records are compared', () => {
    const text = `
- zone: Example.com
  name: www.example.com.
  type: cname
  content: Shop.Example.net.
- { zone: example.com, name: '@', type: MX, content: 10  Mail.example.com, ttl: 3600 }
- { zone: example.com, name: '*.dev', type: AAAA, content: '2001:DB8:0:0::1' }
- { zone: example.com, name: _dmarc, type: TXT, content: '"v=DMARC1; p=none"' }
`
    expect(parseDnsRecords(JSON.stringify(parse(text)))).toEqual({
      problems: [],
      value: [
        { zone: 'example.com', name: 'www', type: 'CNAME', content: 'shop.example.net', ttl: 300 },
        { zone: 'example.com', name: '@', type: 'MX', content: '10 mail.example.com', ttl: 3600 },
        { zone: 'example.com', name: '*.dev', type: 'AAAA', content: '2001:db8::1', ttl: 300 },
        { zone: 'example.com', name: '_dmarc', type: 'TXT', content: 'v=DMARC1; p=none', ttl: 300 },
      ],
    })
    expect(parseDnsRecords('[]')).toEqual({ problems: [], value: [] })
  })

  const good = { zone: 'example.com', name: 'www', type: 'A', content: '192.0.2.1' }
  test.each([
    ['no YAML', '- [', 'is not valid YAML'],
    ['no list', '{"zone":"example.com"}', 'must be a YAML list'],
    ['an alias', '- &a {zone: example.com}\n- *a', 'is not valid YAML'],
    ['a missing field', [{ zone: 'example.com', name: 'www', type: 'A' }], 'entry 1: content'],
    ['an unknown field', [{ ...good, priority: 10 }], 'priority'],
    ['a type that the platform does not have', [{ ...good, type: 'SRV' }], 'one of A, AAAA, CNAME, MX, TXT, CAA'],
    ['a bad address', [{ ...good, content: '192.0.2.256' }], 'content must be an IPv4 address'],
    ['a bad target', [{ ...good, type: 'CNAME', content: 'https://x.example' }], 'content must be a host name'],
    ['mail without priority', [{ ...good, type: 'MX', content: 'mail.example.com' }], 'such as 10 mail.example.com'],
    ['a bad name', [{ ...good, name: 'a b' }], 'name must be'],
    ['a bad zone', [{ ...good, zone: 'example' }], 'zone must be'],
    ['a short memory', [{ ...good, ttl: 5 }], 'ttl'],
    ['a name of ours', [{ ...good, name: '_ink-deploy', type: 'TXT' }], 'own marks'],
    ['two values of one name and type', [good, { ...good, content: '192.0.2.2' }], 'one value per name and type'],
    ['a record twice', [good, { ...good, name: 'WWW.example.com' }], 'entry 2: is there twice'],
  ] as const)('with %s is refused', (_what, given, expected) => {
    const problems = problemsOf({ 'dns-records': typeof given === 'string' ? given : JSON.stringify(given) })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^dns-records[:,]/)
    expect(problems[0]).toContain(expected)
  })
})

const zone = 'example.com'
const service = 'acme-shop'
const wanted = (name: string, content: string, more: Partial<WantedRecord> = {}): WantedRecord => ({
  zone,
  name,
  type: 'A',
  content,
  ttl: 300,
  ...more,
})
const listed = (id: string, name: string, content: string, more: Partial<ListedRecord> = {}): ListedRecord => ({
  id,
  name,
  type: 'A',
  content,
  ttl: 300,
  managed: false,
  ...more,
})
const marked = (id: string, by = service): ListedRecord => ({
  ...markOf(zone, by, id),
  id: `mark-${id}`,
  managed: false,
})

describe('a zone and what is wanted of it', () => {
  const ids = (records: Iterable<ListedRecord>) => [...records].map(({ id }) => id)

  test('in step needs nothing, however the platform spells it', () => {
    const mark = { ...marked('1'), content: `"${marked('1').content}"`, name: '_ink-deploy.example.com.' }
    const difference = dnsDifference(
      zone,
      [wanted('www', '192.0.2.1')],
      [listed('1', 'WWW.example.com.', '192.0.2.1'), mark],
      service,
    )
    expect(difference).toEqual({ zone, add: [], remove: [], marks: new Map(), conflicts: [] })
  })

  test('what is missing is added, and what we made and nobody wants any more is removed with its mark', () => {
    const difference = dnsDifference(
      zone,
      [wanted('www', '192.0.2.2')],
      [listed('1', 'www', '192.0.2.1'), marked('1')],
      service,
    )
    expect(difference.add).toEqual([wanted('www', '192.0.2.2')])
    expect(ids(difference.remove)).toEqual(['1'])
    expect(ids(difference.marks.values())).toEqual(['mark-1'])
  })

  test('what was made by hand, by the platform or for another service is never removed', () => {
    const others = [
      listed('1', 'hand', '192.0.2.1'),
      listed('2', 'app', '192.0.2.2', { managed: true }),
      marked('2'),
      listed('3', 'other', '192.0.2.3'),
      marked('3', 'acme-other'),
    ]
    const difference = dnsDifference(zone, [], others, service)
    expect(difference.remove).toEqual([])
    expect(ids(difference.marks.values())).toEqual([])
  })

  test('what was made by hand exactly as it is wanted is left alone, whatever its lifetime', () => {
    const difference = dnsDifference(
      zone,
      [wanted('www', '192.0.2.1')],
      [listed('1', 'www', '192.0.2.1', { ttl: 60 })],
      service,
    )
    expect(difference).toMatchObject({ add: [], remove: [], conflicts: [] })
  })

  test('another lifetime replaces a record of ours', () => {
    const records = [listed('1', 'www', '192.0.2.1'), marked('1')]
    const difference = dnsDifference(zone, [wanted('www', '192.0.2.1', { ttl: 60 })], records, service)
    expect(difference.add).toEqual([wanted('www', '192.0.2.1', { ttl: 60 })])
    expect(ids(difference.remove)).toEqual(['1'])
  })

  test('a mark whose record is gone is cleared away', () => {
    expect(ids(dnsDifference(zone, [], [marked('1')], service).marks.values())).toEqual(['mark-1'])
  })

  test.each([
    [
      'a name that the platform looks after',
      listed('1', 'www', '192.0.2.9', { managed: true }),
      wanted('www', '192.0.2.1'),
    ],
    ['a record of the same name and type made by hand', listed('1', 'www', '192.0.2.9'), wanted('www', '192.0.2.1')],
    ['an alias made by hand', listed('1', 'www', 'x.example.net', { type: 'CNAME' }), wanted('www', '192.0.2.1')],
    ['an alias where something is', listed('1', 'www', '192.0.2.9'), wanted('www', 'x.example.net', { type: 'CNAME' })],
  ])('%s is a conflict and no change', (_what, there, record) => {
    const difference = dnsDifference(zone, [record], [there], service)
    expect(difference).toMatchObject({ add: [], remove: [] })
    expect(difference.conflicts).toHaveLength(1)
  })

  test('whatever is there, nothing but what carries our mark is removed, and doing it once is enough', () => {
    const name = fc.constantFrom('www', 'app', '@')
    const content = fc.constantFrom('192.0.2.1', '192.0.2.2')
    const there = fc.array(fc.record({ name, content, managed: fc.boolean(), ours: fc.boolean() }), { maxLength: 6 })
    const want = fc.uniqueArray(fc.record({ name, content }), {
      maxLength: 4,
      selector: (one) => `${one.name} ${one.content}`,
    })
    fc.assert(
      fc.property(there, want, (existing, asked) => {
        const records = existing.flatMap(({ ours, ...one }, index) => [
          listed(`${index}`, one.name, one.content, { managed: one.managed }),
          ...(ours ? [marked(`${index}`)] : []),
        ])
        const goal = asked.map((one) => wanted(one.name, one.content))
        const { add, remove, marks } = dnsDifference(zone, goal, records, service)
        for (const { id } of remove) expect(existing[Number(id)]).toMatchObject({ ours: true, managed: false })
        const gone = new Set([...ids(remove), ...ids(marks.values())])
        const made = add.flatMap((one, index) => [
          { ...one, id: `new-${index}`, managed: false },
          marked(`new-${index}`),
        ])
        const after = [...records.filter(({ id }) => !gone.has(id)), ...made]
        expect(dnsDifference(zone, goal, after, service)).toMatchObject({ add: [], remove: [], marks: new Map() })
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})
