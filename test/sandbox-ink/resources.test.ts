import { type Client, createClient } from '@libsql/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type Ink, startInk } from './harness.ts'

let ink: Ink
let database: Record<string, unknown>
let client: Client
beforeAll(async () => {
  ink = await startInk()
  database = await ink.call('create_resource', { name: 'db', type: 'sqlite' })
  client = createClient({ url: String(database.database_url), authToken: String(database.auth_token) })
})
afterAll(async () => {
  client.close()
  await ink[Symbol.asyncDispose]()
})

test('a resource is created with an address and a token', () => {
  expect(database).toEqual({
    resource_id: expect.stringMatching(/^\w{22}$/),
    name: 'db',
    type: 'sqlite',
    region: 'eu-central',
    database_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    auth_token: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+$/),
    status: 'active',
  })
})

test('the official client stores and reads every type of value', async () => {
  await client.execute('create table everything (i integer, r real, t text, b blob, n text)')
  await client.execute({
    sql: 'insert into everything values (?, ?, ?, ?, ?)',
    args: [7, 1.5, 'läuft', new Uint8Array([1, 2, 255]), null],
  })
  const { rows, columns } = await client.execute('select * from everything')
  expect(columns).toEqual(['i', 'r', 't', 'b', 'n'])
  expect(rows[0]).toMatchObject({ i: 7, r: 1.5, t: 'läuft', n: null })
  expect([...new Uint8Array(rows[0]?.b as ArrayBuffer)]).toEqual([1, 2, 255])
})

test('named parameters, affected rows and the last row’s number are reported', async () => {
  await client.execute('create table people (id integer primary key, name text)')
  const inserted = await client.execute({ sql: 'insert into people (name) values (:name)', args: { name: 'Ada' } })
  expect([inserted.rowsAffected, inserted.lastInsertRowid]).toEqual([1, 1n])
  const returned = await client.execute("insert into people (name) values ('Bob') returning id")
  expect([returned.rowsAffected, returned.rows[0]?.id]).toEqual([1, 2])
})

test('a batch is carried out as a whole or not at all', async () => {
  await client.execute('create table batch (x integer unique)')
  await client.batch(['insert into batch values (1)', 'insert into batch values (2)'], 'write')
  await expect(client.batch(['insert into batch values (3)', 'insert into batch values (1)'], 'write')).rejects.toThrow(
    /UNIQUE/,
  )
  expect((await client.execute('select count(*) as n from batch')).rows[0]?.n).toBe(2)
})

test('an interactive transaction can be rolled back', async () => {
  await client.execute('create table account (balance integer)')
  const transaction = await client.transaction('write')
  await transaction.execute('insert into account values (100)')
  expect((await transaction.execute('select balance from account')).rows).toHaveLength(1)
  await transaction.rollback()
  expect((await client.execute('select balance from account')).rows).toHaveLength(0)
})

test('a script of several statements is carried out', async () => {
  await client.executeMultiple('create table a (x); insert into a values (1); insert into a values (2);')
  expect((await client.execute('select count(*) as n from a')).rows[0]?.n).toBe(2)
})

test('bad SQL is an error with SQLite’s words', async () => {
  await expect(client.execute('selec 1')).rejects.toThrow(/near "selec": syntax error/)
})

test('without the token nothing is told', async () => {
  const stranger = createClient({ url: String(database.database_url), authToken: 'guess' })
  await expect(stranger.execute('select 1')).rejects.toThrow(/401/)
  stranger.close()
})

test('a database cannot grow past its size', async () => {
  const small = await ink.call('create_resource', { name: 'small', type: 'sqlite', size: '100kb' })
  const tight = createClient({ url: String(small.database_url), authToken: String(small.auth_token) })
  await tight.execute('create table t (x)')
  await expect(tight.execute('insert into t values (zeroblob(200000))')).rejects.toThrow(/full/)
  tight.close()
})

test('resources are listed newest first without credentials, and found again with them', async () => {
  await ink.call('create_resource', { name: 'newer', type: 'sqlite' })
  const { resources } = (await ink.call('list_resources')) as { resources: Record<string, unknown>[] }
  expect(resources.map(({ name }) => name).indexOf('newer')).toBeLessThan(
    resources.map(({ name }) => name).indexOf('db'),
  )
  expect(resources[0]).not.toHaveProperty('auth_token')
  expect(await ink.call('get_resource', { name: 'db' })).toMatchObject({
    database_url: database.database_url,
    auth_token: database.auth_token,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  })
})

test.each([
  ['create_resource', { name: '', type: 'sqlite' }, 'name is required'],
  [
    'create_resource',
    { name: 'db', type: 'sqlite' },
    "failed to create resource: resource with name 'db' already exists",
  ],
  ['create_resource', { name: 'x', type: 'sqlite' }, 'failed to create resource: name must be at least 2 characters'],
  [
    'create_resource',
    { name: 'x'.repeat(51), type: 'sqlite' },
    'failed to create resource: name must be at most 50 characters',
  ],
  [
    'create_resource',
    { name: '-x', type: 'sqlite' },
    'failed to create resource: name must start with alphanumeric and contain only alphanumeric, hyphens, or underscores',
  ],
  ['get_resource', { name: 'gone' }, 'resource not found: gone'],
  ['delete_resource', { name: 'gone' }, 'resource not found: gone'],
])('%s with %j is refused with “%s”', async (tool, args, text) => {
  expect(await ink.refusal(tool, args)).toBe(text)
})

test('a deleted resource is gone, and its address answers no more', async () => {
  const doomed = await ink.call('create_resource', { name: 'doomed', type: 'sqlite' })
  expect(await ink.call('delete_resource', { name: 'doomed' })).toMatchObject({
    message: 'Resource deleted successfully',
  })
  expect(await ink.refusal('get_resource', { name: 'doomed' })).toBe('resource not found: doomed')
  await expect(fetch(String(doomed.database_url))).rejects.toThrow()
})

test('a resource of somebody else is not found', async () => {
  const stranger = await connect(ink.platform.endpoint, ink.platform.addUser('stranger').apiKey)
  const result = await stranger.callTool({ name: 'get_resource', arguments: { name: 'db' } })
  expect(result.isError).toBe(true)
  await stranger.close()
})
