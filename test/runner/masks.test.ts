import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { looksSecret, Secret } from '../../src/core/secret.ts'
import { openMasks } from '../../src/runner/output.ts'
import { printed } from './printed.ts'

const random = randomBytes(24).toString('base64url')

function masksNoting() {
  const told: string[] = []
  return { told, masks: openMasks((value) => told.push(value)) }
}

describe('masking', () => {
  test('tells the runner of the value as it is, in base64, and line by line', () => {
    const { told, masks } = masksNoting()
    const secret = `line one ${random}\nline two\n}\n`
    masks.add(secret)
    expect(told).toEqual(
      expect.arrayContaining([
        secret,
        `line one ${random}`,
        'line two',
        Buffer.from(secret).toString('base64'),
        Buffer.from(secret.trim()).toString('base64'),
      ]),
    )
    expect(told).not.toContain('}')
    expect(told).not.toContain('')
    expect(masks.values).toEqual([secret])
  })

  test('covers the forms in which JSON and URLs carry it', () => {
    const { told, masks } = masksNoting()
    masks.add(`a"b c/${random}`)
    expect(told).toEqual(expect.arrayContaining([`a\\"b c/${random}`, `a%22b%20c%2F${random}`]))
  })

  test('covers the password within a URL', () => {
    const { told, masks } = masksNoting()
    masks.add(`postgres://app:p%40ss${random}@db.example/app`)
    expect(told).toEqual(expect.arrayContaining([`p%40ss${random}`, `p@ss${random}`]))
  })

  test('tells nothing twice, and nothing of blanks', () => {
    const { told, masks } = masksNoting()
    masks.add(random)
    const before = told.length
    masks.add(random)
    masks.add(' \n')
    expect(told).toHaveLength(before)
  })

  test('survives values that cannot be encoded', () => {
    const { masks } = masksNoting()
    expect(() => masks.add(`\ud800${random}`)).not.toThrow()
    expect(() => masks.add(`https://u:%zz${random}@x.example`)).not.toThrow()
  })

  test('is said to the runner in one line each, so that no line of a secret shows', async () => {
    const text = await printed(() => openMasks().add(`first ${random}\nsecond ${random}`))
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^::add-mask::/)
  })

  test('knows which texts it hides something of', () => {
    const { masks } = masksNoting()
    masks.add(random)
    expect(masks.hides(`https://x/${random}`)).toBe(true)
    expect(masks.hides(Buffer.from(random).toString('base64'))).toBe(true)
    expect(masks.hides('https://x/')).toBe(false)
  })

  test('of variables covers those that are secret, and leaves the plain ones', () => {
    const { masks } = masksNoting()
    const variables = { MODE: 'production', PORT: '3000', API_TOKEN: random, DEBUG: 'true' }
    masks.addVariables(new Map(Object.entries(variables).map(([name, value]) => [name, new Secret(value)])))
    expect(masks.values).toEqual([random])
  })
})

describe('an environment value', () => {
  test.each([
    ['MODE', 'production'],
    ['ENABLED', 'true'],
    ['PORT', '3000'],
    ['TOKEN_TTL', '3600s'],
    ['API_KEY_REQUIRED', 'true'],
    ['SECRET_STORE', 'disabled'],
    ['AUTH_TIMEOUT', '12.5'],
    ['VERSION_KEY', 'v1.22.3'],
    ['PASSWORD', 'abc'],
    ['COMMIT', 'ec26c3e57ca3a959ca5aad62de7213c562f8c821'],
    ['RELEASE', '7f9c24e8-3b12-4fef-91e0-56a2d5a7c1bc'],
    ['PUBLIC_URL', 'https://app.example.com/path?tab=1'],
    ['REGION', 'eu-central-1'],
    ['GREETING', 'Hello, and welcome to this application!'],
    ['IMAGE', 'registry.example.com/team/application-server'],
    ['FLAGS', '--max-old-space-size=4096'],
    ['MONKEY', 'capuchin'],
    ['KEYBOARD', 'qwertz-layout'],
    ['AUTHOR', 'Ada Lovelace'],
    ['AUTH_PROVIDER', 'github'],
    ['AUTH_URL', 'https://acme-web.ml.ink'],
    ['TOKEN_ISSUER', 'acme-web'],
    ['TOKEN_URL', 'https://login.example.com/oauth/token'],
    ['SECRET_NAME', 'acme-web-secrets'],
  ])('%s=%s is plain', (name, value) => {
    expect(looksSecret(name, value)).toBe(false)
  })

  const generated = (prefix: string) => prefix + randomBytes(24).toString('hex')
  test.each([
    ['DB_PASSWORD', 'hunter22'],
    ['API_KEY', generated('')],
    ['STRIPE', generated('sk_live_')],
    ['GH', generated('ghp_')],
    ['INK', generated('dk_test_')],
    ['SESSION_SECRET', 'correct horse battery'],
    ['SLACK_WEBHOOK_URL', 'https://chat.example.com/in/T0/B0'],
    ['TOKEN_LINK', 'https://example.com/?sig=abcdef'],
    ['DATABASE_URL', 'libsql://db.example.com/some-database'],
    ['UPSTREAM', `https://user:${generated('')}@host.example/`],
    ['CACHE', `redis://:${generated('')}@host.example:6379`],
    ['JWT', `eyJ${generated('')}.${generated('')}.x`],
    ['CERT', '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----'],
    ['OPAQUE', 'q8Zr3Kx0LmT5vB7nYc2Dw9Fj'],
    ['github_token', generated('')],
  ])('%s is secret', (name, value) => {
    expect(looksSecret(name, value)).toBe(true)
  })
})

test('a branch is not hidden in what is told, whatever word it is called', () => {
  const { masks } = masksNoting()
  masks.addVariables(
    new Map([
      ['INK_GIT_REF', new Secret('change')],
      ['GREETING', new Secret('hello there')],
    ]),
  )
  expect(masks.redact('Nothing was changed: hello there')).toBe('Nothing was changed: ***')
})
