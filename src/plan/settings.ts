import { shown } from '../core/format.ts'
import type { Secret } from '../core/secret.ts'
import { noVariables, type ServiceVariables } from './file/references.ts'
import { folderGlobs } from './paths.ts'
import { fileSettings, settingTable, workflowSettings } from './setting-table.ts'
import type { Setting } from './value-types.ts'
import type { StatusRange, ValueProblem } from './values.ts'
import type { DatabaseVariable, Variables } from './variables.ts'

export type SettingName = keyof typeof settingTable
/** A setting that a workflow may give. */
export type InputName = keyof typeof workflowSettings
type Value<N extends SettingName> = (typeof settingTable)[N] extends Setting<infer T> ? T : never
type Values = { readonly [N in SettingName]: Value<N> }

export const settingNames = Object.keys(settingTable) as readonly SettingName[]
export const inputNames = Object.keys(workflowSettings) as readonly InputName[]

/** What the workflow gave, as text; a setting that was not given is empty. */
export type RawInputs = Readonly<Record<InputName, string>>

/** A setting as it was written somewhere: its text, and what to call it in a message. */
export interface Given {
  readonly text: string
  readonly label: string
}

export interface SettingsSources {
  /** What lies at a path of the workspace; undefined when nothing does. */
  readonly kindOf?: (path: string) => 'file' | 'folder' | undefined
  /** What `ink.yml` says, where the workflow says nothing. Lists come as lines. */
  readonly written?: (name: SettingName) => Given | undefined
  readonly variables?: ServiceVariables
  /** Whether more is to come from a file, so that what goes together cannot be judged yet. */
  readonly incomplete?: boolean
  /** Whether GitHub gives this run no secrets, so that a key cannot be expected of it. */
  readonly secretsWithheld?: boolean
}

export type ParsedSettings =
  | { readonly ok: true; readonly settings: Settings }
  /** With what is usual in the place of what is wrong: enough to say so. */
  | { readonly ok: false; readonly problems: readonly string[]; readonly settings: Settings }

export type Settings = Readonly<ReturnType<typeof assemble>>
/** Undefined means the platform's default on create, and unchanged on update. */
export type BuildSettings = Settings['build']
export type DatabaseType = NonNullable<Value<'database'>>
export type EnvStrategy = Value<'env-strategy'>
export type CommentMode = Value<'comment'>

/** A database of each service's own. */
export interface DatabaseSettings {
  readonly type: DatabaseType
  /** Which of the database's outputs each variable holds; all have `url`, sqlite has `token` as well. */
  readonly env: ReadonlyMap<string, string>
  /** An SQL file in what is deployed, to be run once in the new database. */
  readonly seed: string | undefined
}

/** What has to answer, and how, before a deployment counts as live. */
export type HealthCheck =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'http'
      readonly path: string
      readonly statuses: readonly StatusRange[]
      /** What body or headers have to contain; `{sha}` stands for the commit that was deployed. */
      readonly contains?: string | undefined
      /** Nobody said what a good answer is: then one by which the app refuses, or knows no such page, will do as well. */
      readonly tolerant?: boolean
      readonly timeoutMs: number
    }
  /** Speaks the MCP handshake with the service instead of plain HTTP. */
  | { readonly kind: 'mcp'; readonly timeoutMs: number }

/**
 * Makes the settings of what was given, or says everything that is wrong with it. A missing key alone
 * is not a problem here, for there may be nothing to do (see `missingKey` in guards.ts); it is named only together with others,
 * so that they can be put right in one go.
 */
export function parseSettings(raw: RawInputs, sources: SettingsSources): ParsedSettings {
  const given = (name: SettingName): Given => {
    const text = isFileOnly(name) ? '' : raw[name].trim()
    // The runner fills in the defaults of action.yml, so that a value equal to one says nothing.
    const said = text !== '' && text !== settingTable[name].fallback
    return (said ? undefined : sources.written?.(name)) ?? { text, label: name }
  }
  const problems: string[] = []
  const read = settingNames.map((name) => [name, readValue(settingTable[name], given(name), problems)])
  const values = Object.fromEntries(read) as Values
  if (!sources.incomplete) problems.push(...combinationProblems(given, values, sources))
  const isUsual = (name: SettingName) =>
    given(name).label === name && [settingTable[name].fallback, ''].includes(given(name).text)
  const anyAnswer = (['health-path', 'health-status', 'health-contains'] as const).every(isUsual)
  const settings = assemble(values, sources.variables ?? noVariables, anyAnswer)
  if (problems.length === 0) return { ok: true, settings }
  const keyless = given('api-key').text === '' && settings.command !== 'plan' && !sources.secretsWithheld
  return { ok: false, settings, problems: keyless ? ['api-key: is not set', ...problems] : problems }
}

/** Whether a workflow may give it. */
export function isInput(name: string): name is InputName {
  return Object.hasOwn(workflowSettings, name)
}

/** Whether only `ink.yml` may say it. */
export function isFileOnly(name: string): name is keyof typeof fileSettings {
  return Object.hasOwn(fileSettings, name)
}

/** The value of a setting; that of its fallback where nothing, or nothing good, was given. */
function readValue({ type, fallback }: Setting<unknown>, { text, label }: Given, problems: string[]): unknown {
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

/**
 * What does not go together, most of which the platform would refuse once everything had been pushed. Judged by the text,
 * so that one mistake is one problem.
 */
function combinationProblems(
  given: (name: SettingName) => Given,
  values: Values,
  { kindOf = () => undefined }: SettingsSources,
): string[] {
  const text = (name: SettingName) => given(name).text
  const problems: string[] = []
  const refuse = (name: SettingName, sentence: string) => problems.push(`${given(name).label}: ${sentence}`)
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

const none: Variables = new Map()

function assemble(values: Values, fileVariables: ServiceVariables, anyAnswer: boolean) {
  return {
    apiKey: values['api-key'] as Secret | undefined,
    githubToken: values['github-token'],
    command: values.command,
    config: values.config,
    /** The base name as given; `serviceName` in names.ts makes one where there is none. */
    service: values.service,
    // What only a file says: the service's key beside others, the environment, whether it has previews, and the globs of all that have.
    serviceKey: undefined as string | undefined,
    /** The environment that the file names for the branch which is deployed. */
    named: undefined as string | undefined,
    hasPreviews: true as boolean,
    pathsOfAll: undefined as readonly Values['paths'][] | undefined,
    project: values.project,
    workspace: values.workspace,
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
      shared: values.env ?? none,
      preview: values['preview-env'] ?? none,
      production: values['production-env'] ?? none,
      /** Those of `ink.yml`, below all others. */
      file: fileVariables,
      /** Secrets that a file names: they go there alone. */
      named: new Set() as ReadonlySet<string>,
      /** What the references to other services stand for, as `NAME.output`; known once those are live. */
      wired: new Map() as ReadonlyMap<string, string>,
      strategy: values['env-strategy'],
      /** Whether the facts about the commit are added. */
      git: values['git-env'],
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
    commentHeader: values['comment-header'],
    deploymentRecord: values['deployment-record'],
    previewLabel: values['preview-label'],
    /** Globs; undefined when every change counts. */
    paths: values.paths,
    maxPreviews: values['max-previews'],
    previewTtlMs: values['preview-ttl'],
    previewDrafts: values['preview-drafts'],
    pullRequest: values['pr-number'],
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

/** @param isUsual whether nobody said what a good answer is */
function healthOf(values: Values, isUsual: boolean): HealthCheck {
  const {
    'health-path': path,
    'health-timeout': timeoutMs,
    'health-status': statuses,
    'health-contains': contains,
  } = values
  if (path === 'none') return { kind: 'none' }
  if (path === 'mcp') return { kind: 'mcp', timeoutMs }
  // Files without an index.html are published from the wrong directory.
  const isFiles = values['build-pack'] === 'static' || (values['publish-directory'] ?? values.directory) !== undefined
  const tolerant = isUsual && !isFiles
  return { kind: 'http', path, statuses, contains, timeoutMs, ...(tolerant ? { tolerant } : {}) }
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
