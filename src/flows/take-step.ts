import { DeployError } from '../core/errors.ts'
import { safeMessage } from '../core/sanitize.ts'
import { repositorySlug } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import { type Size, type Step, sizeText } from '../plan/autoscale.ts'
import { withBreak, withStep } from '../plan/load.ts'
import type { Load } from '../plan/monitor-memory.ts'
import type { MonitorPlan } from '../plan/plan.ts'
import type { MonitoredService } from '../report/model.ts'
import type { RolloutEnd } from './observe.ts'
import type { FoundRepository } from './previews.ts'
import { isDeploying, isRunning, resize } from './resize.ts'
import type { Run } from './run.ts'
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

/** What was decided on, and on what grounds. */
export interface Decided {
  readonly step: Step
  readonly size: Size
  readonly load: Load
  readonly now: number
}

/** Carries one step out; where the service does not come up with it, takes it back. */
export async function takeStep(plan: MonitorPlan, run: Run, production: Production, decided: Decided): Promise<Scaled> {
  const { step, size, load, now } = decided
  const { repository } = production
  const begun: Scaled = { load, said: 'Size unchanged: a deployment has begun meanwhile.', broke: undefined }
  const service = await run.platform.service(production.service.name, freshParts, run.signal)
  if (service?.branch === undefined || service.branch !== production.service.branch || isDeploying(service))
    return begun
  const { branch } = service
  run.log.info(stepInWords(step))
  const of = { service, branch, slug: repositorySlug(repository.remote.url), commit: repository.branches.get(branch) }
  const stepped = withStep(load, step, now, size)
  try {
    const end = await resize(plan, run, of, step)
    if (end.kind === 'superseded' && !end.sent) return begun
    const { status, sentence } = judge(end)
    if (status === 'live') return { load: stepped, said: stepInWords(step), broke: undefined }
    const said = `${stepInWords(step)} ${sentence}.`
    if (status === 'superseded' || status === 'cancelled') return { load: stepped, said, broke: undefined }
    const broke = `After its size was changed: ${sentence}`
    if (!isDueToTheSize(end)) return { load: stepped, said, broke }
    return await settleBreak(plan, run, { production, of, decided, sentence })
  } catch (error) {
    run.signal.throwIfAborted()
    if (!(error instanceof DeployError)) throw error
    const why = safeMessage(run, error)
    run.log.warning(`${service.name} could not be changed: ${why}`)
    return { load, said: `Size unchanged: ml.ink refused it (${why}).`, broke: undefined }
  }
}

const freshParts = { env: true, deployLogLines: 500 } as const

/** A service that is gone, or of which it is not known how it is, was not broken by its size. */
function isDueToTheSize({ kind }: RolloutEnd): boolean {
  return kind !== 'gone' && kind !== 'unconfirmed'
}

/** Remembers the size that broke the service, and gives it back the one before, where it was well with that. */
async function settleBreak(
  plan: MonitorPlan,
  run: Run,
  {
    production,
    of,
    decided,
    sentence,
  }: {
    readonly production: Production
    readonly of: Parameters<typeof resize>[2]
    readonly decided: Decided
    readonly sentence: string
  },
): Promise<Scaled> {
  const { step, size, load, now } = decided
  const broken = withBreak(withStep(load, step, now, size), step, now)
  const what = `After its size was changed: ${sentence}`
  const said = `${stepInWords(step)} ${sentence}.`
  const before = sizeText(step, step.from)
  const wasWell = isRunning(production.service) && production.seen.verdict === 'healthy'
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
async function goBack(
  plan: MonitorPlan,
  run: Run,
  of: Parameters<typeof resize>[2],
  step: Step,
): Promise<string | undefined> {
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
export function stepInWords(step: Step): string {
  const what = step.what === 'memory' ? 'Memory' : 'vCPUs'
  const moved = `${step.to > step.from ? 'raised' : 'lowered'} from ${sizeText(step, step.from)} to ${sizeText(step, step.to)}`
  return `${what} ${moved}: ${step.why}.`
}
