/**
 * Every input of the action, with its default. `action.yml` declares the same, which a test holds together; the default
 * is needed here as well because a workflow may hand over an expression that turned out empty.
 */
export const inputDefaults = {
  'api-key': '',
  'github-token': '',
  command: 'auto',
  service: '',
  project: 'default',
  workspace: '',
  repo: '',
  'production-branch': '',
  directory: '',
  'build-pack': '',
  'build-command': '',
  'start-command': '',
  'publish-directory': '',
  'root-directory': '',
  'dockerfile-path': '',
  port: '',
  memory: '',
  vcpus: '',
  region: '',
  env: '',
  'env-file': '',
  'preview-env': '',
  'production-env': '',
  'env-strategy': 'merge',
  'git-env': 'true',
  database: '',
  domain: '',
  timeout: '20m',
  'health-path': '/',
  'health-status': '200-399',
  'health-timeout': '2m',
  rollback: 'true',
  comment: 'sticky',
  'deployment-record': 'auto',
  'preview-label': '',
  paths: '',
  'max-previews': '',
  'preview-ttl': '',
  'on-missing-key': 'auto',
  'on-quota': 'fail',
  adopt: 'false',
  'preview-drafts': 'true',
  'pr-number': '',
  'dry-run': 'false',
  'price-vcpu-minute': '0.000393',
  'price-gb-minute': '0.000161',
  endpoint: 'https://mcp.ml.ink/mcp',
} as const

export type InputName = keyof typeof inputDefaults

/** What the workflow gave, as text; an input that was not given is empty. */
export type RawInputs = Readonly<Record<InputName, string>>
