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

/** The raw statuses in the table, lower case. */
export const KNOWN_STATUSES: readonly string[] = Object.keys(MEANINGS)

/**
 * Looks a raw status up, whatever its case and surrounding blanks.
 *
 * @returns `undefined` for a status this table does not know: wait on, since guessing either way would lie.
 */
export function meaningOf(rawStatus: string): StatusMeaning | undefined {
  const key = rawStatus.trim().toLowerCase()
  return Object.hasOwn(MEANINGS, key) ? MEANINGS[key] : undefined
}
