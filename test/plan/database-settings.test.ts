import { describe, expect, test } from 'vitest'
import { problemsOf, settingsOf } from './plan-inputs.ts'

describe('a database', () => {
  test('is handed over under the usual names', () => {
    expect(settingsOf({ database: 'sqlite' }).database).toEqual({
      type: 'sqlite',
      env: new Map([
        ['DATABASE_URL', 'url'],
        ['DATABASE_AUTH_TOKEN', 'token'],
      ]),
      seed: undefined,
    })
  })

  test('is handed over under other names, several of them if need be, and under no others', () => {
    const lines = '# for the client\nTURSO_DATABASE_URL=url\n\n TURSO_AUTH_TOKEN = token \nDB_URL=url'
    const given = { database: 'sqlite', 'database-env': lines, 'database-seed': './db//seed.sql' }
    expect(settingsOf(given).database).toEqual({
      type: 'sqlite',
      env: new Map([
        ['TURSO_DATABASE_URL', 'url'],
        ['TURSO_AUTH_TOKEN', 'token'],
        ['DB_URL', 'url'],
      ]),
      seed: 'db/seed.sql',
    })
  })

  test('of a template is handed over by its address, or by any of its outputs', () => {
    expect(settingsOf({ database: 'postgres' }).database?.env).toEqual(new Map([['DATABASE_URL', 'url']]))
    const lines = 'PGPASSWORD=password\nPGHOST=host'
    expect(settingsOf({ database: 'postgres', 'database-env': lines }).database?.env).toEqual(
      new Map([
        ['PGPASSWORD', 'password'],
        ['PGHOST', 'host'],
      ]),
    )
    expect(problemsOf({ database: 'postgres', 'database-env': 'A=b c' })).toHaveLength(1)
    expect(problemsOf({ database: 'redis', 'database-seed': 'seed.sql' })).toEqual([
      'database-seed: works with database sqlite only, but database is "redis"',
    ])
  })

  test.each([
    ['database-env', 'DB_URL'],
    ['database-env', 'url=DB_URL'],
    ['database-env', '1DB=url'],
    ['database-env', 'DB-URL=url'],
    ['database-env', 'DB_URL=password'],
    ['database-env', 'DB_URL='],
    ['database-env', 'INK_GIT_PULL_REQUEST=url'],
    ['database-env', 'DB=url\nDB=token'],
    ['database-seed', '../seed.sql'],
    ['database-seed', '/etc/seed.sql'],
  ] as const)('with %s %j is refused', (name, value) => {
    const problems = problemsOf({ database: 'sqlite', [name]: value })
    expect(problems).toHaveLength(1)
    expect(problems[0]?.startsWith(name)).toBe(true)
  })

  test('says which line is wrong and what is allowed', () => {
    expect(problemsOf({ database: 'sqlite', 'database-env': 'A=url\nB=uri' })).toEqual([
      'database-env, line 2: after = must be one of url, token, but is "uri"',
    ])
  })

  test('that is not asked for can have neither names nor a seed', () => {
    expect(problemsOf({ 'database-env': 'A=url', 'database-seed': 'seed.sql' })).toEqual([
      'database-env: works with database only, which is not set',
      'database-seed: works with database only, which is not set',
    ])
  })
})
