import { branchOf, type Facts, isFromFork, type RunContext } from './event.ts'
import {
  type Intent,
  type IntentTo,
  intentOfEvent,
  meaningOfWorkflowRun,
  type NeedsPlan,
  type NonePlan,
  type PlanInput,
  previewByNumber,
  previewOfEvent,
  production,
  productionBranch,
  pullRequestOf,
  type RefusedPlan,
  teardownOf,
} from './intent.ts'

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
  const number = settings.pullRequest ?? (event.kind === 'pull-request' ? event.pullRequest.number : undefined)
  return number === undefined ? lacksNumber(because) : teardownOf(because, number)
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

/**
 * Whose `ink.yml` a run goes by. Asked before the file is known, so that nothing in it can change the answer.
 *
 * @returns undefined where none is needed (what is taken down is found by its marks), or the plan will say what is wrong
 */
export function fileCommitOf(input: PlanInput, facts: Facts): FileCommit | NeedsPlan | undefined {
  const { event, context } = input
  const { sha } = context
  const intent = intentOf(input)
  switch (intent.kind) {
    case 'none': {
      // Whether a label or a draft means anything stands in the file, and so does whether a branch has an environment.
      if (event.kind === 'pull-request' && event.action !== 'closed') return ofPullRequest(event, input, facts)
      const branch = branchWithEnvironment(input)
      return branch === undefined
        ? undefined
        : ofCommit((event.kind === 'push' && event.after) || sha, context, { branch })
    }
    case 'preview':
      return ofPullRequest(intent.of, input, facts)
    case 'production':
      return ofCommit(intent.wanted.sha, context)
    case 'rollback':
    case 'logs':
      return intent.number === undefined
        ? ofCommit(sha, context, { branch: branchWithEnvironment(input), elseProduction: true })
        : ofPullRequest({ number: intent.number }, input, facts)
    case 'sweep':
    case 'monitor':
      return ofCommit(sha, context)
    default:
      return undefined
  }
}

function ofCommit(
  sha: string,
  context: RunContext,
  only: Pick<FileCommit, 'branch' | 'elseProduction'> = {},
): FileCommit {
  return {
    wanted: { sha },
    ordinaryCheckouts: [context.sha, sha],
    untrusted: false,
    environment: 'production',
    ...only,
  }
}

/** The head of a pull request, or for a fork's the commit that it wants to be merged into. */
function ofPullRequest(
  of: IntentTo<'preview'>['of'],
  { context }: PlanInput,
  facts: Facts,
): FileCommit | NeedsPlan | undefined {
  const found = pullRequestOf(of, facts)
  if ('kind' in found) return found.kind === 'needs' ? found : undefined
  const { head, base } = found
  const untrusted = isFromFork(found, context.repository)
  const sha = untrusted ? base.sha : head.sha
  return { wanted: { sha }, ordinaryCheckouts: [context.sha, head.sha], untrusted, environment: 'preview' }
}

/** The branch that a push or a start by hand is about, where `ink.yml` may give it an environment of its own. */
function branchWithEnvironment(input: PlanInput): string | undefined {
  const { event } = input
  const isPush = event.kind === 'push' && event.after !== undefined
  if (!isPush && event.kind !== 'dispatch') return undefined
  const branch = branchOf(event.ref)
  return branch === productionBranch(input) ? undefined : branch
}
