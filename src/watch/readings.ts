/** What the platform says about a service at one moment. Its status is that of the latest deployment, whoever started it. */
export interface ServiceReading {
  readonly branch: string | undefined
  readonly status: string
  readonly errorMessage?: string | undefined
  readonly url?: string | undefined
  /** Only later generations tell; a reading with another commit than ours is not about us. */
  readonly commitHash?: string | undefined
  /** The newest build-log lines of the service's name, oldest first; lines of earlier deployments come along. */
  readonly deployLogs: readonly string[]
  readonly runtimeLogs: readonly string[]
}

/** Reads the service being deployed; `undefined` when the platform says that there is no such service. */
export type ReadService = (
  lines: { readonly deployLogLines: number; readonly runtimeLogLines: number },
  signal: AbortSignal,
) => Promise<ServiceReading | undefined>

/** What tells our deployment from others. */
export interface OurMarks {
  /** The branch that this deployment alone uses: the proof of whose status we read. */
  readonly branch: string
  /** The SHA that our branch points at, to check readings of those generations that tell the commit. */
  readonly commitHash?: string | undefined
}

/** Whether a reading is about our branch. Without a branch only our commit proves it. */
export function isOurs(reading: ServiceReading, ours: OurMarks): boolean {
  if (reading.branch !== undefined) return reading.branch === ours.branch
  return ours.commitHash !== undefined && reading.commitHash !== undefined && !isOtherCommit(reading, ours)
}

/** Whether a reading names a commit, and another one than ours. Either side may be abbreviated. */
export function isOtherCommit({ commitHash: theirs }: ServiceReading, { commitHash: ours }: OurMarks): boolean {
  if (ours === undefined || theirs === undefined || theirs === '') return false
  return !ours.startsWith(theirs) && !theirs.startsWith(ours)
}

/** Spreads a pause by ±15 %, so that jobs started by one push do not ask in step. `random` yields [0, 1). */
export function jittered(ms: number, random: () => number): number {
  return Math.round(ms * (0.85 + 0.3 * random()))
}

/**
 * Every raw status that any generation of the platform reports, and what it means to somebody who waits.
 * The statuses themselves are listed in the platform's service tools (`get_service`, `service_get`).
 */

/** How far a deployment has come. `ended` means that it will not become live any more. */
export type DeploymentPhase = 'queued' | 'building' | 'rolling-out' | 'live' | 'ended'

/** How a deployment stands once nothing more will happen by itself. */
export type DeploymentEnd =
  | 'active'
  | 'failed'
  | 'cancelled'
  | 'superseded'
  | 'crashed'
  | 'completed'
  | 'removed'
  | 'suspended'
  | 'stopped'

/** What one raw status means. `verdict` is set exactly for the phases `live` and `ended`. */
export interface StatusMeaning {
  readonly phase: DeploymentPhase
  readonly verdict?: DeploymentEnd
}

const MEANINGS: Readonly<Record<string, StatusMeaning>> = {
  pending: { phase: 'queued' },
  queued: { phase: 'queued' },
  provisioning: { phase: 'queued' },
  building: { phase: 'building' },
  deploying: { phase: 'rolling-out' },
  active: { phase: 'live', verdict: 'active' },
  running: { phase: 'live', verdict: 'active' },
  failed: { phase: 'ended', verdict: 'failed' },
  error: { phase: 'ended', verdict: 'failed' },
  crashed: { phase: 'ended', verdict: 'crashed' },
  cancelled: { phase: 'ended', verdict: 'cancelled' },
  canceled: { phase: 'ended', verdict: 'cancelled' },
  superseded: { phase: 'ended', verdict: 'superseded' },
  completed: { phase: 'ended', verdict: 'completed' },
  removed: { phase: 'ended', verdict: 'removed' },
  suspended: { phase: 'ended', verdict: 'suspended' },
  stopped: { phase: 'ended', verdict: 'stopped' },
}

/** The raw statuses in the table, lower case. @internal */
export const KNOWN_STATUSES: readonly string[] = Object.keys(MEANINGS)

/** Whether a service is live, as far as the platform tells. */
export function isLive(service: { readonly status?: string | undefined } | undefined): boolean {
  return meaningOf(service?.status ?? '')?.phase === 'live'
}

/** Whether a deployment of it is under way, or may be: a status that is not known counts as one. */
export function isDeploying({ status }: { readonly status: string }): boolean {
  const phase = meaningOf(status)?.phase
  return phase !== 'live' && phase !== 'ended'
}

/**
 * Looks a raw status up, whatever its case and surrounding blanks.
 *
 * @returns `undefined` for a status this table does not know: wait on, since guessing either way would lie.
 */
export function meaningOf(rawStatus: string): StatusMeaning | undefined {
  const key = rawStatus.trim().toLowerCase()
  return Object.hasOwn(MEANINGS, key) ? MEANINGS[key] : undefined
}
