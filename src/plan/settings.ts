import type { Secret } from '../core/secret.ts'
import { noVariables, type ServiceVariables } from './file/references.ts'
import { healthOf } from './health.ts'
import { folderGlobs } from './paths.ts'
import { settingTable } from './setting-table.ts'
import type { Setting } from './value-types.ts'
import type { ValueProblem } from './values.ts'
import { type DatabaseVariable, parseVariables, type Variables } from './variables.ts'

export type InputName = keyof typeof settingTable
type Value<N extends InputName> = (typeof settingTable)[N] extends Setting<infer T> ? T : never
type Values = { readonly [N in InputName]: Value<N> }

export const inputNames = Object.keys(settingTable) as readonly InputName[]

/** What the workflow gave, as text; a setting that was not given is empty. */
export type RawInputs = Readonly<Record<InputName, string>>

/** A setting as it was written somewhere: its text, and what to call it in a message. */
export interface Given {
  readonly text: string
  readonly label: string
}

export interface SettingsSources {
  /** Contents of a file in the workspace; undefined when there is none, and why when it must not be read. */
  readFile(path: string): string | undefined | { readonly refused: string }
  /** What lies at a path of the workspace; undefined when nothing does. */
  readonly kindOf?: (path: string) => 'file' | 'folder' | undefined
  /** What a file says, where the workflow says nothing. Lists come as lines. */
  readonly written?: (name: InputName) => Given | undefined
  readonly variables?: ServiceVariables
  /** Whether more is to come from a file, so that what goes together cannot be judged yet. */
  readonly incomplete?: boolean
  /** Whether GitHub gives this run no secrets, so that a key cannot be expected of it. */
  readonly secretsWithheld?: boolean
}

export type ParsedSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] }

/** The settings of a run, checked. */
export type Settings = Readonly<ReturnType<typeof assemble>>
/** Undefined means the platform's default on create, and unchanged on update. */
export type BuildSettings = Settings['build']
export type Prices = Settings['prices']
export type DatabaseType = NonNullable<Value<'database'>>
export type EnvStrategy = Value<'env-strategy'>
export type OnQuota = Value<'on-quota'>
export type OnMissingKey = Value<'on-missing-key'>
export type CommentMode = Value<'comment'>

/** A database of each service's own. */
export interface DatabaseSettings {
  readonly type: DatabaseType
  /** Which of the database's outputs each variable holds; all have `url`, sqlite has `token` as well. */
  readonly env: ReadonlyMap<string, string>
  /** An SQL file in what is deployed, to be run once in the new database. */
  readonly seed: string | undefined
}

/**
 * Makes the settings of what was given, or says everything that is wrong with it. Reads no file but `env-file`, and does
 * nothing else. A missing key alone is not a problem here, for there may be nothing to do (see `missingKey` in guards.ts);
 * it is named only together with others, so that they can be put right in one go.
 */
export function parseSettings(raw: RawInputs, sources: SettingsSources): ParsedSettings {
  const given = (name: InputName): Given => {
    const text = raw[name].trim()
    // The runner fills in the defaults of action.yml, so that a value equal to one says nothing.
    const said = text !== '' && text !== settingTable[name].fallback
    return (said ? undefined : sources.written?.(name)) ?? { text, label: name }
  }
  const problems: string[] = []
  const values = fromTable((name) => read(settingTable[name], given(name), problems)) as Values
  const envFile = readEnvFile(values['env-file'], sources, problems)
  if (!sources.incomplete) problems.push(...combinationProblems(given, values, sources))
  const isUsual = (name: InputName) =>
    given(name).label === name && [settingTable[name].fallback, ''].includes(given(name).text)
  const anyAnswer = (['health-path', 'health-status', 'health-contains'] as const).every(isUsual)
  const settings = assemble(values, envFile, sources.variables ?? noVariables, anyAnswer)
  if (problems.length === 0) return { ok: true, settings }
  const keyless = given('api-key').text === '' && keyIsWanted(settings, sources)
  return { ok: false, problems: keyless ? ['api-key: is not set', ...problems] : problems }
}

function fromTable<T>(make: (name: InputName) => T): Record<InputName, T> {
  return Object.fromEntries(inputNames.map((name) => [name, make(name)])) as Record<InputName, T>
}

/** The value of a setting; that of its fallback where nothing, or nothing good, was given. */
function read({ type, fallback }: Setting<unknown>, { text, label }: Given, problems: string[]): unknown {
  if (text !== '') {
    const parsed = type.parse(text)
    if ('problems' in parsed) problems.push(...worded(label, parsed.problems))
    if ('value' in parsed) return parsed.value
    problems.push(`${label}: must be ${parsed.allowed}${type.secret ? '' : `, but is ${shown(text)}`}`)
  }
  const parsed = fallback === '' ? undefined : type.parse(fallback)
  return parsed && 'value' in parsed ? parsed.value : undefined
}

function worded(label: string, problems: readonly ValueProblem[]): string[] {
  return problems.map(({ at, text }) => `${label}${at === undefined ? '' : `, ${at}`}: ${text}`)
}

/** A value as it appears in a message: quoted, on one line, and not too long. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)
}

function keyIsWanted({ command, onMissingKey }: Settings, { secretsWithheld = false }: SettingsSources): boolean {
  if (command === 'plan' || onMissingKey === 'skip') return false
  return onMissingKey === 'fail' || !secretsWithheld
}

interface EnvFile {
  readonly variables: Variables
  /** The path of a file that is not there. No fault of a run that has no use for it: a teardown needs no checkout. */
  readonly missing: string | undefined
}

function readEnvFile(path: string | undefined, { readFile }: SettingsSources, problems: string[]): EnvFile {
  const contents = path === undefined ? undefined : readFile(path)
  if (contents === undefined) return { variables: new Map(), missing: path }
  if (typeof contents === 'object') {
    problems.push(`env-file: must be a file inside the workspace, but ${shown(path ?? '')} ${contents.refused}`)
    return { variables: new Map(), missing: undefined }
  }
  const parsed = parseVariables(contents)
  problems.push(...worded(`env-file ${shown(path ?? '')}`, parsed.problems))
  return { variables: parsed.value, missing: undefined }
}

/**
 * What does not go together, most of which the platform would refuse once everything had been pushed. Judged by the text,
 * so that one mistake is one problem.
 */
function combinationProblems(
  given: (name: InputName) => Given,
  values: Values,
  { kindOf = () => undefined }: SettingsSources,
): string[] {
  const text = (name: InputName) => given(name).text
  const problems: string[] = []
  const refuse = (name: InputName, sentence: string) => problems.push(`${given(name).label}: ${sentence}`)
  const pack = text('build-pack')
  const butPack = `but build-pack is ${pack ? shown(pack) : 'not set'}`
  if (text('publish-directory') && (pack === 'dockerfile' || pack === 'dockercompose'))
    refuse('publish-directory', `works with build-pack railpack or static only, ${butPack}`)
  if (text('dockerfile-path') && pack !== 'dockerfile')
    refuse('dockerfile-path', `works with build-pack dockerfile only, ${butPack}`)
  for (const name of ['database-env', 'database-seed'] as const)
    if (text(name) && !text('database')) refuse(name, 'works with database only, which is not set')
  const { database } = values
  if (database !== undefined && database !== 'sqlite' && text('database-seed'))
    refuse('database-seed', `works with database sqlite only, but database is ${shown(database)}`)
  if (database === 'sqlite')
    problems.push(...worded(given('database-env').label, unknownOutputs(values['database-env'] ?? [])))
  const path = values['health-path']
  if (text('health-contains') && (path === 'none' || path === 'mcp'))
    refuse('health-contains', `works with a path in health-path only, but health-path is ${shown(path)}`)
  for (const glob of folderGlobs(values.paths ?? [], kindOf))
    refuse(
      'paths',
      `${shown(glob)} matches no file unless one is called so; for a directory write ${shown(`${glob}/**`)}`,
    )
  const hidden = (['price-vcpu-minute', 'price-gb-minute'] as const).find((name) => values[name] === 0)
  if (values['max-cost-per-day'] !== undefined && hidden !== undefined)
    refuse('max-cost-per-day', `rests on an estimate, but ${hidden} is 0, which hides it`)
  return problems
}

/** What a template hands over is known only once it is deployed; what sqlite does is. */
function unknownOutputs(variables: readonly DatabaseVariable[]): ValueProblem[] {
  return variables
    .filter(({ output }) => output !== 'url' && output !== 'token')
    .map(({ at, output }) => ({ at, text: `after = must be one of url, token, but is ${shown(output)}` }))
}

function assemble(values: Values, envFile: EnvFile, fileVariables: ServiceVariables, anyAnswer: boolean) {
  return {
    apiKey: values['api-key'] as Secret | undefined,
    githubToken: values['github-token'],
    command: values.command,
    config: values.config,
    /** The base name as given; `serviceName` in names.ts makes one where there is none. */
    service: values.service,
    // What only a file says: the service's key beside others, whether it has previews, and the globs of all that have.
    serviceKey: undefined as string | undefined,
    hasPreviews: true as boolean,
    pathsOfAll: undefined as readonly Values['paths'][] | undefined,
    project: values.project,
    workspace: values.workspace,
    /** Name of the repository on the platform; undefined means that of the GitHub repository. */
    repo: values.repo,
    /** Undefined means the repository's default branch. */
    productionBranch: values['production-branch'],
    directory: values.directory,
    /** Leave out what `.gitattributes` marks `export-ignore`. */
    exportIgnore: values['export-ignore'],
    lfsPointers: values['lfs-pointers'],
    build: {
      buildPack: values['build-pack'],
      buildCommand: values['build-command'],
      startCommand: values['start-command'],
      publishDirectory: values['publish-directory'],
      rootDirectory: values['root-directory'],
      dockerfilePath: values['dockerfile-path'],
      port: values.port,
      /** In mebibytes with the platform's unit: `256Mi`, `1024Mi`. */
      memory: values.memory,
      /** `0.5`, `1`, … as the platform writes it. */
      vcpus: values.vcpus,
      region: values.region,
    },
    /** Bounds within which the monitor may change production's size. */
    autoscale: values.autoscale,
    environment: {
      /** `env-file` and `env`, the latter laid over the former. */
      shared: new Map([...envFile.variables, ...(values.env ?? [])]) as Variables,
      preview: values['preview-env'] ?? (new Map() as Variables),
      production: values['production-env'] ?? (new Map() as Variables),
      /** Those of `ink.yml`, below all others. */
      file: fileVariables,
      /** Secrets that a file names: they go there alone. */
      named: new Set() as ReadonlySet<string>,
      /** What the references to other services stand for, as `NAME.output`; known once those are live. */
      wired: new Map() as ReadonlyMap<string, string>,
      strategy: values['env-strategy'],
      /** Whether the facts about the commit are added. */
      git: values['git-env'],
      missingFile: envFile.missing,
    },
    database: databaseOf(values),
    domain: values.domain,
    /** With `{number}` where the pull request's number goes. */
    previewDomain: values['preview-domain'],
    removeDomain: values['remove-domain'],
    /** Undefined means that nobody asked; none means that those of ours are to go. */
    dnsRecords: values['dns-records'],
    timeoutMs: values.timeout,
    health: healthOf(values, anyAnswer),
    rollback: values.rollback,
    /** Where `command: rollback` goes: a source commit, whole or abbreviated; undefined means the one before. */
    rollbackTo: values['rollback-to'],
    comment: values.comment,
    deploymentRecord: values['deployment-record'],
    previewLabel: values['preview-label'],
    /** Globs; undefined when every change counts. */
    paths: values.paths,
    maxPreviews: values['max-previews'],
    previewTtlMs: values['preview-ttl'],
    previewDrafts: values['preview-drafts'],
    pullRequest: values['pr-number'],
    onMissingKey: values['on-missing-key'],
    onQuota: values['on-quota'],
    adopt: values.adopt,
    removeOrphans: values['remove-orphans'],
    dryRun: values['dry-run'],
    /** Dollars. A rate of 0 hides every estimate. */
    prices: { vcpuMinute: values['price-vcpu-minute'], gbMinute: values['price-gb-minute'] },
    /** Dollars a day that all previews together may cost, as estimated; undefined for no limit. */
    maxCostPerDay: values['max-cost-per-day'],
    /** Dollars of credits below which a run warns; 0 for never. */
    creditsWarning: values['credits-warning'],
    endpoint: values.endpoint,
  }
}

function databaseOf(values: Values): DatabaseSettings | undefined {
  const { database: type } = values
  if (type === undefined) return undefined
  const variables = values['database-env']?.map(({ name, output }) => [name, output] as const)
  const token = type === 'sqlite' ? ([['DATABASE_AUTH_TOKEN', 'token']] as const) : []
  return {
    type,
    env: new Map(variables ?? [['DATABASE_URL', 'url'], ...token]),
    seed: values['database-seed'],
  }
}
