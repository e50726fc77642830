import type { NonePlan, Plan, RefusedPlan } from '../../plan/plan.ts'
import type { Outcome, RunDeps } from '../run.ts'
import type { Configuration } from './configuration.ts'
import { missingSecrets, runEnvironment, type ServiceRunner } from './environment.ts'
import { findLeftovers } from './leftovers.ts'

/** What a run of one plan is made of. */
export interface PlanRunner {
  decide(deps: RunDeps): Promise<Plan>
  runPlan(plan: Plan, deps: RunDeps, problem?: RefusedPlan): Promise<Outcome>
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
  const refused = missingSecrets(plan, configuration.services)
  if (refused) return runner.runPlan(refused, deps)
  const leftovers = await findLeftovers(plan, configuration, deps)
  if (leftovers.problem) return runner.runPlan(leftovers.problem, deps)
  return await leftovers.settle(await runServices(plan, deps, configuration, runner))
}

async function runServices(
  plan: Plan,
  deps: RunDeps,
  { services, problem }: Configuration,
  runner: PlanRunner,
): Promise<Outcome> {
  if (services.length === 0) {
    const outcome = await runner.runPlan(plan, deps, problem)
    tellOne(outcome, deps)
    return outcome
  }
  switch (plan.kind) {
    case 'preview':
    case 'production':
    case 'rollback':
    case 'monitor':
    case 'logs': {
      const reacted = runner.react(plan)
      const begun = plan.kind === 'logs' ? undefined : reacted.begin()
      // Only what is deployed takes anything from the others.
      const deploys = plan.kind === 'preview' || plan.kind === 'production'
      const each = deploys ? services : services.map((service) => ({ ...service, wires: [] }))
      const outcome = await runEnvironment(each, deps, runnerOf(plan, runner)).finally(() => begun)
      if (plan.kind !== 'logs') await reacted.end(outcome.failure === undefined)
      return outcome
    }
    case 'sweep': {
      const swept = await runner.runPlan({ ...plan, followedBy: undefined }, deps, problem)
      if (plan.followedBy === undefined) return swept
      const alone = services.map((service) => ({ ...service, wires: [] }))
      const seen = await runEnvironment(alone, deps, runnerOf(plan.followedBy, runner))
      const { failure = seen.failure } = swept
      return { ...swept, failure, others: [seen.report, ...(seen.others ?? [])] }
    }
    default:
      return runner.runPlan(plan, deps, problem)
  }
}

/** A single service is told in the same form as several. */
function tellOne({ report }: Outcome, deps: RunDeps): void {
  if (report.kind !== 'deploy') return
  const { service, url, status, commit } = report.row
  deps.output(
    'services',
    JSON.stringify({ [service]: { url, status, commit, service, branch: report.pushed?.branch } }),
  )
}

/** Carries out the runs of single services: the one who asked gets one sign for all of them. */
function runnerOf(whole: Plan, runner: PlanRunner): ServiceRunner {
  const planOf = async (deps: RunDeps): Promise<Plan> => {
    const plan = await runner.decide(deps)
    if (plan.kind === 'sweep') return plan.followedBy ?? plan
    return 'askedBy' in plan && (plan.kind === 'preview' || plan.kind === 'rollback')
      ? { ...plan, askedBy: undefined }
      : plan
  }
  const pullRequest =
    'pullRequest' in whole && typeof whole.pullRequest === 'object' ? whole.pullRequest.number : undefined
  return {
    pullRequest,
    run: async (deps) => runner.runPlan(await planOf(deps), deps),
    skip: (deps, reason) => runner.skip({ kind: 'none', status: 'skipped', reason, pullRequest }, deps),
  }
}
