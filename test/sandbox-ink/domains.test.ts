import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ink, startInk, until } from './harness.ts'

let ink: Ink
beforeAll(async () => {
  ink = await startInk()
  await ink.push('site', { 'index.html': 'x' })
  ink.platform.delegateZone('example.test')
  ink.platform.delegateZone('waiting.test', 'pending_verification', 'name servers do not answer')
})
afterAll(async () => {
  await ink[Symbol.asyncDispose]()
})

async function serviceNamed(name: string): Promise<void> {
  await ink.call('create_service', { repo: 'site', name })
}

async function recordsOf(zone: string): Promise<Record<string, unknown>[]> {
  return ((await ink.call('list_dns_records', { zone })) as { records: Record<string, unknown>[] }).records
}

async function addRecord(record: Record<string, unknown>): Promise<Record<string, unknown>> {
  return ((await ink.call('add_dns_record', record)) as { record: Record<string, unknown> }).record
}

test('delegated zones are listed with their status and error', async () => {
  const { zones } = (await ink.call('list_delegations')) as { zones: Record<string, unknown>[] }
  expect(zones.find(({ zone }) => zone === 'waiting.test')).toMatchObject({
    status: 'pending_verification',
    error: 'name servers do not answer',
  })
})

test.each([
  ['no zone', 'www.elsewhere.test'],
  ['a zone that is not active', 'www.waiting.test'],
  ['a zone, but two labels below it', 'a.b.example.test'],
  ['a zone, being that zone itself', 'example.test'],
])('a domain under %s is refused', async (_case, domain) => {
  await serviceNamed(`refused-${domain}`)
  expect(await ink.refusal('add_custom_domain', { name: `refused-${domain}`, domain })).toBe(
    `no active hosted zone found for ${domain}`,
  )
})

test('a domain has the status of its zone, and a record that only its removal takes away', async () => {
  await serviceNamed('www')
  const added = await ink.call('add_custom_domain', { name: 'www', domain: 'WWW.example.test.' })
  expect(added).toMatchObject({ domain: 'www.example.test', status: 'active' })
  expect(await ink.call('get_service', { name: 'www' })).toMatchObject({
    custom_domain: { domain: 'www.example.test', status: 'active' },
  })
  const record = (await recordsOf('example.test')).find(({ name }) => name === 'www')
  expect(record).toMatchObject({ type: 'A', managed: true, ttl: 300 })
  expect(await ink.refusal('delete_dns_record', { zone: 'example.test', record_id: record?.id })).toContain('managed')
  await ink.call('remove_custom_domain', { name: 'www' })
  expect((await recordsOf('example.test')).map(({ name }) => name)).not.toContain('www')
  expect(await ink.refusal('remove_custom_domain', { name: 'www' })).toContain('no custom domain configured')
})

test('of several domains the newest is shown, and each removal takes the newest', async () => {
  await serviceNamed('many')
  await ink.call('add_custom_domain', { name: 'many', domain: 'first.example.test' })
  await ink.call('add_custom_domain', { name: 'many', domain: 'second.example.test' })
  const shown = async () => (await ink.call('get_service', { name: 'many' })).custom_domain
  expect(await shown()).toMatchObject({ domain: 'second.example.test' })
  await ink.call('remove_custom_domain', { name: 'many' })
  expect(await shown()).toMatchObject({ domain: 'first.example.test' })
})

test('the record of a domain stays when its service is deleted, and blocks the name for good', async () => {
  await serviceNamed('brief')
  await ink.call('add_custom_domain', { name: 'brief', domain: 'blocked.example.test' })
  await ink.call('delete_service', { name: 'brief' })
  await until('it is gone', () => ink.platform.service('brief') === undefined)
  expect(await recordsOf('example.test')).toContainEqual(expect.objectContaining({ name: 'blocked', managed: true }))
  await serviceNamed('brief')
  expect(await ink.refusal('add_custom_domain', { name: 'brief', domain: 'blocked.example.test' })).toBe(
    'subdomain blocked already has a managed record',
  )
  expect(await ink.refusal('remove_custom_domain', { name: 'brief' })).toContain('no custom domain configured')
  const record = { zone: 'example.test', name: 'blocked', type: 'TXT', content: 'x' }
  expect(await ink.refusal('add_dns_record', record)).toContain('already has a managed record')
})

test('the name server knows sets: adding replaces what is served, deleting one takes all away, and the table shows neither', async () => {
  const base = { zone: 'example.test', name: 'pool', type: 'A' }
  const first = await addRecord({ ...base, content: '192.0.2.1' })
  const second = await addRecord({ ...base, content: '192.0.2.2' })
  const served = () => ink.platform.resolve('example.test', 'pool', 'A')
  const contents = async () =>
    (await recordsOf('example.test')).filter(({ name }) => name === 'pool').map(({ content }) => content)
  expect(served()).toEqual(['192.0.2.2'])
  expect((await contents()).sort()).toEqual(['192.0.2.1', '192.0.2.2'])
  await ink.call('delete_dns_record', { zone: 'example.test', record_id: first.id })
  expect(served()).toEqual([])
  expect(await contents()).toEqual(['192.0.2.2'])
  await ink.call('delete_dns_record', { zone: 'example.test', record_id: second.id })
  await addRecord({ ...base, content: '192.0.2.3' })
  expect(served()).toEqual(['192.0.2.3'])
})

test('a set of another type or name is not touched', async () => {
  await addRecord({ zone: 'example.test', name: 'two', type: 'A', content: '192.0.2.1' })
  const txt = await addRecord({ zone: 'example.test', name: 'two', type: 'TXT', content: 'x' })
  await ink.call('delete_dns_record', { zone: 'example.test', record_id: txt.id })
  expect(ink.platform.resolve('example.test', 'two', 'A')).toEqual(['192.0.2.1'])
})

test.each([
  ['', '@'],
  ['example.test', '@'],
  ['mail.example.test', 'mail'],
  ['Upper', 'upper'],
])('a record named %j is kept as %s', async (name, kept) => {
  expect(await addRecord({ zone: 'example.test', name, type: 'TXT', content: `for ${name}` })).toMatchObject({
    name: kept,
  })
})

test.each([
  [{ zone: 'gone.test' }, 'hosted zone not found: gone.test'],
  [{ zone: 'waiting.test' }, 'hosted zone waiting.test is not active (status: pending_verification)'],
  [{ content: 'nonsense' }, 'invalid A record: "nonsense" is not a valid IPv4 address'],
  [{ name: 'taken' }, 'duplicate key value violates unique constraint "dns_records_zone_id_name_rrtype_content_key"'],
  [
    { name: 'taken', type: 'CNAME', content: 'x.example' },
    'cannot add CNAME at taken: other records already exist at this name',
  ],
  [{ name: 'alias' }, 'cannot add A at alias'],
])('a record with %j is refused', async (change, text) => {
  if ((await recordsOf('example.test')).every(({ name }) => name !== 'taken')) {
    await addRecord({ zone: 'example.test', name: 'taken', type: 'A', content: '192.0.2.9' })
    await addRecord({ zone: 'example.test', name: 'alias', type: 'CNAME', content: 'x.example' })
  }
  const record = { zone: 'example.test', name: 'api', type: 'A', content: '192.0.2.9', ...change }
  expect(await ink.refusal('add_dns_record', record)).toContain(text)
})

test('an unknown record cannot be deleted', async () => {
  expect(await ink.refusal('delete_dns_record', { zone: 'example.test', record_id: 'x' })).toBe(
    'dns record not found: x',
  )
})
