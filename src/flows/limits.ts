import { DeployError } from '../core/errors.ts'
import { formatDollars } from '../core/format.ts'
import type { Service } from '../ink/results.ts'
import { roomInBudget } from '../plan/budget.ts'
import { previewNumber } from '../plan/names.ts'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import { meaningOf } from '../watch/status.ts'
import { costOf, runningCosts } from './costs.ts'
import { overBudget } from './means.ts'
import type { Prepared } from './prepare.ts'
import { type FoundPreview, findPreviews, oldestFirst } from './previews.ts'
import { removePreview } from './removal.ts'
import { retire } from './retire.ts'
import type { Run } from './run.ts'

/**
 * Keeps to `max-previews`, and with `on-quota: evict-oldest` to `max-cost-per-day`, before another preview is created: the
 * oldest ones make room. A preview that exists already takes no more room, and production none at all.
 * @throws OverBudget when another run has begun a preview since this one asked, and nothing may go that would make it fit
 */
export async function makeRoom(plan: PreviewPlan | ProductionPlan, run: Run, { existing }: Prepared): Promise<void> {
  if (plan.kind !== 'preview' || existing) return
  const evictsForCost = plan.maxCostPerDay !== undefined && plan.onQuota === 'evict-oldest'
  if (plan.maxPreviews === undefined && !evictsForCost) return
  const { previews } = await findPreviews(run, plan.place)
  const others = previews.filter(({ serviceName }) => serviceName !== plan.serviceName)
  const surplus = beyondNumber(plan, others)
  const staying = others.filter((preview) => !surplus.includes(preview))
  const tooDear =
    plan.maxCostPerDay === undefined || !evictsForCost ? [] : beyondBudget(plan, plan.maxCostPerDay, staying, run)
  for (const preview of surplus)
    await evict(run, plan, preview, `made room: at most ${plan.maxPreviews} previews are kept (\`max-previews\`)`)
  const limit = formatDollars(plan.maxCostPerDay ?? 0)
  for (const preview of tooDear)
    await evict(run, plan, preview, `made room: previews cost at most ${limit} a day (\`max-cost-per-day\`)`)
}

function beyondNumber(plan: PreviewPlan, others: readonly FoundPreview[]): readonly FoundPreview[] {
  if (plan.maxPreviews === undefined) return []
  // Each service of a repository that has several keeps to its own limit.
  const running = oldestFirst(
    others.filter(
      ({ service, serviceName }) => service && previewNumber(plan.place.baseName, serviceName) !== undefined,
    ),
  )
  return running.slice(0, Math.max(0, running.length - (plan.maxPreviews - 1)))
}

function beyondBudget(
  plan: PreviewPlan,
  limitPerDay: number,
  others: readonly FoundPreview[],
  { settings }: Run,
): readonly FoundPreview[] {
  const running = runningCosts(others, plan.place, settings)
  const more = costOf(plan.build, settings) ?? 0
  const room = roomInBudget(running, more, limitPerDay)
  if (!room) throw overBudget(running, more, limitPerDay)
  return room
}

/**
 * Removes one preview so that another can be created (`on-quota: evict-oldest`): that of the oldest closed pull request,
 * else the oldest idle one. Never production, and never one that is being deployed.
 * @returns false when there is none to remove
 */
export async function evictOldest(run: Run, plan: PreviewPlan | ProductionPlan): Promise<boolean> {
  const { previews } = await findPreviews(run, plan.place)
  const candidates = oldestFirst(
    previews.filter(({ service, serviceName }) => service && isIdle(service) && serviceName !== plan.serviceName),
  )
  const open = await run.github.pullRequests.list('open')
  const closed = candidates.find(({ pullRequest }) => open?.every(({ number }) => number !== pullRequest))
  const victim = closed ?? candidates[0]
  if (!victim) return false
  await evict(
    run,
    plan,
    victim,
    'made room for another deployment: the account may have no more services (`on-quota: evict-oldest`)',
  )
  return true
}

function isIdle({ status }: Service): boolean {
  const phase = meaningOf(status)?.phase
  return phase === 'live' || phase === 'ended'
}

async function evict(
  run: Run,
  plan: PreviewPlan | ProductionPlan,
  preview: FoundPreview,
  reason: string,
): Promise<void> {
  run.log.info(`Removing ${preview.serviceName}: ${reason}`)
  const { left } = await removePreview(run, plan.place, preview)
  const [problem] = left
  if (problem) {
    throw new DeployError(
      `The preview ${preview.serviceName} had to make room and could not be removed: ${problem.why}`,
      {
        hint: 'Remove it at ml.ink, or raise the limit, then run the job again.',
      },
    )
  }
  await retire(run, plan.place, preview, reason)
}
