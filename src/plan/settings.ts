import { shown } from '../core/format.ts'
import { noVariables, type ServiceVariables } from './file/references.ts'
import { folderGlobs } from './paths.ts'
import { fileSettings, settingTable, workflowSettings } from './setting-table.ts'
import type { Bounds, Given, Setting } from './values.ts'
import type { Variables } from './variables.ts'

export type SettingName = keyof typeof settingTable
export type InputName = keyof typeof workflowSettings
type Value<N extends SettingName> = (typeof settingTable)[N] extends Setting<infer T> ? T : never
type Values = { readonly [N in SettingName]: Value<N> }

export const settingNames = Object.keys(settingTable) as readonly SettingName[]
export const inputNames = Object.keys(workflowSettings) as readonly InputName[]

/** Where the settings of one service stand in `ink.yml`. */
export const anyService = 'services.*.'

/** Settings that a preview may have otherwise than its production service. */
export const ofPreviews: readonly SettingName[] = ['memory', 'vcpus']

/** Every place in `ink.yml` at which a setting may stand, `*` being any name; the schema for editors is made of the same list. */
export const fileKeys = [
  ...settingNames.flatMap((setting) => ({ key: settingTable[setting].key ?? '', setting })),
  ...ofPreviews.map((setting) => ({ key: `${anyService}preview.${ownKey(setting)}`, setting })),
].filter(({ key }) => key !== '')

/** The key of a setting below a service; undefined for what is not a service's. */
export function ownKey(setting: SettingName): string | undefined {
  const { key } = settingTable[setting]
  return key?.startsWith(anyService) ? key.slice(anyService.length) : undefined
}

/** What the workflow gave, as text; a setting that was not given is empty. */
export type RawInputs = Readonly<Record<InputName, string>>

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
export type DatabaseSettings = NonNullable<Settings['database']>
export type CommentMode = Value<'comment'>

/** What has to answer, and how, before a deployment counts as live. */
export type HealthCheck =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'http'
      readonly path: string
      readonly statuses: readonly Bounds[]
      /** What body or headers have to contain; `{sha}` stands for the commit that was deployed. */
      readonly contains?: string | undefined
      /** Nobody said what a good answer is: then one by which the app refuses, or knows no such page, will do as well. */
      readonly tolerant?: boolean
      readonly timeoutMs: number
    }
  /** Speaks the MCP handshake with the service instead of plain HTTP. */
  | { readonly kind: 'mcp'; readonly timeoutMs: number }

/**
 * Makes the settings of what was given, or says everything that is wrong with it. A missing key alone is not a problem here,
 * for there may be nothing to do (see `missingKey` in guards.ts); it is named only together with others.
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

/** What no run can be told any more, and what to do instead. */
const gone: Readonly<Record<string, string>> = {
  repo: 'the repository on ml.ink is called like this one; give each of two that share a name a `project` of its own',
  'env-file': 'write variables into `ink.yml` under `env`, and pass secrets with the input `env`',
  'on-missing-key': 'a run that GitHub gives no secrets is skipped, and every other one needs a key',
}

/**
 * Finds settings of the app among the inputs. Leaving them out in silence would deploy something else than was meant.
 * @returns problems to refuse the run with, and the settings that belong into the file at `path`
 */
export function findMovedInputs(given: Readonly<Record<string, string>>, path: string) {
  const moved = Object.keys(given).filter(isFileOnly)
  return {
    problems: Object.keys(given).flatMap((name) => {
      if (isFileOnly(name)) return [`${name}: is no input but stands in ${path}, as ${keyOf(name)}`]
      return Object.hasOwn(gone, name) ? [`${name}: is no input; ${gone[name]}`] : []
    }),
    settings: Object.fromEntries(moved.map((name) => [name, given[name] ?? ''])) as Partial<
      Record<SettingName, string>
    >,
  }
}

/** Whether a run is refused that is given such an input. */
export function isMovedInput(name: string): boolean {
  return isFileOnly(name) || Object.hasOwn(gone, name)
}

function keyOf(name: SettingName): string {
  return (settingTable[name].key ?? name).replace('*', 'NAME')
}

/** The value of a setting; that of its fallback where nothing, or nothing good, was given. */
function readValue({ type, fallback }: Setting<unknown>, { text, label }: Given, problems: string[]): unknown {
  if (text !== '') {
    const parsed = type.parse(text)
    if ('problems' in parsed)
      for (const { at, text } of parsed.problems)
        problems.push(`${at === undefined ? label : `${label}, ${at}`}: ${text}`)
    if ('value' in parsed) return parsed.value
    problems.push(`${label}: must be ${parsed.allowed}${type.secret ? '' : `, but is ${shown(text)}`}`)
  }
  const parsed = fallback === '' ? undefined : type.parse(fallback)
  return parsed && 'value' in parsed ? parsed.value : undefined
}

/** What does not go together, most of which the platform would refuse late. By the text, so that one mistake is one problem. */
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
  // What a template hands over is known only once it is deployed; what sqlite does is.
  const unknown = (values['database-env'] ?? []).filter(({ output }) => output !== 'url' && output !== 'token')
  for (const { at, output } of database === 'sqlite' ? unknown : [])
    problems.push(`${given('database-env').label}, ${at}: after = must be one of url, token, but is ${shown(output)}`)
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

type CamelCase<N extends string> = N extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : N

/** The values of some settings, each under its name in camel case. */
function named<N extends SettingName>(values: Values, ...names: readonly N[]) {
  const property = (name: string) => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  return Object.fromEntries(names.map((name) => [property(name), values[name]])) as {
    readonly [Name in N as CamelCase<Name>]: Values[Name]
  }
}

const none: Variables = new Map()

function assemble(values: Values, fileVariables: ServiceVariables, anyAnswer: boolean) {
  return {
    ...named(values, 'api-key', 'github-token', 'command', 'config', 'project', 'workspace', 'production-branch'),
    ...named(values, 'directory', 'export-ignore', 'lfs-pointers', 'autoscale', 'domain', 'preview-domain'),
    ...named(values, 'remove-domain', 'dns-records', 'rollback', 'rollback-to', 'comment', 'comment-header'),
    ...named(values, 'deployment-record', 'preview-label', 'paths', 'max-previews', 'preview-drafts', 'on-quota'),
    ...named(values, 'adopt', 'remove-orphans', 'dry-run', 'max-cost-per-day', 'credits-warning', 'endpoint'),
    /** The base name as given; `serviceName` in names.ts makes one where there is none. */
    service: values.service,
    // What only a file says: the service's key beside others, the environment, whether it has previews, and the globs of all that have.
    serviceKey: undefined as string | undefined,
    /** The environment that the file names for the branch which is deployed. */
    named: undefined as string | undefined,
    hasPreviews: true as boolean,
    pathsOfAll: undefined as readonly Values['paths'][] | undefined,
    build: {
      ...named(values, 'build-pack', 'build-command', 'start-command', 'publish-directory', 'root-directory'),
      ...named(values, 'dockerfile-path', 'port', 'memory', 'vcpus', 'region'),
    },
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
    timeoutMs: values.timeout,
    previewTtlMs: values['preview-ttl'],
    health: healthOf(values, anyAnswer),
    pullRequest: values['pr-number'],
    /** Dollars. A rate of 0 hides every estimate. */
    prices: { vcpuMinute: values['price-vcpu-minute'], gbMinute: values['price-gb-minute'] },
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

function databaseOf(values: Values) {
  const { database: type, 'database-seed': seed } = values
  if (type === undefined) return undefined
  const token = type === 'sqlite' ? ([['DATABASE_AUTH_TOKEN', 'token']] as const) : []
  const given = values['database-env']?.map(({ name, output }) => [name, output] as const)
  /** Which of the database's outputs each variable holds; all have `url`, sqlite has `token` as well. */
  const env: ReadonlyMap<string, string> = new Map(given ?? [['DATABASE_URL', 'url'], ...token])
  return { type, env, seed }
}
