import type { Service } from '../../ink/results.ts'
import { sizeText } from '../../plan/autoscale.ts'
import type { Step } from '../../plan/monitor-memory.ts'
import type { MonitorPlan } from '../../plan/plan.ts'
import { meaningOf } from '../../watch/status.ts'
import type { Run } from '../run.ts'
import type { ServiceStarter } from '../start-service.ts'
import { type Switched, switchService } from '../switch-service.ts'
import { assertOwned } from './repository.ts'

/** Somebody else has switched the service to another branch, so its size is not ours to change just now. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'
  /** Whether the new size had been sent before that, so that the service has it. */
  readonly sent: boolean
  readonly branch: string | undefined
  constructor(branch: string | undefined, sent: boolean) {
    super(`Another deployment took over (${branch ?? 'of an unknown branch'})`)
    this.branch = branch
    this.sent = sent
  }
}

const longestHesitationMs = 4000

/**
 * Returns what starts a deployment by changing nothing but the size. No branch is sent: one that was read a moment ago
 * may be an old one by now, and naming it would put an old commit back. No variables either: what is not sent stays.
 */
export function sizeStarter(
  { platform, clock, random }: Pick<Run, 'platform' | 'clock' | 'random'>,
  { name, branch }: { readonly name: string; readonly branch: string },
  size: { readonly memory: string } | { readonly vcpus: string },
): ServiceStarter {
  let tries = 0
  let acknowledged = false
  const start = async (signal: AbortSignal): Promise<void> => {
    if (tries++ > 0) {
      // As with a deployment that starts again: not at the same moment as another run does.
      if (acknowledged) await clock.sleep(random() * longestHesitationMs, signal)
      const now = await platform.service(name, {}, signal)
      if (now && now.branch !== branch) throw new Overtaken(now.branch, acknowledged)
      if (acknowledged && now && isDeploying(now)) return
    }
    await platform.updateService(name, size, signal)
    acknowledged = true
  }
  return { start, created: () => false }
}

/**
 * Gives a service another size and follows the deployment that this starts to its end.
 * @throws Overtaken; DeployError when ml.ink refuses it
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
): Promise<Switched> {
  const { service, branch, slug, commit } = of
  const size = what === 'memory' ? { memory: sizeText({ what }, to) } : { vcpus: sizeText({ what }, to) }
  return switchService(run, {
    serviceName: service.name,
    branch,
    commitHash: commit,
    existing: service,
    repositorySlug: slug,
    repositoryName: plan.place.repositoryName,
    settings: () => size,
    starter: sizeStarter(run, { name: service.name, branch }, size),
    claim: (one) => assertOwned(one, { place: plan.place, adopt: false }, slug),
    mayCreateAnew: async () => false,
    health: plan.health,
    deadlineAt: run.clock.now() + plan.timeoutMs,
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
