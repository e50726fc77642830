import { afterEach, describe, expect, it } from 'vitest'
import { type InkPlatform, type InkProfile, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { systemClock } from '../../src/core/async.ts'
import { openPlatform } from '../../src/ink/platform.ts'
import { repositorySlug } from '../../src/ink/results.ts'
import { openSession } from '../../src/ink/session.ts'

const signal = new AbortController().signal
let ink: InkPlatform | undefined
let close: (() => Promise<void>) | undefined

afterEach(async () => {
  await close?.()
  await ink?.stop()
})

async function connect(profile: InkProfile, answers: 'json' | 'sse' = 'json') {
  const warnings: string[] = []
  ink = await startInkPlatform({ profile, answers })
  const session = await openSession(
    {
      endpoint: ink.endpoint,
      apiKey: ink.apiKey,
      fetch,
      clock: systemClock,
      random: () => 0.5,
      debug: () => undefined,
    },
    signal,
  )
  close = session.close
  const open = () => openPlatform(session, { project: 'default', workspace: undefined }, (text) => warnings.push(text))
  return { ink, platform: open(), open, warnings }
}

const profiles: readonly InkProfile[] = ['g0', 'g1', 'g1-nested', 'g2', 'mixed', 'unknown-argument']

describe.each(profiles)('a platform of the generation %s', (profile) => {
  it('takes a service from nothing to gone', async () => {
    const { platform, open, ink } = await connect(profile)
    expect(await platform.service('web', {}, signal)).toBeUndefined()
    expect(await platform.gitAccess('web', false, signal)).toBeUndefined()
    const access = await platform.gitAccess('web', true, signal)
    expect(access?.created).toBe(true)
    expect(await platform.gitAccess('web', true, signal)).toEqual({ ...access, created: false })
    expect(await platform.gitAccess('other', false, signal)).toBeUndefined()
    // A later run, which finds it there, asks by another tool.
    const found = await open().gitAccess('web', false, signal)
    expect(found?.created).toBe(false)
    expect(repositorySlug(found?.remote ?? '')).toBe(repositorySlug(access?.remote ?? ''))

    const settings = { port: 3000, memory: '1Gi', vcpus: '1', env: { GREETING: 'hello' } }
    await platform.createService('web', 'web', 'main', settings, signal)
    const made = await platform.service('web', { env: true, deployLogLines: 10 }, signal)
    expect(made).toMatchObject({ name: 'web', env: { GREETING: 'hello' } })
    expect(made?.status).not.toBe('')
    expect(made?.repo).toBe(repositorySlug(access?.remote ?? ''))
    expect((await platform.services(signal)).map(({ name }) => name)).toEqual(['web'])

    const update = () =>
      platform.updateService('web', { branch: 'ink/production/abc', env: { GREETING: 'bye' } }, signal)
    // The oldest servers cannot change a service, and that must be said and not worked around by deleting it.
    if (profile === 'g0') await expect(update()).rejects.toThrow(/no tool to update service/)
    else {
      await update()
      const changed = await platform.service('web', { env: true }, signal)
      expect(changed).toMatchObject({ branch: 'ink/production/abc', env: { GREETING: 'bye' } })
    }

    expect(await platform.deleteService('web', signal)).toBe(true)
    await expect.poll(() => platform.service('web', {}, signal), { timeout: 10_000 }).toBeUndefined()
    expect(await platform.deleteService('web', signal)).toBe(false)
    expect(ink.services()).toEqual([])
  })
})

it('answers that come as server-sent events are read like any others', async () => {
  const { platform } = await connect('g1', 'sse')
  await platform.gitAccess('web', true, signal)
  await platform.createService('web', 'web', 'main', {}, signal)
  expect((await platform.service('web', {}, signal))?.name).toBe('web')
})

it('an argument that the server does not declare is not sent, and said once', async () => {
  const { platform, warnings } = await connect('unknown-argument')
  await platform.gitAccess('web', true, signal)
  const everything = { region: 'eu-central-1', port: 3000, memory: '256Mi', vcpus: '0.5', buildPack: 'static' }
  await platform.createService('web', 'web', 'main', everything, signal)
  expect(warnings.length).toBeGreaterThan(0)
  expect(new Set(warnings).size).toBe(warnings.length)
  expect(warnings.join()).toMatch(/takes no “\w+”/)
})

it('a database is made, found again with its credentials, and deleted once', async () => {
  const { platform } = await connect('g1')
  expect(await platform.database('web-db', signal)).toBeUndefined()
  const made = await platform.createDatabase('web-db', 'sqlite', signal)
  expect(made.url).toMatch(/^(libsql|https?):/)
  expect(await platform.database('web-db', signal)).toMatchObject({ url: made.url, authToken: made.authToken })
  expect(await platform.deleteDatabase('web-db', signal)).toBe(true)
  expect(await platform.deleteDatabase('web-db', signal)).toBe(false)
})

it.each([
  ['g1', '256Mi', '0.5'],
  ['g2', '256Mi', '0.25'],
  ['g0', '256m', '0.5'],
] as const)('the size of what was given none is what the server declares (%s)', async (profile, memory, vcpus) => {
  const { platform } = await connect(profile)
  expect(platform.defaultSize).toEqual({ memory, vcpus })
})

it('what a platform does not offer is known beforehand', async () => {
  const { platform } = await connect('g2')
  expect(platform.offers('createDatabase')).toBe(false)
  expect(platform.canExpire).toBe(true)
  expect(await platform.database('web-db', signal)).toBeUndefined()
})

it.each(['g1', 'g2'] as const)('a domain is attached under a delegated zone (%s)', async (profile) => {
  const { platform, ink } = await connect(profile)
  await platform.gitAccess('web', true, signal)
  await platform.createService('web', 'web', 'main', {}, signal)
  expect(await platform.zones(signal)).toEqual([])
  await expect(platform.addDomain('web', 'www.example.com', signal)).rejects.toThrow(
    /no active hosted zone found for www\.example\.com/,
  )
  ink.delegateZone('example.com')
  expect(await platform.zones(signal)).toEqual([{ zone: 'example.com', status: 'active' }])
  expect(await platform.addDomain('web', 'www.example.com', signal)).toMatchObject({ domain: 'www.example.com' })
})

it.each([
  ['g1', { name: 'acme' }],
  ['g2', undefined],
] as const)('whose key it is, where a tool tells it, and which projects there are (%s)', async (profile, owner) => {
  const { platform } = await connect(profile)
  expect(await platform.account(signal)).toEqual(owner)
  expect((await platform.projects(signal))?.map(({ ref }) => ref)).toEqual(['default'])
})
