import { DeployError } from '../errors.ts'
import { repositorySlug } from '../ink/platform.ts'
import { mebibytes } from '../ink/prices.ts'
import type { Service } from '../ink/results.ts'
import {
  type Autoscale,
  decideStep,
  type Size,
  type Step,
  sizeText,
  type Usage,
  withStep,
  withUsage,
} from '../plan/autoscale.ts'
import type { Load } from '../plan/monitor-memory.ts'
import type { MonitorPlan } from '../plan/plan.ts'
import type { MonitoredService } from '../report/model.ts'
import { memoryDeath } from '../watch/diagnosis/recognisers/resources.ts'
import { meaningOf } from '../watch/status.ts'
import { createTamer } from '../watch/tame.ts'
import { claimService } from './ownership.ts'
import type { FoundRepository } from './previews.ts'
import type { Run } from './run.ts'
import { switchService, tameError } from './switch-service.ts'
import { judge } from './verdict.ts'

/** What a look at the size led to. */
export interface Scaled {
  readonly load: Load
  /** One line for the summary. */
  readonly said: string
  /** Set when the service did not come up again after its size was changed. */
  readonly broke: string | undefined
}

/** The production service, as it was found. */
export interface Production {
  readonly service: Service
  readonly seen: MonitoredService
  readonly repository: FoundRepository
}

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
    said: `Size unchanged: ${why}.`,
    broke: undefined,
  })
  if (!run.platform.offers('updateService')) return unchanged('this ml.ink server cannot change a service')
  if (isDeploying(service)) return unchanged('a deployment is under way')
  const now = Math.floor(run.clock.now() / 60_000)
  const usage = await readUsage(run, service)
  const read = withUsage(load, usage ?? { memory: undefined, cpu: undefined }, now)
  const size = sizeOf(run, service, load)
  const killed = killedFor(run, production)
  const step = decideStep({ autoscale: plan.autoscale, size, load: read, killed, now })
  if (!step) return unchanged(whyUnchanged(plan.autoscale, { size, usage, killed }), read)
  if (plan.dryRun) return { load: read, said: `Would change: ${stepInWords(step)}`, broke: undefined }
  return await take(plan, run, production, { step, size, load: read, now })
}

function isDeploying({ status }: Service): boolean {
  const phase = meaningOf(status)?.phase
  return phase !== 'live' && phase !== 'ended'
}

async function readUsage(run: Run, service: Service): Promise<Usage | undefined> {
  if (meaningOf(service.status)?.phase !== 'live') return undefined
  try {
    return await run.platform.usage(service.name, run.signal)
  } catch (error) {
    run.signal.throwIfAborted()
    run.log.warning(`The metrics of ${service.name} could not be read: ${tameError(run, error)}`)
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
  const tame = createTamer(run.secrets())
  const said = service.errorMessage === undefined ? [] : [service.errorMessage]
  const line = memoryDeath([...service.runtimeLogs.slice(-lastWords), ...said].map(tame))
  return line === undefined ? undefined : `“${line.trim().slice(0, 120)}”`
}

function whyUnchanged(
  autoscale: Autoscale,
  { size, usage, killed }: { size: Size; usage: Usage | undefined; killed: string | undefined },
): string {
  const unknown = (autoscale.memoryMi && size.memoryMi === undefined) || (autoscale.vcpus && size.vcpus === undefined)
  if (unknown) return 'ml.ink does not tell it; set `memory` and `vcpus` to what the service has'
  if (killed !== undefined && autoscale.memoryMi && (size.memoryMi ?? 0) >= autoscale.memoryMi.to)
    return `it was killed for memory (${killed}), and has all that the bounds allow (${size.memoryMi}Mi)`
  if (usage === undefined) return 'no metrics from this ml.ink server, so being killed for memory is the only evidence'
  const percent = (share: number | undefined) =>
    share === undefined ? 'an unknown part' : `${Math.round(share * 100)} %`
  return `${percent(usage.memory)} of the memory and ${percent(usage.cpu)} of the vCPUs in use`
}

async function take(
  plan: MonitorPlan,
  run: Run,
  { service, repository }: Production,
  { step, size, load, now }: { step: Step; size: Size; load: Load; now: number },
): Promise<Scaled> {
  const words = stepInWords(step)
  const fresh = await run.platform.service(service.name, { env: true, deployLogLines: 500 }, run.signal)
  if (fresh?.branch === undefined || isDeploying(fresh))
    return { load, said: 'Size unchanged: a deployment has begun meanwhile.', broke: undefined }
  run.log.info(words)
  const slug = repositorySlug(repository.remote.url)
  try {
    const switched = await switchService(run, {
      serviceName: service.name,
      branch: fresh.branch,
      commitHash: repository.branches.get(fresh.branch),
      existing: fresh,
      repositorySlug: slug,
      repositoryName: plan.place.repositoryName,
      // No variables: those that are not sent stay.
      settings: () =>
        step.what === 'memory' ? { memory: sizeText(step, step.to) } : { vcpus: sizeText(step, step.to) },
      claim: (one) => claimService(one, { place: plan.place, adopt: false }, slug),
      mayCreateAnew: async () => false,
      health: plan.health,
      deadlineAt: run.clock.now() + plan.timeoutMs,
    })
    const { status, sentence } = judge(switched)
    const broke = status === 'live' || status === 'superseded' ? undefined : `After its size was changed: ${sentence}`
    return { load: withStep(step, now, size), said: status === 'live' ? words : `${words} ${sentence}.`, broke }
  } catch (error) {
    run.signal.throwIfAborted()
    if (!(error instanceof DeployError)) throw error
    const why = tameError(run, error)
    run.log.warning(`${service.name} could not be changed: ${why}`)
    return { load, said: `Size unchanged: ml.ink refused it (${why}).`, broke: undefined }
  }
}

function stepInWords(step: Step): string {
  const what = step.what === 'memory' ? 'Memory' : 'vCPUs'
  const moved = `${step.to > step.from ? 'raised' : 'lowered'} from ${sizeText(step, step.from)} to ${sizeText(step, step.to)}`
  return `${what} ${moved}: ${step.why}.`
}
