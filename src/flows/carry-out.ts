import { withinTime } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import { shortDuration } from '../core/format.ts'
import { createSanitizer, safeMessage } from '../core/sanitize.ts'
import { isOutOfMoney, isOverQuota } from '../ink/errors.ts'
import type { Platform } from '../ink/platform.ts'
import { describePlan } from '../plan/describe.ts'
import type { DeclinePlan, HelpPlan, LogsPlan, WorkPlan } from '../plan/plan.ts'
import { declineAnswer, declineMarker, helpAnswer, logsAnswer } from '../report/comments.ts'
import { targetFor } from '../report/parts.ts'
import { SourceError } from '../source/remote.ts'
import { deploy } from './deploy.ts'
import { dryRun } from './environment/foresee.ts'
import { monitor } from './monitor.ts'
import { openReporter, type Subject } from './reporter.ts'
import { evictOldest, OverBudget } from './resources/account.ts'
import { assertPlace, keepFormerNames, ownService } from './resources/repository.ts'
import { rollback } from './rollback.ts'
import {
  actionOf,
  deployReport,
  nothingReport,
  nothingToDo,
  type Outcome,
  type Run,
  type RunDeps,
  windUpMs,
} from './run.ts'
import { sweep } from './sweep.ts'
import { retire, teardown } from './teardown.ts'

/** Carries out a plan that there is something to do for. Failures come back as an outcome; only a cancellation is thrown. */
export async function carryOut(plan: WorkPlan | HelpPlan | DeclinePlan, deps: RunDeps): Promise<Outcome> {
  if (plan.kind === 'help') return answerHelp(plan, deps)
  if (plan.kind === 'decline') return answerDecline(plan, deps)
  // What a sweep or a monitor would do shows only in what they find.
  return plan.dryRun && plan.kind !== 'sweep' && plan.kind !== 'monitor'
    ? dryRun(plan, deps, { steps: describePlan({ ...plan, dryRun: false }), services: [], checks: [] })
    : work(plan, deps)
}

async function work(plan: WorkPlan, deps: RunDeps): Promise<Outcome> {
  const reporter = openReporter(deps, subjectOf(plan))
  // GitHub is told while the work goes on, which cannot fail. A rollback has yet to find out which commit it is about.
  const begun = plan.kind === 'preview' || plan.kind === 'production' ? reporter.begin() : undefined
  const outcome = await connected(plan, { ...deps, reporter }).finally(() => begun)
  if (!isDeployment(plan)) return outcome
  // The card knows what the version before measured.
  const { change } = await reporter.finish()
  const { report } = outcome
  return report.kind === 'deploy' ? { ...outcome, report: { ...report, row: { ...report.row, change } } } : outcome
}

type Unconnected = Omit<Run, 'platform'>

async function connected(plan: WorkPlan, deps: Unconnected): Promise<Outcome> {
  let platform: Platform | undefined
  try {
    const [known, now] = await until(deps.deadlineAt, deps, async (signal) => {
      platform = await deps.openPlatform(plan.place, signal)
      const run = { ...deps, signal, platform }
      await assertPlace(run, plan.place)
      return [platform, await keepFormerNames(plan, run)] as const
    })
    const lastAt = deps.deadlineAt + Math.min(deps.settings.timeoutMs, windUpMs)
    return await until(lastAt, deps, (signal) => withRoom(now, { ...deps, signal, platform: known }))
  } catch (error) {
    deps.signal.throwIfAborted()
    return broken(plan, deps, error)
  } finally {
    await platform?.[Symbol.asyncDispose]()
  }
}

/**
 * Ends work at a time, whoever is waited for. A cancellation does not cut it off: what is half done is put right by those
 * whose signal it is.
 */
function until<T>(endAt: number, { clock, signal }: Unconnected, work: (signal: AbortSignal) => Promise<T>) {
  signal.throwIfAborted()
  // A timer may go off a millisecond early, and then the time would not be over yet.
  const limitMs = Math.max(0, endAt - clock.now()) + 1
  const uncancelled = new AbortController().signal
  return withinTime(clock, limitMs, uncancelled, (late) => work(AbortSignal.any([signal, late])))
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
    const said = safeMessage(run, error)
    const reason = `${overBudget ? said : `the account at ml.ink may have no more (${said})`}; on-quota is skip`
    run.reporter.update({ status: 'skipped', phase: undefined, reason })
    run.reporter.timeline.end('skipped', reason)
    run.output('skipped-reason', reason)
    return { action: plan.kind, status: 'skipped', report: nothingReport(run, 'skipped', reason) }
  }
}

type Flows = { readonly [K in WorkPlan['kind']]: (plan: Extract<WorkPlan, { kind: K }>, run: Run) => Promise<Outcome> }
const flows: Flows = {
  preview: deploy,
  production: deploy,
  teardown,
  retire,
  sweep,
  monitor,
  rollback,
  logs: answerLogs,
}

function flowOf(plan: WorkPlan, run: Run): Promise<Outcome> {
  return (flows[plan.kind] as (plan: WorkPlan, run: Run) => Promise<Outcome>)(plan, run)
}

/** Something threw: the platform said no, the network went away, the checkout is not usable. That is a failed run with a reason. */
function broken(plan: WorkPlan, deps: Unconnected, thrown: unknown): Outcome {
  const { reporter } = deps
  const late = deps.clock.now() >= deps.deadlineAt
  const status = late ? 'timed-out' : 'failed'
  const phase = reporter.timeline.phases.at(-1)?.name ?? 'prepare'
  const said = safeMessage(deps, thrown)
  const limit = shortDuration(deps.settings.timeoutMs)
  const cause = late ? `Not done within ${limit}; the time was over in the phase “${phase}”: ${said}` : said
  const known = thrown instanceof DeployError ? thrown.hint : undefined
  const hint = known || 'Run the job again. If it stays, the log above says how far it came.'
  const diagnosis = { cause, hint, decisive: [], tail: [] }
  reporter.update({ status, phase: late ? phase : undefined, diagnosis })
  reporter.timeline.end('failed', cause)
  const report = isDeployment(plan) ? deployReport(deps) : nothingReport(deps, 'failed', cause, hint)
  return { action: actionOf(plan), status, report, failure: new DeployError(cause, { hint, cause: thrown }) }
}

function isDeployment(plan: WorkPlan): plan is Extract<WorkPlan, { kind: 'preview' | 'production' | 'rollback' }> {
  return plan.kind === 'preview' || plan.kind === 'production' || plan.kind === 'rollback'
}

function subjectOf(plan: WorkPlan): Subject {
  const serviceName = 'serviceName' in plan ? plan.serviceName : plan.place.baseName
  if (plan.kind === 'teardown')
    return { serviceName, target: `pr-${plan.pullRequest}`, pullRequest: plan.pullRequest, commit: '' }
  const pullRequest = 'pullRequest' in plan ? plan.pullRequest : undefined
  const target = targetFor(pullRequest?.number, plan.place.environment)
  const commit = plan.kind === 'preview' || plan.kind === 'production' ? plan.wanted.sha : (pullRequest?.head.sha ?? '')
  return { serviceName, target, pullRequest: pullRequest?.number, commit }
}

const logLines = 200

async function answerHelp(plan: HelpPlan, deps: RunDeps): Promise<Outcome> {
  const { unknown } = plan
  await deps.github.comments.add(plan.pullRequest, helpAnswer(unknown))
  return nothingToDo(deps, unknown === undefined ? 'help was asked for and given' : `there is no command ${unknown}`)
}

/** Says no, with the reason and what to do about it, politely and once: whoever asks again for the same gets the sign alone. */
export async function answerDecline(
  { askedBy, pullRequest, reason }: Pick<DeclinePlan, 'askedBy' | 'pullRequest' | 'reason'>,
  deps: RunDeps,
  { points = [], hint }: { readonly points?: readonly string[]; readonly hint?: string | undefined } = {},
): Promise<Outcome> {
  await deps.github.people.react(askedBy.commentId, '-1')
  const marker = declineMarker(askedBy.login, [reason, ...points].join('\n'))
  const answer = declineAnswer(...deps.redact([reason, points, hint] as const))
  const fold = (bodies: readonly string[]) => ({ body: bodies[0] ?? `${marker}\n${answer}`, shared: false })
  await deps.github.comments.upsert({ pullRequest, marker, fold })
  return nothingToDo(deps, reason)
}

/** Answers `/ink logs` with the end of the runtime log. */
async function answerLogs({ serviceName, place, pullRequest }: LogsPlan, run: Run): Promise<Outcome> {
  const service = await ownService(run, place, serviceName, logLines)
  const sanitize = createSanitizer(run.secrets())
  const body = service
    ? logsAnswer(serviceName, service.status, run.redact(service.runtimeLogs.map(sanitize)))
    : declineAnswer('this pull request has no preview')
  await run.github.comments.add(pullRequest.number, body)
  return nothingToDo(run, service ? 'the log was shown in a comment' : 'there is no preview')
}
