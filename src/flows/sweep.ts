import { DeployError } from '../errors.ts'
import { costPerDay } from '../ink/prices.ts'
import type { SweepPlan } from '../plan/plan.ts'
import { decideSweep, type SweepDecision } from '../plan/sweep.ts'
import type { SweepReport, SweptPreview } from '../report/model.ts'
import { pullRequestFact } from './facts.ts'
import { settleEach } from './in-parallel.ts'
import { monitor } from './monitor.ts'
import type { Outcome } from './outcome.ts'
import { claimPreview } from './ownership.ts'
import { type FoundPreview, findPreviews } from './previews.ts'
import { removePreview } from './removal.ts'
import { retire } from './retire.ts'
import type { Run } from './run.ts'
import { tameError } from './switch-service.ts'

type Decision = SweepDecision<FoundPreview & { running: boolean }>

/** Compares all previews of this repository with its pull requests and removes those that nobody needs any more. */
export async function sweep(plan: SweepPlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('settle', 'Sweep')
  const [{ previews, unreadable }, open] = await Promise.all([findPreviews(run, plan.place), openPullRequests(run)])
  const candidates = previews.map((preview) => ({ ...preview, running: preview.service !== undefined }))
  const decisions = decideSweep(candidates, open, plan, run.clock.now())
  const toRemove = decisions.filter(({ remove }) => remove)
  const results = plan.dryRun ? [] : await settleEach(toRemove, (decision) => removeOne(run, plan, decision))
  run.signal.throwIfAborted()
  const failed = [
    ...toRemove.flatMap((decision, index): SweptPreview[] => {
      const result = results[index]
      return result?.status === 'rejected' ? [{ ...swept(run, decision), why: tameError(run, result.reason) }] : []
    }),
    ...unreadable.map(({ serviceName, why }): SweptPreview => ({ service: serviceName, why })),
  ]
  const removed = toRemove
    .filter((_, index) => plan.dryRun || results[index]?.status === 'fulfilled')
    .map((one) => swept(run, one))
  const kept = decisions.filter(({ remove }) => !remove).map((one) => swept(run, one))
  run.output('removed', JSON.stringify(plan.dryRun ? [] : removed.map(({ service }) => service)))
  const outcome = outcomeOf(plan, run, { removed, kept, failed })
  run.reporter.timeline.end(
    failed.length === 0 ? 'done' : 'failed',
    `${plan.dryRun ? 'Would remove' : 'Removed'} ${removed.length}, kept ${kept.length}, failed ${failed.length}`,
  )
  return plan.then && !outcome.failure ? withMonitor(outcome, await monitor(plan.then, run)) : outcome
}

async function removeOne(run: Run, plan: SweepPlan, { preview, why }: Decision): Promise<void> {
  if (preview.service)
    claimPreview(preview.service, { place: plan.place, pullRequest: preview.pullRequest }, preview.service.repo)
  const { left } = await removePreview(run, plan.place, preview)
  if (left.length > 0)
    throw new DeployError(left.map((thing) => `${thing.kind} ${thing.name}: ${thing.why}`).join('; '))
  run.log.info(`Removed ${preview.serviceName}: ${why}`)
  await retire(run, plan.place, preview, `Removed by a sweep: ${why}`)
}

async function openPullRequests(run: Run) {
  const open = await run.github.pullRequests.list('open')
  if (!open) return undefined
  return new Map(
    open
      .map((read) => [read.number, pullRequestFact(read)] as const)
      .flatMap(([number, fact]) => (typeof fact === 'string' ? [] : [[number, fact] as const])),
  )
}

function swept(run: Run, { preview, why }: Decision): SweptPreview {
  const { service, serviceName, pullRequest } = preview
  const perDay = service ? costPerDay({ memory: service.memory, vcpus: service.vcpus }, run.settings.prices) : undefined
  return { service: serviceName, pullRequest, why, costPerDay: perDay }
}

function outcomeOf(plan: SweepPlan, run: Run, lists: Pick<SweepReport, 'removed' | 'kept' | 'failed'>): Outcome {
  const report: SweepReport = {
    kind: 'sweep',
    dryRun: plan.dryRun,
    ...lists,
    runUrl: run.context.runUrl,
    warnings: run.reporter.warnings(),
  }
  const failure =
    lists.failed.length === 0
      ? undefined
      : new DeployError(
          `${lists.failed.length} previews could not be swept: ${lists.failed.map(({ service, why }) => `${service} (${why})`).join(', ')}`,
          {
            hint: 'The next sweep tries again. What is left is billed until then.',
          },
        )
  return { action: 'sweep', status: failure ? 'failed' : plan.dryRun ? 'planned' : 'swept', report, failure }
}

/** On a schedule both are done; the sweep is what the run is called, and what the monitor found decides with it. */
function withMonitor(swept: Outcome, monitored: Outcome): Outcome {
  return {
    ...swept,
    status: monitored.failure ? 'unhealthy' : swept.status,
    failure: monitored.failure,
    report: swept.report,
    also: monitored.report,
  }
}
