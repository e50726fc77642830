// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseInkFile } from '../../../src/plan/file/ink-file.ts'
import { parseSettings } from '../../../src/plan/settings.ts'
import { anyCharacter } from '../../support/any-character.ts'
import { rawInputs } from '../plan-inputs.ts'

/** The problems of a file, as `line:column text`. */
function problemsOf(text: string): string[] {
  const parsed = parseInkFile(text, 'ink.yml')
  return parsed.ok ? [] : parsed.problems.map(({ line, column, text: what }) => `${line}:${column} ${what}`)
}

/** What the settings of the one service come to, or what is wrong with them. */
function settingsOfFile(text: string, environment: 'preview' | 'production' = 'production', raw = rawInputs()) {
  const parsed = parseInkFile(text, 'ink.yml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const [service] = parsed.file.services
  return parseSettings(raw, {
    written: (name) => parsed.file.written(name, service?.name, environment),
    ...(service ? { variables: service.variables } : {}),
  })
}

function read(text: string, environment?: 'preview' | 'production', raw = rawInputs()) {
  const parsed = settingsOfFile(text, environment, raw)
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  return parsed.settings
}

const whole = `
services:
  web:
    root: apps/web
    watch: [packages/ui/**, "!**/*.md"]
    build: { pack: railpack, command: npm run build, publish: dist }
    start: node server.js
    port: 3000
    size: { memory: 512Mi, vcpus: 0.5 }
    health: { path: /healthz }
    env:
      GREETING: hello
    domain: app.example.com
    database: { type: sqlite, seed: db/seed.sql }
    preview: { domain: "pr-{number}.preview.example.com", size: { memory: 256Mi }, env: { DEMO: 1 } }
previews: { label: preview, drafts: false, max: 5, ttl: 3d }
`

describe('a file with one service', () => {
  it('gives the service its settings', () => {
    const settings = read(whole)
    expect(settings.build).toMatchObject({
      rootDirectory: 'apps/web',
      buildPack: 'railpack',
      buildCommand: 'npm run build',
      publishDirectory: 'dist',
      startCommand: 'node server.js',
      port: 3000,
      memory: '512Mi',
      vcpus: '0.5',
    })
    expect(settings.health).toMatchObject({ kind: 'http', path: '/healthz' })
    expect(settings.domain).toBe('app.example.com')
    expect(settings.database).toMatchObject({ type: 'sqlite', seed: 'db/seed.sql' })
    expect(settings).toMatchObject({ previewLabel: 'preview', previewDrafts: false, maxPreviews: 5 })
  })

  it('counts its own directory and the file itself as a change, where it says what else does', () => {
    expect(read(whole).paths).toEqual(['ink.yml', 'apps/web/**', 'packages/ui/**', '!**/*.md'])
    expect(read('services: { web: { root: apps/web } }').paths).toBeUndefined()
  })

  it('may give previews another size', () => {
    expect(read(whole, 'preview').build).toMatchObject({ memory: '256Mi', vcpus: '0.5' })
  })

  it('gives way to what the workflow says, but not to the defaults that the runner fills in', () => {
    const raw = { ...rawInputs(), memory: '1024Mi', 'health-path': '/' }
    expect(read(whole, 'production', raw)).toMatchObject({
      build: { memory: '1024Mi' },
      health: { path: '/healthz' },
    })
  })

  it('need not say anything', () => {
    for (const text of ['', '# nothing yet\n', 'previews: { max: 2 }']) expect(problemsOf(text)).toEqual([])
    expect(read('').build).toEqual(
      read('services: { web: { start: x } }').build.port === undefined ? read('').build : 0,
    )
  })
})

describe('what is wrong in a file', () => {
  it('is said all at once, each with line and column, what is allowed and the nearest key', () => {
    expect(
      problemsOf('services:\n  web:\n    heath:\n      path: /\n    build: { pak: static }\nprevews: {}\n'),
    ).toEqual([
      expect.stringMatching(
        /^3:5 there is no key "heath" in services\.web; did you mean health\? \(allowed: .*health.*\)$/,
      ),
      expect.stringMatching(/^5:14 there is no key "pak" in services\.web\.build; did you mean pack\? \(allowed: /),
      expect.stringMatching(
        /^6:1 there is no key "prevews" here; did you mean previews\? \(allowed: services, previews, environments, prices\)$/,
      ),
    ])
  })

  it('names the place where a key of another place, or an input, belongs', () => {
    expect(problemsOf('services: { web: { memory: 512Mi, health-path: /x } }')).toEqual([
      expect.stringContaining('it belongs to services.NAME.size.memory'),
      expect.stringContaining('it belongs to services.NAME.health.path'),
    ])
  })

  it('opens a bad value with file, line, column and key', () => {
    const parsed = settingsOfFile('services:\n  web:\n    port: 70000\n    size: { memory: 3Gi }\n')
    expect(parsed).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([
        expect.stringMatching(/^ink\.yml:3:11: services\.web\.port: must be .*"70000"$/),
        expect.stringMatching(/^ink\.yml:4:21: services\.web\.size\.memory: must be .*"3Gi"$/),
      ]),
    })
  })

  it.each([
    ['a: [', /is not valid YAML/],
    ['services:\n  web: {}\n  web: {}\n', /^3:3 is not valid YAML: .*unique/],
    ['- a\n', /^1:1 must be a mapping/],
    ['services: { web: { port: } }', /^1:20 services\.web\.port: has no value/],
    ['services: { web: { port: [1] } }', /^1:26 services\.web\.port: must be a single value/],
    ['services: { web: { watch: { a: b } } }', /services\.web\.watch: must be a list/],
    ['services: { web: { env: [A=b] } }', /services\.web\.env: must be a mapping of variables/],
    ['services: { web: { env: { 1A: b } } }', /services\.web\.env\.1A: a variable has letters/],
    ['services: { web: { env: { INK_MANAGED_BY: me } } }', /is a mark of this action/],
    ['services: { Web_1: { port: 1 } }', /^1:13 services: a name has a to z.*"Web_1"/],
    ['services: { web-pr-3: { port: 1 } }', /no preview’s/],
    ['services: { web: &a { port: 1 } }\nprices: *a\n', /aliases \(\*name\) are not followed/],
  ])('is found in %j', (text, expected) => {
    expect(problemsOf(text).join('\n')).toMatch(expected)
  })
})

describe('references', () => {
  const env = (value: string) => `services: { web: { env: { A: '${value}' } } }`

  it.each([
    ['${secret.KEY}', /"\$\{secret\.KEY\}" is no reference; there are \$\{secrets\.NAME\}/],
    ['${services.wbe.url}', /there is no service "wbe"; did you mean web\?/],
    ['${services.web.ulr}', /a service has url, host, .* but no "ulr"; did you mean url\?/],
    ['${environment', /lacks its closing brace/],
    ['${}', /is no reference/],
  ])('such as %j is refused with its place', (value, expected) => {
    expect(problemsOf(env(value)).join('\n')).toMatch(expected)
    expect(problemsOf(env(value))[0]).toMatch(/^1:30 services\.web\.env\.A: /)
  })

  it('are nothing but ${…} and $$', () => {
    const { file } = read(env('$HOME $5 {x} a$b')).environment
    expect(file.shared.get('A')?.template).toEqual(['$HOME $5 {x} a$b'])
    expect(read(env('$${environment} costs $$5')).environment.file.shared.get('A')?.template.join('')).toBe(
      '${environment} costs $5',
    )
  })
})

describe('a service without previews', () => {
  const file = (reference: string, more = '') =>
    `services:\n  web: { env: { A: "${reference}" }${more} }\n  search: { preview: false, database: { type: sqlite } }\n`

  it('says so with false, where others say how their previews differ', () => {
    const parsed = parseInkFile(file('x'), 'ink.yml')
    expect(parsed.ok && parsed.file.services.map(({ name, hasPreviews }) => [name, hasPreviews])).toEqual([
      ['web', true],
      ['search', false],
    ])
    expect(problemsOf('services: { web: { preview: no-thanks } }').join()).toMatch(
      /^1:29 services\.web\.preview must be false, or a mapping with /,
    )
  })

  it('hands its address to the previews of others, and its database to none', () => {
    expect(problemsOf(file('${services.search.url} ${services.search.host}'))).toEqual([])
    expect(problemsOf(file('${services.search.database.url}'))).toEqual([
      '2:20 services.web.env.A: search has no previews (preview: false), and a preview must not use production’s database; its url and host are there for all',
    ])
    expect(problemsOf(file('${services.search.database.url}', ', preview: { env: { A: none } }'))).toEqual([])
    expect(problemsOf(file('${services.search.database.url}', ', preview: false'))).toEqual([])
  })
})

describe('any text at all', () => {
  const words = ['services', 'web', 'build', 'pack', 'env', 'health', 'path', 'previews', 'max', 'size', 'watch', 'A']
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom('static', '3000', '${environment}', '${x}', '', 'null', '512Mi', '/'),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })), tie('value'), { maxKeys: 5 }),
    ),
  })).value

  const decided = (text: string) => {
    const parsed = parseInkFile(text, 'ink.yml')
    const lines = text.split('\n').length
    if (!parsed.ok) {
      expect(parsed.problems.length).toBeGreaterThan(0)
      for (const { line, column } of parsed.problems) {
        expect(line).toBeGreaterThan(0)
        expect(line).toBeLessThanOrEqual(lines + 1)
        expect(column).toBeGreaterThan(0)
      }
      return
    }
    const settings = settingsOfFile(text)
    if (settings.ok) return
    for (const problem of settings.problems) expect(problem).toMatch(/^ink\.yml:\d+:\d+: /)
  }

  it('either is refused with a place or gives settings', () => {
    fc.assert(fc.property(fc.string({ unit: anyCharacter, maxLength: 300 }), decided), { numRuns: 300 })
    fc.assert(
      fc.property(tree, (value) => decided(JSON.stringify(value))),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(tree, (value) => decided(JSON.stringify({ services: { web: value }, previews: value }))),
      { numRuns: 500 },
    )
  })

  it('is read in a time that follows its length, however deep it is', () => {
    decided('['.repeat(50_000))
    decided('{a: '.repeat(20_000))
    decided(`a: ${'x'.repeat(199_000)}`)
    decided('x'.repeat(300_000))
  })
})

describe('environments of branches', () => {
  const withEnvironments = (text: string) => `services: { web: {} }\nenvironments:\n${text}\n`

  it('name a branch, and may lay variables over those of all services', () => {
    const parsed = parseInkFile(
      withEnvironments('  staging: develop\n  qa: { branch: release/next, env: { LEVEL: "2" } }'),
      'ink.yml',
    )
    expect(parsed.ok && parsed.file.environments).toMatchObject([
      { name: 'staging', branch: 'develop', variables: { shared: new Map() } },
      { name: 'qa', branch: 'release/next', variables: { shared: new Map([['LEVEL', { template: ['2'] }]]) } },
    ])
  })

  it.each([
    ['  production: develop', '3:3 environments.production: production is an environment of its own already'],
    ['  pr-1: develop', '3:3 environments.pr-1: the name of an environment'],
    ['  Staging: develop', '3:3 environments.Staging: the name of an environment'],
    [`  ${'x'.repeat(21)}: develop`, '3:3 environments.xxxxxxxxxxxxxxxxxxxxx: the name of an environment'],
    ['  staging: [develop]', '3:12 environments.staging must be a branch, or a mapping with branch, env'],
    ['  staging: { env: { A: b } }', '3:3 environments.staging: lacks its branch; write staging: BRANCH'],
    ['  staging: "a..b"', '3:12 environments.staging.branch: must be'],
    ['  staging: develop\n  qa: develop', '4:7 environments.qa.branch: develop goes to staging already'],
    [
      '  staging: { branch: develop, evn: {} }',
      '3:31 there is no key "evn" in environments.staging; did you mean env?',
    ],
    [
      '  staging: { branch: develop, env: { A: "${services.web.url}" } }',
      '3:41 environments.staging.env.A: is for all services',
    ],
    [
      '  staging: { branch: develop, env: { INK_ENVIRONMENT: x } }',
      '3:38 environments.staging.env.INK_ENVIRONMENT: is a mark',
    ],
    ['  staging:', '3:3 environments.staging: has no value'],
  ])('are refused with their place: %s', (text, problem) => {
    expect(problemsOf(withEnvironments(text))).toContainEqual(expect.stringContaining(problem))
  })
})
