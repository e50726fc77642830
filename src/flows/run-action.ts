import { TimeLimitError } from '../core/clock.ts'
import { DeployError } from '../core/errors.ts'
import { safeMessage } from '../core/sanitize.ts'
import { isOutOfMoney, isOverQuota } from '../ink/errors.ts'
import type { Platform } from '../ink/platform.ts'
import { describePlan } from '../plan/describe.ts'
import type { RunEvent } from '../plan/event.ts'
import { makePlan } from '../plan/make-plan.ts'
import type { Facts, Plan, RefusedPlan } from '../plan/plan.ts'
import { shortDuration } from '../plan/values.ts'
import type { CardRow, DeployReport, NothingReport, Target } from '../report/model.ts'
import { SourceError } from '../source/remote.ts'
import { check } from './check.ts'
import { deploy } from './deploy.ts'
import { readConfiguration, withProblem } from './environment/configuration.ts'
import { runAll } from './environment/run-all.ts'
import { monitor } from './monitor.ts'
import {
  annotationsOf,
  answerDecline,
  answerHelp,
  answerLogs,
  dryRun,
  nothing,
  nothingReport,
  refused,
} from './no-deployment.ts'
import { lookUp } from './pull-requests.ts'
import { openCards, openReporter, type Subject } from './reporter.ts'
import { assertPlace } from './resources/account.ts'
import { evictOldest, OverBudget } from './resources/budget.ts'
import { keepFormerNames } from './resources/repository.ts'
import { rollback } from './rollback.ts'
import {
  type Action,
  type Deps,
  type Outcome,
  type Reporter,
  type Run,
  type RunDeps,
  type RunMeta,
  windUpMs,
} from './run.ts'
import { sweep } from './sweep.ts'
import { teardown } from './teardown.ts'

type WorkPlan = Exclude<Plan, { kind: 'none' | 'refused' | 'help' | 'decline' | 'check' }>

// Several services that have the same to tell at the same time are told together.
const gatherMs = 300

/** The whole of a run: looks up what the plan needs, prints the plan, carries it out and sets the outputs that are left. */
export async function runAction(ports: Deps, event: RunEvent, meta: RunMeta): Promise<Outcome> {
  const deadlineAt = ports.clock.now() + ports.settings.timeoutMs
  const configuration = await readConfiguration({ ...ports, ...meta }, event)
  const own = { ...ports, ...meta, settings: configuration.settings, deadlineAt }
  const deps: RunDeps = { ...own, cards: openCards(own, configuration.services.length > 1 ? gatherMs : 0) }
  try {
    const plan = withProblem(await decide(deps, event, configuration.facts), configuration.problem)
    const outcome = await runAll(plan, deps, configuration, {
      decide: (own) => decide(own, event, configuration.facts),
      runPlan: (one, own, failed) => runPlan(one, own, event, failed),
      skip: (none, own) => nothing(none, own, event),
      react: (whole) => reactTo(whole, deps),
    })
    tellEnd(deps, outcome)
    return outcome
  } catch (error) {
    if (deps.signal.aborted) tellEnd(deps, { action: 'none', status: 'cancelled' })
    throw error
  }
}

/** Prints a plan and carries it out. */
async function runPlan(plan: Plan, deps: RunDeps, event: RunEvent, problem: RefusedPlan | undefined): Promise<Outcome> {
  deps.log.startGroup('Plan')
  for (const line of describePlan(plan)) deps.log.info(line)
  deps.log.endGroup()
  if ('environment' in plan) deps.output('environment', plan.environment)
  if ('serviceName' in plan) deps.output('service', plan.serviceName)
  return withFailure(await carryOut(plan, deps, event), plan.kind === 'sweep' ? problem : undefined)
}

/** A sweep goes on whatever the file says, and the run is red all the same. */
function withFailure(outcome: Outcome, problem: RefusedPlan | undefined): Outcome {
  if (problem === undefined) return outcome
  const { failure = new DeployError(problem.problem, { hint: problem.hint }) } = outcome
  return { ...outcome, failure, annotations: annotationsOf(problem) }
}

function tellEnd(deps: RunDeps, { action, status }: Pick<Outcome, 'action' | 'status'>): void {
  deps.output('action', action)
  deps.output('status', status)
  deps.output('duration-seconds', Math.round((deps.clock.now() - Date.parse(deps.startedAt)) / 1000))
}

async function decide(deps: RunDeps, event: RunEvent, known: Facts): Promise<Plan> {
  let facts = known
  for (;;) {
    const plan = makePlan({ context: deps.context, event, settings: deps.settings }, facts)
    if (plan.kind !== 'needs') return plan
    facts = { ...facts, ...(await lookUp(deps, plan.need, deps.signal)) }
  }
}

/** Carries out a plan. Failures come back as an outcome; only a cancellation is thrown. */
async function carryOut(plan: Plan, deps: RunDeps, event: RunEvent): Promise<Outcome> {
  switch (plan.kind) {
    case 'none':
      return nothing(plan, deps, event)
    case 'refused':
      return refused(plan, deps)
    case 'help':
      return answerHelp(plan, deps)
    case 'decline':
      return answerDecline(plan, deps)
    case 'check':
      return check(plan, deps, deps.signal)
    default:
      // What a sweep or a monitor would do shows only in what they find.
      return plan.dryRun && plan.kind !== 'sweep' && plan.kind !== 'monitor'
        ? dryRun(plan, actionOf(plan), deps)
        : work(plan, deps)
  }
}

async function work(plan: WorkPlan, deps: RunDeps): Promise<Outcome> {
  const reporter = openReporter(deps, subjectOf(plan))
  const reacted = reactTo(plan, deps)
  // GitHub is told while the work goes on; neither of these can fail.
  // A rollback has yet to find out which commit it is about.
  const known = plan.kind === 'preview' || plan.kind === 'production'
  const begun = Promise.all([reacted.begin(), known ? reporter.begin() : undefined])
  const outcome = await connected(plan, deps, reporter).finally(() => begun)
  if (isDeployment(plan)) await reporter.finish()
  await reacted.end(outcome.failure === undefined)
  return compared(outcome, reporter.row())
}

/** The card knows what the version before measured. */
function compared(outcome: Outcome, { change }: CardRow): Outcome {
  const { report } = outcome
  return report.kind === 'deploy' ? { ...outcome, report: { ...report, row: { ...report.row, change } } } : outcome
}

async function connected(plan: WorkPlan, deps: RunDeps, reporter: Reporter): Promise<Outcome> {
  let platform: Platform | undefined
  try {
    const [known, now] = await until(deps.deadlineAt, deps, async (signal) => {
      platform = await deps.openPlatform(plan.place, signal)
      const run: Run = { ...deps, signal, platform, reporter }
      await assertPlace(run, plan.place)
      return [platform, await keepFormerNames(plan, run)] as const
    })
    const lastAt = deps.deadlineAt + Math.min(deps.settings.timeoutMs, windUpMs)
    return await until(lastAt, deps, (signal) => withRoom(now, { ...deps, signal, platform: known, reporter }))
  } catch (error) {
    deps.signal.throwIfAborted()
    return broken(plan, deps, reporter, error)
  } finally {
    await platform?.close()
  }
}

/**
 * Ends work at a time, whoever is waited for. A clock that wakes early is asked again. A cancellation does not cut the work
 * off: what is half done is put right by those whose signal it is.
 */
async function until<T>(
  endAt: number,
  { clock, signal }: RunDeps,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const [over, late] = [new AbortController(), new AbortController()]
  const alarm = async (): Promise<never> => {
    const limitMs = endAt - clock.now()
    while (clock.now() < endAt) await clock.sleep(endAt - clock.now(), over.signal)
    const error = new TimeLimitError(limitMs)
    late.abort(error)
    throw error
  }
  const rings = alarm()
  rings.catch(() => undefined)
  try {
    return await Promise.race([work(AbortSignal.any([signal, late.signal])), rings])
  } finally {
    over.abort()
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
    const said = safeMessage(run, error)
    const reason = `${overBudget ? said : `the account at ml.ink may have no more (${said})`}; on-quota is skip`
    run.reporter.update({ status: 'skipped', phase: undefined, reason })
    run.reporter.timeline.end('skipped', reason)
    run.output('skipped-reason', reason)
    return { action: plan.kind, status: 'skipped', report: nothingReport(run, 'skipped', reason), failure: undefined }
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
function broken(plan: WorkPlan, deps: RunDeps, reporter: Reporter, thrown: unknown): Outcome {
  const late = deps.clock.now() >= deps.deadlineAt
  const status = late ? 'timed-out' : 'failed'
  const phase = reporter.timeline.phases.at(-1)?.name ?? 'prepare'
  const said = safeMessage(deps, thrown)
  const limit = shortDuration(deps.settings.timeoutMs)
  const cause = late ? `Not done within ${limit}; the time was over in the phase “${phase}”: ${said}` : said
  const hint =
    thrown instanceof DeployError && thrown.hint
      ? thrown.hint
      : 'Run the job again. If it stays, the log above says how far it came.'
  const diagnosis = { cause, hint, decisive: [], tail: [] }
  reporter.update({ status, phase: late ? phase : undefined, diagnosis })
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
        warnings: deps.warnings,
      }
    : nothingReport(deps, 'failed', cause, hint)
  return { action: actionOf(plan), status, report, failure: new DeployError(cause, { hint, cause: thrown }) }
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
