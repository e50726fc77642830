import { DeployError } from '../core/errors.ts'
import { late } from '../core/parallel.ts'
import { describePlan } from '../plan/describe.ts'
import type { RunEvent } from '../plan/event.ts'
import { secretsWithheld } from '../plan/guards.ts'
import { makePlan } from '../plan/make-plan.ts'
import type { Facts, Plan, PlanToRun, RefusedPlan } from '../plan/plan.ts'
import type { AnnotationView, Surroundings } from '../report/model.ts'
import { readConfiguration, withProblem } from './environment/configuration.ts'
import { runAll } from './environment/run-all.ts'
import { annotationsOf, nothing, refused } from './no-deployment.ts'
import { lookUp, reactTo } from './pull-requests.ts'
import type { Deps, Outcome, RunDeps, RunMeta } from './run.ts'

// Several services that have the same to tell at the same time are told together.
const gatherMs = 300

/** The whole of a run: looks up what the plan needs, prints the plan, carries it out and sets the outputs that are left. */
export async function runAction(ports: Deps, event: RunEvent, meta: RunMeta): Promise<Outcome> {
  const deadlineAt = ports.clock.now() + ports.settings.timeoutMs
  const configuration = await readConfiguration({ ...ports, ...meta }, event)
  const own = { ...ports, ...meta, settings: configuration.settings, deadlineAt }
  const gather = configuration.services.length > 1 ? gatherMs : 0
  const cards = late(async () => (await import('./reporter.ts')).openCards(own, gather), 'write')
  const deps: RunDeps = { ...own, cards }
  try {
    const plan = withProblem(await decide(deps, event, configuration.facts), configuration)
    const outcome = await runAll(plan, deps, configuration, {
      decide: (own) => decide(own, event, configuration.facts),
      runPlan: (one, own, failed) => runPlan(one, own, event, failed),
      skip: (none, own) => nothing(none, own, event),
      react: (whole) => reactTo(whole, deps),
      secretsWithheld: secretsWithheld(deps.context, event),
    })
    tellEnd(deps, outcome)
    return outcome
  } catch (error) {
    if (deps.signal.aborted) tellEnd(deps, { action: 'none', status: 'cancelled' })
    throw error
  }
}

/** Prints a plan and carries it out. */
async function runPlan(
  plan: PlanToRun,
  deps: RunDeps,
  event: RunEvent,
  problem: RefusedPlan | undefined,
): Promise<Outcome> {
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
async function carryOut(plan: PlanToRun, deps: RunDeps, event: RunEvent): Promise<Outcome> {
  if (plan.kind === 'none') return nothing(plan, deps, event)
  if (plan.kind === 'refused') return refused(plan, deps)
  const { carryOut: carryOutWork } = await import('./carry-out.ts')
  return carryOutWork(plan, deps)
}

/** Where a run's own page takes reports. */
export interface RunPage {
  annotate(annotations: readonly AnnotationView[]): void
  writeSummary(markdown: string): void
}

/** Puts the outcome on the run's page: summary, annotations, and the address in a notice. */
export async function publish(outcome: Outcome, deps: Deps, page: RunPage): Promise<void> {
  const { fitAnnotations } = await import('../report/markdown.ts')
  const { renderSummary } = await import('../report/summary.ts')
  const { repository } = deps.context
  const surroundings: Surroundings = { repositoryUrl: `${repository.serverUrl}/${repository.fullName}` }
  const told = [outcome.report, ...(outcome.also ? [outcome.also] : []), ...(outcome.others ?? [])]
  // The warnings are those of the whole run.
  const reports = told.map((report, index) => deps.redact(index === 0 ? report : { ...report, warnings: [] }))
  const rows = reports.flatMap((report) => (report.kind === 'deploy' ? [report.row] : []))
  page.annotate(fitAnnotations(outcome.annotations ?? []))
  const overview = rows.length > 1 ? [(await import('../report/card.ts')).renderOverview(rows, surroundings)] : []
  page.writeSummary(
    [...overview, ...reports.map((report) => renderSummary(report, surroundings, deps.clock.now()))].join('\n'),
  )
  for (const report of reports) {
    if (report.kind !== 'deploy') continue
    page.annotate(fitAnnotations(report.annotations))
    if (report.row.status === 'live' && report.row.url)
      deps.log.notice(`${report.row.service} is live: ${report.row.url}`)
  }
}
