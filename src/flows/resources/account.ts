import { DeployError } from '../../core/errors.ts'
import { count, formatDollars } from '../../core/format.ts'
import { safeMessage } from '../../core/sanitize.ts'
import { type AccountLimits, type Credits, costPerDay, type ServiceSize } from '../../ink/account.ts'
import { argumentsRefused } from '../../ink/catalogue.ts'
import { isOutOfMoney, PlatformError } from '../../ink/errors.ts'
import type { Platform } from '../../ink/platform.ts'
import type { Service } from '../../ink/results.ts'
import type { Place } from '../../plan/context.ts'
import { fitsBudget, type RunningCost, roomInBudget, sumPerDay } from '../../plan/guards.ts'
import { previewNumber } from '../../plan/names.ts'
import type { Costing, PreviewPlan, ProductionPlan } from '../../plan/plan.ts'
import type { DatabaseSettings } from '../../plan/settings.ts'
import type { AccountView, CostView } from '../../report/model.ts'
import { isDeploying } from '../../watch/readings.ts'
import type { Run } from '../run.ts'
import { type FoundPreview, findPreviews, oldestFirst } from './previews.ts'
import { describeLeft, removePreview, retirePreview } from './removal.ts'

/**
 * Whose key it is, and how full the account. It is told beside the result, so what cannot be read is left out, and
 * nothing fails for it.
 */
export async function readAccount(platform: Platform, place: Place, signal: AbortSignal): Promise<AccountView> {
  const ifTold = <T>(asked: Promise<T>) => asked.catch(() => undefined)
  const [account, services, limits] = await Promise.all([
    ifTold(platform.account(signal)),
    platform.offers('listServices') ? ifTold(platform.services(signal)) : undefined,
    ifTold(platform.limits(signal)),
  ])
  return {
    name: account?.name,
    project: place.project,
    workspace: place.workspace,
    servicesInUse: services?.length,
    mostServices: limits?.maxServices,
    limits: describeLimits(limits),
  }
}

/** What the plan of an account allows, but for the number of its services. */
export function describeLimits(limits: AccountLimits | undefined): string[] {
  if (!limits) return []
  const { tier, maxMemoryMi, maxVcpus } = limits
  return [
    ...(tier === undefined ? [] : [`plan ${tier}`]),
    ...(maxMemoryMi === undefined ? [] : [`at most ${maxMemoryMi} MiB of memory`]),
    ...(maxVcpus === undefined ? [] : [`at most ${maxVcpus} vCPUs`]),
  ]
}

/**
 * Refuses a deployment that this server has no tool for, or not with these values, before anything is pushed or created:
 * what would be left of one that fails half-way is of no use to anybody.
 *
 * @param exists whether the service is there already, and would be changed
 * @throws DeployError that says what cannot be done, and what can
 */
export function assertDeployable(
  platform: Pick<Platform, 'offers' | 'checkArguments'>,
  { serviceName, build }: Pick<ProductionPlan, 'serviceName' | 'build'>,
  exists: boolean,
): void {
  const purpose = exists ? 'updateService' : 'createService'
  if (platform.offers(purpose)) {
    const refused = platform.checkArguments(purpose, build)
    if (refused.length > 0) throw argumentsRefused(refused)
    return
  }
  const [what, hint] = exists
    ? [
        `change a service, so ${serviceName} stays as it is`,
        'The oldest servers can only create and delete services. For a preview, close the pull request and open it again; otherwise use another `endpoint`.',
      ]
    : [
        `create a service, and ${serviceName} does not exist yet`,
        'Create the service at ml.ink and set `adopt: true`, or use another `endpoint`.',
      ]
  throw new DeployError(`This ml.ink server has no tool to ${what}; nothing was touched`, { hint })
}

/** Another preview would pass `max-cost-per-day`. */
export class OverBudget extends DeployError {
  override readonly name = 'OverBudget'
}

/**
 * Makes sure that what is about to be created can be paid for: by the account's credits, and within `max-cost-per-day`.
 * @throws PlatformError `no-credits`, OverBudget; `on-quota` decides what becomes of the run
 */
export async function assertAffordable(plan: PreviewPlan | ProductionPlan, run: Run): Promise<void> {
  const credits = await readCredits(plan, run)
  if (credits?.spent) {
    const left = credits.shown === undefined ? '' : ` (${credits.shown})`
    throw new PlatformError('no-credits', `The account at ml.ink has no credits left${left}, so nothing was created`)
  }
  // What has to make room does so right before the creation.
  if (plan.kind === 'preview' && plan.maxCostPerDay !== undefined)
    roomFor(plan, plan.maxCostPerDay, await othersThan(plan, run), run.platform)
}

async function othersThan(plan: PreviewPlan | ProductionPlan, run: Run): Promise<readonly FoundPreview[]> {
  const { previews } = await findPreviews(run, plan.place)
  return previews.filter(({ serviceName }) => serviceName !== plan.serviceName)
}

/** Asks for the credits where the server tells them, and warns when they run low. What cannot be read stops nothing. */
export async function readCredits(
  { creditsWarning }: Pick<Costing, 'creditsWarning'>,
  run: Pick<Run, 'platform' | 'log' | 'signal' | 'secrets'>,
): Promise<Credits | undefined> {
  try {
    const credits = await run.platform.credits(run.signal)
    const low = credits?.dollars !== undefined && credits.dollars < creditsWarning
    if (low && !credits.spent)
      run.log.warning(`The account at ml.ink has ${credits.shown} of credits left. Top it up before it stops.`)
    if (credits?.perhapsSpent)
      run.log.warning(
        `The account at ml.ink may have no credits left: the server says “${credits.shown}” and not of what. If it refuses to create anything, top it up.`,
      )
    return credits
  } catch (error) {
    run.signal.throwIfAborted()
    if (isOutOfMoney(error)) throw error
    run.log.warning(`The credits of the account at ml.ink could not be read: ${safeMessage(run, error)}`)
    return undefined
  }
}

/**
 * The previews that have to go for another one to fit.
 * @throws OverBudget when none may go, or it does not help
 */
function roomFor(
  plan: PreviewPlan,
  limitPerDay: number,
  others: readonly FoundPreview[],
  platform: Defaults,
): readonly FoundPreview[] {
  const running = runningCosts(others, plan, platform)
  const more = costOf(plan.build, plan, platform) ?? 0
  if (fitsBudget(running, more, limitPerDay)) return []
  const room = plan.onQuota === 'evict-oldest' && roomInBudget(running, more, limitPerDay)
  if (room) return room
  const [limit, sum, own] = [limitPerDay, sumPerDay(running), more].map(formatDollars)
  const open = `${count(running.length, 'open preview')} ${running.length === 1 ? 'costs' : 'cost'}`
  throw new OverBudget(
    `Another preview would pass the limit of ${limit} a day (\`max-cost-per-day\`): ${open} about ${sum} a day, this one about ${own}`,
    {
      hint: 'Close a pull request, raise `max-cost-per-day`, or set `on-quota: evict-oldest` so that the oldest previews make room.',
    },
  )
}

type Sized = Pick<Service, 'memory' | 'vcpus'> & Partial<Pick<Service, 'env'>>
type Pricing = Pick<Costing, 'build' | 'prices' | 'database'>
type Defaults = Pick<Platform, 'defaultSize'>

/**
 * What a service costs a day together with its database, in dollars, an estimate. Where the platform does not tell a
 * size, it is taken to be the one that the inputs ask for, else the server's default, which is what a database is
 * taken to have.
 */
export function costOf(
  service: Sized,
  { build, prices, database }: Pricing,
  { defaultSize }: Defaults,
): number | undefined {
  const asked = { memory: service.memory ?? build.memory, vcpus: service.vcpus ?? build.vcpus }
  const own = costPerDay(wholeSize(asked, defaultSize), prices)
  const counts = database !== undefined && isBilled(database) && mayUse(service, database)
  return own === undefined ? undefined : own + (counts ? (costPerDay(defaultSize, prices) ?? 0) : 0)
}

/** A size of which nothing is left open. */
export function wholeSize({ memory, vcpus }: Pick<Service, 'memory' | 'vcpus'>, usual: ServiceSize): ServiceSize {
  return { memory: memory ?? usual.memory, vcpus: vcpus ?? usual.vcpus }
}

/** A database of a template is a service of its own; a sqlite one runs in none. */
export function isBilled({ type }: DatabaseSettings): boolean {
  return type !== 'sqlite'
}

/** One that was made before a database was asked for has none yet. */
function mayUse({ env }: Sized, database: DatabaseSettings): boolean {
  return env === undefined || [...database.env.keys()].some((name) => env[name] !== undefined)
}

/** The previews that run, the oldest first, with what they cost; those of this service's own may make room for another. */
export function runningCosts(
  previews: readonly FoundPreview[],
  plan: Pricing & { readonly place: Place },
  platform: Defaults,
): readonly RunningCost<FoundPreview>[] {
  return oldestFirst(previews).flatMap((preview) => {
    if (preview.service === undefined) return []
    return [{ preview, perDay: costOf(preview.service, plan, platform) ?? 0, mayGo: isOwnPreview(preview, plan) }]
  })
}

/** Each service of a repository that has several keeps to its own limits. */
function isOwnPreview({ serviceName }: FoundPreview, { place }: { readonly place: Place }): boolean {
  return previewNumber(place.baseName, serviceName) !== undefined
}

/** The costs of all that run, for a report; undefined when none does or no estimate is wanted. */
export function costView(running: readonly RunningCost<unknown>[]): CostView | undefined {
  const perDay = sumPerDay(running)
  if (perDay === 0) return undefined
  return { perDay, basis: count(running.length, 'open preview') }
}

/**
 * Keeps to `previews.max`, and with `on-quota: evict-oldest` to `max-cost-per-day`, before another preview is created: the
 * oldest ones make room. A preview that exists already takes no more room, and production none at all.
 * @throws OverBudget when another run has begun a preview since this one asked, and nothing may go that would make it fit
 */
export async function makeRoom(
  plan: PreviewPlan | ProductionPlan,
  run: Run,
  { existing }: { readonly existing: Service | undefined },
): Promise<void> {
  if (plan.kind !== 'preview' || existing) return
  const { maxCostPerDay } = plan
  const evictsForCost = maxCostPerDay !== undefined && plan.onQuota === 'evict-oldest'
  if (plan.maxPreviews === undefined && !evictsForCost) return
  const others = await othersThan(plan, run)
  const surplus = beyondNumber(plan, others)
  const staying = others.filter((preview) => !surplus.includes(preview))
  const tooDear = evictsForCost ? roomFor(plan, maxCostPerDay, staying, run.platform) : []
  for (const preview of surplus)
    await evict(run, plan, preview, `made room: at most ${plan.maxPreviews} previews are kept (\`previews.max\`)`)
  const limit = formatDollars(maxCostPerDay ?? 0)
  for (const preview of tooDear)
    await evict(run, plan, preview, `made room: previews cost at most ${limit} a day (\`max-cost-per-day\`)`)
}

function beyondNumber(plan: PreviewPlan, others: readonly FoundPreview[]): readonly FoundPreview[] {
  if (plan.maxPreviews === undefined) return []
  const running = oldestFirst(others.filter((preview) => preview.service && isOwnPreview(preview, plan)))
  return running.slice(0, Math.max(0, running.length - (plan.maxPreviews - 1)))
}

/**
 * Removes one preview so that another can be created (`on-quota: evict-oldest`): that of the oldest closed pull request,
 * else the oldest idle one. Never production, and never one that is being deployed.
 * @returns false when there is none to remove
 */
export async function evictOldest(run: Run, plan: PreviewPlan | ProductionPlan): Promise<boolean> {
  const others = await othersThan(plan, run)
  const candidates = oldestFirst(others.filter(({ service }) => service && !isDeploying(service)))
  const open = await run.github.pullRequests.list('open')
  const isClosed = ({ pullRequest }: FoundPreview) => open?.every(({ number }) => number !== pullRequest) === true
  const because = 'made room for another deployment: the account may have no more services (`on-quota: evict-oldest`)'
  for (const victim of candidates.toSorted((a, b) => Number(isClosed(b)) - Number(isClosed(a))))
    if (await evict(run, plan, victim, because)) return true
  return false
}

/** @returns false when somebody began to deploy it meanwhile: it is left to them */
async function evict(
  run: Run,
  plan: PreviewPlan | ProductionPlan,
  preview: FoundPreview,
  reason: string,
): Promise<boolean> {
  run.log.info(`Removing ${preview.serviceName}: ${reason}`)
  const { left, overtaken } = await removePreview(run, plan, preview)
  if (overtaken) {
    run.log.info(`${preview.serviceName} is being deployed again, and was left to that`)
    return false
  }
  await retirePreview(run, plan.place, preview, { left, reason })
  if (left.length === 0) return true
  throw new DeployError(
    `The preview ${preview.serviceName} had to make room and could not be removed completely: ${describeLeft(left)}`,
    { hint: 'Remove it at ml.ink, or raise the limit, then run the job again.' },
  )
}
