/**
 * What a run has to tell, in the terms of whoever reads it. Everything here is plain data:
 * times come in as ISO strings or epoch milliseconds, texts may be foreign and are made harmless by the renderers.
 */

/** Where a deployment goes: production, or the preview of one pull request. */
export type Target = 'production' | `pr-${number}`

export type RowStatus =
  | 'building'
  | 'live'
  | 'failed'
  | 'unhealthy'
  | 'rolled-back'
  | 'removed'
  | 'superseded'
  | 'cancelled'
  | 'timed-out'
  | 'skipped'

export type PhaseName = 'prepare' | 'snapshot' | 'push' | 'queue' | 'build' | 'roll-out' | 'probe' | 'settle'

/** One answer of the deployed app to the probe. `tools` is set when it was asked as an MCP server. */
export interface Health {
  readonly status: number
  readonly latencyMs: number
  readonly tools?: number | undefined
}

/** Why a deployment failed. The diagnosis made by the watching room fits without conversion. */
export interface DiagnosisView {
  /** One line: what failed. */
  readonly cause: string
  /** What to do about it. */
  readonly hint: string
  /** The few log lines that decide. */
  readonly decisive: readonly string[]
  /** The end of the log. */
  readonly tail: readonly string[]
}

/** A version that worked. `stillLive` only when it was seen to be serving after the failure. */
export interface LastWorking {
  readonly commit: string
  readonly url?: string | undefined
  readonly stillLive?: boolean | undefined
}

/**
 * The run that wrote a row. Of two runs the one that started later is the newer, whichever of them writes last:
 * `startedAt` (ISO) is when the job began, the same for every row that the job writes.
 */
export interface RunStamp {
  readonly id: number
  readonly attempt: number
  readonly startedAt: string
}

/** One service of one pull request (or production): a row of the card. */
export interface CardRow {
  readonly service: string
  readonly target: Target
  readonly status: RowStatus
  readonly phase?: PhaseName | undefined
  readonly url?: string | undefined
  /** Absent when it was not asked; `health-path: none` is said by `probe: 'off'`. */
  readonly health?: Health | undefined
  readonly probe?: 'off' | 'no-url' | undefined
  readonly buildMs?: number | undefined
  /** Sum of the sizes of the files deployed, uncompressed. */
  readonly bytes?: number | undefined
  /** The platform had the image already and built nothing. */
  readonly cached?: boolean | undefined
  /** The source commit, in full. */
  readonly commit: string
  /** ISO 8601. */
  readonly updatedAt: string
  readonly runUrl: string
  readonly run: RunStamp
  readonly lastWorking?: LastWorking | undefined
  readonly diagnosis?: DiagnosisView | undefined
  /** The commit that took this one's place. */
  readonly supersededBy?: string | undefined
  /** US dollars, an estimate. */
  readonly costPerDay?: number | undefined
  /** Name of the database that belongs to this service. */
  readonly database?: string | undefined
  readonly domain?: DomainView | undefined
  /** Figures of the last live version before this run's; filled when the row is merged into the card. */
  readonly change?: ChangeView | undefined
  /** One line for skipped, superseded, cancelled, timed out and removed. */
  readonly reason?: string | undefined
  /** One line beside a state that stands, such as a later commit that needed no deployment. */
  readonly note?: string | undefined
}

export interface DomainView {
  readonly name: string
  /** As the platform says it: `active`, `pending`, … */
  readonly status: string
  readonly error?: string | undefined
  /** DNS records that the owner still has to set. */
  readonly records?: readonly { readonly type: string; readonly name: string; readonly content: string }[] | undefined
}

export interface ChangeView {
  readonly buildMsBefore?: number | undefined
  readonly bytesBefore?: number | undefined
}

/** Links of the repository a card or summary stands in. `repositoryUrl` is `<server>/<owner>/<name>`, GHES included. */
export interface Surroundings {
  readonly repositoryUrl: string
  readonly pullRequest?: number | undefined
}

export type PhaseResult = 'done' | 'failed' | 'skipped' | 'cancelled' | 'running'

export interface Phase {
  readonly name: PhaseName
  /** Epoch milliseconds. */
  readonly startMs: number
  /** Epoch milliseconds; absent while it runs. */
  readonly endMs?: number | undefined
  readonly result: PhaseResult
}

export interface PushedView {
  readonly branch: string
  /** SHA of the snapshot commit. */
  readonly snapshot: string
  readonly files?: number | undefined
  readonly bytes?: number | undefined
  readonly objects?: number | undefined
  /** `none`: the remote had this very commit. */
  readonly kind: 'incremental' | 'whole' | 'none'
}

export interface CostView {
  readonly perDay: number
  readonly perMonth?: number | undefined
  /** What the figure rests on, such as `0.5 vCPU, 256 MiB`. */
  readonly basis?: string | undefined
}

export interface AnnotationView {
  readonly level: 'error' | 'warning' | 'notice'
  readonly title: string
  readonly message: string
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly column?: number | undefined
}

interface RunReport {
  /** Set for every report; a link back to the run. */
  readonly runUrl: string
  /** What is degraded, each with how to mend it. */
  readonly warnings: readonly string[]
}

/** A preview, a production deployment or a rollback. */
/** Whose key it is, and how full the account. */
export interface AccountView {
  readonly name: string | undefined
  readonly project: string
  readonly workspace: string | undefined
  readonly servicesInUse: number | undefined
  readonly mostServices: number | undefined
  /** What its plan allows, in words. */
  readonly limits: readonly string[]
}

export interface DeployReport extends RunReport {
  readonly kind: 'deploy'
  readonly action: 'preview' | 'production' | 'rollback'
  readonly row: CardRow
  readonly phases: readonly Phase[]
  readonly pushed?: PushedView | undefined
  /** Names only. No value of an environment variable is ever shown. */
  readonly envNames: readonly string[]
  readonly cost?: CostView | undefined
  readonly account?: AccountView | undefined
  readonly annotations: readonly AnnotationView[]
}

export interface Thing {
  readonly kind: 'service' | 'database' | 'branch' | 'record' | 'domain' | 'comment'
  readonly name: string
}

export interface TeardownReport extends RunReport {
  readonly kind: 'teardown'
  readonly service: string
  readonly target: Target
  readonly removed: readonly Thing[]
  /** What could not be removed, and why. Not empty means the run is red. */
  readonly left: readonly (Thing & { readonly why: string })[]
}

export interface SweptPreview {
  readonly service: string
  readonly pullRequest?: number | undefined
  /** One line. */
  readonly why: string
  readonly costPerDay?: number | undefined
}

export interface SweepReport extends RunReport {
  readonly kind: 'sweep'
  readonly dryRun: boolean
  readonly removed: readonly SweptPreview[]
  readonly kept: readonly SweptPreview[]
  readonly failed: readonly SweptPreview[]
  /** Of the previews that are left; an estimate. */
  readonly cost?: CostView | undefined
}

export interface MonitoredService {
  readonly service: string
  readonly target: Target
  readonly verdict: 'healthy' | 'trouble' | 'unknown'
  readonly platformStatus: string
  readonly url?: string | undefined
  readonly health?: Health | undefined
  /** Over the runs remembered. */
  readonly uptime?: { readonly healthy: number; readonly asked: number; readonly sinceIso: string } | undefined
  readonly trouble?:
    | { readonly what: string; readonly sinceIso: string; readonly logTail: readonly string[] }
    | undefined
  readonly issue?: { readonly number: number; readonly url: string } | undefined
  /** One line about a change of memory or vCPUs, with the evidence. */
  readonly scaling?: string | undefined
}

export interface MonitorReport extends RunReport {
  readonly kind: 'monitor'
  readonly services: readonly MonitoredService[]
  /** Of the open previews; an estimate. */
  readonly cost?: CostView | undefined
  /** What the account has left, such as `$0.42`. */
  readonly credits?: string | undefined
}

export interface PlanCheck {
  readonly name: string
  readonly result: 'fine' | 'warning' | 'problem'
  readonly detail: string
  /** Exact lines to add or change, shown as they are. */
  readonly mend?: readonly string[] | undefined
}

export interface PlanReport extends RunReport {
  readonly kind: 'plan'
  /** What would be done, in order. */
  readonly steps: readonly string[]
  readonly checks: readonly PlanCheck[]
}

/** Nothing was to be done, or it was left out on purpose. */
export interface NothingReport extends RunReport {
  readonly kind: 'none'
  readonly status: 'skipped' | 'superseded' | 'nothing'
  readonly reason: string
  readonly hint?: string | undefined
}

export type Report = DeployReport | TeardownReport | SweepReport | MonitorReport | PlanReport | NothingReport
