import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appEnvironment } from '../../sandbox/ink/deploy/environment.ts'
import { dnsLabel } from '../../sandbox/ink/identifiers.ts'
import { redactSecrets } from '../../sandbox/ink/journal.ts'
import { createLogBook } from '../../sandbox/ink/log-book.ts'

test('log lines are forgotten after 24 hours', () => {
  let nowMs = 0
  const book = createLogBook(() => nowMs)
  book.write('yesterday')
  nowMs = 24 * 3_600_000
  book.write('today')
  expect(book.newest(10)).toEqual(['yesterday', 'today'])
  nowMs += 1
  expect(book.newest(10)).toEqual(['today'])
})

test('log lines come in the order in which they were written, the newest ones only', () => {
  const book = createLogBook(() => 0)
  for (let line = 1; line <= 5_000; line += 1) book.write(String(line))
  expect(book.newest(3)).toEqual(['4998', '4999', '5000'])
  expect(book.newest(501)).toHaveLength(500)
  expect(book.newest(0)).toEqual([])
  expect(book.newest(-1)).toEqual([])
})

test.each([
  ['My_App', 'my-app'],
  ['app.v2!', 'appv2'],
  ['--edge--', 'edge'],
  [`${'a'.repeat(62)}-b`, 'a'.repeat(62)],
  ['a'.repeat(80), 'a'.repeat(63)],
])('the host of a service named %s is %s', (name, label) => {
  expect(dnsLabel(name)).toBe(label)
})

test('every host is a DNS label or empty, and stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (name) => {
      const label = dnsLabel(name)
      expect(label).toMatch(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$/)
      expect(dnsLabel(label)).toBe(label)
    }),
  )
})

test('apps get a way to package registries, but no password on the way and none of this project’s commands', () => {
  const password = Math.random().toString(36)
  const env = appEnvironment(
    {
      PATH: '/usr/bin:/project/node_modules/.bin:/bin',
      HTTPS_PROXY: 'http://proxy.test:3128',
      HTTP_PROXY: `http://user:${password}@proxy.test:3128`,
      GITHUB_TOKEN: password,
      NODE_OPTIONS: '--inspect',
    },
    '/cache',
  )
  expect(env).toMatchObject({ PATH: '/usr/bin:/bin', HTTPS_PROXY: 'http://proxy.test:3128', NODE_ENV: 'production' })
  expect(JSON.stringify(env)).not.toContain(password)
  expect(env).not.toHaveProperty('NODE_OPTIONS')
})

test('keys and tokens are redacted wherever they stand', () => {
  const key = `dk_${'live'}_${'0123456789abcdef'.repeat(4)}`
  const token = `mlg_${'aB3_-'.repeat(8)}xyz`
  expect(redactSecrets(`a ${key} b http://x-git-token:${token}@host/x`)).toBe(
    'a dk_*** b http://x-git-token:mlg_***@host/x',
  )
})
