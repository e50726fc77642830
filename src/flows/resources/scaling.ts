import { DeployError } from '../../core/errors.ts'
import { createSanitizer, safeMessage } from '../../core/sanitize.ts'
import { lastWordsOf, memoryDeath } from '../../diagnosis/lines.ts'
import { mebibytes } from '../../ink/account.ts'
import type { Service } from '../../ink/results.ts'
import {
  type Autoscale,
  decideStep,
  describeBroken,
  describeStuck,
  sizeText,
  whyUnchanged,
} from '../../plan/autoscale.ts'
import {
  type Load,
  type Size,
  type Step,
  type Usage,
  withBreak,
  withoutOldBreak,
  withStep,
  withUsage,
} from '../../plan/monitor-memory.ts'
import type { MonitorPlan } from '../../plan/plan.ts'
import type { MonitoredService } from '../../report/model.ts'
import { isDeploying, isLive, meaningOf } from '../../watch/readings.ts'
import { rollOut } from '../rollout.ts'
import type { Run } from '../run.ts'
import type { RolloutEnd } from '../verdict.ts'
import { judge } from '../verdict.ts'
import type { ReadRepository } from './repository.ts'
import { ownedBy } from './repository.ts'

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
    said: [`Size unchanged: ${why}.`, describeBroken(left)].filter(Boolean).join(' '),
  })
  if (!run.platform.offers('updateService')) return unchanged('this ml.ink server cannot change a service')
  if (isDeploying(service)) return unchanged('a deployment is under way')
  const now = Math.floor(run.clock.now() / 60_000)
  const running = isLive(service)
  const usage = await readUsage(run, service)
  const size = sizeOf(plan, service, load)
  const read = withoutOldBreak(withUsage(load, usage, now), { size, running, now })
  const killed = killedFor(run, production)
  const given = { autoscale: plan.autoscale, size, usage, load: read, running, killed, now }
  const step = decideStep(given)
  if (!step) return unchanged(whyUnchanged(given), read)
  if (plan.dryRun) return { load: read, said: `Would change: ${describeStep(step)}` }
  return await applyScaling(plan, run, production, { step, size, load: read, now })
}

/**
 * What is wrong with production when a step broke it and going back did not help: what answers then is another version or
 * size than the one that ml.ink would start again.
 */
export function stuckAtSize(plan: MonitorPlan, service: Service, load: Load): string | undefined {
  return meaningOf(service.status)?.verdict === 'failed' ? describeStuck(load, sizeOf(plan, service, load)) : undefined
}

async function readUsage(run: Run, service: Service): Promise<Usage | undefined> {
  if (!isLive(service)) return undefined
  try {
    return await run.platform.usage(service.name, run.signal)
  } catch (error) {
    run.signal.throwIfAborted()
    run.log.warning(`The metrics of ${service.name} could not be read: ${safeMessage(run, error)}`)
    return undefined
  }
}

/** As the platform tells it, else as the last step left it, else as the inputs ask for it. */
function sizeOf(plan: MonitorPlan, service: Service, load: Load): Size {
  const made = service.createdAt === undefined ? Number.NaN : Date.parse(service.createdAt) / 60_000
  const remembered = load.changedAt !== undefined && !(made > load.changedAt + 1) ? load : undefined
  const { memory, vcpus } = plan.build
  const inMi = (text: string | undefined) => (text === undefined ? undefined : mebibytes(text))
  const inNumbers = (text: string | undefined) => (text === undefined ? undefined : Number(text))
  const rememberedVcpus = remembered?.centiVcpus === undefined ? undefined : remembered.centiVcpus / 100
  return {
    memoryMi: inMi(service.memory) ?? remembered?.memoryMi ?? inMi(memory),
    vcpus: inNumbers(service.vcpus) ?? rememberedVcpus ?? inNumbers(vcpus),
  }
}

const lastWords = 10

/**
 * Only a service in trouble was killed just now: the log of a healthy one may be of any age, as its lines are undated. Not
 * every server tells of a crash (generation 1 was never seen to): there the app is `active`, and its URL does not answer.
 */
function killedFor(run: Run, { service, seen }: Production): string | undefined {
  const verdict = meaningOf(service.status)?.verdict
  if (verdict !== 'crashed' && !(verdict === 'active' && seen.verdict === 'trouble')) return undefined
  const said = [...lastWordsOf(service.runtimeLogs, lastWords), service.errorMessage ?? '']
  const line = memoryDeath(said.map(createSanitizer(run.secrets())))
  return line === undefined ? undefined : `“${line.trim().slice(0, 120)}”`
}

/** What a look at the size led to. */
interface Scaled {
  readonly load: Load
  /** One line for the summary. */
  readonly said: string
  /** Set when the service did not come up again after its size was changed. */
  readonly broke?: string
}

/** The production service, as it was found. */
export interface Production {
  readonly service: Service
  readonly seen: MonitoredService
  readonly repository: ReadRepository
}

/** What was decided on, and on what grounds. */
interface Decided {
  readonly step: Step
  readonly size: Size
  readonly load: Load
  readonly now: number
}

/** Carries one step out; where the service does not come up with it, takes it back. */
async function applyScaling(plan: MonitorPlan, run: Run, production: Production, decided: Decided): Promise<Scaled> {
  const { step, size, load, now } = decided
  const { slug, branches } = production.repository
  const begun: Scaled = { load, said: 'Size unchanged: a deployment has begun meanwhile.' }
  const service = await run.platform.service(production.service.name, freshParts, run.signal)
  const { branch } = service ?? {}
  if (!service || branch === undefined || branch !== production.service.branch || isDeploying(service)) return begun
  run.log.info(describeStep(step))
  const of = { service, branch, slug, commit: branches.get(branch) }
  const stepped = withStep(load, step, now, size)
  try {
    const end = await resize(plan, run, of, step)
    if (end.kind === 'superseded' && !end.sent) return begun
    const { status, sentence } = judge(end)
    if (status === 'live') return { load: stepped, said: describeStep(step) }
    const said = `${describeStep(step)} ${sentence}.`
    if (status === 'superseded' || status === 'cancelled') return { load: stepped, said }
    const broke = `After its size was changed: ${sentence}`
    // A service that is gone, or of which it is not known how it is, was not broken by its size.
    if (end.kind === 'gone' || end.kind === 'unconfirmed') return { load: stepped, said, broke }
    return await revertBreak(plan, run, production, of, decided, sentence)
  } catch (error) {
    run.signal.throwIfAborted()
    if (!(error instanceof DeployError)) throw error
    const why = safeMessage(run, error)
    run.log.warning(`${service.name} could not be changed: ${why}`)
    return { load, said: `Size unchanged: ml.ink refused it (${why}).` }
  }
}

const freshParts = { env: true, deployLogLines: 500 } as const

/** What a service runs while its size is changed. */
interface Deployed {
  readonly service: Service
  readonly branch: string
  readonly slug: string
  readonly commit: string | undefined
}

/**
 * Gives a service another size and follows the deployment that this starts to its end. Nothing but the size is sent: a
 * branch that was read a moment ago may be an old one by now, and naming it would put an old commit back; variables that
 * are not sent stay.
 * @throws DeployError when ml.ink refuses it
 */
function resize(
  plan: MonitorPlan,
  run: Run,
  of: Deployed,
  { what, to }: Pick<Step, 'what' | 'to'>,
): Promise<RolloutEnd> {
  const { service, branch, slug, commit } = of
  const size = what === 'memory' ? { memory: sizeText({ what }, to) } : { vcpus: sizeText({ what }, to) }
  return rollOut(run, {
    ...ownedBy({ ...plan, serviceName: service.name, adopt: false }, slug),
    branch,
    commitHash: commit,
    existing: service,
    settings: () => size,
    settingsOnly: true,
    health: plan.health,
    deadlineAt: run.deadlineAt,
  })
}

/** Remembers the size that broke the service, and gives it back the one before, where it was well with that. */
async function revertBreak(
  plan: MonitorPlan,
  run: Run,
  { service, seen }: Production,
  of: Deployed,
  { step, size, load, now }: Decided,
  sentence: string,
): Promise<Scaled> {
  const broken = withBreak(withStep(load, step, now, size), step, now)
  const what = `After its size was changed: ${sentence}`
  const said = `${describeStep(step)} ${sentence}.`
  const before = sizeText(step, step.from)
  const wasWell = isLive(service) && seen.verdict === 'healthy'
  if (!wasWell) return { load: broken, said, broke: what }
  run.log.warning(`${of.service.name} did not come up with ${sizeText(step, step.to)}; giving it ${before} again`)
  const failed = await goBack(plan, run, of, step)
  if (failed !== undefined)
    return {
      load: broken,
      said: `${said} Going back to ${before} did not work: ${failed}.`,
      broke: `${what}; going back to ${before} did not work: ${failed}`,
    }
  return {
    load: withBreak(withStep(load, { ...step, to: step.from }, now, size), step, now),
    said: `${said} It was given ${before} again and is live.`,
    broke: `${what}; it was given ${before} again and is live`,
  }
}

/** @returns why it did not work, if so */
async function goBack(plan: MonitorPlan, run: Run, of: Deployed, step: Step): Promise<string | undefined> {
  try {
    const service = await run.platform.service(of.service.name, freshParts, run.signal)
    if (service?.branch !== of.branch) return 'somebody else has begun a deployment meanwhile'
    const { status, sentence } = judge(await resize(plan, run, { ...of, service }, { ...step, to: step.from }))
    return status === 'live' ? undefined : sentence
  } catch (error) {
    run.signal.throwIfAborted()
    if (!(error instanceof DeployError)) throw error
    return safeMessage(run, error)
  }
}

/** What a step does and why, as a sentence. */
function describeStep(step: Step): string {
  const what = step.what === 'memory' ? 'Memory' : 'vCPUs'
  const moved = `${step.to > step.from ? 'raised' : 'lowered'} from ${sizeText(step, step.from)} to ${sizeText(step, step.to)}`
  return `${what} ${moved}: ${step.why}.`
}
