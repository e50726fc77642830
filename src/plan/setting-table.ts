import { autoscale } from './autoscale.ts'
import { dnsRecords } from './dns.ts'
import { serviceLabel } from './names.ts'
import { globs } from './paths.ts'
import * as values from './values.ts'
import { optional, withDefault } from './values.ts'
import { databaseVariables, variables } from './variables.ts'

export const commands = ['auto', 'preview', 'production', 'teardown', 'sweep', 'monitor', 'rollback', 'plan'] as const

// The one table of settings: `action.yml`, the README's tables, `ink.schema.json` and the types in settings.ts are made of it.

/** What a workflow may say: what a run may do, and what a small app needs that has no `ink.yml`. */
export const workflowSettings = {
  'api-key': optional(
    values.apiKey,
    'ml.ink API key, from a secret; without it the environment variable `INK_API_KEY` is used',
  ),
  'github-token': optional(
    values.token,
    'Token for the comment, the deployment records and the state of the pull request',
  ),
  command: withDefault(
    values.choice(commands),
    'auto',
    '`auto` acts as the event says; `preview`, `production`, `teardown`, `sweep`, `monitor` or `rollback` whatever the event; `plan` checks the set-up and changes nothing',
  ),
  config: withDefault(
    values.path,
    'ink.yml',
    'File in the commit that says what the app is: every key is in `ink.schema.json`; it need not be there',
  ),
  service: optional(
    serviceLabel,
    'Base name of the service, made a DNS label; unset means `<owner>-<repo>`, and with several in the file `<owner>-<repo>-<NAME>`, but for `web` and the one called like the repository. Previews are `<service>-pr-<n>`. With several in the file the input confines a run to one of them',
    'services.*.name',
  ),
  project: withDefault(values.name, 'default', 'Project on ml.ink'),
  workspace: optional(values.name, 'Workspace on ml.ink'),
  'production-branch': optional(values.branch, 'Branch that goes to production; unset means the default branch'),
  directory: optional(
    values.path,
    'Deploy the files of this directory as they lie in the workspace, instead of the commit',
  ),
  env: optional(variables, 'Environment variables, `KEY=VALUE` lines with quoting as in dotenv', 'services.*.env'),
  'preview-env': optional(
    variables,
    "Environment variables of previews, laid over `env`; a fork's preview gets these and no others",
    'services.*.preview.env',
  ),
  'production-env': optional(
    variables,
    'Environment variables of production, laid over `env`',
    'services.*.production.env',
  ),
  'env-strategy': withDefault(
    values.choice(['merge', 'replace']),
    'merge',
    '`merge` keeps variables that were set elsewhere, `replace` drops them',
  ),
  'pr-number': optional(
    values.integer(1, 999_999_999),
    'Pull request to act on, for `workflow_dispatch` and for `command`',
  ),
  'rollback-to': optional(
    values.commit,
    'Commit that `command` `rollback` goes back to; unset means the version before',
  ),
  rollback: withDefault(values.flag, 'true', 'Switch production back when the new version is unhealthy'),
  timeout: withDefault(
    values.duration('24h'),
    '20m',
    'Longest time from the trigger until the deployment is healthy, such as `90s`, `15m` or `1h`',
  ),
  comment: withDefault(
    values.choice(['sticky', 'on-failure', 'none']),
    'sticky',
    'Comment on the pull request: `sticky`, `on-failure` or `none`',
  ),
  'comment-header': optional(values.markdown, 'Markdown of your own above the comment on the pull request'),
  'deployment-record': withDefault(
    values.choice(['auto', 'true', 'false']),
    'auto',
    'GitHub deployment records: `true`, `false`, or `auto`, which leaves them to a job that has an environment',
  ),
  'on-quota': withDefault(
    values.choice(['fail', 'skip', 'evict-oldest']),
    'fail',
    'When the account is full, has no credits, or `max-cost-per-day` is reached: `fail`, `skip` or `evict-oldest`',
  ),
  'max-cost-per-day': optional(
    values.dollarLimit,
    'Dollars a day that all previews together may cost, as estimated; a preview beyond it is left to `on-quota`',
  ),
  adopt: withDefault(
    values.flag,
    'false',
    'Take over a service that exists but does not carry the marks of this repository',
  ),
  'remove-orphans': withDefault(
    values.flag,
    'false',
    'Remove services of production, with their databases, that the file no longer has; without it they are only named',
  ),
  'dry-run': withDefault(values.flag, 'false', 'Say what would be done, and change nothing'),
  endpoint: withDefault(values.endpoint, values.defaultEndpoint, 'MCP endpoint of ml.ink'),
  'build-pack': optional(
    values.choice(['railpack', 'dockerfile', 'static', 'dockercompose']),
    '`railpack`, `dockerfile`, `static` or `dockercompose`; unset settings of the build stay as they are on ml.ink',
    'services.*.build.pack',
  ),
  'health-path': withDefault(
    values.healthPath,
    '/',
    'Path that must answer; `none` turns the check off, `mcp` speaks the handshake of an MCP server',
    'services.*.health.path',
  ),
  memory: optional(
    values.memory,
    '`128Mi`, `256Mi`, `512Mi`, `1024Mi`, `2048Mi` or `4096Mi`',
    'services.*.size.memory',
  ),
  database: optional(
    values.choice(['sqlite', 'postgres', 'mysql', 'redis', 'mongodb']),
    '`sqlite` gives the service a database of its own, as `DATABASE_URL` and `DATABASE_AUTH_TOKEN`; `postgres`, `mysql`, `redis` and `mongodb` one of a template, as `DATABASE_URL`',
    'services.*.database.type',
  ),
}

/** What only `ink.yml` may say: what the app is. */
export const fileSettings = {
  'export-ignore': withDefault(
    values.flag,
    'false',
    'Leave out the files that `.gitattributes` marks `export-ignore`',
    'services.*.build.export-ignore',
  ),
  'lfs-pointers': withDefault(
    values.choice(['refuse', 'allow']),
    'refuse',
    'When contents of Git LFS cannot be fetched: `refuse` to deploy, or `allow` the pointers in their place',
    'services.*.build.lfs-pointers',
  ),
  'build-command': optional(values.shellCommand, 'Command that builds the service', 'services.*.build.command'),
  'start-command': optional(values.shellCommand, 'Command that starts the service', 'services.*.start'),
  'publish-directory': optional(
    values.path,
    'Directory that the build leaves behind to be served; with `build-pack` `railpack` or `static`',
    'services.*.build.publish',
  ),
  'root-directory': optional(values.path, 'Directory of the service in the repository', 'services.*.root'),
  'dockerfile-path': optional(
    values.path,
    'Path of the Dockerfile; with `build-pack` `dockerfile`',
    'services.*.build.dockerfile',
  ),
  port: optional(values.integer(1, 65535), 'Port that the service listens on, 1 to 65535', 'services.*.port'),
  vcpus: optional(values.vcpus, '`0.1`, `0.25`, `0.5`, `1`, `2` or `4`', 'services.*.size.vcpus'),
  autoscale: optional(
    autoscale,
    'Bounds within which the monitor changes the size of production, such as `memory 256Mi..1024Mi, vcpus 0.5..2`',
    'services.*.size.autoscale',
  ),
  region: optional(values.name, 'Region of a new service', 'services.*.region'),
  'git-env': withDefault(
    values.flag,
    'true',
    'Add `INK_ENVIRONMENT`, `INK_GIT_COMMIT_SHA` and `INK_GIT_REF`; the marks of ownership are always added',
    'services.*.git-env',
  ),
  'database-env': optional(
    databaseVariables,
    'Other names for these variables, `VARIABLE=output` lines with the outputs `url` and `token`, or those of the template',
    'services.*.database.env',
  ),
  'database-seed': optional(
    values.path,
    'SQL file in what is deployed, run once in the new database before the first build',
    'services.*.database.seed',
  ),
  domain: optional(values.domain, 'Custom domain of the production service', 'services.*.domain'),
  'preview-domain': optional(
    values.previewDomain,
    "Custom domain of previews, such as `pr-{number}-preview.example.com`; a fork's preview gets none",
    'services.*.preview.domain',
  ),
  'remove-domain': withDefault(
    values.flag,
    'false',
    'Take off the domain of a service that is not, or no longer, the one asked for',
    'services.*.remove-domain',
  ),
  'dns-records': optional(
    dnsRecords,
    'YAML list of DNS records (`zone`, `name`, `type`, `content`, `ttl`) that production keeps in step; `[]` removes those that it made',
    'services.*.dns',
  ),
  'health-status': withDefault(
    values.statuses,
    '200-399',
    'HTTP statuses that count as healthy, such as `200-399` or `200,204`',
    'services.*.health.status',
  ),
  'health-contains': optional(
    values.answerText,
    'Text that body or headers (`name: value`) of the answer must contain; `{sha}` stands for the whole commit',
    'services.*.health.contains',
  ),
  'health-timeout': withDefault(
    values.duration('24h'),
    '2m',
    'Longest time until the URL answers as asked',
    'services.*.health.timeout',
  ),
  'preview-label': optional(
    values.line,
    'Only pull requests with this label get a preview; the workflow needs the events `labeled` and `unlabeled`',
    'previews.label',
  ),
  paths: optional(
    globs,
    'Globs, one a line, `!` to exclude; a commit is skipped when no file that differs from what is live matches',
    'services.*.watch',
  ),
  'max-previews': optional(values.integer(1, 1000), 'Most previews at a time; the oldest go first', 'previews.max'),
  'preview-ttl': optional(
    values.duration('365d'),
    'Longest life of a preview, such as `12h` or `7d`; a `schedule` in the workflow enforces it',
    'previews.ttl',
  ),
  'preview-drafts': withDefault(values.flag, 'true', 'Deploy draft pull requests too', 'previews.drafts'),
  'environment-branch': optional(
    values.branch,
    'Branch that goes to an environment of its own: services, databases and deployment records of that name; `environments: { staging: develop }` says the same',
    'environments.*.branch',
  ),
  'environment-env': optional(
    variables,
    'Environment variables of that environment, laid over `env` of every service; `production-env` and `services.*.production.env` are not for it',
    'environments.*.env',
  ),
  'price-vcpu-minute': withDefault(
    values.rate,
    '0.000393',
    'Dollars per vCPU and minute, for estimates; `0` hides them',
    'prices.vcpu-minute',
  ),
  'price-gb-minute': withDefault(
    values.rate,
    '0.000161',
    'Dollars per GB of memory and minute, for estimates; `0` hides them',
    'prices.gb-minute',
  ),
  'credits-warning': withDefault(
    values.dollars,
    '1',
    'Warn when the account has fewer dollars of credits left than this; `0` for never',
    'prices.credits-warning',
  ),
}

export const settingTable = { ...workflowSettings, ...fileSettings }

/** The action's outputs and what they hold, one line of Markdown each; `action.yml` and the README are made of it. */
export const outputs = {
  url: 'Where the deployment answers',
  status:
    '`live`, `failed`, `unhealthy`, `rolled-back`, `superseded`, `cancelled`, `timed-out`, `removed`, `swept`, `skipped`, `planned` or `nothing`',
  action: '`preview`, `production`, `teardown`, `sweep`, `monitor`, `rollback`, `plan` or `none`',
  environment: '`preview`, `production`, or the environment that `ink.yml` names for the branch',
  service: 'Name of the service on ml.ink',
  'service-id': 'Id of the service on ml.ink',
  repo: 'Repository on ml.ink',
  branch: 'Branch on ml.ink that holds the snapshot',
  commit: 'Commit of this repository that was deployed',
  snapshot: 'Commit that was pushed to ml.ink',
  'duration-seconds': 'How long the whole run took',
  'build-seconds': 'How long the build took',
  'comment-id': 'Id of the comment on the pull request',
  'deployment-id': 'Id of the GitHub deployment record',
  'skipped-reason': 'Why nothing was deployed',
  removed: 'What was removed, as a JSON list',
  'cost-per-day': 'Estimated dollars a day',
  services: 'Each service of `ink.yml` by its name, as JSON: `url`, `status`, `commit`, `service` and `branch`',
} as const
export type OutputName = keyof typeof outputs
