import * as z from 'zod'
import type { Annotation } from '../core/errors.ts'

/** What a run has to tell, as plain data. Texts may be untrusted: the renderers make them harmless. */

/** Links of the repository a card or summary stands in. `repositoryUrl` is `<server>/<owner>/<name>`, GHES included. */
export interface Surroundings {
  readonly repositoryUrl: string
  /** Markdown above the card; empty for none, undefined for what the card has already. */
  readonly header?: string | undefined
  readonly remarks?: readonly string[] | undefined
  /** What ends a preview after its pull request, in words that follow "removed"; undefined where nobody knows. */
  readonly removal?: PreviewEnd | undefined
  /** Signs what the card carries, and tells what of a card is to be believed; a run without the API key has none. */
  readonly seal?: Seal | undefined
}

/**
 * Signs the hidden state of a comment. Under the name that a workflow's token writes with, other actions write as well, and
 * what they write may be a stranger's words: what was read back counts only with the signature of somebody who has the
 * API key.
 */
export type Seal = (state: string) => string

/** `closing`: the run that the closing starts. `expiry`: the platform, so many milliseconds after the deployment. */
export type PreviewEnd = 'closing' | 'sweep' | 'nothing' | { readonly expiresAfterMs: number }

export type PhaseResult = 'done' | 'failed' | 'skipped' | 'cancelled' | 'running'

export interface Phase {
  readonly name: PhaseName
  /** Epoch milliseconds, as the next, which is absent while it runs. */
  readonly startMs: number
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

/** An estimate. */
export interface CostView {
  readonly perDay: number
  /** What the figure rests on, such as `0.5 vCPU, 256 MiB`. */
  readonly basis: string
}

interface RunReport {
  readonly runUrl: string
  /** What is degraded, each with how to fix it. */
  readonly warnings: readonly string[]
}

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
  readonly row: CardRow
  readonly phases: readonly Phase[]
  readonly pushed?: PushedView | undefined
  readonly detected?: string | undefined
  /** Names only. No value of an environment variable is ever shown. */
  readonly envNames: readonly string[]
  readonly cost?: CostView | undefined
  readonly account?: AccountView | undefined
  readonly annotations: readonly Annotation[]
}

export interface Resource {
  readonly kind: 'service' | 'database' | 'branch' | 'record' | 'domain' | 'comment'
  readonly name: string
}

export interface TeardownReport extends RunReport {
  readonly kind: 'teardown'
  readonly service: string
  readonly target: Target
  readonly removed: readonly Resource[]
  /** What could not be removed, and why. Not empty means the run is red. */
  readonly left: readonly (Resource & { readonly why: string })[]
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
  readonly trouble?: { readonly what: string; readonly logTail: readonly string[] } | undefined
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
  readonly fix?: readonly string[] | undefined
}

/** A setting that a service would have otherwise than now. */
export interface ForeseenChange {
  /** As in `ink.yml`, below the service. */
  readonly setting: string
  /** Undefined where it is not set, or nobody tells. */
  readonly from: string | undefined
  readonly to: string | undefined
}

export interface ForeseenService {
  readonly service: string
  readonly what: 'create' | 'update' | 'unchanged' | 'remove' | 'refuse'
  /** Services of the same file that have to be up before it. */
  readonly after: readonly string[]
  readonly changes: readonly ForeseenChange[]
  readonly why?: string | undefined
  readonly costPerDay?: number | undefined
}

export interface PlanReport extends RunReport {
  readonly kind: 'plan'
  /** Both in the order in which they would be done. */
  readonly services: readonly ForeseenService[]
  readonly steps: readonly string[]
  readonly checks: readonly PlanCheck[]
}

/** Nothing was to be done, or it was left out on purpose. */
export interface NothingReport extends RunReport {
  readonly kind: 'none'
  /** `failed`: the run was refused, or broke before it came to anything that has a report of its own. */
  readonly status: 'skipped' | 'superseded' | 'nothing' | 'failed'
  readonly reason: string
  readonly hint?: string | undefined
}

export type Report = DeployReport | TeardownReport | SweepReport | MonitorReport | PlanReport | NothingReport

const text = (maxChars: number) => z.string().max(maxChars)
const lines = z.array(text(2000)).max(500).readonly()
const iso = z.iso.datetime({ offset: true })
const count = z.number().nonnegative()

/** Where a deployment goes: production, the preview of one pull request, or an environment that the file names. */
export type Target = 'production' | `pr-${number}` | `env-${string}`

/** One answer of the deployed app to the probe. `tools` is set when it was asked as an MCP server. */
const healthSchema = z.object({ status: z.int(), latencyMs: count, tools: z.int().nonnegative().optional() })

/** Why a deployment failed: one line of cause, what to do, the few log lines that decide, and the end of the log. */
const diagnosisSchema = z.object({ cause: text(2000), hint: text(2000), decisive: lines, tail: lines })

/** A version that worked. `stillLive` only when it was seen to be serving after the failure. */
const lastWorkingSchema = z.object({
  commit: text(64),
  url: text(2000).optional(),
  stillLive: z.boolean().optional(),
})

/** A custom domain; `status` as the platform says it, `records` are those that the owner still has to set. */
const domainSchema = z.object({
  name: text(255),
  status: text(100),
  error: text(1000).optional(),
  records: z
    .array(z.object({ type: text(10), name: text(255), content: text(2000) }))
    .max(20)
    .readonly()
    .optional(),
})

const statuses = [
  'building',
  'live',
  'failed',
  'unhealthy',
  'rolled-back',
  'removed',
  'superseded',
  'cancelled',
  'timed-out',
  'skipped',
] as const

const phaseNames = ['prepare', 'snapshot', 'push', 'queue', 'build', 'roll-out', 'probe', 'settle'] as const

/** One service of one pull request (or production): a row of the card. */
export const rowSchema = z.object({
  service: text(200),
  /** Project, or workspace and project, where the service is not in the usual ones. */
  place: text(200).optional(),
  target: z.string().regex(/^(production|pr-[1-9]\d{0,9}|env-[a-z][a-z0-9-]{0,19})$/) as z.ZodType<Target>,
  status: z.enum(statuses),
  phase: z.enum(phaseNames).optional(),
  url: text(2000).optional(),
  /** Absent when it was not asked; `health-path: none` is said by `probe: 'off'`. */
  health: healthSchema.optional(),
  probe: z.enum(['off', 'no-url']).optional(),
  buildMs: count.optional(),
  /** Sum of the sizes of the files deployed, uncompressed. */
  bytes: count.optional(),
  /** The platform had the image already and built nothing. */
  cached: z.boolean().optional(),
  /** The source commit, in full. */
  commit: text(64),
  updatedAt: iso,
  runUrl: text(2000),
  /**
   * The run that wrote the row. Of two runs the one that started later is the newer, whichever of them writes last:
   * `startedAt` is when the job began, the same for every row that the job writes.
   */
  run: z.object({ id: z.int(), attempt: z.int(), startedAt: iso }),
  lastWorking: lastWorkingSchema.optional(),
  diagnosis: diagnosisSchema.optional(),
  /** The commit that took this one's place. */
  supersededBy: text(64).optional(),
  /** US dollars, an estimate. */
  costPerDay: count.optional(),
  /** Name of the database that belongs to this service. */
  database: text(200).optional(),
  domain: domainSchema.optional(),
  /** Figures of the last live version before this run's; filled when the row is merged into the card. */
  change: z.object({ buildMsBefore: count.optional(), bytesBefore: count.optional() }).optional(),
  /** Nothing was begun, for a mistake in a file: the row stands for all services that there would have been. */
  refused: z.boolean().optional(),
  /** One line for skipped, superseded, cancelled, timed out and removed. */
  reason: text(1000).optional(),
  /** One line beside a state that stands, such as a later commit that needed no deployment. */
  note: text(1000).optional(),
})

export type CardRow = Readonly<z.infer<typeof rowSchema>>
export type RowStatus = (typeof statuses)[number]
export type PhaseName = (typeof phaseNames)[number]
export type Health = Readonly<z.infer<typeof healthSchema>>
export type DiagnosisView = Readonly<z.infer<typeof diagnosisSchema>>
export type LastWorking = Readonly<z.infer<typeof lastWorkingSchema>>
export type DomainView = Readonly<z.infer<typeof domainSchema>>
