import type { Secret } from '../core/secret.ts'
import type { Autoscale } from './autoscale.ts'
import type { WantedRecord } from './dns-records.ts'

/** Environment variables by name. Their values are hidden because no value is ever printed, secret or not. */
export type Variables = ReadonlyMap<string, Secret>

export const commands = ['auto', 'preview', 'production', 'teardown', 'sweep', 'monitor', 'rollback', 'plan'] as const
export type Command = (typeof commands)[number]

export const buildPacks = ['railpack', 'dockerfile', 'static', 'dockercompose'] as const
export type BuildPack = (typeof buildPacks)[number]

export const onQuotaChoices = ['fail', 'skip', 'evict-oldest'] as const
export type OnQuota = (typeof onQuotaChoices)[number]

export const onMissingKeyChoices = ['auto', 'skip', 'fail'] as const
export type OnMissingKey = (typeof onMissingKeyChoices)[number]

export const commentChoices = ['sticky', 'on-failure', 'none'] as const
export type CommentMode = (typeof commentChoices)[number]

export const deploymentRecordChoices = ['auto', 'true', 'false'] as const
export type DeploymentRecordMode = (typeof deploymentRecordChoices)[number]

export const envStrategies = ['merge', 'replace'] as const
export type EnvStrategy = (typeof envStrategies)[number]

/** What is passed on to the platform. Undefined means its default on create, and unchanged on update. */
export interface BuildSettings {
  readonly buildPack: BuildPack | undefined
  readonly buildCommand: string | undefined
  readonly startCommand: string | undefined
  readonly publishDirectory: string | undefined
  readonly rootDirectory: string | undefined
  readonly dockerfilePath: string | undefined
  readonly port: number | undefined
  /** In mebibytes with the platform's unit: `256Mi`, `1024Mi`. */
  readonly memory: string | undefined
  /** `0.5`, `1`, … as the platform writes it. */
  readonly vcpus: string | undefined
  readonly region: string | undefined
}

/** Both ends included. */
export interface StatusRange {
  readonly from: number
  readonly to: number
}

export type HealthCheck =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'http'
      readonly path: string
      readonly statuses: readonly StatusRange[]
      readonly timeoutMs: number
    }
  /** Speaks the MCP handshake with the service instead of plain HTTP. */
  | { readonly kind: 'mcp'; readonly timeoutMs: number }

export const databaseTypes = ['sqlite', 'postgres', 'mysql', 'redis', 'mongodb'] as const
export type DatabaseType = (typeof databaseTypes)[number]

/** A database of each service's own. */
export interface DatabaseSettings {
  readonly type: DatabaseType
  /** Which of the database's outputs each variable holds; all have `url`, sqlite has `token` as well. */
  readonly env: ReadonlyMap<string, string>
  /** An SQL file in what is deployed, to be run once in the new database. */
  readonly seed: string | undefined
}

export interface EnvironmentSettings {
  /** `env-file` and `env`, the latter laid over the former. */
  readonly shared: Variables
  readonly preview: Variables
  readonly production: Variables
  readonly strategy: EnvStrategy
  /** Whether the facts about the commit are added; the marks of ownership always are. */
  readonly git: boolean
  /** The `env-file` that is not there. No fault of a run that has no use for it: a teardown needs no checkout. */
  readonly missingFile: string | undefined
}

/** Dollars. A rate of 0 hides every estimate. */
export interface Prices {
  readonly vcpuMinute: number
  readonly gbMinute: number
}

/** The inputs of a run, checked. */
export interface Settings {
  readonly apiKey: Secret | undefined
  readonly githubToken: Secret | undefined
  readonly command: Command
  /** The base name as given; `serviceName` in names.ts makes a label of it. */
  readonly service: string | undefined
  readonly project: string
  readonly workspace: string | undefined
  /** Name of the repository on the platform; undefined means that of the GitHub repository. */
  readonly repo: string | undefined
  /** Undefined means the repository's default branch. */
  readonly productionBranch: string | undefined
  readonly directory: string | undefined
  /** Leave out what `.gitattributes` marks `export-ignore`. */
  readonly exportIgnore: boolean
  readonly build: BuildSettings
  /** Bounds within which the monitor may change production's size. */
  readonly autoscale: Autoscale | undefined
  readonly environment: EnvironmentSettings
  readonly database: DatabaseSettings | undefined
  readonly domain: string | undefined
  /** With `{number}` where the pull request's number goes. */
  readonly previewDomain: string | undefined
  /** Take off a domain that is not the one asked for. */
  readonly removeDomain: boolean
  /** Undefined means that nobody asked; none means that those of ours are to go. */
  readonly dnsRecords: readonly WantedRecord[] | undefined
  readonly timeoutMs: number
  readonly health: HealthCheck
  readonly rollback: boolean
  /** Where `command: rollback` goes: a source commit, whole or abbreviated; undefined means the one before. */
  readonly rollbackTo: string | undefined
  readonly comment: CommentMode
  readonly deploymentRecord: DeploymentRecordMode
  readonly previewLabel: string | undefined
  /** Globs; undefined when every change counts. */
  readonly paths: readonly string[] | undefined
  readonly maxPreviews: number | undefined
  readonly previewTtlMs: number | undefined
  readonly onMissingKey: OnMissingKey
  readonly onQuota: OnQuota
  readonly adopt: boolean
  readonly previewDrafts: boolean
  readonly pullRequest: number | undefined
  readonly dryRun: boolean
  readonly prices: Prices
  /** Dollars a day that all previews together may cost, as estimated; undefined for no limit. */
  readonly maxCostPerDay: number | undefined
  /** Dollars of credits below which a run warns; 0 for never. */
  readonly creditsWarning: number
  readonly endpoint: string
}
