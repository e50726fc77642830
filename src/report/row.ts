import { z } from 'zod'

/** The row of a card: what is stored in the comment, and with that what is known of one deployment. */

const text = (maxChars: number) => z.string().max(maxChars)
const lines = z.array(text(2000)).max(500).readonly()
const iso = z.iso.datetime({ offset: true })
const count = z.number().nonnegative()

/** Where a deployment goes: production, or the preview of one pull request. */
export type Target = 'production' | `pr-${number}`

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
  target: z.custom<Target>((value) => typeof value === 'string' && /^(production|pr-[1-9]\d{0,9})$/.test(value)),
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
  /** One line for skipped, superseded, cancelled, timed out and removed. */
  reason: text(1000).optional(),
  /** One line beside a state that stands, such as a later commit that needed no deployment. */
  note: text(1000).optional(),
})

export type CardRow = Readonly<z.infer<typeof rowSchema>>
export type RowStatus = (typeof statuses)[number]
export type PhaseName = (typeof phaseNames)[number]
export type RunStamp = CardRow['run']
export type Health = Readonly<z.infer<typeof healthSchema>>
export type DiagnosisView = Readonly<z.infer<typeof diagnosisSchema>>
export type LastWorking = Readonly<z.infer<typeof lastWorkingSchema>>
export type DomainView = Readonly<z.infer<typeof domainSchema>>
export type ChangeView = NonNullable<CardRow['change']>
