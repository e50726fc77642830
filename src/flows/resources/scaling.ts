import { DeployError } from '../../core/errors.ts'
import { capital } from '../../core/format.ts'
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
import { partsBefore } from '../start-again.ts'
import type { RolloutEnd } from '../verdict.ts'
import { type Judgement, judge } from '../verdict.ts'
import { ownedBy, type ReadRepository } from './repository.ts'

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

/** Carries one step out; where the service does not come up with it, takes it back. */
async function applyScaling(
  plan: MonitorPlan,
  run: Run,
  { service: before, seen, repository }: Production,
  { step, size, load, now }: { step: Step; size: Size; load: Load; now: number },
): Promise<Scaled> {
  const described = describeStep(step)
  run.log.info(described)
  const resized = await resize(plan, run, before, repository, step, step.to)
  if (resized.kind === 'overtaken') return { load, said: `Size unchanged: ${resized.why}.` }
  if (resized.kind === 'refused') {
    run.log.warning(`${before.name} could not be changed: ${resized.why}`)
    return { load, said: `Size unchanged: ml.ink refused it (${resized.why}).` }
  }
  const { end, status, sentence } = resized
  const stepped = withStep(load, step, now, size)
  if (status === 'live') return { load: stepped, said: described }
  const said = `${described} ${sentence}.`
  if (status === 'superseded' || status === 'cancelled') return { load: stepped, said }
  const broke = `After its size was changed: ${sentence}`
  // A service that is gone, or of which it is not known how it is, was not broken by its size.
  if (end.kind === 'gone' || end.kind === 'unconfirmed') return { load: stepped, said, broke }
  const broken = withBreak(stepped, step, now)
  const wasWell = isLive(before) && seen.verdict === 'healthy'
  if (!wasWell) return { load: broken, said, broke }
  const from = sizeText(step, step.from)
  run.log.warning(`${before.name} did not come up with ${sizeText(step, step.to)}; giving it ${from} again`)
  const back = await resize(plan, run, before, repository, step, step.from).catch((error) => refusal(run, error))
  if (back.kind === 'ended' && back.status === 'live') {
    const again = withBreak(withStep(load, { ...step, to: step.from }, now, size), step, now)
    const live = `it was given ${from} again and is live`
    return { load: again, said: `${said} ${capital(live)}.`, broke: `${broke}; ${live}` }
  }
  const stays = `going back to ${from} did not work: ${back.kind === 'ended' ? back.sentence : back.why}`
  return { load: broken, said: `${said} ${capital(stays)}.`, broke: `${broke}; ${stays}` }
}

/** What came of a change of size; `overtaken` where somebody else has begun a deployment, and nothing was sent. */
type Resized =
  | { readonly kind: 'overtaken'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string }
  | ({ readonly kind: 'ended'; readonly end: RolloutEnd } & Judgement)

const overtaken = { kind: 'overtaken', why: 'somebody else has begun a deployment meanwhile' } as const

/**
 * Gives a service another size and follows the deployment that this starts to its end. Nothing but the size is sent: a
 * branch that was read a moment ago may be an old one by now, and naming it would put an old commit back; variables that
 * are not sent stay.
 */
async function resize(
  plan: MonitorPlan,
  run: Run,
  { name, branch }: Service,
  { slug, branches }: ReadRepository,
  step: Step,
  to: number,
): Promise<Resized> {
  const service = await run.platform.service(name, partsBefore, run.signal)
  // A service that gets its old size back may still be busy with the one that broke it.
  const isBusy = to === step.to && service !== undefined && isDeploying(service)
  if (!service || branch === undefined || service.branch !== branch || isBusy) return overtaken
  const size = sizeText(step, to)
  try {
    const end = await rollOut(run, {
      ...ownedBy({ ...plan, serviceName: name, adopt: false }, slug),
      branch,
      commitHash: branches.get(branch),
      existing: service,
      settings: () => (step.what === 'memory' ? { memory: size } : { vcpus: size }),
      settingsOnly: true,
      health: plan.health,
      deadlineAt: run.deadlineAt,
    })
    return end.kind === 'superseded' && !end.sent ? overtaken : { kind: 'ended', end, ...judge(end) }
  } catch (error) {
    return refusal(run, error)
  }
}

function refusal(run: Run, error: unknown): Resized {
  run.signal.throwIfAborted()
  if (!(error instanceof DeployError)) throw error
  return { kind: 'refused', why: safeMessage(run, error) }
}

function describeStep(step: Step): string {
  const what = step.what === 'memory' ? 'Memory' : 'vCPUs'
  const moved = `${step.to > step.from ? 'raised' : 'lowered'} from ${sizeText(step, step.from)} to ${sizeText(step, step.to)}`
  return `${what} ${moved}: ${step.why}.`
}
