import { intentOf } from './command-meaning.ts'
import { previewPlan, productionPlan } from './deploy-plan.ts'
import type { PullRequest } from './event.ts'
import { labelIsOn, mayWrite, missingKey, skipReason, trustIn } from './guards.ts'
import type { Intent, PlanInput, PreviewIntent, PreviewOf, ProductionIntent, RollbackIntent } from './intent.ts'
import { databaseName, environmentName, previewName, serviceName, targetName } from './names.ts'
import type {
  Asked,
  Costing,
  DeclinePlan,
  Facts,
  MonitorPlan,
  NeededFact,
  NeedsPlan,
  NonePlan,
  Place,
  Plan,
  RefusedPlan,
  TeardownPlan,
} from './plan.ts'
import { heldByLive, unchangedPreview } from './unchanged.ts'

/**
 * Decides what a run does. Where a fact is missing the answer is `needs`: look it up, add it to `facts` and ask again
 * with everything else unchanged. Every need is asked once, so that this ends after a few rounds.
 */
export function makePlan(input: PlanInput, facts: Facts = {}): Plan | NeedsPlan {
  if (input.settings.command === 'plan') return checkPlan(input, facts)
  const intent = intentOf(input)
  if (intent.kind === 'none' || intent.kind === 'refused') return intent
  return (
    declined(input, intent, facts) ??
    (intent.kind === 'help' ? undefined : missingKey(input, intent.kind === 'teardown')) ??
    carriedOut(input, intent, facts)
  )
}

function checkPlan(input: PlanInput, facts: Facts): Plan | NeedsPlan {
  const would = makePlan({ ...input, settings: { ...input.settings, command: 'auto' } }, facts)
  if (would.kind === 'needs') return would
  const hasKey = input.settings.apiKey !== undefined
  return { kind: 'check', ...common(input, 'command: plan'), ...costing(input), hasKey, would }
}

/** Commands in comments are for those who may write to the repository. */
function declined(input: PlanInput, intent: Intent, facts: Facts): DeclinePlan | NeedsPlan | undefined {
  const asked = askedBy(intent)
  if (!asked) return undefined
  if (facts.permission === undefined) return needs({ fact: 'permission', login: asked.login })
  if (mayWrite(facts)) return undefined
  const reason =
    facts.permission === 'unreadable'
      ? 'it could not be found out whether you may write to this repository'
      : 'commands are for those who may write to this repository'
  return decline(input, intent, asked, reason)
}

function askedBy(intent: Intent): Asked | undefined {
  if (intent.kind === 'preview') return intent.comment
  return 'askedBy' in intent ? intent.askedBy : undefined
}

function decline(input: PlanInput, intent: Intent, asked: Asked, reason: string): DeclinePlan {
  const { event } = input
  const pullRequest = event.kind === 'comment' ? event.number : 0
  return { kind: 'decline', ...common(input, intent.because), pullRequest, reason, askedBy: asked }
}

function carriedOut(input: PlanInput, intent: Intent, facts: Facts): Plan | NeedsPlan {
  switch (intent.kind) {
    case 'preview':
      return preview(input, intent, facts)
    case 'production':
      return production(input, intent, facts)
    case 'teardown':
      return teardown(input, intent)
    case 'sweep':
      return sweep(input, intent)
    case 'monitor':
      return monitor(input, intent.because)
    case 'rollback':
      return rollback(input, intent, facts)
    case 'logs': {
      const found = pullRequestOf({ kind: 'number', number: intent.number }, facts)
      if ('kind' in found) return found
      const name = previewName(placeOf(input).baseName, intent.number)
      const { askedBy: asked } = intent
      return {
        kind: 'logs',
        ...common(input, intent.because),
        serviceName: name,
        pullRequest: found,
        askedBy: asked,
      }
    }
    case 'help': {
      const { number, unknown, askedBy: asked } = intent
      return { kind: 'help', ...common(input, intent.because), pullRequest: number, unknown, askedBy: asked }
    }
  }
}

function preview(input: PlanInput, intent: PreviewIntent, facts: Facts): Plan | NeedsPlan {
  const pullRequest = pullRequestOf(intent.of, facts)
  if ('kind' in pullRequest) return pullRequest
  const no = (reason: string): Plan =>
    intent.comment
      ? decline(input, intent, intent.comment, reason)
      : { kind: 'none', status: 'skipped', reason, pullRequest: pullRequest.number }

  if (intent.asItIs && isGone(input, pullRequest)) {
    return teardown(input, { ...intent, kind: 'teardown', number: pullRequest.number, askedBy: undefined, pullRequest })
  }
  const reason = skipReason(input, pullRequest, intent.byPerson) ?? notTheHead(intent, pullRequest)
  if (reason !== undefined) return no(reason)
  const trust = trustIn(input, intent, pullRequest, facts)
  if (trust.kind === 'needs') return trust
  if (trust.kind === 'denied') return no(trust.reason)
  const untrusted = trust.kind === 'approved'
  if (untrusted && input.settings.directory !== undefined) return no(builtByStrangers)
  const unchanged = intent.byPerson ? undefined : unchangedPreview(input, pullRequest, placeOf(input), facts)
  if (typeof unchanged === 'object') return unchanged
  if (unchanged !== undefined) return no(unchanged)
  return previewPlan(input, { ...common(input, intent.because), pullRequest, untrusted, intent })
}

const builtByStrangers =
  'it comes from a fork, and directory is set: files that a fork’s code built next to the key are not deployed'

/** The commit that was asked for is no longer, or never was, the pull request's head. */
function notTheHead(intent: PreviewIntent, pullRequest: PullRequest): string | undefined {
  const head = pullRequest.head.sha
  const asked = intent.comment?.commit ?? (intent.of.kind === 'head' ? intent.of.headSha : undefined)
  if (asked === undefined || head.startsWith(asked)) return undefined
  return `${asked.slice(0, 7)} is not the head of pull request #${pullRequest.number}, which is ${head.slice(0, 7)}`
}

/** A pull request whose preview has to go, whatever has happened to it. */
function isGone({ settings }: PlanInput, pullRequest: PullRequest): boolean {
  return pullRequest.state === 'closed' || !labelIsOn(settings.previewLabel, pullRequest)
}

function production(input: PlanInput, intent: ProductionIntent, facts: Facts): Plan | NeedsPlan {
  const held = heldByLive(input, intent, placeOf(input), facts)
  return held ?? productionPlan(input, { ...common(input, intent.because), intent })
}

function pullRequestOf(of: PreviewOf, facts: Facts): PullRequest | NeedsPlan | NonePlan | RefusedPlan {
  if (of.kind === 'known') return of.pullRequest
  const found = facts.pullRequest
  if (typeof found === 'object') return found
  if (found === undefined) {
    return needs(
      of.kind === 'number'
        ? { fact: 'pullRequest', number: of.number }
        : {
            fact: 'pullRequest',
            headSha: of.headSha,
            headBranch: of.headBranch,
            headRepository: of.headRepository,
            numbers: of.numbers,
          },
    )
  }
  const which = of.kind === 'number' ? `pull request #${of.number}` : `the pull request of ${of.headSha.slice(0, 7)}`
  if (found === 'unreadable') {
    return {
      kind: 'refused',
      problem: `${which} could not be read from GitHub`,
      hint: 'Give the job the permission: permissions: pull-requests: read (write, for the comment).',
    }
  }
  if (of.kind === 'head') {
    return { kind: 'none', status: 'nothing', reason: `there is no open ${which.slice(4)}`, pullRequest: undefined }
  }
  return { kind: 'refused', problem: `${which} does not exist`, hint: 'Check the input pr-number.' }
}

function teardown(input: PlanInput, intent: Extract<Intent, { kind: 'teardown' }>): TeardownPlan {
  const { number } = intent
  const name = previewName(placeOf(input).baseName, number)
  return {
    kind: 'teardown',
    ...common(input, intent.because),
    ...costing(input),
    target: targetName(name, number),
    environment: 'preview',
    serviceName: name,
    pullRequest: number,
    databaseName: databaseName(name),
    timeoutMs: input.settings.timeoutMs,
    onDemand: intent.askedBy !== undefined || input.settings.command === 'teardown',
    previewLabel: input.settings.previewLabel,
    previewDrafts: input.settings.previewDrafts,
    askedBy: intent.askedBy,
  }
}

function sweep(input: PlanInput, intent: Extract<Intent, { kind: 'sweep' }>): Plan {
  const { previewLabel, previewTtlMs, maxPreviews, timeoutMs } = input.settings
  const common_ = { ...common(input, intent.because), ...costing(input) }
  const followedBy = intent.thenMonitor ? monitor(input, intent.because) : undefined
  return { kind: 'sweep', ...common_, previewLabel, previewTtlMs, maxPreviews, timeoutMs, followedBy }
}

function monitor(input: PlanInput, because: string): MonitorPlan {
  const { health, autoscale, timeoutMs } = input.settings
  const { baseName } = placeOf(input)
  const shared = { ...common(input, because), ...costing(input) }
  return { kind: 'monitor', ...shared, serviceName: baseName, health, autoscale, timeoutMs }
}

function rollback(input: PlanInput, intent: RollbackIntent, facts: Facts): Plan | NeedsPlan {
  const { number, to } = intent
  const found = number === undefined ? undefined : pullRequestOf({ kind: 'number', number }, facts)
  if (found && 'kind' in found) return found
  const { health, timeoutMs, adopt } = input.settings
  const { baseName } = placeOf(input)
  const name = number === undefined ? baseName : previewName(baseName, number)
  return {
    kind: 'rollback',
    ...common(input, intent.because),
    target: targetName(name, number),
    environment: environmentName(number),
    serviceName: name,
    pullRequest: found,
    to,
    health,
    timeoutMs,
    adopt,
    askedBy: intent.askedBy,
  }
}

function common(input: PlanInput, because: string) {
  return { dryRun: input.settings.dryRun, because, place: placeOf(input) }
}

function costing({ settings }: PlanInput): Costing {
  const { build, database, prices, creditsWarning } = settings
  return { build, database, prices, creditsWarning }
}

/** Where a run happens on the platform. */
export function placeOf({ context, settings }: PlanInput): Place {
  const { repository } = context
  return {
    project: settings.project,
    workspace: settings.workspace,
    repositoryName: settings.repo ?? repository.name,
    repository,
    baseName: serviceName(settings.service, repository),
  }
}

function needs(need: NeededFact): NeedsPlan {
  return { kind: 'needs', need }
}
