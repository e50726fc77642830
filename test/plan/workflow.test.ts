import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { checkWorkflow, parseWorkflow, removalBy, type Workflow, type WorkflowFacts } from '../../src/plan/workflow.ts'

const PATH = '.github/workflows/deploy.yml'

function workflow(text: string, path = PATH): Workflow {
  const parsed = parseWorkflow({ path, text })
  if (parsed === undefined) throw new Error(`It is no workflow:\n${text}`)
  return parsed
}

/** What a job with the recommended settings is held against. */
function facts(changes: Partial<Omit<WorkflowFacts, 'settings'>> & { settings?: object } = {}): WorkflowFacts {
  const environment = { shared: new Map(), preview: new Map(), production: new Map() }
  const unset = { autoscale: undefined, previewLabel: undefined, previewTtlMs: undefined }
  const settings = {
    apiKey: new Secret('dk_test_1'),
    comment: 'sticky',
    deploymentRecord: 'auto',
    environment,
    ...unset,
  }
  const rest = {
    action: undefined,
    job: 'deploy',
    productionBranch: 'main',
    isPrivate: true,
    secretsWithheld: undefined,
  }
  return { ...rest, ...changes, settings: { ...settings, ...changes.settings } } as WorkflowFacts
}

const TYPES = '[opened, reopened, synchronize, closed]'
const GROUP = `\${{ github.workflow }}-\${{ github.event.pull_request.number || github.ref }}`

interface Parts {
  readonly push?: string
  readonly types?: string
  readonly more?: string
  readonly concurrency?: string
  readonly permissions?: string
  readonly inputs?: string
}

/** The README's workflow with parts exchanged. */
function written({
  push = 'branches: [main]',
  types = TYPES,
  more = '',
  concurrency,
  permissions,
  inputs = '',
}: Parts = {}): string {
  return `name: Deploy
on:
  push:
    ${push}
  pull_request:
    types: ${types}
${more}
permissions: {}
concurrency:
  group: ${concurrency ?? GROUP}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}
jobs:
  deploy:
    runs-on: ubuntu-latest
    permissions: ${permissions ?? '{ contents: read, pull-requests: write, deployments: write }'}
    steps:
      - uses: actions/checkout@v6
      - uses: OWNER/ink-deploy@v1
        with:
          api-key: \${{ secrets.INK_API_KEY }}
          ${inputs}
`
}

function found(parts: Parts, about: Parameters<typeof facts>[0] = {}, others: readonly Workflow[] = []) {
  return checkWorkflow({ own: workflow(written(parts)), others }, facts(about))
}

const named = (findings: ReturnType<typeof found>) => findings.map(({ name, fix }) => [name, fix.join('\n')])

describe('a workflow', () => {
  it('as the README has it has nothing amiss', () => {
    expect(found({})).toEqual([])
  })

  const examples = fileURLToPath(new URL('../../examples/workflows', import.meta.url))
  it.each(readdirSync(examples))('of the example %s has nothing amiss', (file) => {
    const own = workflow(readFileSync(`${examples}/${file}`, 'utf8'), `.github/workflows/${file}`)
    const [job = ''] = own.jobs.keys()
    expect(checkWorkflow({ own, others: [] }, facts({ job, settings: { previewTtlMs: undefined } }))).toEqual([])
  })

  it('that does not run when a pull request closes leaves its preview', () => {
    expect(named(found({ types: '[opened, synchronize, reopened]' }))).toEqual([
      ['Closing', 'on:\n  pull_request:\n    types: [opened, synchronize, reopened, closed]'],
    ])
    // Where it names no types, GitHub takes those three.
    expect(found({ types: '' })).toMatchObject([{ name: 'Closing', detail: expect.stringContaining('for good') }])
    const sweeping = found({ types: '', more: "  schedule: [{ cron: '17 3 * * *' }]" })
    expect(sweeping).toMatchObject([{ name: 'Closing', detail: expect.stringContaining('next scheduled sweep') }])
  })

  it('may leave the closing to another one', () => {
    const closing = workflow(
      'on: { pull_request_target: { types: [closed] } }\njobs: {}',
      '.github/workflows/close.yml',
    )
    expect(found({ types: '[opened, synchronize]' }, {}, [closing])).toEqual([])
  })

  it('has to hear of the label that opens the gate', () => {
    expect(named(found({}, { settings: { previewLabel: 'preview' } }))).toEqual([
      ['Label', 'on:\n  pull_request:\n    types: [opened, reopened, synchronize, closed, labeled, unlabeled]'],
    ])
    const types = '[opened, synchronize, labeled, unlabeled, closed]'
    expect(found({ types }, { settings: { previewLabel: 'preview' } })).toEqual([])
  })

  it.each([
    ['branches: [master]', true],
    ['branches: [main]', false],
    ["branches: ['**']", false],
    ["branches: ['release/**', '!main']", true],
    ['branches-ignore: [main]', true],
    ['branches-ignore: [docs]', false],
    ["tags: ['v*']", true],
    ['', false],
  ])('with the filter %j for pushes meets the production branch or not', (push, never) => {
    expect(named(found({ push }))).toEqual(never ? [['Production branch', 'on:\n  push:\n    branches: [main]']] : [])
  })

  it('that does not run for a branch with an environment of its own never deploys that', () => {
    const withStaging = { environmentBranches: ['main', 'develop'] }
    expect(named(found({}, withStaging))).toEqual([['Environment', 'on:\n  push:\n    branches: [main, develop]']])
    expect(found({ push: 'branches: [main, "dev*"]' }, withStaging)).toEqual([])
    const own = workflow(written())
    const other = workflow('on: { push: { branches: [develop] } }', '.github/workflows/staging.yml')
    expect(checkWorkflow({ own, others: [other] }, facts(withStaging))).toEqual([])
  })

  it.each([
    ['deploy', 'shared by all pull requests'],
    [`\${{ github.workflow }}`, 'shared by all pull requests'],
    [`\${{ github.workflow }}-\${{ github.ref }}`, 'one of them cancels the other'],
    [`\${{ github.head_ref || github.ref }}`, undefined],
    [`\${{ github.event.number || github.sha }}`, undefined],
    [`\${{ github.run_id }}`, undefined],
  ])('with the concurrency group %j drops a close or not', (concurrency, detail) => {
    const told = detail === undefined ? [] : [{ name: 'Concurrency', detail: expect.stringContaining(detail) }]
    expect(found({ concurrency })).toMatchObject(told)
  })

  it('is told what its job may not do, with what it may already', () => {
    const fix = ['permissions:', '  contents: read', '  pull-requests: write', '  deployments: write'].join('\n')
    expect(named(found({ permissions: '{ contents: read }' }))).toEqual([['Permissions', fix]])
    // Everything may be read of a public repository, and nothing be written.
    expect(found({ permissions: '{}' }, { isPrivate: false })).toMatchObject([
      { name: 'Permissions', fix: ['permissions:', '  pull-requests: write', '  deployments: write'], shows: true },
    ])
    const quiet = { comment: 'none', deploymentRecord: 'false' }
    expect(found({ permissions: '{}' }, { isPrivate: false, settings: quiet })).toEqual([])
    expect(found({ permissions: 'write-all' })).toEqual([])
    expect(found({ permissions: 'read-all' })).toHaveLength(1)
  })

  it('needs a schedule for what scheduled runs do', () => {
    const long = { settings: { previewTtlMs: 7 * 24 * 3_600_000 } }
    expect(named(found({}, long))).toEqual([['Schedule', "on:\n  schedule:\n    - cron: '17 3 * * *'"]])
    expect(found({ more: "  schedule: [{ cron: '17 3 * * *' }]" }, long)).toEqual([])
  })

  it('names the secrets that are empty, and none where there can be none', () => {
    expect(found({}, { settings: { apiKey: undefined } })).toMatchObject([
      {
        name: 'Secret',
        result: 'problem',
        detail: expect.stringContaining('api-key'),
        fix: ['gh secret set INK_API_KEY'],
      },
    ])
    expect(found({}, { settings: { apiKey: undefined }, secretsWithheld: 'it is a fork' })).toEqual([])
    const inputs = `env: |\n            A=1\n            TOKEN='\${{ secrets.API_TOKEN }}'\n            B=\${{ secrets.B }}`
    const shared = new Map(
      Object.entries({ A: '1', TOKEN: '', B: 'b' }).map(([name, value]) => [name, new Secret(value)]),
    )
    const environment = { shared, preview: new Map(), production: new Map() }
    expect(named(found({ inputs }, { settings: { environment } }))).toEqual([['Secret', 'gh secret set API_TOKEN']])
  })

  it('that says nothing about pull requests is not held to them', () => {
    const own = workflow('on: push\nconcurrency: deploy\njobs: { deploy: { steps: [] } }')
    expect(checkWorkflow({ own, others: [] }, facts({ settings: { previewLabel: 'preview' } }))).toEqual([])
  })

  it.each(['', '[', 'jobs: {}', '- 1', 'on:\n', '&a [*a, *a]'])('is not read out of %j', (text) => {
    expect(parseWorkflow({ path: PATH, text })).toBeUndefined()
  })
})

describe('what ends a preview', () => {
  const schedule = "  schedule: [{ cron: '17 3 * * *' }]"
  it.each([
    [{}, 'closing'],
    [{ types: '[opened]', more: schedule }, 'sweep'],
    [{ types: '[opened]' }, 'nothing'],
  ] as const)('%j: %s', (parts, end) => {
    expect(removalBy({ own: workflow(written(parts)), others: [] })).toBe(end)
  })

  it('is not known where the workflow is not', () => {
    expect(removalBy(undefined)).toBeUndefined()
  })
})
