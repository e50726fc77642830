import type { AccessLevel, GitHub, Repository, WebhookEvent } from '../github/github.ts'
import type { CheckoutOptions } from './checkout.ts'
import type { Concurrency } from './concurrency.ts'
import type { JobStatus } from './expression.ts'
import type { StepResult } from './step.ts'
import type { Annotation } from './step-log.ts'

/** A run that is going on. */
export interface RunningStep {
  readonly pid: number
  /** Everything shown so far. */
  log(): string
  /** Resolves as soon as a line of the log matches, now or later. */
  logMatches(pattern: RegExp): Promise<void>
}

export interface RunOptions {
  /** Directory with `action.yml`. */
  readonly action: string
  readonly github: GitHub
  readonly repository: Repository
  readonly event: WebhookEvent
  /** The step's `with:`; expressions in it are evaluated, `secrets` among them. */
  readonly with?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Default: a GITHUB_TOKEN with `permissions`, read-only where GitHub makes it so. */
  readonly token?: string
  /** The job's `permissions:`. Default: `contents: read`, as for new repositories. */
  readonly permissions?: Readonly<Record<string, AccessLevel>>
  /**
   * The repository's secrets by name; they can be used in `with` and `env`, and are hidden from the start.
   * As on GitHub, a fork's or Dependabot's pull request gets none of them. A plain list is only hidden.
   */
  readonly secrets?: readonly string[] | Readonly<Record<string, string>>
  /** An existing directory instead of a fresh one; it is then not deleted. */
  readonly workspace?: string
  /** Default: as `actions/checkout` does without any inputs. */
  readonly checkout?: false | CheckoutOptions
  /** Called after checkout: a build step's files, for example. */
  readonly prepare?: (workspace: string) => Promise<void>
  readonly job?: { readonly name?: string; readonly environment?: string }
  /** Jobs of the same run that are over already. One with an `environment` has a deployment record by GitHub itself. */
  readonly otherJobs?: readonly { readonly name: string; readonly environment?: string }[]
  /** Runs the run of this number again: same number, event, commit and actor, next attempt; `actor` is who did it. */
  readonly rerunOf?: number
  /** The workflow's `concurrency:`. Evaluated by the caller. */
  readonly concurrency?: Concurrency
  /** How far the runner's clock is ahead of everybody else's; negative where it is behind. */
  readonly clockSkewMs?: number
  /** True within a reusable workflow, which a Gitea tells by the event's name. */
  readonly reusable?: boolean
  /** What earlier steps wrote to the summary, where all steps share one file, as on a Gitea. */
  readonly earlierSummary?: string
  /** Default: “Preview”, `.github/workflows/preview.yml`. */
  readonly workflow?: { readonly name: string; readonly path: string }
  /** Path of the Node executable. Default: the one that runs this. */
  readonly node?: string
  readonly runId?: number
  readonly runAttempt?: number
  readonly actor?: string
  /** Step debugging, as after “Enable debug logging”. */
  readonly debug?: boolean
  /** Cancels the run as soon as the promise it returns is fulfilled. */
  readonly cancelAfter?: (run: RunningStep) => Promise<void>
  /** Cancels the run as well. */
  readonly signal?: AbortSignal
  /** Scales the runner's 7.5 s and 2.5 s between its signals. Default: 1. */
  readonly graceFactor?: number
  readonly onStart?: (child: { readonly pid: number; readonly stage: 'main' | 'post' }) => void
  /** Every line as it is shown. */
  readonly onLine?: (line: string, stage: 'main' | 'post') => void
  /** Leaves all folders of the job; whoever asks for it deletes `folder`. */
  readonly keepWorkspace?: boolean
}

export interface RunResult {
  readonly conclusion: JobStatus
  readonly exitCode: number
  readonly rawStdout: string
  readonly rawStderr: string
  readonly log: string
  readonly annotations: readonly Annotation[]
  readonly droppedAnnotations: number
  /** Outputs as another job gets them. */
  readonly outputs: Readonly<Record<string, string>>
  /** Names of the outputs that the runner withheld because they contain a secret. */
  readonly droppedOutputs: readonly string[]
  /** What the runner says when it completes the job: which outputs it withheld. */
  readonly jobLog: string
  /** Outputs as later steps of the same job get them: all. */
  readonly stepOutputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  /** All values registered as secrets, in order: the token first. */
  readonly masks: readonly string[]
  readonly signals: readonly NodeJS.Signals[]
  readonly main: StepResult
  /** `undefined` when the action has none, or its condition did not hold. */
  readonly post: StepResult | undefined
  readonly durationMs: number
  readonly runId: number
  readonly workspace: string
  /** The folder that holds all of the job's folders. */
  readonly folder: string
}
