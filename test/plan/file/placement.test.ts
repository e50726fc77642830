import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseInkFile } from '../../../src/plan/file/ink-file.ts'
import { compareWithFile, nameNow, placeServices } from '../../../src/plan/file/placement.ts'
import { databaseName, previewName, previewNumber } from '../../../src/plan/names.ts'

const shop = { owner: 'acme', name: 'shop' }

function place(text: string, repository = shop) {
  const parsed = parseInkFile(text, 'ink.yml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const { file } = parsed
  const { placed, problems } = placeServices(file.services, repository, (key) =>
    file.written('service', key, 'production'),
  )
  return { names: Object.fromEntries(placed.map(({ key, name }) => [key, name])), placed, problems }
}

describe('the names of several services', () => {
  it('are the repository’s with their own, but for the main one, which keeps the repository’s alone', () => {
    expect(place('services: { web: {}, api: {} }').names).toEqual({ web: 'acme-shop', api: 'acme-shop-api' })
    expect(place('services: { shop: {}, api: {} }').names).toEqual({ shop: 'acme-shop', api: 'acme-shop-api' })
    expect(place('services: { app: {}, api: {} }').names).toEqual({ app: 'acme-shop-app', api: 'acme-shop-api' })
  })

  it('do not depend on what else the file has, or on its order', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(names, fc.constantFrom('a', 'web', 'shop', 'api'), (others, key) => {
        const alone = place(`services: { ${key}: {}, z-other: {} }`).names[key]
        const keys = [...others.filter((other) => other !== key), key]
        expect(place(`services: { ${keys.map((one) => `${one}: {}`).join(', ')} }`).names[key]).toBe(alone)
      }),
    )
  })

  it('may be given, and are refused where two would be one', () => {
    expect(place('services: { app: { name: acme-shop }, api: {} }').names.app).toBe('acme-shop')
    expect(place('services:\n  web: {}\n  shop: {}\n').problems).toEqual([
      'ink.yml:3:3: services.shop: would be called acme-shop, as web is; give it a name of its own, services.shop.name',
    ])
    expect(place('services: { a: { name: x-pr-3 }, b: {} }').problems).toEqual([
      expect.stringMatching(/^ink\.yml:1:24: services\.a\.name: must be a name that does not end in -pr-/),
    ])
  })

  it('tell apart services, previews and databases, however long the repository is called', () => {
    const long = { owner: 'a-company-with-a-long-name', name: 'a-repository-with-a-name-that-is-longer-still' }
    const keys = ['api', 'api-2', 'search-engine-of-the-public-catalogue', 'search-engine-of-the-public-catalog']
    const { names } = place(`services: { ${keys.map((key) => `${key}: {}`).join(', ')} }`, long)
    const all = Object.values(names).flatMap((name) => [
      name,
      ...[1, 12].flatMap((number) => {
        expect(previewNumber(name, previewName(name, number))).toBe(number)
        return [previewName(name, number), databaseName(previewName(name, number))]
      }),
      databaseName(name),
    ])
    expect(new Set(all).size).toBe(all.length)
    for (const name of all) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/)
  })
})

describe('what runs, held against the file', () => {
  const { placed } = place('services:\n  app: {}\n  api: {}\n')
  const compare = (running: readonly [name: string, key?: string][], removes = false, of = placed) =>
    compareWithFile(
      running.map(([name, key]) => ({ name, key, madeNow: name })),
      of,
      removes,
    )

  it('has what the file has no more', () => {
    const { problems, orphans } = compare([
      ['acme-shop-app', 'app'],
      ['acme-shop-api', 'api'],
      ['acme-shop-old', 'old'],
    ])
    expect(problems).toEqual([])
    expect(orphans.map(({ name }) => name)).toEqual(['acme-shop-old'])
  })

  it('asks which one a service is that was there before there were several', () => {
    const { problems, orphans } = compare([['acme-shop']])
    expect(problems).toEqual([
      expect.stringMatching(
        /^ink\.yml:2:3: services\.app: acme-shop was made before .* services\.NAME\.name: acme-shop,/,
      ),
    ])
    expect(orphans).toEqual([])
    const named = place('services: { app: { name: acme-shop }, api: {} }').placed
    expect(compare([['acme-shop']], false, named)).toEqual({ problems: [], orphans: [] })
    expect(compare([['acme-shop']], true)).toMatchObject({ problems: [], orphans: [{ name: 'acme-shop' }] })
  })

  it('never gives the address of one to another, and makes none twice', () => {
    const swapped = place('services: { app: { name: acme-shop-api }, api: { name: acme-shop-app } }').placed
    const now: readonly [string, string][] = [
      ['acme-shop-app', 'app'],
      ['acme-shop-api', 'api'],
    ]
    expect(compare(now, false, swapped).problems).toHaveLength(2)
    const renamed = place('services: { app: { name: other }, api: {} }').placed
    expect(compare(now, false, renamed).problems).toEqual([
      expect.stringContaining('acme-shop-app runs it, and from now on it would be other; to keep it write'),
    ])
  })

  it('knows those of a repository that was transferred under the names that they keep', () => {
    const before = { owner: 'first', name: 'shop' }
    const now = (name: string, key?: string, number?: number) => nameNow({ name, key, number }, shop, before)
    expect(now('first-shop-api', 'api')).toBe('acme-shop-api')
    expect(now('first-shop')).toBe('acme-shop')
    expect(now('first-shop-api-pr-3', 'api', 3)).toBe('acme-shop-api-pr-3')
    expect(now('given', 'api')).toBe('given')
    const running = [
      { name: 'first-shop-app', key: 'app', madeNow: now('first-shop-app', 'app') },
      { name: 'first-shop-api', key: 'api', madeNow: now('first-shop-api', 'api') },
    ]
    expect(compareWithFile(running, placed, true)).toEqual({ problems: [], orphans: [] })
  })

  it('leaves what no file made alone where the file has a single service', () => {
    const single = [{ key: 'app', name: 'acme-shop', label: 'ink.yml:2:3: services.app' }]
    expect(compare([['acme-shop'], ['acme-docs']], true, single)).toEqual({ problems: [], orphans: [] })
    expect(compare([['acme-shop'], ['acme-shop-api', 'api']], true, single).orphans).toHaveLength(1)
  })
})
