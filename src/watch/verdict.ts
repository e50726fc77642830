import type { DeploymentPhase } from './status.ts'

/** What the platform says about a service at one moment. Its status is that of the latest deployment, whoever started it. */
export interface ServiceReading {
  readonly branch: string | undefined
  readonly status: string
  readonly errorMessage?: string
  readonly url?: string
  /** Only later generations tell; a reading with another commit than ours is not about us. */
  readonly commitHash?: string
  /** The newest build-log lines of the service, oldest first; lines of earlier deployments come along. */
  readonly deployLogs: readonly string[]
  readonly runtimeLogs: readonly string[]
}

/** Reads the service being deployed. */
export interface DeploymentReader {
  /** @returns `undefined` when the platform says that there is no such service. */
  read(
    lines: { deployLogLines: number; runtimeLogLines: number },
    signal: AbortSignal,
  ): Promise<ServiceReading | undefined>
}

/** A phase in which time can pass before the verdict. `triggering` lasts until a trigger is known to have started a deployment. */
export type WaitingPhase = 'triggering' | 'queued' | 'building' | 'rolling-out'

/** Where the time went, in milliseconds; as seen from here, so a phase shorter than the pause between two readings counts 0. */
export interface WatchTimings {
  readonly queuedMs: number
  readonly buildMs: number
  readonly rolloutMs: number
  /** From the first trigger to the verdict. */
  readonly totalMs: number
  /** No build was seen, neither its phase nor a line of its log, or the log says that it was skipped. */
  readonly fromCache: boolean
}

/** Why a deployment that ended did not become live. */
export type FailureReason =
  | 'deployment-failed'
  | 'redeploy-refused'
  | 'completed'
  | 'stopped'
  | 'suspended'
  | 'other-commit'
  | 'unreachable'

/** What is known of a deployment that ended badly: sanitized log lines of this deployment only, oldest first. */
interface Evidence {
  readonly errorMessage: string | undefined
  readonly deployLog: readonly string[]
  readonly runtimeLog: readonly string[]
}

/** How the watch ended. Only `live` is a success; `cancelled`, `superseded` and `gone` are somebody else's doing. */
export type WatchVerdict =
  | { readonly kind: 'live'; readonly url: string | undefined; readonly timings: WatchTimings }
  | ({
      readonly kind: 'failed'
      readonly reason: FailureReason
      /** The phase in which it failed, as far as it was seen. */
      readonly phase: WaitingPhase
      readonly timings: WatchTimings
    } & Evidence)
  | ({ readonly kind: 'crashed'; readonly timings: WatchTimings } & Evidence)
  | ({ readonly kind: 'cancelled' } & Evidence)
  | { readonly kind: 'superseded' /** The branch that took over, where told. */; readonly branch: string | undefined }
  | { readonly kind: 'gone' }
  | ({
      readonly kind: 'timed-out'
      readonly phase: WaitingPhase
      readonly perPhaseMs: Readonly<Record<WaitingPhase, number>>
    } & Evidence)

/** What the watch tells while it waits. Lines are sanitized: they can be printed as they are. */
export interface WatchEvents {
  /** A phase began at `atMs` (ms since the epoch). */
  phase(phase: DeploymentPhase, atMs: number): void
  line(text: string): void
  warning(text: string): void
}
