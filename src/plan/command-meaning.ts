import { isFromFork, type PullRequest } from './event.ts'
import {
  branchWithEnvironment,
  type Intent,
  intentOfEvent,
  meaningOfWorkflowRun,
  type PlanInput,
  type PreviewOf,
  previewByNumber,
  previewOfEvent,
  production,
} from './intent.ts'
import type { NonePlan, RefusedPlan } from './plan.ts'

/** What the command asks for, or, with `auto`, what the event means. */
export function intentOf(input: PlanInput): Intent | NonePlan | RefusedPlan {
  const { settings } = input
  const because = `command: ${settings.command}`
  switch (settings.command) {
    case 'auto':
    case 'plan':
      return intentOfEvent(input)
    case 'preview':
      return commandedPreview(input, because)
    case 'production':
      return commandedProduction(input, because)
    case 'teardown':
      return commandedTeardown(input, because)
    case 'sweep':
      return { kind: 'sweep', because, thenMonitor: false }
    case 'monitor':
      return { kind: 'monitor', because }
    case 'rollback':
      if (settings.pullRequest === undefined && mayBeStrangers(input)) return refuseStrangers(input, because)
      return { kind: 'rollback', because, number: settings.pullRequest, to: settings.rollbackTo, askedBy: undefined }
  }
}

function commandedPreview(input: PlanInput, because: string): Intent | NonePlan | RefusedPlan {
  const { event, settings } = input
  if (settings.pullRequest !== undefined) return previewByNumber(settings.pullRequest, because)
  if (event.kind === 'pull-request') return previewOfEvent(event, settings, because)
  const meaning = event.kind === 'workflow-run' ? meaningOfWorkflowRun(event, input) : undefined
  return meaning === undefined || meaning.kind === 'production' ? lacksNumber(because) : meaning
}

function commandedTeardown({ event, settings }: PlanInput, because: string): Intent | RefusedPlan {
  const pullRequest = event.kind === 'pull-request' ? event.pullRequest : undefined
  const number = settings.pullRequest ?? pullRequest?.number
  if (number === undefined) return lacksNumber(because)
  const known = pullRequest?.number === number ? pullRequest : undefined
  return { kind: 'teardown', because, number, askedBy: undefined, pullRequest: known }
}

function commandedProduction(input: PlanInput, because: string): Intent | NonePlan | RefusedPlan {
  const { context, event } = input
  const meaning = event.kind === 'workflow-run' ? meaningOfWorkflowRun(event, input) : undefined
  if (meaning?.kind === 'production' || meaning?.kind === 'none') return meaning
  if (mayBeStrangers(input)) return refuseStrangers(input, because)
  if (event.kind === 'push' && event.after === undefined) {
    return refuse(`${because}: ${event.ref} was deleted`, 'There is no commit to deploy.')
  }
  const asked = production(because, { sha: context.sha, ref: context.ref }, event.kind !== 'push')
  return { ...asked, before: event.kind === 'push' ? event.before : undefined }
}

/** Events without a meaning of their own that only those who may write to the repository can cause. */
const ownEvents = ['create', 'deployment', 'registry_package', 'repository_dispatch', 'workflow_call']

/**
 * Whether people without any permission in the repository may have caused the event, or it speaks of code that nobody has
 * merged: such an event must not reach production, whatever the workflow commands.
 */
function mayBeStrangers({ event }: PlanInput): boolean {
  switch (event.kind) {
    case 'push':
    case 'dispatch':
    case 'release':
    case 'schedule':
    case 'delete':
      return false
    case 'other':
      return !ownEvents.includes(event.name)
    default:
      return true
  }
}

function refuseStrangers({ context, event }: PlanInput, because: string): RefusedPlan {
  const unmerged = event.kind !== 'other' || event.name.startsWith('pull_request') || event.name === 'merge_group'
  const why = unmerged ? 'which speaks of code that is not merged' : 'which anybody can cause'
  const problem = `${because} cannot be used with the event ${context.eventName}, ${why}`
  return refuse(problem, 'Run it on push, workflow_dispatch, schedule or release.')
}

function lacksNumber(because: string): RefusedPlan {
  const hint = 'Set the input pr-number, or run it on pull_request.'
  return refuse(`${because} does not say which pull request is meant`, hint)
}

function refuse(problem: string, hint: string): RefusedPlan {
  return { kind: 'refused', problem, hint }
}

/** Whose `ink.yml` a run goes by, as far as the event tells. */
export type FileOwner =
  /** The run needs none: what is taken down is found by its marks. */
  | { readonly kind: 'none' }
  | { readonly kind: 'pull-request'; readonly of: PreviewOf }
  | {
      readonly kind: 'commit'
      readonly wanted: { readonly sha: string; readonly ref: string }
      /** The event means nothing unless the file gives this branch an environment. */
      readonly branch?: string | undefined
      /** Without such an environment production is meant. */
      readonly elseProduction?: boolean
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
  /** Then it counts for production. */
  readonly elseProduction?: boolean | undefined
}

/** Whose file an event is about. Asked before the file is known, so that nothing in it can change the answer. */
export function fileOwner(input: PlanInput): FileOwner {
  const { event, context } = input
  const intent = intentOf(input)
  const wanted = { sha: context.sha, ref: context.ref }
  switch (intent.kind) {
    case 'none': {
      // Whether a label or a draft means anything stands in the file, and so does whether a branch has an environment.
      if (event.kind === 'pull-request' && event.action !== 'closed')
        return { kind: 'pull-request', of: { kind: 'known', pullRequest: event.pullRequest } }
      const branch = branchWithEnvironment(input)
      if (branch === undefined) return { kind: 'none' }
      const sha = event.kind === 'push' ? (event.after ?? context.sha) : context.sha
      return { kind: 'commit', wanted: { sha, ref: `refs/heads/${branch}` }, branch }
    }
    case 'preview':
      return { kind: 'pull-request', of: intent.of }
    case 'production':
      return { kind: 'commit', wanted: intent.wanted }
    case 'rollback':
    case 'logs':
      if (intent.number === undefined)
        return { kind: 'commit', wanted, branch: branchWithEnvironment(input), elseProduction: true }
      return { kind: 'pull-request', of: { kind: 'number', number: intent.number } }
    case 'sweep':
    case 'monitor':
      return { kind: 'commit', wanted }
    default:
      return { kind: 'none' }
  }
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
