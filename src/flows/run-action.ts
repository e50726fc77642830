import type { Annotation } from '../core/errors.ts'
import { DeployError } from '../core/errors.ts'
import { late } from '../core/late.ts'
import { safeMessage } from '../core/sanitize.ts'
import { describePlan, noneTitles } from '../plan/describe.ts'
import type { PullRequest } from '../plan/event.ts'
import { secretsWithheld } from '../plan/guards.ts'
import type { Asked, NonePlan, RefusedPlan } from '../plan/intent.ts'
import { makePlan } from '../plan/make-plan.ts'
import { previewName, serviceName } from '../plan/names.ts'
import { describeIdleGlobs } from '../plan/paths.ts'
import type { DeclinePlan, HelpPlan, Plan, PlanToRun, WorkPlan } from '../plan/plan.ts'
import type { CardRow, Surroundings } from '../report/model.ts'
import {
  type Configuration,
  missingSecrets,
  readConfiguration,
  unread,
  withProblem,
} from './environment/configuration.ts'
import { lookUp } from './facts.ts'
import { annotationsOf, type Deps, nothingReport, type Outcome, previewOf, type RunDeps, withMonitor } from './run.ts'

// Several services that have the same to tell at the same time are told together.
const gatherMs = 300

/** The whole of a run: looks up what the plan needs, prints the plan, carries it out and sets the outputs that are left. */
export async function runAction(given: Deps): Promise<Outcome> {
  const deadlineAt = given.clock.now() + given.settings.timeoutMs
  const { problem } = given
  const configuration = problem ? unread(given.settings) : await readConfiguration(given)
  const own = { ...given, settings: configuration.settings, deadlineAt }
  const gather = configuration.services.length > 1 ? gatherMs : 0
  const cards = late(async () => (await import('./reporter.ts')).openCards(own, gather), 'write')
  const deps: RunDeps = { ...own, cards }
  try {
    const plan = problem ?? withProblem(await decide(deps, configuration), configuration)
    const outcome = await carryOutAll(plan, deps, configuration)
    tellEnd(deps, outcome)
    return outcome
  } catch (error) {
    if (deps.signal.aborted) tellEnd(deps, { action: 'none', status: 'cancelled' })
    throw error
  }
}

async function decide(deps: RunDeps, known: Configuration): Promise<Plan> {
  let { facts } = known
  for (;;) {
    const plan = makePlan(deps, facts)
    if (plan.kind !== 'needs') return plan
    facts = { ...facts, ...(await lookUp(deps, plan.need, deps.signal)) }
  }
}

/** @param plan what the run is about, made without the settings of single services */
async function carryOutAll(plan: Plan, deps: RunDeps, configuration: Configuration): Promise<Outcome> {
  if (plan.kind === 'none' || plan.kind === 'refused') return carryOutOne(plan, deps, configuration)
  if (plan.kind === 'check' || isDryRun(plan)) {
    const { foreseeAll } = await import('./environment/foresee.ts')
    return foreseeAll(plan, deps, configuration, (own) => decide(own, configuration))
  }
  const asked = 'askedBy' in plan && !plan.dryRun ? plan.askedBy : undefined
  const refuse = (refusal: RefusedPlan) => carryOutOne({ ...refusal, askedBy: asked }, deps, configuration)
  const missing = missingSecrets(plan, configuration.services)
  if (missing) return refuse(missing)
  // ml.ink answers while the code is loaded that works with the answer.
  const isDeployment = plan.kind === 'preview' || plan.kind === 'production'
  await using _connection = isDeployment ? await deps.connect() : undefined
  const { findLeftovers } = await import('./teardown.ts')
  const { problem, settle } = await findLeftovers(plan, configuration, deps)
  if (problem) return refuse(problem)
  // A command in a comment is answered with 👀 at once, and with 👍 or 👎 at the end.
  const acknowledged = plan.kind === 'help' || plan.kind === 'decline' ? undefined : asked
  const begun = acknowledged && deps.github.people.react(acknowledged.commentId, 'eyes')
  const outcome = await carryOutServices(plan, deps, configuration).finally(() => begun)
  const { failure, report } = outcome
  // What has a row is told on the card.
  if (acknowledged && failure && report.kind === 'none')
    await decline(acknowledged, failure.message, failure.hint, deps)
  else if (acknowledged) await deps.github.people.react(acknowledged.commentId, failure === undefined ? '+1' : '-1')
  return await settle(outcome)
}

type DryRun = Extract<Plan, { kind: 'preview' | 'production' | 'teardown' }> & { readonly dryRun: true }

/** `dry-run: true` of what would change services looks at all of them, as `command: plan` does, and touches none. */
function isDryRun(plan: Plan): plan is DryRun {
  return (plan.kind === 'preview' || plan.kind === 'production' || plan.kind === 'teardown') && plan.dryRun
}

async function carryOutServices(plan: WorkPlan | HelpPlan | DeclinePlan, deps: RunDeps, configuration: Configuration) {
  const { services, placed, file } = configuration
  if (plan.kind === 'preview' || plan.kind === 'production') (await import('./check.ts')).warnOfWorkflow(deps, file)
  if (services.length === 0) {
    const outcome = await carryOutOne(plan, deps, configuration)
    tellService(outcome, deps, placed?.[0]?.key)
    return outcome
  }
  const { runEnvironment } = await import('./environment/environment.ts')
  const runEach = (whole: WorkPlan) =>
    runEnvironment(services, deps, {
      plan: whole,
      run: async (own) => {
        const decided = await decide(own, configuration)
        const its = decided.kind === 'check' ? decided.would : decided
        return carryOutOne(its.kind === 'sweep' ? (its.followedBy ?? its) : its, own, configuration)
      },
      skip: (own, reason) => nothing({ kind: 'none', status: 'skipped', reason, pullRequest: previewOf(whole) }, own),
    })
  switch (plan.kind) {
    case 'preview':
    case 'production':
    case 'rollback':
    case 'monitor':
    case 'logs':
      return runEach(plan)
    case 'sweep': {
      const swept = await carryOutOne({ ...plan, followedBy: undefined }, deps, configuration)
      return plan.followedBy ? withMonitor(swept, await runEach(plan.followedBy)) : swept
    }
    default:
      return carryOutOne(plan, deps, configuration)
  }
}

/** A single service is told in the same form as several, by its name in the file where there is one. */
function tellService({ report }: Outcome, deps: RunDeps, key: string | undefined): void {
  if (report.kind !== 'deploy') return
  const { service, url, status, commit } = report.row
  const told = { [key ?? service]: { url, status, commit, service, branch: report.pushed?.branch } }
  deps.output('services', JSON.stringify(told))
}

/** Prints a plan and carries it out. Failures come back as an outcome; only a cancellation is thrown. */
async function carryOutOne(plan: PlanToRun, deps: RunDeps, { problem }: Configuration): Promise<Outcome> {
  deps.log.startGroup('Plan')
  for (const line of describePlan(plan)) deps.log.info(line)
  deps.log.endGroup()
  if ('environment' in plan) deps.output('environment', plan.environment)
  if ('serviceName' in plan) deps.output('service', plan.serviceName)
  if (plan.kind === 'none') return nothing(plan, deps)
  if (plan.kind === 'refused') return refused(plan, deps)
  const outcome = await (await import('./carry-out.ts')).carryOut(plan, deps)
  if (plan.kind !== 'sweep' || problem === undefined) return outcome
  // A sweep goes on whatever the file says, and the run is red all the same.
  const { failure = new DeployError(problem.problem, { hint: problem.hint }) } = outcome
  return { ...outcome, failure, annotations: annotationsOf(problem) }
}

/** The run cannot go on: a missing key, a command that lacks what it needs. The pull request that is waiting is told. */
async function refused(plan: RefusedPlan, deps: RunDeps): Promise<Outcome> {
  const { problem, hint } = plan
  const { event, context } = deps
  // A token that comes without secrets may not comment either, and what is closed waits for nothing.
  if (event.kind === 'pull-request' && event.action !== 'closed' && secretsWithheld(context, event) === undefined) {
    const { cause, lines: decisive } = splitProblem(problem)
    const [advice = hint] = hint.split('\n')
    await noteIdle(event.pullRequest, deps, { diagnosis: { cause, hint: advice, decisive, tail: [] } })
  }
  if (plan.askedBy) await decline(plan.askedBy, problem, hint, deps)
  const report = nothingReport(deps, 'failed', problem, hint)
  const failure = new DeployError(problem, { hint })
  return { action: 'none', status: 'failed', report, failure, annotations: annotationsOf(plan) }
}

function splitProblem(problem: string): { cause: string; lines: string[] } {
  const [cause = problem, ...lines] = problem.split('\n')
  return { cause: cause.replace(/:$/, ''), lines: lines.map((line) => line.trim().replace(/^- /, '')) }
}

/** A run for a comment stands nowhere on the pull request, so its failure is told in an answer. */
async function decline(askedBy: Asked, problem: string, hint: string | undefined, deps: RunDeps): Promise<void> {
  const { event } = deps
  if (event.kind !== 'comment' || deps.settings.dryRun) return
  const { answerDecline } = await import('./carry-out.ts')
  const { cause, lines } = splitProblem(problem)
  await answerDecline({ askedBy, pullRequest: event.number, reason: cause }, deps, { points: lines, hint })
}

/** There is nothing to do, or a rule forbids it. */
async function nothing(plan: NonePlan, deps: RunDeps): Promise<Outcome> {
  const { status, reason } = plan
  deps.output('skipped-reason', reason)
  const said = `${noneTitles[status]}: ${reason}`
  if (plan.stillRuns) deps.log.warning(said)
  else deps.log.notice(said)
  // What an earlier commit put up stays; the card, if there is one, says so.
  if (status === 'skipped' && deps.event.kind === 'pull-request')
    await noteIdle(deps.event.pullRequest, deps, { reason })
  if (plan.skippedBy) await warnOfSkipping(plan.skippedBy, deps)
  return { action: 'none', status, report: nothingReport(deps, status, reason) }
}

/** Where there is no checkout, nothing tells which globs are good. */
async function warnOfSkipping({ paths, ...commit }: NonNullable<NonePlan['skippedBy']>, deps: RunDeps): Promise<void> {
  await using source = deps.openSource()
  try {
    const files = await source.committedPaths(commit, deps.signal)
    const warning = files && describeIdleGlobs(paths, files)
    if (warning) deps.log.warning(warning)
  } catch (error) {
    deps.signal.throwIfAborted()
    deps.log.debug(`The files of the checkout could not be listed: ${safeMessage(deps, error)}`)
  }
}

async function noteIdle({ number, head }: PullRequest, deps: RunDeps, why: Pick<CardRow, 'reason' | 'diagnosis'>) {
  if (deps.settings.dryRun) return
  const service = previewName(serviceName(deps.settings.service, deps.context.repository), number)
  const { openReporter } = await import('./reporter.ts')
  const subject = { serviceName: service, pullRequest: number, commit: head.sha, target: `pr-${number}` } as const
  await openReporter(deps, subject).noteIdle(why)
}

function tellEnd(deps: RunDeps, { action, status }: Pick<Outcome, 'action' | 'status'>): void {
  deps.output('action', action)
  deps.output('status', status)
  deps.output('duration-seconds', Math.round((deps.clock.now() - Date.parse(deps.startedAt)) / 1000))
}

/** Puts the outcome on the run's page: summary, annotations, and the address in a notice. */
export async function publish(
  outcome: Outcome,
  deps: Deps,
  page: { annotate(annotations: readonly Annotation[]): void; writeSummary(markdown: string): void },
): Promise<void> {
  const { fitAnnotations } = await import('../report/markdown.ts')
  const { renderSummary } = await import('../report/summary.ts')
  const { repository } = deps.context
  const surroundings: Surroundings = { repositoryUrl: `${repository.serverUrl}/${repository.fullName}` }
  // The warnings are those of the whole run.
  const others = (outcome.others ?? []).map((report) => ({ ...report, warnings: [] }))
  const reports = [outcome.report, ...others].map((report) => deps.redact(report))
  const deployments = reports.filter((report) => report.kind === 'deploy')
  const rows = deployments.map(({ row }) => row)
  page.annotate(fitAnnotations(outcome.annotations ?? []))
  const overview = rows.length > 1 ? [(await import('../report/comments.ts')).renderOverview(rows, surroundings)] : []
  page.writeSummary(
    [...overview, ...reports.map((report) => renderSummary(report, surroundings, deps.clock.now()))].join('\n'),
  )
  for (const { annotations, row } of deployments) {
    page.annotate(fitAnnotations(annotations))
    if (row.status === 'live' && row.url) deps.log.notice(`${row.service} is live: ${row.url}`)
  }
}
