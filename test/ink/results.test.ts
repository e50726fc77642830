import { describe, expect, it } from 'vitest'
import { costPerDay, mebibytes } from '../../src/ink/account.ts'
import { classifyToolError } from '../../src/ink/errors.ts'
import { zonesSchema } from '../../src/ink/resources.ts'
import { readResult, repositorySlug, serviceSchema } from '../../src/ink/results.ts'

const g1 = {
  service_id: 's1',
  name: 'web',
  project: 'default',
  repo: 'ann/web-x1y2',
  branch: 'ink/production/abc',
  status: 'active',
  url: 'https://web.ml.ink',
  deploy_logs: ['one', 'two'],
  env_vars: [{ key: 'fooBar', value: '1' }],
}

describe('a service reads the same in every generation', () => {
  it('snake_case with a url', () => {
    expect(readResult(serviceSchema, g1, 'get_service')).toMatchObject({
      id: 's1',
      branch: 'ink/production/abc',
      url: 'https://web.ml.ink',
      deployLogs: ['one', 'two'],
      env: { fooBar: '1' },
    })
  })

  it('a custom domain as an object, or as a name with its status beside it', () => {
    const read = (more: object) => readResult(serviceSchema, { ...g1, ...more }, 'get_service').customDomain
    expect(read({ custom_domain: { domain: 'a.example', status: 'active' } })).toMatchObject({ domain: 'a.example' })
    expect(read({ customDomain: 'a.example', customDomainStatus: 'pending' })).toMatchObject({
      domain: 'a.example',
      status: 'pending',
    })
    expect(read({ customDomain: '', customDomainStatus: null })).toBeUndefined()
  })

  it('a zone with the records that its delegation still lacks, where the server tells them', () => {
    const record = { host: 'example.com', type: 'NS', value: 'ns1.ml.ink', verified: false }
    const dnsRecords = [record, { ...record, value: 'ns2.ml.ink', verified: true }]
    const [zone] = readResult(zonesSchema, { zones: [{ zone: 'example.com', status: 'pending', dnsRecords }] }, 'zones')
    expect(zone?.toSet).toEqual([record])
  })

  it('camelCase with ports, and variables as an object whose names are left alone', () => {
    const g2 = {
      serviceId: 's1',
      name: 'web',
      status: 'running',
      commitHash: 'abc',
      ports: [{ name: 'http', port: '8080', publicEndpoint: 'web.ml.ink' }],
      envVars: { fooBar: '1' },
      deployLogs: 'one\ntwo\n',
    }
    expect(readResult(serviceSchema, g2, 'service_get')).toMatchObject({
      id: 's1',
      commitHash: 'abc',
      url: 'https://web.ml.ink',
      deployLogs: ['one', 'two'],
      env: { fooBar: '1' },
    })
  })

  it('without variables asked for, none are known: that is not the same as having none', () => {
    expect(readResult(serviceSchema, { ...g1, env_vars: undefined }, 'get_service').env).toBeUndefined()
    expect(readResult(serviceSchema, { ...g1, env_vars: [] }, 'get_service').env).toEqual({})
  })

  it('an answer without a status is refused by name, never guessed', () => {
    expect(() => readResult(serviceSchema, { name: 'web' }, 'get_service')).toThrow(/get_service.*status/)
  })
})

describe('the platform’s error texts are classified', () => {
  it.each([
    ['service not found: web in project default', 'service-not-found'],
    ["repo 'web' not found in project 'default'. Create it first with create_repo", 'repository-not-found'],
    [
      'failed to start deployment: service "web" already exists in this project; use update_service to change its config',
      'name-taken',
    ],
    ['service updated but redeploy failed: workflow is busy', 'redeploy-failed'],
    ['failed to start deployment: unknown region "mars"', 'region'],
    ['region "eu-west-9" is not available (status=drained)', 'region'],
    ['invalid build_pack: x. Valid options: railpack, dockerfile', 'invalid-argument'],
    ['publish_directory is only supported with build_pack=railpack', 'invalid-argument'],
    ['repo belongs to another user', 'foreign-repository'],
    ['not authenticated', 'not-authenticated'],
    ['service limit reached (5): upgrade your plan', 'quota'],
    ['something else entirely', 'other'],
  ])('%s', (text, reason) => {
    expect(classifyToolError(text)).toBe(reason)
  })
})

describe('prices', () => {
  it('the default size costs what the rates say', () => {
    const perDay = costPerDay({ memory: undefined, vcpus: undefined }, { vcpuMinute: 0.000393, gbMinute: 0.000161 })
    expect(perDay).toBeCloseTo(1440 * (0.5 * 0.000393 + 0.25 * 0.000161), 10)
  })

  it('a rate of 0 hides the estimate', () => {
    expect(costPerDay({ memory: '1Gi', vcpus: '1' }, { vcpuMinute: 0, gbMinute: 1 })).toBeUndefined()
  })

  it('memory is read in either unit', () => {
    expect(mebibytes('2Gi')).toBe(2048)
    expect(mebibytes('512Mi')).toBe(512)
  })
})

it('the slug is taken from the remote, without its credentials', () => {
  expect(repositorySlug('https://x-git-token:word@git.example/ann/web-x1y2.git')).toBe('ann/web-x1y2')
})
