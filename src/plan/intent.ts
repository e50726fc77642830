import type { PullRequest, RunContext, RunEvent } from './event.ts'
import type { Asked } from './plan.ts'
import type { Settings } from './settings.ts'

/** What a run is about, before any rule is applied that could forbid it. */
export type Intent =
  | PreviewIntent
  | ProductionIntent
  | {
      readonly kind: 'teardown'
      readonly because: string
      readonly number: number
      readonly askedBy: Asked | undefined
      readonly pullRequest: PullRequest | undefined
    }
  | { readonly kind: 'sweep'; readonly because: string; readonly thenMonitor: boolean }
  | { readonly kind: 'monitor'; readonly because: string }
  | RollbackIntent
  | { readonly kind: 'logs'; readonly because: string; readonly number: number; readonly askedBy: Asked }
  | {
      readonly kind: 'help'
      readonly because: string
      readonly number: number
      readonly unknown: string | undefined
      readonly askedBy: Asked
    }

export interface PreviewIntent {
  readonly kind: 'preview'
  readonly because: string
  readonly of: PreviewOf
  /** The head before a push. */
  readonly before: string | undefined
  /** A person asked for this very preview, so drafts and paths do not hold it back. */
  readonly byPerson: boolean
  /** How a fork's code came to run with the repository's secrets; undefined where it cannot. */
  readonly fork: 'commented' | 'labeled' | 'pushed' | 'other' | undefined
  readonly comment: (Asked & { readonly commit: string | undefined }) | undefined
}

/** Which pull request: as the event describes it, by its number, or by its head. */
export type PreviewOf =
  | { readonly kind: 'known'; readonly pullRequest: PullRequest }
  | { readonly kind: 'number'; readonly number: number }
  | {
      readonly kind: 'head'
      readonly headSha: string
      readonly headBranch: string
      readonly headRepository: string | undefined
    }

export interface ProductionIntent {
  readonly kind: 'production'
  readonly because: string
  readonly wanted: { readonly sha: string; readonly ref: string }
  /** The tip before a push. */
  readonly before: string | undefined
}

export interface RollbackIntent {
  readonly kind: 'rollback'
  readonly because: string
  /** Undefined for production. */
  readonly number: number | undefined
  readonly to: string | undefined
  readonly askedBy: Asked | undefined
}

export interface Occasion {
  readonly context: RunContext
  readonly event: RunEvent
  readonly settings: Settings
}
