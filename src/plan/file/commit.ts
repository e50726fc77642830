import { intentOf } from '../command-meaning.ts'
import { isFromFork, type PullRequest } from '../event.ts'
import { branchWithEnvironment, type Intent, type PlanInput, type PreviewOf } from '../intent.ts'
import type { NonePlan, RefusedPlan } from '../plan.ts'

/** Whose `ink.yml` a run goes by, as far as the event tells. */
export type FileOwner =
  /** The run needs none: what is taken down is found by its marks. */
  | { readonly kind: 'none' }
  | { readonly kind: 'pull-request'; readonly of: PreviewOf }
  | {
      readonly kind: 'commit'
      readonly wanted: { readonly sha: string; readonly ref: string }
      /** The event means nothing unless the file gives this branch an environment. */
      readonly branch?: string
    }

/** The commit whose `ink.yml` counts. */
export interface FileCommit {
  readonly wanted: { readonly sha: string }
  /** Commits at which the default checkout may stand for this event. */
  readonly ordinaryCheckouts: readonly string[]
  /** It is a fork's preview: what lies in the workspace is a stranger's, and the base commit's file counts. */
  readonly untrusted: boolean
  readonly environment: 'preview' | 'production'
  /** The file counts only if it gives this branch an environment of its own. */
  readonly branch?: string | undefined
}

/** Whose file an event is about. Asked before the file is known, so that nothing in it can change the answer. */
export function fileOwner(input: PlanInput): FileOwner {
  const { event, context } = input
  const intent = intentOf(input)
  // Whether a label or a draft means anything stands in the file.
  if (event.kind === 'pull-request' && event.action !== 'closed' && isIdle(intent))
    return { kind: 'pull-request', of: { kind: 'known', pullRequest: event.pullRequest } }
  const branch = isIdle(intent) ? branchWithEnvironment(input) : undefined
  if (branch !== undefined) {
    const sha = event.kind === 'push' ? (event.after ?? context.sha) : context.sha
    return { kind: 'commit', wanted: { sha, ref: `refs/heads/${branch}` }, branch }
  }
  switch (intent.kind) {
    case 'preview':
      return { kind: 'pull-request', of: intent.of }
    case 'production':
      return { kind: 'commit', wanted: intent.wanted }
    case 'rollback':
      if (intent.number !== undefined) return { kind: 'pull-request', of: { kind: 'number', number: intent.number } }
      return { kind: 'commit', wanted: { sha: context.sha, ref: context.ref } }
    case 'logs':
      return { kind: 'pull-request', of: { kind: 'number', number: intent.number } }
    case 'sweep':
    case 'monitor':
      return { kind: 'commit', wanted: { sha: context.sha, ref: context.ref } }
    default:
      return { kind: 'none' }
  }
}

function isIdle({ kind }: Intent | NonePlan | RefusedPlan): boolean {
  return kind === 'none'
}

/** The commit of a pull request whose file counts: its head, or for a fork's the commit that it wants to be merged into. */
export function fileCommitOf(pullRequest: PullRequest, { context }: PlanInput): FileCommit {
  const { head, base } = pullRequest
  const untrusted = isFromFork(pullRequest, context.repository)
  return {
    wanted: { sha: untrusted ? base.sha : head.sha },
    ordinaryCheckouts: [context.sha, head.sha],
    untrusted,
    environment: 'preview',
  }
}
