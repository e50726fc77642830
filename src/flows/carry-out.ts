import { DeployError, errorMessage } from '../core/errors.ts'
import { createSanitizer } from '../core/sanitize.ts'
import { isOutOfMoney, isOverQuota, type Platform } from '../ink/platform.ts'
import { noneTitles } from '../plan/describe.ts'
import type { PullRequest, RunEvent } from '../plan/event.ts'
import { previewName, serviceName } from '../plan/names.ts'
import type { NonePlan, Plan, RefusedPlan } from '../plan/plan.ts'
import type { DeployReport, NothingReport } from '../report/model.ts'
import type { CardRow, Target } from '../report/row.ts'
import { SourceError } from '../source/source-error.ts'
import { answerHelp, answerLogs, answerNo } from './answers.ts'
import { check } from './check.ts'
import { checkPlace } from './check-place.ts'
import { deploy } from './deploy.ts'
import type { Deps } from './deps.ts'
import { dryRun } from './dry-run.ts'
import { evictOldest } from './limits.ts'
import { OverBudget } from './means.ts'
import { monitor } from './monitor.ts'
import type { Action, Outcome } from './outcome.ts'
import { openReporter, type Reporter, type Subject } from './reporter.ts'
import { rollback } from './rollback.ts'
import type { Run } from './run.ts'
import { sweep } from './sweep.ts'
import { teardown } from './teardown.ts'

type WorkPlan = Exclude<Plan, { kind: 'none' | 'refused' | 'help' | 'decline' | 'check' }>

/** What the entry point knows about the run itself. */
export interface Occasion {
  readonly startedAt: string
  /** Warnings given so far; grows while the run goes on. */
  readonly warnings: readonly string[]
  readonly signal: AbortSignal
}

/** Carries out a plan. Failures come back as an outcome; only a cancellation is thrown. */
export async function carryOut(plan: Plan, deps: Deps, occasion: Occasion, event: RunEvent): Promise<Outcome> {
  switch (plan.kind) {
    case 'none':
      return nothing(plan, deps, occasion, event)
    case 'refused':
      return refused(plan, deps, occasion)
    case 'help':
      return answerHelp(plan, deps)
    case 'decline':
      return answerNo(plan, deps)
    case 'check':
      return check(plan, deps, occasion.signal)
    default:
      // What a sweep or a monitor would do shows only in what they find.
      return plan.dryRun && plan.kind !== 'sweep' && plan.kind !== 'monitor'
        ? dryRun(plan, actionOf(plan), deps, occasion)
        : work(plan, deps, occasion)
  }
}

async function work(plan: WorkPlan, deps: Deps, occasion: Occasion): Promise<Outcome> {
  const reporter = openReporter(deps, subjectOf(plan), occasion)
  const reacted = reactTo(plan, deps)
  // GitHub is told while the work goes on; neither of these can fail.
  // A rollback has yet to find out which commit it is about.
  const known = plan.kind === 'preview' || plan.kind === 'production'
  const begun = Promise.all([reacted.begin(), known ? reporter.begin() : undefined])
  const outcome = await connected(plan, deps, occasion, reporter).finally(() => begun)
  if (isDeployment(plan)) await reporter.finish()
  await reacted.end(outcome.failure === undefined)
  return compared(outcome, reporter.row())
}

/** The card knows what the version before measured. */
function compared(outcome: Outcome, { change }: CardRow): Outcome {
  const { report } = outcome
  return report.kind === 'deploy' ? { ...outcome, report: { ...report, row: { ...report.row, change } } } : outcome
}

async function connected(plan: WorkPlan, deps: Deps, occasion: Occasion, reporter: Reporter): Promise<Outcome> {
  let platform: Platform | undefined
  try {
    platform = await deps.openPlatform(plan.place, occasion.signal)
    const run: Run = { ...deps, platform, reporter, signal: occasion.signal }
    await checkPlace(run, plan.place)
    return await withRoom(plan, run)
  } catch (error) {
    occasion.signal.throwIfAborted()
    return broken(plan, deps, occasion, reporter, error)
  } finally {
    await platform?.close()
  }
}

/** The account may have no more services, or more would cost too much: then `on-quota` decides. */
async function withRoom(plan: WorkPlan, run: Run): Promise<Outcome> {
  try {
    return await flowOf(plan, run)
  } catch (error) {
    const deployment = plan.kind === 'preview' || plan.kind === 'production'
    const overBudget = error instanceof OverBudget
    const unpaid = isOutOfMoney(error) || (error instanceof SourceError && error.code === 'payment-required')
    if (!deployment || !(overBudget || unpaid || isOverQuota(error)) || plan.onQuota === 'fail') throw error
    // Where money is missing, a preview that is removed brings none.
    const room = plan.onQuota === 'evict-oldest' && !overBudget && !unpaid
    if (room && (await evictOldest(run, plan))) return flowOf(plan, run)
    if (plan.onQuota === 'evict-oldest') throw error
    const said = createSanitizer(run.secrets())(errorMessage(error))
    const reason = `${overBudget ? said : `the account at ml.ink may have no more (${said})`}; on-quota is skip`
    run.reporter.update({ status: 'skipped', phase: undefined, reason })
    run.reporter.timeline.end('skipped', reason)
    run.output('skipped-reason', reason)
    const report: NothingReport = {
      kind: 'none',
      status: 'skipped',
      reason,
      runUrl: run.context.runUrl,
      warnings: run.reporter.warnings(),
    }
    return { action: plan.kind, status: 'skipped', report, failure: undefined }
  }
}

function flowOf(plan: WorkPlan, run: Run): Promise<Outcome> {
  switch (plan.kind) {
    case 'preview':
    case 'production':
      return deploy(plan, run)
    case 'teardown':
      return teardown(plan, run)
    case 'sweep':
      return sweep(plan, run)
    case 'monitor':
      return monitor(plan, run)
    case 'rollback':
      return rollback(plan, run)
    case 'logs':
      return answerLogs(plan, run)
  }
}

/** Something threw: the platform said no, the network went away, the checkout is not usable. That is a failed run with a reason. */
function broken(plan: WorkPlan, deps: Deps, occasion: Occasion, reporter: Reporter, thrown: unknown): Outcome {
  const cause = createSanitizer(deps.secrets())(errorMessage(thrown))
  const hint =
    thrown instanceof DeployError && thrown.hint
      ? thrown.hint
      : 'Run the job again. If it stays, the log above says how far it came.'
  const diagnosis = { cause, hint, decisive: [], tail: [] }
  reporter.update({ status: 'failed', phase: undefined, diagnosis })
  reporter.timeline.end('failed', cause)
  const report: DeployReport | NothingReport = isDeployment(plan)
    ? {
        kind: 'deploy',
        action: plan.kind,
        row: reporter.row(),
        phases: reporter.timeline.phases,
        envNames: [],
        annotations: [],
        runUrl: deps.context.runUrl,
        warnings: occasion.warnings,
      }
    : { kind: 'none', status: 'nothing', reason: cause, hint, runUrl: deps.context.runUrl, warnings: occasion.warnings }
  return { action: actionOf(plan), status: 'failed', report, failure: new DeployError(cause, { hint, cause: thrown }) }
}

function refused(plan: RefusedPlan, deps: Deps, occasion: Occasion): Outcome {
  const { problem, hint } = plan
  const report: NothingReport = {
    kind: 'none',
    status: 'nothing',
    reason: problem,
    hint,
    runUrl: deps.context.runUrl,
    warnings: occasion.warnings,
  }
  return { action: 'none', status: 'failed', report, failure: new DeployError(problem, { hint }) }
}

async function nothing(plan: NonePlan, deps: Deps, occasion: Occasion, event: RunEvent): Promise<Outcome> {
  deps.output('skipped-reason', plan.reason)
  deps.log.notice(`${noneTitles[plan.status]}: ${plan.reason}`)
  if (plan.status === 'skipped' && event.kind === 'pull-request' && !deps.settings.dryRun)
    await noteSkipped(plan.reason, event.pullRequest, deps, occasion)
  const report: NothingReport = {
    kind: 'none',
    status: plan.status,
    reason: plan.reason,
    runUrl: deps.context.runUrl,
    warnings: occasion.warnings,
  }
  return { action: 'none', status: plan.status, report, failure: undefined }
}

/** A commit that is skipped leaves what an earlier one put up; the card, if there is one, says so. */
async function noteSkipped(reason: string, pullRequest: PullRequest, deps: Deps, occasion: Occasion): Promise<void> {
  const { number, head } = pullRequest
  const base = serviceName(deps.settings.service, deps.context.repository)
  const subject: Subject = {
    serviceName: previewName(base, number),
    target: `pr-${number}`,
    pullRequest: number,
    commit: head.sha,
  }
  await openReporter(deps, subject, occasion).noteSkipped(reason)
}

/** A command in a comment is answered with 👀 at once, and with 👍 or 👎 at the end. */
function reactTo(plan: WorkPlan, { github }: Deps) {
  const asked = 'askedBy' in plan ? plan.askedBy : undefined
  return {
    begin: async () => asked && github.people.react(asked.commentId, 'eyes'),
    end: async (well: boolean) => asked && github.people.react(asked.commentId, well ? '+1' : '-1'),
  }
}

function isDeployment(plan: WorkPlan): plan is Extract<WorkPlan, { kind: 'preview' | 'production' | 'rollback' }> {
  return plan.kind === 'preview' || plan.kind === 'production' || plan.kind === 'rollback'
}

function subjectOf(plan: WorkPlan): Subject {
  const serviceName = 'serviceName' in plan ? plan.serviceName : plan.place.baseName
  if (plan.kind === 'teardown')
    return { serviceName, target: `pr-${plan.pullRequest}`, pullRequest: plan.pullRequest, commit: '' }
  const pullRequest = 'pullRequest' in plan ? plan.pullRequest : undefined
  const target: Target = pullRequest ? `pr-${pullRequest.number}` : 'production'
  const commit = plan.kind === 'preview' || plan.kind === 'production' ? plan.wanted.sha : (pullRequest?.head.sha ?? '')
  return { serviceName, target, pullRequest: pullRequest?.number, commit }
}

function actionOf(plan: WorkPlan): Action {
  return plan.kind === 'logs' ? 'none' : plan.kind
}
