import type { Clock } from '../core/clock.ts'
import type { OurMarks } from './ours.ts'
import type { DeploymentReader, WatchEvents } from './verdict.ts'

/** What the watch needs to know and to have. */
export interface WatchOptions extends OurMarks {
  readonly reader: DeploymentReader
  /**
   * Creates the service, or updates it to our branch; resolves when the platform has acknowledged that. Called first of
   * all, and again when it is not proven that a deployment of ours was started, so it decides anew between the two.
   */
  readonly trigger: (signal: AbortSignal) => Promise<void>
  /**
   * Whether the last trigger asked for a creation alone, not for an update of what turned out to be there; a trigger that
   * cannot tell creates whenever there was no service before.
   */
  readonly triggerCreated?: () => boolean
  readonly clock: Clock
  /** Yields [0, 1). */
  readonly random: () => number
  /** Milliseconds since the epoch. */
  readonly deadlineAt: number
  readonly events: WatchEvents
  readonly signal: AbortSignal
  /**
   * The service as it was before the trigger; tells what a reading after a lost answer proves.
   * When this or `logBaseline` is missing, it is read first.
   */
  readonly before?: 'no-service' | { readonly branch: string | undefined }
  /** Build-log lines seen before the trigger: they belong to earlier deployments. */
  readonly logBaseline?: readonly string[]
  /** Makes a foreign line harmless and masks secrets in it. */
  readonly sanitize?: (line: string) => string
  readonly isTransient: (error: unknown) => { readonly transient: boolean; readonly retryAfterMs?: number }
  /** Whether the request may have taken effect although no answer came. */
  readonly lostAnswer: (error: unknown) => boolean
}
