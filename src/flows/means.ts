import { DeployError } from '../core/errors.ts'
import { formatDollars } from '../core/format.ts'
import { safeMessage } from '../core/sanitize.ts'
import type { Credits } from '../ink/credits.ts'
import { PlatformError } from '../ink/errors.ts'
import { isOutOfMoney } from '../ink/platform.ts'
import { fitsBudget, type RunningCost, roomInBudget, sumPerDay } from '../plan/budget.ts'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import { costOf, runningCosts } from './costs.ts'
import { findPreviews } from './previews.ts'
import type { Run } from './run.ts'

/** Another preview would pass `max-cost-per-day`. */
export class OverBudget extends DeployError {
  override readonly name = 'OverBudget'
}

/**
 * Makes sure that what is about to be created can be paid for: by the account's credits, and within `max-cost-per-day`.
 * @throws PlatformError `no-credits`, OverBudget; `on-quota` decides what becomes of the run
 */
export async function checkMeans(plan: PreviewPlan | ProductionPlan, run: Run): Promise<void> {
  const credits = await lookAtCredits(run)
  if (credits?.spent) {
    throw new PlatformError(
      'no-credits',
      `The account at ml.ink has no credits left${credits.shown === undefined ? '' : ` (${credits.shown})`}, so nothing was created`,
      { hint: 'Top up the account at ml.ink, or set `on-quota: skip` to let pull requests pass without a preview.' },
    )
  }
  if (plan.kind === 'preview' && plan.maxCostPerDay !== undefined) await checkBudget(plan, plan.maxCostPerDay, run)
}

/** Asks for the credits where the server tells them, and warns when they run low. What cannot be read stops nothing. */
export async function lookAtCredits(
  run: Pick<Run, 'platform' | 'settings' | 'log' | 'signal' | 'secrets'>,
): Promise<Credits | undefined> {
  try {
    const credits = await run.platform.credits(run.signal)
    const low = credits?.dollars !== undefined && credits.dollars < run.settings.creditsWarning
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

async function checkBudget(plan: PreviewPlan, limitPerDay: number, run: Run): Promise<void> {
  const { previews } = await findPreviews(run, plan.place)
  const running = runningCosts(
    previews.filter(({ serviceName }) => serviceName !== plan.serviceName),
    plan.place,
    run.settings,
  )
  const more = costOf(plan.build, run.settings) ?? 0
  if (fitsBudget(running, more, limitPerDay)) return
  if (plan.onQuota === 'evict-oldest' && roomInBudget(running, more, limitPerDay)) return // it is made before the creation
  throw overBudget(running, more, limitPerDay)
}

/** The refusal, with its sum. */
export function overBudget(
  running: readonly RunningCost<unknown>[],
  morePerDay: number,
  limitPerDay: number,
): OverBudget {
  return new OverBudget(
    `Another preview would pass the limit of ${formatDollars(limitPerDay)} a day (\`max-cost-per-day\`): ` +
      `${running.length} open ${running.length === 1 ? 'preview costs' : 'previews cost'} about ${formatDollars(sumPerDay(running))} a day, this one about ${formatDollars(morePerDay)}`,
    {
      hint: 'Close a pull request, raise `max-cost-per-day`, or set `on-quota: evict-oldest` so that the oldest previews make room.',
    },
  )
}
