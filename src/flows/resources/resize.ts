import type { Service } from '../../ink/results.ts'
import { sizeText } from '../../plan/autoscale.ts'
import type { Step } from '../../plan/monitor-memory.ts'
import type { MonitorPlan } from '../../plan/plan.ts'
import { meaningOf } from '../../watch/readings.ts'
import type { RolloutEnd } from '../observe.ts'
import { rollOut } from '../rollout.ts'
import type { Run } from '../run.ts'
import { assertOwned } from './repository.ts'

/**
 * Gives a service another size and follows the deployment that this starts to its end. Nothing but the size is sent: a
 * branch that was read a moment ago may be an old one by now, and naming it would put an old commit back; variables that
 * are not sent stay.
 * @throws DeployError when ml.ink refuses it
 */
export function resize(
  plan: MonitorPlan,
  run: Run,
  of: {
    readonly service: Service
    readonly branch: string
    readonly slug: string
    readonly commit: string | undefined
  },
  { what, to }: Pick<Step, 'what' | 'to'>,
): Promise<RolloutEnd> {
  const { service, branch, slug, commit } = of
  const size = what === 'memory' ? { memory: sizeText({ what }, to) } : { vcpus: sizeText({ what }, to) }
  return rollOut(run, {
    serviceName: service.name,
    branch,
    commitHash: commit,
    existing: service,
    repositorySlug: slug,
    repositoryName: plan.place.repositoryName,
    settings: () => size,
    settingsOnly: true,
    assertOwned: (one) => assertOwned(one, { place: plan.place, adopt: false }, slug),
    stillWanted: async () => false,
    health: plan.health,
    deadlineAt: run.deadlineAt,
  })
}

/** Whether a deployment of the service is under way, or may be: a status that is not known counts as one. */
export function isDeploying({ status }: Service): boolean {
  const phase = meaningOf(status)?.phase
  return phase !== 'live' && phase !== 'ended'
}

/** Whether the service is live, as ml.ink tells. */
export function isRunning({ status }: Service): boolean {
  return meaningOf(status)?.phase === 'live'
}
