import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { settingTable } from '../../src/plan/setting-table.ts'
import { inputNames, type SettingName } from '../../src/plan/settings.ts'
import { anyCharacter } from '../support/any-character.ts'
import { type Given, parseGiven, problemsOf, settingsOf, testKey } from './plan-inputs.ts'

describe('settings', () => {
  test('of a workflow that gives only a key are the documented defaults', () => {
    const { apiKey, ...settings } = settingsOf()
    expect(apiKey?.reveal()).toBe(testKey)
    expect(settings).toEqual({
      githubToken: undefined,
      command: 'auto',
      config: 'ink.yml',
      service: undefined,
      hasPreviews: true,
      pathsOfAll: undefined,
      project: 'default',
      workspace: undefined,
      productionBranch: undefined,
      directory: undefined,
      exportIgnore: false,
      lfsPointers: 'refuse',
      autoscale: undefined,
      build: {
        buildPack: undefined,
        buildCommand: undefined,
        startCommand: undefined,
        publishDirectory: undefined,
        rootDirectory: undefined,
        dockerfilePath: undefined,
        port: undefined,
        memory: undefined,
        vcpus: undefined,
        region: undefined,
      },
      environment: {
        shared: new Map(),
        preview: new Map(),
        production: new Map(),
        strategy: 'merge',
        file: { shared: new Map(), preview: new Map(), production: new Map() },
        named: new Set(),
        wired: new Map(),
        git: true,
      },
      database: undefined,
      domain: undefined,
      previewDomain: undefined,
      removeDomain: false,
      dnsRecords: undefined,
      timeoutMs: 20 * 60_000,
      health: { kind: 'http', path: '/', statuses: [{ from: 200, to: 399 }], timeoutMs: 2 * 60_000, tolerant: true },
      rollback: true,
      rollbackTo: undefined,
      comment: 'sticky',
      commentHeader: undefined,
      deploymentRecord: 'auto',
      previewLabel: undefined,
      paths: undefined,
      maxPreviews: undefined,
      previewTtlMs: undefined,
      onQuota: 'fail',
      maxCostPerDay: undefined,
      creditsWarning: 1,
      adopt: false,
      removeOrphans: false,
      previewDrafts: true,
      pullRequest: undefined,
      dryRun: false,
      prices: { vcpuMinute: 0.000393, gbMinute: 0.000161 },
      endpoint: 'https://mcp.ml.ink/mcp',
    })
  })

  test('left empty, as an expression without a value leaves them, are the same as not given', () => {
    const empty = Object.fromEntries(inputNames.map((name) => [name, ' ']))
    expect(settingsOf({ ...empty, 'api-key': testKey })).toEqual(settingsOf())
  })

  test('are read, each of them', () => {
    const settings = settingsOf({
      'github-token': ' token ',
      service: 'Shop',
      'build-pack': 'dockerfile',
      'dockerfile-path': './docker//Dockerfile',
      'root-directory': 'apps/web/',
      port: '8080',
      memory: '1Gi',
      vcpus: '1.0',
      timeout: '90s',
      'health-path': 'none',
      'preview-ttl': '7d',
      paths: 'src/**\n!**/*.md\n',
      'health-status': '200, 204',
      domain: 'App.Example.com.',
      'preview-domain': 'PR-{number}.Preview.Example.com',
      rollback: 'False',
      'production-branch': 'refs/heads/release/1.x',
      'max-previews': '5',
      'pr-number': '12',
      'deployment-record': 'false',
      'price-gb-minute': '0',
    })
    expect(settings).toMatchObject({
      service: 'shop',
      build: {
        buildPack: 'dockerfile',
        dockerfilePath: 'docker/Dockerfile',
        rootDirectory: 'apps/web',
        port: 8080,
        memory: '1024Mi',
        vcpus: '1',
      },
      timeoutMs: 90_000,
      health: { kind: 'none' },
      previewTtlMs: 7 * 86_400_000,
      paths: ['src/**', '!**/*.md'],
      domain: 'app.example.com',
      previewDomain: 'pr-{number}.preview.example.com',
      rollback: false,
      productionBranch: 'release/1.x',
      maxPreviews: 5,
      pullRequest: 12,
      deploymentRecord: 'false',
      prices: { vcpuMinute: 0.000393, gbMinute: 0 },
    })
    expect(settings.githubToken?.reveal()).toBe('token')
    expect(settingsOf({ 'health-contains': '{"commit":"{sha}"}' }).health).toMatchObject({
      contains: '{"commit":"{sha}"}',
    })
    for (const said of [{ 'health-path': '/up' }, { 'health-status': '404' }, { 'health-contains': 'x' }])
      expect(settingsOf(said).health).not.toHaveProperty('tolerant')
    for (const files of [{ 'build-pack': 'static' }, { 'publish-directory': 'dist' }, { directory: 'dist' }])
      expect(settingsOf(files).health).not.toHaveProperty('tolerant')
    expect(settingsOf({ 'health-path': 'mcp' }).health).toEqual({ kind: 'mcp', timeoutMs: 120_000 })
    expect(settingsOf({ 'health-path': '/ready?full=1', 'health-status': '200, 204' }).health).toMatchObject({
      path: '/ready?full=1',
      statuses: [
        { from: 200, to: 200 },
        { from: 204, to: 204 },
      ],
    })
  })

  test('show no secret, however they are printed', () => {
    const token = `ghs_${testKey.slice(8, 40)}`
    const settings = settingsOf({ 'github-token': token, env: `PASSWORD=${token}` })
    const printed = [inspect(settings, { depth: 9 }), JSON.stringify(settings), `${settings.apiKey}`].join()
    expect(printed).not.toContain(token)
    expect(printed).not.toContain(testKey)
  })
})

describe('bad inputs', () => {
  test('are reported together, each with its name, its value and what is allowed', () => {
    const problems = problemsOf({
      'api-key': 'sk-wrong',
      command: 'deploy',
      'build-pack': 'nixpacks',
      memory: '300Mi',
      vcpus: '3',
      port: '65536',
      timeout: '20',
      'health-timeout': '-5m',
      env: 'lonely',
      'root-directory': '../other',
      'publish-directory': '/dist',
    })
    expect(problems).toHaveLength(11)
    const of = (name: string) => problems.find((problem) => problem.startsWith(`${name}`))
    expect(of('command:')).toBe(
      'command: must be one of auto, preview, production, teardown, sweep, monitor, rollback, plan, but is "deploy"',
    )
    expect(of('memory:')).toBe('memory: must be one of 128Mi, 256Mi, 512Mi, 1024Mi, 2048Mi, 4096Mi, but is "300Mi"')
    expect(of('vcpus:')).toContain('0.1, 0.25, 0.5, 1, 2, 4, but is "3"')
    expect(of('port:')).toBe('port: must be a whole number from 1 to 65535, but is "65536"')
    expect(of('timeout:')).toContain('such as 90s, 15m or 1h, from 1s to 24h, but is "20"')
    expect(of('root-directory:')).toContain('without .., but is "../other"')
    expect(of('env,')).toContain('line 1: there is no =')
    expect(of('api-key:')).toContain('starts with dk_')
    expect(problems.join('\n')).not.toContain('sk-wrong')
  })

  test.each<[SettingName, string[]]>([
    ['api-key', ['dk_with space', 'DK_x', 'dk_']],
    ['command', ['Preview', 'plan,preview']],
    ['port', ['0', '-1', '80.5', '0x50', '1e3', '٣']],
    ['memory', ['1G', '1024', '0Mi', '1024mi', '8Gi']],
    ['vcpus', ['0', '-1', '1/2', 'one', '500m']],
    ['timeout', ['0s', '90', 'soon', '-1m', '25h', '1y', '1.5', '10ms', '1h30m']],
    ['preview-ttl', ['0d', '366d']],
    ['health-path', ['ready', '//evil.example', '/\\evil.example', '/a b', '/a#b', 'NONE']],
    ['health-status', ['2xx', '99', '600', '399-200', '200-', ',', '200,,204']],
    ['health-contains', ['{commit}', 'sha {SHA}', 'two\nlines', 'x'.repeat(501)]],
    ['lfs-pointers', ['true', 'keep']],
    ['health-timeout', ['2']],
    ['root-directory', ['/srv', 'a/../b', '..', 'C:\\x', 'a\\b', '~/x', 'a\u0000b']],
    ['directory', ['/home/runner/dist', '../dist']],
    ['dockerfile-path', ['/Dockerfile', 'x/../../Dockerfile']],
    ['rollback', ['yes', '1', 'on', 'TrUe']],
    ['git-env', ['no']],
    ['deployment-record', ['yes', 'always']],
    ['comment', ['always']],
    ['on-quota', ['evict']],
    ['max-cost-per-day', ['0', '-1', '$5', '1,50', 'five', '1.00001']],
    ['credits-warning', ['-1', '$1', 'low']],
    [
      'autoscale',
      [
        'true',
        'memory',
        'memory 256Mi',
        'memory 256Mi..',
        'memory 1024Mi..256Mi',
        'memory 256Mi..256Mi',
        'memory 300Mi..1024Mi',
        'memory 256..1024',
        'vcpus 0.5..3',
        'vcpus 2..0.5',
        'disk 1..2',
        'memory 256Mi..512Mi, memory 512Mi..1024Mi',
        'memory 256Mi..512Mi,',
      ],
    ],
    ['env-strategy', ['overwrite']],
    ['database', ['oracle', 'SQLite']],
    [
      'domain',
      ['localhost', 'https://a.example', 'a.example/x', 'a.example:80', '1.2.3.4', '*.a.example', 'a..b', '-a.b'],
    ],
    [
      'preview-domain',
      [
        'preview.example.com',
        '{number}',
        'pr-{number}.example.com/x',
        '{num}.example.com',
        'a.{number}',
        'app.{number}.example.com',
        'pr-{number}.{number}.example.com',
        `${'a'.repeat(55)}{number}.example.com`,
      ],
    ],
    ['remove-domain', ['old.example.com']],
    [
      'endpoint',
      ['mcp.ml.ink', 'http://mcp.ml.ink/mcp', 'https://u:p@mcp.ml.ink', 'file:///x', 'http://127.0.0.1.evil.example/'],
    ],
    ['paths', ['/src/**', '!docs/**', 'src/[ab', '../x/**', './src/**', 'a/../b', 'src/(a']],
    ['production-branch', ['a b', 'a..b', '-x', 'x.lock', 'refs/heads/', 'a~1']],
    ['max-previews', ['0', 'many', '-1']],
    ['pr-number', ['0', '#12', 'twelve']],
    ['price-vcpu-minute', ['free', '-1', '1,5']],
    ['service', ['!!!', 'web-pr-12']],
    ['preview-label', ['two\nlines']],
    ['region', ['eu central!']],
    ['comment-header', ['<!-- ink-deploy:card -->', 'x -->', 'x'.repeat(2001)]],
    ['project', ['a\nb']],
  ])('%s', (name, values) => {
    for (const value of values) {
      const extra: Given = name === 'dockerfile-path' ? { 'build-pack': 'dockerfile' } : {}
      const problems = problemsOf({ ...extra, [name]: value })
      expect(problems, `${name}: ${JSON.stringify(value)}`).toHaveLength(1)
      expect(problems[0]?.startsWith(`${name}: must be `)).toBe(true)
    }
  })

  test('combinations that the platform refuses are refused here', () => {
    expect(problemsOf({ 'publish-directory': 'dist', 'build-pack': 'dockerfile' })).toEqual([
      'publish-directory: works with build-pack railpack or static only, but build-pack is "dockerfile"',
    ])
    expect(problemsOf({ 'publish-directory': 'dist', 'build-pack': 'dockercompose' })).toHaveLength(1)
    expect(problemsOf({ 'dockerfile-path': 'Dockerfile' })).toEqual([
      'dockerfile-path: works with build-pack dockerfile only, but build-pack is not set',
    ])
    for (const path of ['none', 'mcp'])
      expect(problemsOf({ 'health-contains': '{sha}', 'health-path': path })).toEqual([
        `health-contains: works with a path in health-path only, but health-path is "${path}"`,
      ])
    expect(problemsOf({ 'publish-directory': 'dist' })).toEqual([])
    expect(problemsOf({ 'publish-directory': 'dist', 'build-pack': 'static' })).toEqual([])
  })

  test.each([
    ['src', '"src/**"'],
    ['!docs\nsrc/**', '"!docs/**"'],
    ['src/', '“src/**”'],
    ['src/**, lib/**', '“src/**” and “lib/**”'],
  ])('globs that can never match are refused with the right form: %j', (paths, form) => {
    const problems = problemsOf({ paths })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^paths: /)
    expect(problems[0]).toContain(form)
  })

  test('a glob of a file in the root is told from that of a directory by what lies there', () => {
    const parse = (kind: 'file' | 'folder', paths: string) => parseGiven({ paths }, { kindOf: () => kind }).ok
    expect(parse('file', 'gradlew')).toBe(true)
    expect(parse('folder', 'App')).toBe(false)
    expect(problemsOf({ paths: 'Dockerfile\npackage.json\n{api,web}/**' })).toEqual([])
  })

  test('a limit of costs that nothing could be measured by is a problem', () => {
    expect(problemsOf({ 'max-cost-per-day': '5', 'price-gb-minute': '0' })).toEqual([
      'max-cost-per-day: rests on an estimate, but price-gb-minute is 0, which hides it',
    ])
    expect(problemsOf({ 'max-cost-per-day': '5' })).toEqual([])
  })

  test('a value is shown on one line and cut when it is long', () => {
    const [problem] = problemsOf({ command: `x\n::error::${'y'.repeat(500)}` })
    expect(problem).not.toContain('\n')
    expect(problem?.length).toBeLessThan(250)
  })

  test('a missing key is named beside other problems, but only where one can be expected', () => {
    const parse = (given: Given, secretsWithheld: boolean) => {
      const parsed = parseGiven({ 'api-key': '', ...given }, { secretsWithheld })
      return parsed.ok ? 'ok' : parsed.problems
    }
    expect(parse({}, false)).toBe('ok')
    expect(parse({ port: 'x' }, false)).toHaveLength(2)
    expect(parse({ port: 'x' }, true)).toHaveLength(1)
    expect(parse({ port: 'x', command: 'plan' }, false)).toHaveLength(1)
  })

  test('whatever the inputs hold, they are understood or refused with a name', () => {
    const names = Object.keys(settingTable) as SettingName[]
    const input = fc.constantFrom(...names)
    fc.assert(
      fc.property(input, fc.string({ unit: anyCharacter }), (name, value) => {
        for (const problem of problemsOf({ [name]: value })) expect(problem.startsWith(name)).toBe(true)
      }),
    )
  })
})

describe('a setting that is written in a file', () => {
  const written = { web: { build: { pack: 'static' }, port: 3000, watch: ['src/**', '!**/*.md'] } }
  /** What stands in a document under a setting's key, for the service `web`. */
  const at = (document: object) => (name: SettingName) => {
    const path = settingTable[name].key?.replace('services.*', 'web').split('.') ?? []
    const value = path.reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], document)
    if (value === undefined || path.length === 0) return undefined
    return { text: [value].flat().join('\n'), label: `ink.yml: services.${path.join('.')}` }
  }
  const parse = (document: object, given: Given = {}) => parseGiven(given, { written: at(document) })

  test('is found under its key, and the workflow counts more', () => {
    const parsed = parse(written, { 'build-pack': 'railpack' })
    expect(parsed.ok && parsed.settings).toMatchObject({
      build: { buildPack: 'railpack', port: 3000 },
      paths: ['src/**', '!**/*.md'],
    })
  })

  test('is named as it stands there when it is wrong', () => {
    const document = { web: { build: { pack: 'nix', dockerfile: 'Dockerfile' }, database: { seed: 'x.sql' } } }
    const parsed = parse(document)
    expect(parsed.ok ? [] : parsed.problems).toEqual([
      'ink.yml: services.web.build.pack: must be one of railpack, dockerfile, static, dockercompose, but is "nix"',
      'ink.yml: services.web.build.dockerfile: works with build-pack dockerfile only, but build-pack is "nix"',
      'ink.yml: services.web.database.seed: works with database only, which is not set',
    ])
  })
})
