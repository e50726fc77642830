import { shortSha } from '../core/format.ts'
import type { Facts, HeadOfPullRequest, NeededFact, RunContext, WantedCommit } from './context.ts'
import {
  branchOf,
  type CommentEvent,
  findCommand,
  type PullRequest,
  type PullRequestEvent,
  type PushEvent,
  type RunEvent,
  sameLabel,
  type WorkflowRunEvent,
} from './event.ts'
import type { FileProblem } from './file/references.ts'
import type { Settings } from './settings.ts'

/** What a plan is made of, beside the facts that are looked up for it. */
export interface PlanInput {
  readonly context: RunContext
  readonly event: RunEvent
  readonly settings: Settings
}

/** What a run is about, before any rule is applied that could forbid it. */
export type Intent = { readonly because: string } & (
  | PreviewIntent
  | ProductionIntent
  | { readonly kind: 'teardown'; readonly number: number; readonly askedBy: Asked | undefined }
  /** A branch is gone, and with it what it had deployed to an environment of its own. */
  | { readonly kind: 'retire'; readonly branch: string }
  | { readonly kind: 'sweep'; readonly thenMonitor: boolean }
  | { readonly kind: 'monitor' }
  | RollbackIntent
  | { readonly kind: 'logs'; readonly number: number; readonly askedBy: Asked }
  | HelpIntent
)
export type IntentTo<K extends Intent['kind']> = Extract<Intent, { readonly kind: K }>

/** A command in a comment: who asked, and where the reaction goes. */
export interface Asked {
  readonly commentId: number
  readonly login: string
}

interface PreviewIntent {
  readonly kind: 'preview'
  /** The pull request as the event describes it, its number, or its head. */
  readonly of: { readonly pullRequest: PullRequest } | { readonly number: number } | HeadOfPullRequest
  /** The head before a push. */
  readonly before?: string | undefined
  /** A person asked for this very preview, so drafts and paths do not hold it back. */
  readonly byPerson?: boolean
  /** The gate's label was put on, which can approve of a fork's code. */
  readonly labeled?: boolean
  /** Nobody knows what happened, so the pull request as it is now decides, also whether its preview has to go. */
  readonly asItIs?: boolean
  readonly comment?: Asked & { readonly commit: string | undefined }
}

interface ProductionIntent {
  readonly kind: 'production'
  readonly wanted: { readonly sha: string; readonly ref: string }
  /** The tip before a push. */
  readonly before?: string | undefined
  /** A person asked for this very deployment, so paths do not hold it back. */
  readonly byPerson: boolean
}

interface RollbackIntent {
  readonly kind: 'rollback'
  /** Undefined for production. */
  readonly number: number | undefined
  /** A source commit, whole or abbreviated; undefined means the one before. */
  readonly to: string | undefined
  readonly askedBy: Asked | undefined
}

/** `/ink help`, or a command that does not exist. */
interface HelpIntent {
  readonly kind: 'help'
  readonly pullRequest: number
  /** The word that is not a command; undefined when help was asked for. */
  readonly unknown: string | undefined
  readonly askedBy: Asked
}

export interface NonePlan {
  readonly kind: 'none'
  /**
   * `skipped`: there was something to do and a rule forbids it; `superseded`: something newer runs already; `nothing`: this
   * event means nothing here. All green.
   */
  readonly status: 'skipped' | 'superseded' | 'nothing'
  /** For the notice and the output `skipped-reason`; says what to do when something can be done. */
  readonly reason: string
  /** Where a card may say so. */
  readonly pullRequest: number | undefined
  /** A preview that was to be taken down is still there, if there was one. */
  readonly stillRuns?: boolean
  /** Given where none of the changed files counts: the globs of `watch`, and the commit that they were meant for. */
  readonly skippedBy?: WantedCommit & { readonly paths: readonly string[] }
}

/** The run cannot go on, and that is red: a missing key, a command that lacks what it needs. */
export interface RefusedPlan {
  readonly kind: 'refused'
  readonly problem: string
  readonly hint: string
  /** Where in `ink.yml` it is to be put right. */
  readonly places?: readonly (FileProblem & { readonly file: string })[]
  /** Whoever asked for it in a comment, and may. */
  readonly askedBy?: Asked | undefined
}

/** A fact is needed before the plan can be made: look it up, add it to the facts, and plan again. */
export interface NeedsPlan {
  readonly kind: 'needs'
  readonly need: NeededFact
}

/** What an event means by itself, with `command: auto`. */
export function intentOfEvent(input: PlanInput): Intent | NonePlan {
  const { context, event, settings } = input
  const ownBranch = productionBranch(input)
  switch (event.kind) {
    case 'pull-request':
      return meaningOfPullRequest(event, settings)
    case 'push':
      return meaningOfPush(event, input)
    case 'dispatch':
      if (settings.pullRequest !== undefined)
        return previewByNumber(settings.pullRequest, `started by hand for pull request #${settings.pullRequest}`)
      if (branchOf(event.ref) !== ownBranch && settings.named === undefined)
        return nothing(
          `it was started on ${event.ref}, which is not the production branch ${ownBranch}; give pr-number for a preview`,
        )
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
      return event.refType === 'branch' && event.ref !== ownBranch
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
  const { action, label } = event
  const { number } = event.pullRequest
  const it = `pull request #${number}`
  const isGate = sameLabel(label, settings.previewLabel)
  if (action === 'closed') return teardownOf(`${it} was closed`, number)
  if (action === 'unlabeled' && isGate)
    return teardownOf(`the label ${settings.previewLabel} was taken off ${it}`, number)
  if (action === 'converted_to_draft' && !settings.previewDrafts)
    return teardownOf(`${it} is a draft again, and previews.drafts is false`, number)
  if (idleActions.includes(action) || (action === 'labeled' && label !== undefined && !isGate))
    return nothing(
      `${it} was ${action === 'labeled' ? `labeled ${label}` : action}, which changes nothing about its preview`,
    )
  const because = `${it}: ${action}`
  if (deployingActions.includes(action)) return previewOfEvent(event, settings, because)
  return { kind: 'preview', because, of: { number }, asItIs: true }
}

export function previewOfEvent(event: PullRequestEvent, settings: Settings, because: string): IntentTo<'preview'> {
  const { action, label, before, pullRequest } = event
  const labeled = action === 'labeled' && sameLabel(label, settings.previewLabel)
  return { kind: 'preview', because, of: { pullRequest }, before, labeled }
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
      return { ...previewByNumber(number, because), comment: { ...askedBy, commit: command.commit } }
    case 'stop':
      return teardownOf(because, number, askedBy)
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
  if (event.action !== 'completed' || event.conclusion !== 'success')
    return nothing(`the workflow before this one is ${event.conclusion ?? event.action}, not done with success`)
  const because = `the workflow before this one passed on ${headBranch}`
  const here = input.context.repository.fullName.toLowerCase() === headRepository?.toLowerCase()
  if (event.event === 'push' && here && headBranch === productionBranch(input))
    return production(because, { sha: headSha, ref: `refs/heads/${headBranch}` }, false)
  if (event.event !== 'pull_request' && event.event !== 'pull_request_target')
    return nothing(`the workflow before this one ran for ${event.event} on ${headBranch}`)
  const numbers = pullRequest === undefined ? event.pullRequests : [pullRequest]
  return { kind: 'preview', because, of: { headSha, headBranch, headRepository, numbers } }
}

export function productionBranch({ context, settings }: Pick<PlanInput, 'context' | 'settings'>): string {
  return settings.productionBranch ?? context.repository.defaultBranch
}

export function previewByNumber(number: number, because: string): IntentTo<'preview'> {
  return { kind: 'preview', because, of: { number }, byPerson: true }
}

export function teardownOf(because: string, number: number, askedBy?: Asked): IntentTo<'teardown'> {
  return { kind: 'teardown', because, number, askedBy }
}

function retire(branch: string): Intent {
  return { kind: 'retire', because: `the branch ${branch} was deleted`, branch }
}

export function production(because: string, wanted: ProductionIntent['wanted'], byPerson = true) {
  return { kind: 'production', because, wanted, byPerson } as const
}

/** @param pullRequest where a card may say so */
export function noPlan(status: NonePlan['status'], reason: string, pullRequest?: number): NonePlan {
  return { kind: 'none', status, reason, pullRequest }
}

const nothing = (reason: string) => noPlan('nothing', reason)

/** @param problems what is wrong in particular, where `problem` is their title */
export function refusal(problem: string, hint: string, problems: readonly string[] = []): RefusedPlan {
  return { kind: 'refused', problem: [problem, ...problems.map((one) => `  - ${one}`)].join('\n'), hint }
}

/** The pull request of an intent; or that it has to be looked up first, or why there is none. */
export function pullRequestOf(
  of: IntentTo<'preview'>['of'],
  facts: Facts,
): PullRequest | NeedsPlan | NonePlan | RefusedPlan {
  if ('pullRequest' in of) return of.pullRequest
  const found = facts.pullRequest
  if (typeof found === 'object') return found
  if (found === undefined) return { kind: 'needs', need: { fact: 'pullRequest', ...of } }
  const which = 'number' in of ? `pull request #${of.number}` : `pull request of ${shortSha(of.headSha)}`
  if (found === 'unreadable') {
    const permission = 'permissions: pull-requests: read (write, for the comment)'
    return refusal(
      `${'number' in of ? '' : 'the '}${which} could not be read`,
      `Give the job the permission: ${permission}.`,
    )
  }
  return 'number' in of
    ? refusal(`${which} does not exist`, 'Check the input pr-number.')
    : nothing(`there is no open ${which}`)
}
