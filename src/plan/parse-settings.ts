import { Secret } from '../core/secret.ts'
import { looksLikeApiKey, parseEndpoint } from './access.ts'
import { parseAutoscale } from './autoscale.ts'
import { databaseSettings } from './database-settings.ts'
import { parseDnsRecords } from './dns-records.ts'
import {
  type Parsed,
  parseBoolean,
  parseBranch,
  parseChoice,
  parseCommit,
  parseDollars,
  parseDomain,
  parseDuration,
  parseGlobs,
  parseHealthPath,
  parseInteger,
  parseLine,
  parseMemory,
  parseName,
  parsePreviewDomain,
  parseRate,
  parseRelativePath,
  parseRepositoryName,
  parseShellCommand,
  parseStatuses,
  parseVcpus,
} from './input-values.ts'
import { type InputName, inputDefaults, type RawInputs } from './inputs.ts'
import { parseServiceName } from './names.ts'
import {
  type BuildSettings,
  buildPacks,
  commands,
  commentChoices,
  deploymentRecordChoices,
  type EnvironmentSettings,
  envStrategies,
  type HealthCheck,
  onMissingKeyChoices,
  onQuotaChoices,
  type Settings,
} from './settings.ts'
import { parseVariables } from './variables.ts'

export type ParsedSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] }

export interface SettingsSources {
  /** Contents of a file in the workspace; undefined when there is none. */
  readFile(path: string): string | undefined
  /** Whether GitHub gives this run no secrets, so that a key cannot be expected of it. */
  readonly secretsWithheld?: boolean
}

/** Collects what is wrong with the inputs, so that all of it can be reported at once. */
export interface Reading {
  readonly problems: string[]
  /** The value of an input; its default where it was left empty, undefined where there is no default. */
  optional<T>(name: InputName, parse: (text: string) => Parsed<T>): T | undefined
  /** The same for an input that has a default. */
  value<T>(name: InputName, parse: (text: string) => Parsed<T>): T
  text(name: InputName): string
}

/**
 * Makes the settings of the inputs, or says everything that is wrong with them. Reads no file but `env-file`, and does
 * nothing else. A missing key alone is no problem here, for there may be nothing to do (see `missingKey` in guards.ts);
 * it is named only together with others, so that they can be mended in one go.
 */
export function parseSettings(raw: RawInputs, sources: SettingsSources): ParsedSettings {
  const reading = readInputs(raw)
  const settings: Settings = {
    apiKey: readKey(reading),
    githubToken: reading.text('github-token') === '' ? undefined : new Secret(reading.text('github-token')),
    ...where(reading),
    build: buildSettings(reading),
    autoscale: reading.optional('autoscale', parseAutoscale),
    environment: environmentSettings(reading, sources),
    ...watching(reading),
    ...manners(reading),
    ...previews(reading),
  }
  const { problems } = reading
  if (problems.length === 0) return { ok: true, settings }
  return { ok: false, problems: keyIsWanted(settings, sources) ? ['api-key: is not set', ...problems] : problems }
}

function keyIsWanted(
  { apiKey, command, onMissingKey }: Settings,
  { secretsWithheld = false }: SettingsSources,
): boolean {
  if (apiKey !== undefined || command === 'plan' || onMissingKey === 'skip') return false
  return onMissingKey === 'fail' || !secretsWithheld
}

function readInputs(raw: RawInputs): Reading {
  const problems: string[] = []
  const text = (name: InputName): string => raw[name].trim() || inputDefaults[name]
  function optional<T>(name: InputName, parse: (text: string) => Parsed<T>): T | undefined {
    if (text(name) === '') return undefined
    const parsed = parse(text(name))
    if ('value' in parsed) return parsed.value
    problems.push(`${name}: must be ${parsed.allowed}, but is ${shown(text(name))}`)
    return undefined
  }
  function value<T>(name: InputName, parse: (text: string) => Parsed<T>): T {
    const given = optional(name, parse)
    if (given !== undefined) return given
    const fallback = parse(inputDefaults[name])
    if ('value' in fallback) return fallback.value
    throw new Error(`the input ${name} has no default that could be used`)
  }
  return { problems, optional, value, text }
}

/** A value as it appears in a message: quoted, on one line, and not too long. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)
}

function readKey(reading: Reading): Secret | undefined {
  const key = reading.text('api-key')
  if (key === '') return undefined
  // Its own sentence, because the value must not be shown.
  if (!looksLikeApiKey(key)) {
    reading.problems.push('api-key: must be an ml.ink API key, which starts with dk_ and has no spaces in it')
  }
  return new Secret(key)
}

function where(reading: Reading) {
  return {
    command: reading.value('command', (text) => parseChoice(text, commands)),
    service: reading.optional('service', parseServiceName),
    project: reading.value('project', parseName),
    workspace: reading.optional('workspace', parseName),
    repo: reading.optional('repo', parseRepositoryName),
    productionBranch: reading.optional('production-branch', parseBranch),
    directory: reading.optional('directory', parseRelativePath),
    exportIgnore: reading.value('export-ignore', parseBoolean),
    database: databaseSettings(reading),
    domain: reading.optional('domain', parseDomain),
    previewDomain: reading.optional('preview-domain', parsePreviewDomain),
    removeDomain: reading.value('remove-domain', parseBoolean),
    dnsRecords: dnsRecords(reading),
    endpoint: reading.value('endpoint', parseEndpoint),
  }
}

function dnsRecords(reading: Reading): Settings['dnsRecords'] {
  const text = reading.text('dns-records')
  if (text === '') return undefined
  const { records, problems } = parseDnsRecords(text)
  reading.problems.push(...problems)
  return records
}

function buildSettings(reading: Reading): BuildSettings {
  const build: BuildSettings = {
    buildPack: reading.optional('build-pack', (text) => parseChoice(text, buildPacks)),
    buildCommand: reading.optional('build-command', parseShellCommand),
    startCommand: reading.optional('start-command', parseShellCommand),
    publishDirectory: reading.optional('publish-directory', parseRelativePath),
    rootDirectory: reading.optional('root-directory', parseRelativePath),
    dockerfilePath: reading.optional('dockerfile-path', parseRelativePath),
    port: reading.optional('port', (text) => parseInteger(text, { from: 1, to: 65535 })),
    memory: reading.optional('memory', parseMemory),
    vcpus: reading.optional('vcpus', parseVcpus),
    region: reading.optional('region', parseName),
  }
  reading.problems.push(...refusedCombinations(reading))
  return build
}

/** What the platform would refuse once everything had been pushed. Judged by the text, so that one mistake is one problem. */
function refusedCombinations(reading: Reading): string[] {
  const buildPack = reading.text('build-pack')
  const problems: string[] = []
  if (reading.text('publish-directory') && (buildPack === 'dockerfile' || buildPack === 'dockercompose')) {
    problems.push(
      `publish-directory: works with build-pack railpack or static only, but build-pack is ${shown(buildPack)}`,
    )
  }
  if (reading.text('dockerfile-path') && buildPack !== 'dockerfile') {
    const is = buildPack ? shown(buildPack) : 'not set'
    problems.push(`dockerfile-path: works with build-pack dockerfile only, but build-pack is ${is}`)
  }
  return problems
}

function environmentSettings(reading: Reading, sources: SettingsSources): EnvironmentSettings {
  const path = reading.text('env-file')
  const file = path === '' ? '' : sources.readFile(path)
  const parsed = {
    file: parseVariables(file ?? '', `env-file ${shown(path)}`),
    env: parseVariables(reading.text('env'), 'env'),
    preview: parseVariables(reading.text('preview-env'), 'preview-env'),
    production: parseVariables(reading.text('production-env'), 'production-env'),
  }
  for (const { problems } of Object.values(parsed)) reading.problems.push(...problems)
  return {
    shared: new Map([...parsed.file.variables, ...parsed.env.variables]),
    preview: parsed.preview.variables,
    production: parsed.production.variables,
    strategy: reading.value('env-strategy', (text) => parseChoice(text, envStrategies)),
    git: reading.value('git-env', parseBoolean),
    missingFile: file === undefined ? path : undefined,
  }
}

function watching(reading: Reading) {
  return {
    timeoutMs: reading.value('timeout', (text) => parseDuration(text, '24h')),
    health: healthCheck(reading),
    rollback: reading.value('rollback', parseBoolean),
    rollbackTo: reading.optional('rollback-to', parseCommit),
  }
}

function healthCheck(reading: Reading): HealthCheck {
  const statuses = reading.value('health-status', parseStatuses)
  const timeoutMs = reading.value('health-timeout', (text) => parseDuration(text, '24h'))
  const path = reading.text('health-path')
  if (path === 'none') return { kind: 'none' }
  if (path === 'mcp') return { kind: 'mcp', timeoutMs }
  return { kind: 'http', path: reading.value('health-path', parseHealthPath), statuses, timeoutMs }
}

function manners(reading: Reading) {
  return {
    comment: reading.value('comment', (text) => parseChoice(text, commentChoices)),
    deploymentRecord: reading.value('deployment-record', (text) => parseChoice(text, deploymentRecordChoices)),
    onMissingKey: reading.value('on-missing-key', (text) => parseChoice(text, onMissingKeyChoices)),
    onQuota: reading.value('on-quota', (text) => parseChoice(text, onQuotaChoices)),
    adopt: reading.value('adopt', parseBoolean),
    dryRun: reading.value('dry-run', parseBoolean),
    prices: {
      vcpuMinute: reading.value('price-vcpu-minute', parseRate),
      gbMinute: reading.value('price-gb-minute', parseRate),
    },
    maxCostPerDay: maxCostPerDay(reading),
    creditsWarning: reading.value('credits-warning', parseDollars),
  }
}

function maxCostPerDay(reading: Reading): number | undefined {
  const limit = reading.optional('max-cost-per-day', (text) => parseDollars(text, 'more than 0'))
  const hidden = (['price-vcpu-minute', 'price-gb-minute'] as const).find((name) => Number(reading.text(name)) === 0)
  if (limit !== undefined && hidden !== undefined)
    reading.problems.push(`max-cost-per-day: rests on an estimate, but ${hidden} is 0, which hides it`)
  return limit
}

function previews(reading: Reading) {
  return {
    previewLabel: reading.optional('preview-label', parseLine),
    paths: reading.optional('paths', parseGlobs),
    maxPreviews: reading.optional('max-previews', (text) => parseInteger(text, { from: 1, to: 1000 })),
    previewTtlMs: reading.optional('preview-ttl', (text) => parseDuration(text, '365d')),
    previewDrafts: reading.value('preview-drafts', parseBoolean),
    pullRequest: reading.optional('pr-number', (text) => parseInteger(text, { from: 1, to: 999_999_999 })),
  }
}
