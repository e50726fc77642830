import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  databaseName,
  deploymentBranch,
  environmentName,
  environmentNameProblem,
  nameIn,
  parseDeploymentBranch,
  parseServiceName,
  previewName,
  previewNumber,
  readTarget,
  serviceName,
  targetName,
} from '../../src/plan/names.ts'
import { markVariables } from '../../src/plan/variables.ts'
import { headSha, revealed } from './plan-inputs.ts'

const owner = fc.stringMatching(/^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}$/)
const repo = fc.stringMatching(/^[A-Za-z0-9._-]{1,100}$/).filter((name) => !/^\.+$/.test(name))
const repositories = fc.record({ owner, name: repo })
/** Few letters and short parts, so that names come close to one another. */
const similar = fc.record({
  owner: fc.stringMatching(/^a(-?[ab]){0,3}$/),
  name: fc.stringMatching(/^[ab._-]{1,4}(-pr-1)?$/).filter((name) => !/^\.+$/.test(name)),
})
const numbers = fc.integer({ min: 1, max: 999_999_999 })
const label = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

function expectLabel(name: string): void {
  expect(name).toMatch(label)
  expect(name.length).toBeLessThanOrEqual(63)
}

describe('the service of a repository', () => {
  test('is called after owner and repository', () => {
    expect(serviceName(undefined, { owner: 'acme', name: 'web' })).toBe('acme-web')
    expect(serviceName(undefined, { owner: 'Acme', name: 'Web' })).toBe('acme-web')
    expect(serviceName(undefined, { owner: 'octo-org', name: 'my-site' })).toBe('octo-org--my-site')
    expect(serviceName('shop', { owner: 'acme', name: 'web' })).toBe('shop')
  })

  test('is always a DNS label, and so are its previews and databases', () => {
    fc.assert(
      fc.property(repositories, numbers, (repository, number) => {
        const base = serviceName(undefined, repository)
        const preview = previewName(base, number)
        for (const name of [base, preview, databaseName(base), databaseName(preview)]) expectLabel(name)
      }),
    )
  })

  test('has a database whose name the platform allows, and shares it with no other service', () => {
    fc.assert(
      fc.property(repositories, numbers, numbers, (repository, one, other) => {
        const base = serviceName(undefined, repository)
        const named = [base, previewName(base, one), previewName(base, other)]
        for (const name of named.map(databaseName)) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]{1,49}$/)
        expect(new Set(named.map(databaseName)).size).toBe(new Set(named).size)
      }),
    )
  })

  test.each([
    ['ordinary names', repositories],
    ['names that are nearly the same', similar],
  ])('no two pull requests or repositories share a name: %s', (_, arbitrary) => {
    const target = fc.option(fc.oneof(fc.constant(1), numbers), { nil: undefined })
    const pair = fc.record({ repository: arbitrary, target })
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        const key = ({ repository, target: number }: typeof one) =>
          `${repository.owner}/${repository.name}#${number ?? ''}`.toLowerCase()
        fc.pre(key(one) !== key(other))
        expect(nameOf(one)).not.toBe(nameOf(other))
      }),
      { numRuns: 1000 },
    )
  })

  test('is not that of another repository’s preview', () => {
    const preview = previewName(serviceName(undefined, { owner: 'acme', name: 'web' }), 1)
    const lookalike = serviceName(undefined, { owner: 'acme', name: 'web-pr-1' })
    expect(lookalike).toMatch(/^acme-web-pr-1-[a-p][0-9a-f]{7}$/)
    expect(lookalike).not.toBe(preview)
  })

  test('is the same on every run', () => {
    const long = { owner: 'a-very-long-organisation-name', name: 'an-even-longer-repository-name-than-that.github.io' }
    expect(serviceName(undefined, long)).toBe('a-very-long-organisation-name--an-even-longer-reposito-ga318b42')
    expect(previewName(serviceName(undefined, long), 4711)).toMatch(/^a-very-long-.*-pr-4711$/)
  })
})

function nameOf({ repository, target }: { repository: { owner: string; name: string }; target: number | undefined }) {
  const base = serviceName(undefined, repository)
  return target === undefined ? base : previewName(base, target)
}

describe('a preview’s name', () => {
  test('ends in the number of its pull request, however long the service’s name', () => {
    expect(previewName('acme-web', 12)).toBe('acme-web-pr-12')
    expect(previewName('x'.repeat(63), 12)).toMatch(/^x{48}-[a-p][0-9a-f]{7}-pr-12$/)
  })

  test('leads back to the pull request, and nobody else’s name does', () => {
    fc.assert(
      fc.property(repositories, numbers, (repository, number) => {
        const base = serviceName(undefined, repository)
        expect(previewNumber(base, previewName(base, number))).toBe(number)
        expect(previewNumber(base, base)).toBeUndefined()
        expect(previewNumber(base, `${base}-other-pr-${number}`)).toBeUndefined()
      }),
    )
  })

  test('is not cut in the middle of two words joined by a hyphen', () => {
    const base = `${'a'.repeat(47)}-${'b'.repeat(15)}`
    expect(previewName(base, 12)).not.toContain('--')
  })
})

describe('a name given by the workflow', () => {
  test.each([
    ['Shop', 'shop'],
    ['@acme/web', 'acme-web'],
    ['my_app', 'my-app'],
    ['a--b', 'a--b'],
  ])('%s becomes %s', (given, name) => {
    expect(parseServiceName(given)).toEqual({ value: name })
  })

  test.each(['---', '日本', 'web-pr-3'])('%s is refused', (given) => {
    expect(parseServiceName(given)).toHaveProperty('allowed')
  })
})

test('a branch names target and source commit, and the tree where it is not the commit’s own', () => {
  expect(deploymentBranch(targetName('acme-web', undefined), headSha)).toBe(`ink/production/acme-web/${headSha}`)
  expect(deploymentBranch(targetName('acme-web-pr-12', 12), headSha, 'abcdef01')).toBe(
    `ink/pr-12/acme-web-pr-12/${headSha}-abcdef01`,
  )
  expect(environmentName(12)).toBe('preview')
  expect(environmentName(undefined)).toBe('production')
})

test('the marks of ownership are there even without facts about the commit', () => {
  const of = { repository: 'acme/web', pullRequest: 12, sha: headSha, ref: 'feature' }
  expect(revealed(markVariables(of, false))).toEqual({
    INK_MANAGED_BY: 'ink-deploy',
    INK_GIT_REPOSITORY: 'acme/web',
    INK_GIT_PULL_REQUEST: '12',
  })
  expect(revealed(markVariables({ ...of, pullRequest: undefined }, true))).toEqual({
    INK_MANAGED_BY: 'ink-deploy',
    INK_GIT_REPOSITORY: 'acme/web',
    INK_ENVIRONMENT: 'production',
    INK_GIT_COMMIT_SHA: headSha,
    INK_GIT_REF: 'feature',
  })
})

test('an environment that the file names: names, databases and branches of its own, and never a preview', () => {
  expect(nameIn(undefined, 'acme-web')).toBe('acme-web')
  expect(nameIn('staging', 'acme-web')).toBe('acme-web-staging')
  const long = nameIn('staging', 'a'.repeat(63))
  expect(long).toMatch(/^a{46}-[a-z0-9]{8}-staging$/)
  expect(previewNumber('acme-web', nameIn('staging', 'acme-web'))).toBeUndefined()
  expect(environmentNameProblem('pr-12')).toBeDefined()
  const branch = deploymentBranch(targetName('acme-web-staging', undefined, 'staging'), 'a'.repeat(40))
  expect(branch).toBe(`ink/env-staging/acme-web-staging/${'a'.repeat(40)}`)
  const target = parseDeploymentBranch(branch)?.target ?? ''
  expect(readTarget(target)).toEqual({ pullRequest: undefined, serviceName: 'acme-web-staging' })
})
