import { createSanitizer } from '../core/sanitize.ts'
import { memoryDeath } from '../diagnosis/memory.ts'
import { mebibytes } from '../ink/prices.ts'
import type { Service } from '../ink/results.ts'
import { type Autoscale, decideStep, type Size, type Usage } from '../plan/autoscale.ts'
import { withoutOldBreak, withUsage } from '../plan/load.ts'
import type { Load } from '../plan/monitor-memory.ts'
import type { MonitorPlan } from '../plan/plan.ts'
import { brokenInWords, stuckInWords, whyUnchanged } from '../plan/size-unchanged.ts'
import { meaningOf } from '../watch/status.ts'
import { isDeploying, isRunning } from './resize.ts'
import type { Run } from './run.ts'
import { safeMessage } from './switch-service.ts'
import { type Production, type Scaled, stepInWords, takeStep } from './take-step.ts'

/**
 * Changes the size of production by one step when there is evidence for it, and follows the deployment that this starts
 * to its end. Production only: a preview lives for days, and its users wait for the next push anyway.
 */
export async function scale(
  plan: MonitorPlan & { readonly autoscale: Autoscale },
  run: Run,
  production: Production,
  load: Load,
): Promise<Scaled> {
  const { service } = production
  const unchanged = (why: string, left: Load = load): Scaled => ({
    load: left,
    said: [`Size unchanged: ${why}.`, brokenInWords(left)].filter(Boolean).join(' '),
    broke: undefined,
  })
  if (!run.platform.offers('updateService')) return unchanged('this ml.ink server cannot change a service')
  if (isDeploying(service)) return unchanged('a deployment is under way')
  const now = Math.floor(run.clock.now() / 60_000)
  const running = isRunning(service)
  const usage = await readUsage(run, service)
  const size = sizeOf(run, service, load)
  const read = withoutOldBreak(withUsage(load, usage, now), { size, running, now })
  const killed = killedFor(run, production)
  const given = { autoscale: plan.autoscale, size, usage, load: read, running, killed, now }
  const step = decideStep(given)
  if (!step) return unchanged(whyUnchanged(given), read)
  if (plan.dryRun) return { load: read, said: `Would change: ${stepInWords(step)}`, broke: undefined }
  return await takeStep(plan, run, production, { step, size, load: read, now })
}

/**
 * What is wrong with production when a step broke it and going back did not help: what answers then is another version or
 * size than the one that ml.ink would start again.
 */
export function stuckAtSize(run: Run, service: Service, load: Load): string | undefined {
  return meaningOf(service.status)?.verdict === 'failed' ? stuckInWords(load, sizeOf(run, service, load)) : undefined
}

async function readUsage(run: Run, service: Service): Promise<Usage | undefined> {
  if (!isRunning(service)) return undefined
  try {
    return await run.platform.usage(service.name, run.signal)
  } catch (error) {
    run.signal.throwIfAborted()
    run.log.warning(`The metrics of ${service.name} could not be read: ${safeMessage(run, error)}`)
    return undefined
  }
}

/** As the platform tells it, else as the last step left it, else as the inputs ask for it. */
function sizeOf(run: Run, service: Service, load: Load): Size {
  const made = service.createdAt === undefined ? Number.NaN : Date.parse(service.createdAt) / 60_000
  const remembered = load.changedAt !== undefined && !(made > load.changedAt + 1) ? load : undefined
  const { memory, vcpus } = run.settings.build
  const inMi = (text: string | undefined) => (text === undefined ? undefined : mebibytes(text))
  const inNumbers = (text: string | undefined) => (text === undefined ? undefined : Number(text))
  const rememberedVcpus = remembered?.centiVcpus === undefined ? undefined : remembered.centiVcpus / 100
  return {
    memoryMi: inMi(service.memory) ?? remembered?.memoryMi ?? inMi(memory),
    vcpus: inNumbers(service.vcpus) ?? rememberedVcpus ?? inNumbers(vcpus),
  }
}

const lastWords = 10

/** Only a service in trouble was killed just now: the log of a healthy one may be of any age, as its lines are undated. */
function killedFor(run: Run, { service, seen }: Production): string | undefined {
  const verdict = meaningOf(service.status)?.verdict
  if (verdict !== 'crashed' && !(verdict === 'active' && seen.verdict === 'trouble')) return undefined
  const sanitize = createSanitizer(run.secrets())
  const said = service.errorMessage === undefined ? [] : [service.errorMessage]
  const line = memoryDeath([...service.runtimeLogs.slice(-lastWords), ...said].map(sanitize))
  return line === undefined ? undefined : `“${line.trim().slice(0, 120)}”`
}
