import { settleEach } from '../../core/async.ts'
import { safeMessage } from '../../core/sanitize.ts'
import type { Place } from '../../plan/event.ts'
import { databaseName } from '../../plan/names.ts'
import type { RetirePlan } from '../../plan/plan.ts'
import { marks, namedEnvironmentOf } from '../../plan/variables.ts'
import type { SweptPreview } from '../../report/model.ts'
import { ownServices } from '../resources/repository.ts'
import { nothingToDo, type Outcome, type Run } from '../run.ts'
import { unanswered } from '../still-wanted.ts'
import { type Removing, takeDownAll, takeDownEach } from '../teardown.ts'

/** Takes down what a branch had deployed to an environment of its own: services, databases, branches and records. */
export async function retire({ branch, place, because }: RetirePlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('settle', `Take down what ${branch} had deployed`)
  const found = (await findDeployed(run, place)).filter((one) => one.branch === branch)
  if (found.length === 0) {
    const reason = `${because}, and it had deployed nothing to an environment of its own`
    run.reporter.timeline.end('done', reason)
    return nothingToDo(run, reason)
  }
  const isBack = async () => {
    const tip = await run.github.branches.tip(branch, { deadlineAt: run.deadlineAt })
    if (tip === undefined)
      throw unanswered(
        `${branch} is there again`,
        'What is there of its environment goes then, or with the next sweep.',
      )
    return tip !== 'withheld'
  }
  const removing = found.map((one) => ({ ...one, because }))
  return takeDownAll(removing, run, isBack)
}

/** What a sweep finds of environments whose branch is gone. */
export interface SweptEnvironments {
  readonly removed: readonly SweptPreview[]
  readonly failed: readonly SweptPreview[]
}

/** Removes what branches had deployed that are certainly gone, which a run for their deletion may have left. */
export async function sweepEnvironments(run: Run, place: Place, dryRun: boolean): Promise<SweptEnvironments> {
  const deployed = await findDeployed(run, place).catch((error: unknown): Deployed[] => {
    run.signal.throwIfAborted()
    run.log.warning(
      `What branches have deployed to environments of their own could not be read: ${safeMessage(run, error)}`,
    )
    return []
  })
  const gone: Removing[] = []
  for (const branch of new Set(deployed.map((one) => one.branch)))
    if (await run.github.branches.isGone(branch, run.context.repository.defaultBranch))
      gone.push(
        ...deployed.filter((one) => one.branch === branch).map((one) => ({ ...one, because: 'its branch is gone' })),
      )
  const ends = await settleEach(dryRun ? [] : gone, async (one) => (await takeDownEach([one], run))[0])
  run.signal.throwIfAborted()
  const told = gone.flatMap(({ serviceName, because }, index) => {
    const end = ends[index]
    const failed = end?.status === 'rejected' ? safeMessage(run, end.reason) : end?.value?.failure?.message
    // What is being deployed anew was left to whoever does that.
    if (end?.status === 'fulfilled' && end.value?.status === 'superseded') return []
    return [{ service: serviceName, why: failed ?? because, failed: failed !== undefined }]
  })
  const those = (failed: boolean) =>
    told.filter((one) => one.failed === failed).map(({ service, why }): SweptPreview => ({ service, why }))
  return { removed: those(false), failed: those(true) }
}

type Deployed = Omit<Removing, 'because'> & { readonly branch: string }

/** By their marks, whatever any file says now. */
async function findDeployed(run: Run, place: Place): Promise<Deployed[]> {
  const found = await ownServices(run, place, (name) => !/-pr-\d+$/.test(name))
  return found.flatMap(({ name, env = {} }) => {
    const environment = namedEnvironmentOf(env)
    const branch = env[marks.environmentBranch]
    if (environment === undefined || branch === undefined) return []
    const names = { serviceName: name, databaseName: databaseName(name) }
    return [{ place: { ...place, environment }, database: undefined, ...names, pullRequest: undefined, branch }]
  })
}
