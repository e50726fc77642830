import {
  branchOf,
  type CommentEvent,
  findCommand,
  type PullRequest,
  type PullRequestEvent,
  type PushEvent,
  type RunContext,
  type RunEvent,
  sameLabel,
  type WorkflowRunEvent,
} from './event.ts'
import type { Asked, HeadOfPullRequest, HelpPlan, NonePlan } from './plan.ts'
import type { Settings } from './settings.ts'

/** What a run is about, before any rule is applied that could forbid it. */
export type Intent =
  | PreviewIntent
  | ProductionIntent
  | TeardownIntent
  /** A branch is gone, and with it what it had deployed to an environment of its own. */
  | { readonly kind: 'retire'; readonly because: string; readonly branch: string }
  | { readonly kind: 'sweep'; readonly because: string; readonly thenMonitor: boolean }
  | { readonly kind: 'monitor'; readonly because: string }
  | RollbackIntent
  | { readonly kind: 'logs'; readonly because: string; readonly number: number; readonly askedBy: Asked }
  | ({ readonly kind: 'help' } & Pick<HelpPlan, 'because' | 'pullRequest' | 'unknown' | 'askedBy'>)

export interface PreviewIntent {
  readonly kind: 'preview'
  readonly because: string
  readonly of: PreviewOf
  /** The head before a push. */
  readonly before: string | undefined
  /** A person asked for this very preview, so drafts and paths do not hold it back. */
  readonly byPerson: boolean
  /** What happened, as far as it can approve of a fork's code. */
  readonly cause: 'commented' | 'labeled' | 'other'
  /** Nobody knows what happened, so the pull request as it is now decides, also whether its preview has to go. */
  readonly asItIs: boolean
  readonly comment: (Asked & { readonly commit: string | undefined }) | undefined
}

/** Which pull request: as the event describes it, by its number, or by its head. */
export type PreviewOf =
  | { readonly kind: 'known'; readonly pullRequest: PullRequest }
  | { readonly kind: 'number'; readonly number: number }
  | ({ readonly kind: 'head' } & HeadOfPullRequest)

export interface ProductionIntent {
  readonly kind: 'production'
  readonly because: string
  readonly wanted: { readonly sha: string; readonly ref: string }
  /** The tip before a push. */
  readonly before: string | undefined
  /** A person asked for this very deployment, so paths do not hold it back. */
  readonly byPerson: boolean
}

export interface TeardownIntent {
  readonly kind: 'teardown'
  readonly because: string
  readonly number: number
  readonly askedBy: Asked | undefined
  readonly pullRequest: PullRequest | undefined
}

export interface RollbackIntent {
  readonly kind: 'rollback'
  readonly because: string
  /** Undefined for production. */
  readonly number: number | undefined
  readonly to: string | undefined
  readonly askedBy: Asked | undefined
}

/** What a plan is made of, beside the facts that are looked up for it. */
export interface PlanInput {
  readonly context: RunContext
  readonly event: RunEvent
  readonly settings: Settings
}

/** What an event means by itself, with `command: auto`. */
export function intentOfEvent(input: PlanInput): Intent | NonePlan {
  const { context, event, settings } = input
  switch (event.kind) {
    case 'pull-request':
      return meaningOfPullRequest(event, settings)
    case 'push':
      return meaningOfPush(event, input)
    case 'dispatch':
      if (settings.pullRequest !== undefined) {
        return previewByNumber(settings.pullRequest, `started by hand for pull request #${settings.pullRequest}`)
      }
      if (branchOf(event.ref) !== productionBranch(input) && settings.named === undefined) {
        const branch = `which is not the production branch ${productionBranch(input)}`
        return nothing(`it was started on ${event.ref}, ${branch}; give pr-number for a preview`)
      }
      return production(`started by hand on ${branchOf(event.ref)}`, { sha: context.sha, ref: event.ref })
    case 'release':
      if (event.action !== 'published') return nothing(`a release was ${event.action}, not published`)
      return production(`release ${event.tag} was published`, { sha: context.sha, ref: `refs/tags/${event.tag}` })
    case 'schedule':
      return { kind: 'sweep', because: `scheduled (${event.cron})`, thenMonitor: true }
    case 'comment':
      return meaningOfComment(event)
    case 'workflow-run':
      return meaningOfWorkflowRun(event, input)
    case 'delete':
      return event.refType === 'branch' && event.ref !== productionBranch(input)
        ? retire(event.ref)
        : nothing(`the ${event.refType} ${event.ref} was deleted; previews go when their pull request closes`)
    case 'other':
      return nothing(`the event ${event.name} means nothing to this action; set command to act on it`)
  }
}

const deployingActions = ['opened', 'reopened', 'synchronize', 'ready_for_review', 'labeled']

/** Activities that change neither the code nor whether there is to be a preview. */
const idleActions = [
  ...['assigned', 'unassigned', 'edited', 'locked', 'unlocked', 'milestoned', 'demilestoned', 'unlabeled'],
  ...['converted_to_draft', 'review_requested', 'review_request_removed', 'auto_merge_enabled', 'auto_merge_disabled'],
  ...['enqueued', 'dequeued'],
]

function meaningOfPullRequest(event: PullRequestEvent, settings: Settings): Intent | NonePlan {
  const { action, pullRequest, label } = event
  const { number } = pullRequest
  const isGate = sameLabel(label, settings.previewLabel)
  if (action === 'closed') return teardownOf(`pull request #${number} was closed`, pullRequest)
  if (action === 'unlabeled' && isGate) {
    return teardownOf(`the label ${settings.previewLabel} was taken off pull request #${number}`, pullRequest)
  }
  if (action === 'converted_to_draft' && !settings.previewDrafts) {
    return teardownOf(`pull request #${number} is a draft again, and previews.drafts is false`, pullRequest)
  }
  if (idleActions.includes(action) || (action === 'labeled' && label !== undefined && !isGate)) {
    const what = action === 'labeled' ? `labeled ${label}` : action
    return nothing(`pull request #${number} was ${what}, which changes nothing about its preview`)
  }
  const because = `pull request #${number}: ${action}`
  if (deployingActions.includes(action)) return previewOfEvent(event, settings, because)
  return { ...previewByNumber(number, because), byPerson: false, asItIs: true }
}

/** A preview that nobody asked for in particular. */
const usualPreview = {
  kind: 'preview',
  before: undefined,
  byPerson: false,
  cause: 'other',
  asItIs: false,
  comment: undefined,
} as const

export function previewOfEvent(event: PullRequestEvent, settings: Settings, because: string): PreviewIntent {
  const isGate = event.action === 'labeled' && sameLabel(event.label, settings.previewLabel)
  const of = { kind: 'known', pullRequest: event.pullRequest } as const
  return { ...usualPreview, because, of, before: event.before, cause: isGate ? 'labeled' : 'other' }
}

function meaningOfPush(event: PushEvent, input: PlanInput): Intent | NonePlan {
  const branch = productionBranch(input)
  const pushed = branchOf(event.ref)
  if (pushed === branch && event.after === undefined)
    return nothing(`the production branch ${branch} was deleted; production stays as it is`)
  if (pushed !== undefined && event.after === undefined) return retire(pushed)
  if (event.after === undefined || (pushed !== branch && input.settings.named === undefined))
    return nothing(`${event.ref} is not the production branch ${branch}`)
  return { ...production(`push to ${pushed}`, { sha: event.after, ref: event.ref }, false), before: event.before }
}

function meaningOfComment(event: CommentEvent): Intent | NonePlan {
  const { number } = event
  const command = event.action === 'created' && !event.byBot ? findCommand(event.body) : undefined
  if (!command) return nothing('the comment is no new command of the form /ink …')
  if (!event.onPullRequest) return nothing(`#${number} is an issue; commands are for pull requests`)
  const askedBy: Asked = { commentId: event.commentId, login: event.author }
  const because = `${event.author} commented /ink ${command.name} on pull request #${number}`
  switch (command.name) {
    case 'deploy':
      return {
        ...previewByNumber(number, because),
        cause: 'commented',
        comment: { ...askedBy, commit: command.commit },
      }
    case 'stop':
      return { kind: 'teardown', because, number, askedBy, pullRequest: undefined }
    case 'rollback':
      return { kind: 'rollback', because, number, to: command.commit, askedBy }
    case 'logs':
      return { kind: 'logs', because, number, askedBy }
    case 'help':
      return { kind: 'help', because, pullRequest: number, unknown: command.unknown, askedBy }
  }
}

export function meaningOfWorkflowRun(event: WorkflowRunEvent, input: PlanInput): Intent | NonePlan {
  const { headSha, headBranch, headRepository } = event
  const { pullRequest } = input.settings
  const numbers = pullRequest === undefined ? event.pullRequests : [pullRequest]
  if (event.action !== 'completed' || event.conclusion !== 'success') {
    return nothing(`the workflow before this one is ${event.conclusion ?? event.action}, not done with success`)
  }
  const here = input.context.repository.fullName.toLowerCase() === headRepository?.toLowerCase()
  if (event.event === 'push' && here && headBranch === productionBranch(input)) {
    const wanted = { sha: headSha, ref: `refs/heads/${headBranch}` }
    return production(`the workflow before this one passed on ${headBranch}`, wanted, false)
  }
  if (event.event !== 'pull_request' && event.event !== 'pull_request_target') {
    return nothing(`the workflow before this one ran for ${event.event} on ${headBranch}`)
  }
  return {
    ...usualPreview,
    because: `the workflow before this one passed on ${headBranch}`,
    of: { kind: 'head', headSha, headBranch, headRepository, numbers },
  }
}

/** The branch that a push or a start by hand is about, where `ink.yml` may give it an environment of its own. */
export function branchWithEnvironment(input: PlanInput): string | undefined {
  const { event } = input
  const isPush = event.kind === 'push' && event.after !== undefined
  if (!isPush && event.kind !== 'dispatch') return undefined
  const branch = branchOf(event.ref)
  return branch === productionBranch(input) ? undefined : branch
}

export function productionBranch({ context, settings }: Pick<PlanInput, 'context' | 'settings'>): string {
  return settings.productionBranch ?? context.repository.defaultBranch
}

export function previewByNumber(number: number, because: string): PreviewIntent {
  return { ...usualPreview, because, of: { kind: 'number', number }, byPerson: true }
}

export function teardownOf(because: string, pullRequest: PullRequest): TeardownIntent {
  return { kind: 'teardown', because, number: pullRequest.number, askedBy: undefined, pullRequest }
}

function retire(branch: string): Intent {
  return { kind: 'retire', because: `the branch ${branch} was deleted`, branch }
}

export function production(because: string, wanted: ProductionIntent['wanted'], byPerson = true): ProductionIntent {
  return { kind: 'production', because, wanted, before: undefined, byPerson }
}

function nothing(reason: string): NonePlan {
  return { kind: 'none', status: 'nothing', reason, pullRequest: undefined }
}
