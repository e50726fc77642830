import { late } from '../core/async.ts'
import type { Annotation } from '../core/errors.ts'
import { DeployError } from '../core/errors.ts'
import { describePlan } from '../plan/describe.ts'
import type { RunEvent } from '../plan/event.ts'
import { secretsWithheld } from '../plan/guards.ts'
import { makePlan } from '../plan/make-plan.ts'
import type { Plan, PlanToRun } from '../plan/plan.ts'
import type { Surroundings } from '../report/model.ts'
import { type Configuration, readConfiguration, unread, withProblem } from './environment/configuration.ts'
import type { ServiceRunner } from './environment/environment.ts'
import { annotationsOf, nothing, refused } from './no-deployment.ts'
import { lookUp, previewOf, reactTo } from './pull-requests.ts'
import type { Deps, Outcome, RunDeps, RunMeta } from './run.ts'

// Several services that have the same to tell at the same time are told together.
const gatherMs = 300

/** The whole of a run: looks up what the plan needs, prints the plan, carries it out and sets the outputs that are left. */
export async function runAction(ports: Deps, event: RunEvent, meta: RunMeta): Promise<Outcome> {
  const deadlineAt = ports.clock.now() + ports.settings.timeoutMs
  const { problem } = meta
  const configuration = problem ? unread(ports.settings) : await readConfiguration({ ...ports, ...meta }, event)
  const own = { ...ports, ...meta, settings: configuration.settings, deadlineAt }
  const gather = configuration.services.length > 1 ? gatherMs : 0
  const cards = late(async () => (await import('./reporter.ts')).openCards(own, gather), 'write')
  const deps: RunDeps = { ...own, cards }
  const input = { event, configuration }
  try {
    const plan = problem ?? withProblem(await decide(input, deps), configuration)
    const outcome = await carryOutAll(plan, input, deps)
    tellEnd(deps, outcome)
    return outcome
  } catch (error) {
    if (deps.signal.aborted) tellEnd(deps, { action: 'none', status: 'cancelled' })
    throw error
  }
}

/** What all services of a run have in common. */
interface RunInput {
  readonly event: RunEvent
  readonly configuration: Configuration
}

async function decide({ event, configuration }: RunInput, deps: RunDeps): Promise<Plan> {
  let { facts } = configuration
  for (;;) {
    const plan = makePlan({ context: deps.context, event, settings: deps.settings }, facts)
    if (plan.kind !== 'needs') return plan
    facts = { ...facts, ...(await lookUp(deps, plan.need, deps.signal)) }
  }
}

/** @param plan what the run is about, made without the settings of single services */
async function carryOutAll(plan: Plan, input: RunInput, deps: RunDeps): Promise<Outcome> {
  const { event, configuration } = input
  if (plan.kind === 'none' || plan.kind === 'refused') return carryOutOne(plan, input, deps)
  if (plan.kind === 'check' || isDryRun(plan)) {
    const { foreseeAll } = await import('./environment/foresee.ts')
    const withheld = secretsWithheld(deps.context, event)
    return foreseeAll(plan, deps, configuration, (own) => decide(input, own), withheld)
  }
  const { missingSecrets } = await import('./environment/environment.ts')
  const { findLeftovers } = await import('./environment/leftovers.ts')
  const missing = missingSecrets(plan, configuration.services)
  if (missing) return carryOutOne(missing, input, deps)
  const { problem, settle } = await findLeftovers(plan, configuration, deps)
  if (problem) return carryOutOne(problem, input, deps)
  const reacted = reactTo(plan, deps)
  const begun = reacted.begin()
  const outcome = await carryOutServices(plan, input, deps).finally(() => begun)
  await reacted.end(outcome.failure === undefined)
  return await settle(outcome)
}

type DryRun = Extract<Plan, { kind: 'preview' | 'production' | 'teardown' }> & { readonly dryRun: true }

/** `dry-run: true` of what would change services looks at all of them, as `command: plan` does, and touches none. */
function isDryRun(plan: Plan): plan is DryRun {
  return (plan.kind === 'preview' || plan.kind === 'production' || plan.kind === 'teardown') && plan.dryRun
}

async function carryOutServices(plan: PlanToRun, input: RunInput, deps: RunDeps): Promise<Outcome> {
  const { services, placed, file } = input.configuration
  if (plan.kind === 'preview' || plan.kind === 'production') (await import('./check.ts')).warnOfWorkflow(deps, file)
  if (services.length === 0) {
    const outcome = await carryOutOne(plan, input, deps)
    tellService(outcome, deps, placed?.[0]?.key)
    return outcome
  }
  const { runEnvironment } = await import('./environment/environment.ts')
  switch (plan.kind) {
    case 'preview':
    case 'production':
    case 'rollback':
    case 'monitor':
    case 'logs':
      return runEnvironment(services, deps, serviceRunner(plan, input))
    case 'sweep': {
      const swept = await carryOutOne({ ...plan, followedBy: undefined }, input, deps)
      if (plan.followedBy === undefined) return swept
      const seen = await runEnvironment(services, deps, serviceRunner(plan.followedBy, input))
      const { failure = seen.failure } = swept
      return { ...swept, failure, others: [seen.report, ...(seen.others ?? [])] }
    }
    default:
      return carryOutOne(plan, input, deps)
  }
}

/** A single service is told in the same form as several, by its name in the file where there is one. */
function tellService({ report }: Outcome, deps: RunDeps, key: string | undefined): void {
  if (report.kind !== 'deploy') return
  const { service, url, status, commit } = report.row
  const told = { [key ?? service]: { url, status, commit, service, branch: report.pushed?.branch } }
  deps.output('services', JSON.stringify(told))
}

function serviceRunner(plan: PlanToRun, input: RunInput): ServiceRunner {
  const pullRequest = previewOf(plan)
  return {
    pullRequest,
    deploys: plan.kind === 'preview' || plan.kind === 'production',
    run: async (deps) => {
      const decided = await decide(input, deps)
      const own = decided.kind === 'check' ? decided.would : decided
      return carryOutOne(own.kind === 'sweep' ? (own.followedBy ?? own) : own, input, deps)
    },
    skip: (deps, reason) => nothing({ kind: 'none', status: 'skipped', reason, pullRequest }, deps, input.event),
  }
}

/** Prints a plan and carries it out. Failures come back as an outcome; only a cancellation is thrown. */
async function carryOutOne(plan: PlanToRun, { event, configuration }: RunInput, deps: RunDeps): Promise<Outcome> {
  deps.log.startGroup('Plan')
  for (const line of describePlan(plan)) deps.log.info(line)
  deps.log.endGroup()
  if ('environment' in plan) deps.output('environment', plan.environment)
  if ('serviceName' in plan) deps.output('service', plan.serviceName)
  if (plan.kind === 'none') return nothing(plan, deps, event)
  if (plan.kind === 'refused') return refused(plan, deps, event)
  const outcome = await (await import('./carry-out.ts')).carryOut(plan, deps)
  const { problem } = configuration
  if (plan.kind !== 'sweep' || problem === undefined) return outcome
  // A sweep goes on whatever the file says, and the run is red all the same.
  const { failure = new DeployError(problem.problem, { hint: problem.hint }) } = outcome
  return { ...outcome, failure, annotations: annotationsOf(problem) }
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
  const told = [outcome.report, ...(outcome.also ? [outcome.also] : []), ...(outcome.others ?? [])]
  // The warnings are those of the whole run.
  const reports = told.map((report, index) => deps.redact(index === 0 ? report : { ...report, warnings: [] }))
  const rows = reports.flatMap((report) => (report.kind === 'deploy' ? [report.row] : []))
  page.annotate(fitAnnotations(outcome.annotations ?? []))
  const overview = rows.length > 1 ? [(await import('../report/comments.ts')).renderOverview(rows, surroundings)] : []
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
