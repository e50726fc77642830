import { shortSha } from '../core/format.ts'
import type { ChangedFilesOf, Facts, NeededFact } from './context.ts'
import type { PullRequest } from './event.ts'
import { labelIsOn, missingKey, skipReason, trustIn } from './guards.ts'
import {
  type Asked,
  type Intent,
  type IntentTo,
  intentOfEvent,
  meaningOfWorkflowRun,
  type NeedsPlan,
  type NonePlan,
  noPlan,
  type PlanInput,
  previewByNumber,
  previewOfEvent,
  production,
  pullRequestOf,
  type RefusedPlan,
  refusal,
  teardownOf,
} from './intent.ts'
import { previewName } from './names.ts'
import { matchesPaths } from './paths.ts'
import {
  common,
  costing,
  type DeclinePlan,
  declinePlan,
  logsPlan,
  monitorPlan,
  type Plan,
  placeOf,
  previewPlan,
  productionPlan,
  rollbackPlan,
  sweepPlan,
  teardownPlan,
} from './plan.ts'

/**
 * Decides what a run does. Where a fact is missing the answer is `needs`: look it up, add it to `facts` and ask again
 * with everything else unchanged. Every need is asked once, so that this ends after a few rounds.
 */
export function makePlan(input: PlanInput, facts: Facts = {}): Plan | NeedsPlan {
  if (input.settings.command === 'plan') return checkPlan(input, facts)
  const intent = intentOf(input)
  if (intent.kind === 'none' || intent.kind === 'refused') return intent
  const plan =
    declined(input, intent, facts) ??
    (intent.kind === 'help' ? undefined : missingKey(input, intent.kind === 'teardown')) ??
    carriedOut(input, intent, facts)
  return plan.kind === 'refused' ? { ...plan, askedBy: whoAsked(intent) } : plan
}

function whoAsked(intent: Intent): Asked | undefined {
  return intent.kind === 'preview' ? intent.comment : 'askedBy' in intent ? intent.askedBy : undefined
}

function checkPlan(input: PlanInput, facts: Facts): Plan | NeedsPlan {
  const would = makePlan({ ...input, settings: { ...input.settings, command: 'auto' } }, facts)
  if (would.kind === 'needs' || would.kind === 'check') return would
  const hasKey = input.settings.apiKey !== undefined
  return { kind: 'check', ...common(input, 'command: plan'), ...costing(input), hasKey, would }
}

/** Commands in comments are for those who may write to the repository. */
function declined(input: PlanInput, intent: Intent, facts: Facts): DeclinePlan | NeedsPlan | undefined {
  const asked = whoAsked(intent)
  if (!asked) return undefined
  if (facts.permission === undefined) return needs({ fact: 'permission', login: asked.login })
  if (facts.permission === 'write') return undefined
  const reason =
    facts.permission === 'unreadable'
      ? 'it could not be found out whether you may write to this repository'
      : 'commands are for those who may write to this repository'
  return declinePlan(input, intent.because, asked, reason)
}

function carriedOut(input: PlanInput, intent: Intent, facts: Facts): Plan | NeedsPlan {
  switch (intent.kind) {
    case 'preview':
      return preview(input, intent, facts)
    case 'production':
      return skippedForLive(input, intent, facts) ?? productionPlan(input, intent)
    case 'teardown':
      return teardownPlan(input, intent)
    case 'retire':
    case 'help':
      return { ...common(input, intent.because), ...intent }
    case 'sweep':
      return sweepPlan(input, intent)
    case 'monitor':
      return monitorPlan(input, intent.because)
    case 'rollback': {
      const { number } = intent
      const found = number === undefined ? undefined : pullRequestOf({ number }, facts)
      return found && 'kind' in found ? found : rollbackPlan(input, intent, found)
    }
    case 'logs': {
      const found = pullRequestOf({ number: intent.number }, facts)
      return 'kind' in found ? found : logsPlan(input, intent, found)
    }
  }
}

function preview(input: PlanInput, intent: IntentTo<'preview'>, facts: Facts): Plan | NeedsPlan {
  const pullRequest = pullRequestOf(intent.of, facts)
  if ('kind' in pullRequest) return pullRequest
  const no = (reason: string): Plan =>
    intent.comment
      ? declinePlan(input, intent.because, intent.comment, reason)
      : noPlan('skipped', reason, pullRequest.number)
  const isGone = pullRequest.state === 'closed' || !labelIsOn(input.settings.previewLabel, pullRequest)
  if (intent.asItIs && isGone) return teardownPlan(input, teardownOf(intent.because, pullRequest.number))
  const reason = skipReason(input, pullRequest, intent.byPerson === true) ?? notTheHead(intent, pullRequest)
  if (reason !== undefined) return no(reason)
  const trust = trustIn(input, intent, pullRequest, facts)
  if (trust.kind === 'needs') return trust
  if (trust.kind === 'denied') return no(trust.reason)
  const untrusted = trust.kind === 'approved'
  if (untrusted && input.settings.directory !== undefined) return no(builtByStrangers)
  const unchanged = intent.byPerson ? undefined : unchangedPreview(input, pullRequest, facts)
  if (typeof unchanged === 'object') return unchanged
  if (unchanged === undefined) return previewPlan(input, intent, { pullRequest, untrusted })
  // What lies in the workspace of a run for a stranger's commit is not looked at.
  const why = untrusted ? {} : skippedBy(input, pullRequest.head)
  return { ...noPlan('skipped', unchanged, pullRequest.number), ...why }
}

const builtByStrangers =
  'it comes from a fork, and directory is set: files that a fork’s code built next to the key are not deployed'

/** The commit that was asked for is no longer, or never was, the pull request's head. */
function notTheHead(intent: IntentTo<'preview'>, pullRequest: PullRequest): string | undefined {
  const head = pullRequest.head.sha
  const asked = intent.comment?.commit ?? ('headSha' in intent.of ? intent.of.headSha : undefined)
  if (asked === undefined || head.startsWith(asked)) return undefined
  return `${shortSha(asked)} is not the head of pull request #${pullRequest.number}, which is ${shortSha(head)}`
}

function needs(need: NeededFact): NeedsPlan {
  return { kind: 'needs', need }
}

// What is to be deployed is held against what is live, never against the push before: its run may have been cancelled, or have
// failed, or a push may have taken back what is live. Where nothing is known, the answer is to deploy.

/** Why no file counts that has changed since the version that the preview runs, or, where there is none, since the base. */
function unchangedPreview(input: PlanInput, { number, head }: PullRequest, facts: Facts) {
  const { paths } = input.settings
  if (paths === undefined) return undefined
  const { live } = facts
  const place = placeOf(input)
  if (live === undefined) return needs({ fact: 'live', place, serviceName: previewName(place.baseName, number) })
  // Services of one file use each other, so that the first change to any of them brings all.
  if (live === 'absent')
    return unchangedFiles(input.settings.pathsOfAll ?? [paths], { kind: 'pull-request', number }, facts)
  if (live === 'unknown') return undefined
  return unchangedFiles([paths], { kind: 'range', before: live.commit, after: head.sha }, facts)
}

/** Why production stays as it is: something newer is live, or none of the files that changed since counts. */
function skippedForLive(input: PlanInput, { wanted, byPerson }: IntentTo<'production'>, facts: Facts) {
  const { settings, context } = input
  const compares = settings.paths !== undefined && !byPerson
  const startedAgain = context.runAttempt > 1
  if (!compares && !startedAgain) return undefined
  const { live } = facts
  const place = placeOf(input)
  if (live === undefined) return needs({ fact: 'live', place, serviceName: place.baseName })
  if (typeof live === 'string' || (startedAgain && live.commit === wanted.sha)) return undefined
  const newer = startedAgain ? newerIsLive(wanted, live.commit, facts, place.environment) : undefined
  if (newer || !compares) return newer
  const unchanged = unchangedFiles([settings.paths], { kind: 'range', before: live.commit, after: wanted.sha }, facts)
  if (typeof unchanged !== 'string') return unchanged
  return { ...noPlan('skipped', unchanged), ...skippedBy(input, wanted) }
}

function skippedBy({ settings: { paths = [] }, context }: PlanInput, wanted: { readonly sha: string }) {
  return { skippedBy: { paths, wanted, ordinaryCheckouts: [context.sha, wanted.sha] } }
}

/** A run that is started again must not put its old commit over a newer one without a word. */
function newerIsLive(
  { sha, ref }: IntentTo<'production'>['wanted'],
  live: string,
  { relation }: Facts,
  environment: string | undefined,
) {
  if (relation === undefined) return needs({ fact: 'relation', of: { base: sha, head: live, ref } })
  if (relation !== 'ahead') return undefined
  const [old, now] = [shortSha(sha), shortSha(live)]
  const reason = `this run was started again for ${old}, and ${environment ?? 'production'} runs the newer ${now} already`
  const advice = environment ? '' : `; to go back on purpose use command: rollback with rollback-to: ${old}`
  return noPlan('superseded', reason + advice)
}

/** Why none of the changed files counts; undefined when one does, or when nobody knows. */
function unchangedFiles(
  any: readonly (readonly string[] | undefined)[],
  of: ChangedFilesOf,
  { changedFiles }: Facts,
): NeedsPlan | string | undefined {
  const globs = any.filter((paths) => paths !== undefined)
  if (globs.length < any.length) return undefined
  const listed = [...new Set(globs.flat())].join(', ')
  const reason = `none of the changed files matches watch (${listed}); what was deployed before stays`
  if (of.kind === 'range' && of.before === of.after) return reason
  if (changedFiles === undefined) return needs({ fact: 'changedFiles', of })
  // Better one deployment too many than a change that is not live.
  if (changedFiles === 'unreadable' || globs.some((paths) => matchesPaths(paths, changedFiles))) return undefined
  return reason
}

/** What the command asks for, or, with `auto`, what the event means. */
export function intentOf(input: PlanInput): Intent | NonePlan | RefusedPlan {
  const { settings, event } = input
  const because = `command: ${settings.command}`
  switch (settings.command) {
    case 'auto':
    case 'plan':
      return intentOfEvent(input)
    case 'preview':
      return commandedPreview(input, because)
    case 'production':
      return commandedProduction(input, because)
    case 'teardown': {
      const number = settings.pullRequest ?? (event.kind === 'pull-request' ? event.pullRequest.number : undefined)
      return number === undefined ? lacksNumber(because) : teardownOf(because, number)
    }
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

function commandedProduction(input: PlanInput, because: string): Intent | NonePlan | RefusedPlan {
  const { context, event } = input
  const meaning = event.kind === 'workflow-run' ? meaningOfWorkflowRun(event, input) : undefined
  if (meaning?.kind === 'production' || meaning?.kind === 'none') return meaning
  if (mayBeStrangers(input)) return refuseStrangers(input, because)
  const push = event.kind === 'push' ? event : undefined
  if (push && push.after === undefined)
    return refusal(`${because}: ${push.ref} was deleted`, 'There is no commit to deploy.')
  return { ...production(because, { sha: context.sha, ref: context.ref }, !push), before: push?.before }
}

/** Events that only those who may write to the repository can cause; the last five have no meaning of their own. */
const ownEvents = [
  ...['push', 'dispatch', 'release', 'schedule', 'delete'],
  ...['create', 'deployment', 'registry_package', 'repository_dispatch', 'workflow_call'],
]

/**
 * Whether people without any permission in the repository may have caused the event, or it speaks of code that nobody has
 * merged: such an event must not reach production, whatever the workflow commands.
 */
function mayBeStrangers({ event }: PlanInput): boolean {
  return !ownEvents.includes(event.kind === 'other' ? event.name : event.kind)
}

function refuseStrangers({ context, event }: PlanInput, because: string): RefusedPlan {
  const unmerged = event.kind !== 'other' || event.name.startsWith('pull_request') || event.name === 'merge_group'
  const why = unmerged ? 'which speaks of code that is not merged' : 'which anybody can cause'
  return refusal(
    `${because} cannot be used with the event ${context.eventName}, ${why}`,
    'Run it on push, workflow_dispatch, schedule or release.',
  )
}

const lacksNumber = (because: string) =>
  refusal(`${because} does not say which pull request is meant`, 'Set the input pr-number, or run it on pull_request.')
