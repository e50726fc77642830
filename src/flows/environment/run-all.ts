import type { CheckPlan, NonePlan, Plan, PlanToRun, RefusedPlan } from '../../plan/plan.ts'
import type { Outcome, RunDeps } from '../run.ts'
import type { Configuration } from './configuration.ts'
import type { ServiceRunner } from './environment.ts'

/** What a run of one plan is made of. */
export interface PlanRunner {
  /** Why the run is given no secrets, where it is given none. */
  readonly secretsWithheld: string | undefined
  decide(deps: RunDeps): Promise<Plan>
  runPlan(plan: PlanToRun, deps: RunDeps, problem?: RefusedPlan): Promise<Outcome>
  skip(plan: NonePlan, deps: RunDeps): Promise<Outcome>
  react(plan: PerService): { begin(): Promise<unknown>; end(well: boolean): Promise<unknown> }
}

/** Plans that each service of a file has its own of. */
type PerService = Extract<Plan, { kind: 'preview' | 'production' | 'rollback' | 'monitor' | 'logs' }>

/**
 * Carries out a plan: once, or for each service where the file has several.
 * @param plan what the run is about, made without the settings of single services
 */
export async function runAll(
  plan: Plan,
  deps: RunDeps,
  configuration: Configuration,
  runner: PlanRunner,
): Promise<Outcome> {
  if (plan.kind === 'none' || plan.kind === 'refused') return runner.runPlan(plan, deps, configuration.problem)
  if (plan.kind === 'check' || isDryRun(plan)) return foreseeOnly(plan, deps, configuration, runner)
  const { missingSecrets } = await import('./environment.ts')
  const { findLeftovers } = await import('./leftovers.ts')
  const refused = missingSecrets(plan, configuration.services)
  if (refused) return runner.runPlan(refused, deps)
  const leftovers = await findLeftovers(plan, configuration, deps)
  if (leftovers.problem) return runner.runPlan(leftovers.problem, deps)
  return await leftovers.settle(await runServices(plan, deps, configuration, runner))
}

type DryRun = Extract<Plan, { kind: 'preview' | 'production' | 'teardown' }>

function isDryRun(plan: Plan): plan is DryRun {
  return (plan.kind === 'preview' || plan.kind === 'production' || plan.kind === 'teardown') && plan.dryRun
}

/** `command: plan` and `dry-run: true` look at all services, and touch none. */
async function foreseeOnly(
  plan: CheckPlan | DryRun,
  deps: RunDeps,
  configuration: Configuration,
  { decide, secretsWithheld }: PlanRunner,
): Promise<Outcome> {
  const { check } = await import('../check.ts')
  const { dryRun, foresee, foreseenLines, partsOf } = await import('./foresee.ts')
  const { findLeftovers } = await import('./leftovers.ts')
  const { checksOfWorkflow } = await import('./workflow.ts')
  const quiet = { ...deps, settings: { ...deps.settings, dryRun: true } }
  const would = plan.kind === 'check' ? plan.would : plan
  const { orphans, problem } =
    deps.settings.apiKey === undefined
      ? { orphans: [], problem: undefined }
      : await findLeftovers(would, configuration, quiet)
  const parts = problem
    ? [{ key: undefined, would: problem, deps, after: [] }]
    : await partsOf(plan, deps, configuration, decide)
  const checks = plan.kind === 'check' ? await checksOfWorkflow(deps, secretsWithheld) : []
  const foreseen = { ...(await foresee(parts, orphans, deps, configuration.file)), checks }
  deps.log.startGroup('Plan')
  for (const line of [...foreseen.steps, ...foreseenLines(foreseen.services)]) deps.log.info(line)
  deps.log.endGroup()
  if ('environment' in would) deps.output('environment', would.environment)
  if ('serviceName' in would && parts.length === 1) deps.output('service', would.serviceName)
  return plan.kind === 'check' ? check(plan, deps, parts, foreseen) : dryRun(plan, deps, foreseen)
}

async function runServices(
  plan: PlanToRun,
  deps: RunDeps,
  { services, placed, problem }: Configuration,
  runner: PlanRunner,
): Promise<Outcome> {
  if (plan.kind === 'preview' || plan.kind === 'production') (await import('./workflow.ts')).warnOfWorkflow(deps)
  if (services.length === 0) {
    const outcome = await runner.runPlan(plan, deps, problem)
    tellOne(outcome, deps, placed?.[0]?.key)
    return outcome
  }
  const { runEnvironment } = await import('./environment.ts')
  switch (plan.kind) {
    case 'preview':
    case 'production':
    case 'rollback':
    case 'monitor':
    case 'logs': {
      const reacted = runner.react(plan)
      const begun = plan.kind === 'logs' ? undefined : reacted.begin()
      const outcome = await runEnvironment(services, deps, runnerOf(plan, runner)).finally(() => begun)
      if (plan.kind !== 'logs') await reacted.end(outcome.failure === undefined)
      return outcome
    }
    case 'sweep': {
      const swept = await runner.runPlan({ ...plan, followedBy: undefined }, deps, problem)
      if (plan.followedBy === undefined) return swept
      const seen = await runEnvironment(services, deps, runnerOf(plan.followedBy, runner))
      const { failure = seen.failure } = swept
      return { ...swept, failure, others: [seen.report, ...(seen.others ?? [])] }
    }
    default:
      return runner.runPlan(plan, deps, problem)
  }
}

/** A single service is told in the same form as several, by its name in the file where there is one. */
function tellOne({ report }: Outcome, deps: RunDeps, key: string | undefined): void {
  if (report.kind !== 'deploy') return
  const { service, url, status, commit } = report.row
  deps.output(
    'services',
    JSON.stringify({ [key ?? service]: { url, status, commit, service, branch: report.pushed?.branch } }),
  )
}

/** Carries out the runs of single services: the one who asked gets one sign for all of them. */
function runnerOf(whole: Plan, runner: PlanRunner): ServiceRunner {
  const planOf = async (deps: RunDeps): Promise<PlanToRun> => {
    const decided = await runner.decide(deps)
    const plan = decided.kind === 'check' ? decided.would : decided
    if (plan.kind === 'sweep') return plan.followedBy ?? plan
    return 'askedBy' in plan && (plan.kind === 'preview' || plan.kind === 'rollback')
      ? { ...plan, askedBy: undefined }
      : plan
  }
  const pullRequest =
    'pullRequest' in whole && typeof whole.pullRequest === 'object' ? whole.pullRequest.number : undefined
  return {
    pullRequest,
    deploys: whole.kind === 'preview' || whole.kind === 'production',
    run: async (deps) => runner.runPlan(await planOf(deps), deps),
    skip: (deps, reason) => runner.skip({ kind: 'none', status: 'skipped', reason, pullRequest }, deps),
  }
}
