import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { innermostReason } from '../../src/core/errors.ts'
import { costPerDay, mebibytes } from '../../src/ink/account.ts'
import { classifyToolError } from '../../src/ink/errors.ts'
import {
  gitAccessSchema,
  readResult,
  repositorySlug,
  serviceSchema,
  servicesSchema,
  zonesSchema,
} from '../../src/ink/results.ts'

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

describe('a field that nobody needs fails nothing', () => {
  const read = (more: object) => readResult(serviceSchema, { ...g1, ...more }, 'get_service')

  it('a variable without a value is an empty one', () => {
    const env_vars = [{ key: 'FLAG' }, { key: 'NONE', value: null }, { key: 'PORT', value: 80 }]
    expect(read({ env_vars }).env).toEqual({ FLAG: '', NONE: '', PORT: '80' })
    expect(read({ env_vars: { FLAG: null } }).env).toEqual({ FLAG: '' })
  })

  it('variables of which one is not understood are not known at all, so that none gets lost in an update', () => {
    expect(
      read({
        env_vars: [
          { key: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      }).env,
    ).toBeUndefined()
  })

  it('whatever stands in any field but the name and the status', () => {
    const others = Object.keys(serviceSchema.in.shape).filter((key) => !['name', 'status'].includes(key))
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...others), fc.anything()), (junk) => {
        expect(read(junk)).toMatchObject({ name: 'web', status: 'active' })
      }),
      { numRuns: 2_000 },
    )
  })

  it('a list loses those of its entries that have no name, and nothing else', () => {
    const services = [{ name: 'web', status: 7, url: 'javascript:alert(1)' }, { status: 'active' }, null, 'x']
    const [only, ...rest] = readResult(servicesSchema, { services }, 'list_services')
    expect(only).toMatchObject({ name: 'web', status: undefined, url: undefined })
    expect(rest).toEqual([])
  })

  it('no list is not an empty one, but null is, as Go writes it', () => {
    expect(readResult(servicesSchema, { services: null }, 'list_services')).toEqual([])
    for (const answer of [{}, { services: 'none' }])
      expect(() => readResult(servicesSchema, answer, 'list_services')).toThrow(/list_services.*services: is missing/)
  })
})

describe('an address that the platform tells', () => {
  it.each([
    'https://user:secret@web.ml.ink',
    'ftp://web.ml.ink',
    'javascript:alert(1)',
    'https://web.ml.ink/\n::error::x',
    'https://web.ml.ink/"><img src=x>',
    'https://web.ml.ink/](https://evil.example)',
    'https://web.ml.ink/\u202e',
    'https://',
  ])('is not taken when it is %j', (url) => {
    expect(readResult(serviceSchema, { ...g1, url }, 'get_service').url).toBeUndefined()
  })

  it('is not taken when it is longer than any honest one', () => {
    const url = `https://web.ml.ink/${'x'.repeat(3000)}`
    expect(readResult(serviceSchema, { ...g1, url }, 'get_service').url).toBeUndefined()
  })

  it('is the next best one that can be taken', () => {
    const more = { url: 'javascript:alert(1)', fqdn: 'web.ml.ink' }
    expect(readResult(serviceSchema, { ...g1, ...more }, 'get_service').url).toBe('https://web.ml.ink')
  })

  it('of a repository is a URL, or the answer is refused in words', () => {
    const read = (git_remote: string) => readResult(gitAccessSchema, { git_remote }, 'get_git_token')
    expect(read('https://x-git-token:word@git.example/ann/web-x1y2.git').remote).toContain('ann/web-x1y2')
    for (const bad of ['nowhere', 'ext::sh -c id', 'file:///etc', 'https://git.example/a\nb'])
      expect(() => read(bad)).toThrow(/get_git_token.*is not the http address of a repository/)
  })
})

describe('the reason of a failure is the innermost', () => {
  const activity = 'activity error (type: CloneRepo, scheduledEventID: 5, startedEventID: 6, identity: 7@worker@)'
  const reason = 'git clone failed: exit status 128\noutput: fatal: unable to access (again)\n'
  const wrapped = `${activity}: ${reason} (type: wrapError, retryable: true): exit status 128 (type: ExitError, retryable: true)`
  const child = 'child workflow execution error (type: BuildServiceWorkflow, workflowID: build-1, initiatedEventID: 11)'

  it.each([
    [`${child}: clone failed: ${wrapped} (type: wrapError, retryable: true): ${wrapped}`, reason.trim()],
    [
      `${activity}: dockercompose build pack is not supported on k8s (type: BuildError, retryable: false)`,
      'dockercompose build pack is not supported on k8s',
    ],
    ['the container exited with code 1 (see the log)', 'the container exited with code 1 (see the log)'],
    [`the build failed: ${activity}: `, 'the build failed:'],
  ])('case %#', (text, innermost) => {
    expect(innermostReason(text)).toBe(innermost)
  })

  it('and is all that a service is told with', () => {
    const service = readResult(serviceSchema, { ...g1, error_message: wrapped }, 'get_service')
    expect(service).toMatchObject({ errorMessage: reason.trim() })
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
    [
      'failed to create service record: ERROR: duplicate key value violates unique constraint "services_project_id_name_key" (SQLSTATE 23505)',
      'name-taken',
    ],
    ['duplicate key value violates unique constraint "idx_internal_repos_project_name"', 'name-taken'],
    [
      'service updated but redeploy failed: ERROR: duplicate key value violates unique constraint "idx_deployments_one_inflight"',
      'in-flight',
    ],
    ["failed to create resource: resource with name 'db1' already exists", 'name-taken'],
    ['repo belongs to another user', 'not-our-repository'],
    ['not authenticated', 'not-authenticated'],
    ['service limit reached (5): upgrade your plan', 'quota'],
    ['something else entirely', 'other'],
  ])('%s', (text, reason) => {
    expect(classifyToolError(text)).toBe(reason)
  })
})

describe('prices', () => {
  it('the default size costs what the rates say', () => {
    const perDay = costPerDay({ memory: '256Mi', vcpus: '0.5' }, { vcpuMinute: 0.000393, gbMinute: 0.000161 })
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
