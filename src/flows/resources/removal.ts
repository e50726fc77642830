import { count } from '../../core/format.ts'
import { safeMessage } from '../../core/sanitize.ts'
import { fewAtOnce } from '../../ink/platform.ts'
import type { Service } from '../../ink/results.ts'
import type { Place } from '../../plan/event.ts'
import { sharedTarget } from '../../plan/names.ts'
import type { Resource } from '../../report/model.ts'
import { meaningOf } from '../../watch/readings.ts'
import { recordTask } from '../records.ts'
import type { RemovedPreview, Run } from '../run.ts'
import { keepFindable, staleMarks, underRemovalMarks } from './removal-mark.ts'
import { deleteAndWait, type Look, lookAtMany, lookAtOne, type RemovalPlan, removeDatabase } from './removal-steps.ts'
import { openInkRepository, type Removable } from './repository.ts'
import { branchesOf, marksOfWorking, unusedBranches } from './versions.ts'

/** What was removed, and what could not be. */
export interface Removal {
  /** It is wanted again: what is there now belongs to another run, and the rest was left to it. */
  readonly overtaken: boolean
  readonly removed: readonly Resource[]
  readonly left: readonly (Resource & { readonly why: string })[]
}

/**
 * Removes everything that one preview consists of on ml.ink: service, database, branches. What is not there counts as
 * removed. Whoever calls this has made sure that the preview is ours.
 *
 * In this order, and no further than the first thing that cannot be removed: what a service that is still there uses
 * must not be taken from under it, and by its branches the sweep finds what is left of a preview.
 *
 * @param wantedAgain asked before each step that would harm a run that has begun to deploy the preview anew; unless GitHub can
 * tell, the service does
 */
export async function removePreview(
  run: Run,
  plan: RemovalPlan,
  preview: Removable,
  wantedAgain?: () => Promise<boolean>,
): Promise<Removal> {
  run.reporter.removing([preview])
  const removal = await underRemovalMarks(
    run,
    plan.place,
    harmful(plan, [preview]),
    () => removeRunning(run, plan, preview, lookAtOne(run), wantedAgain),
    isOver,
  )
  if (removal.overtaken) run.reporter.removing([])
  if (removal.left.length > 0 && preview.pullRequest !== undefined)
    await keepFindable(run, plan.place, [preview.serviceName])
  return isDone(removal) ? withBranches(removal, preview, await tryBranches(run, plan.place, [preview])) : removal
}

/** Removes many previews: a few calls at a time, all deletions under way together, and all branches in one push. */
export async function removePreviews(
  run: Run,
  plan: RemovalPlan,
  previews: readonly Removable[],
): Promise<readonly Removal[]> {
  const gated = { ...run, platform: fewAtOnce(run.platform) }
  const indexOf = (name: string) => previews.findIndex(({ serviceName }) => serviceName === name)
  run.reporter.removing(previews)
  const removals = await underRemovalMarks(
    gated,
    plan.place,
    harmful(plan, previews),
    () => {
      const look = lookAtMany(gated)
      return Promise.all(previews.map((one) => removeRunning(gated, plan, one, look)))
    },
    (all, name) => all.some((removal, index) => index === indexOf(name) && isOver(removal)),
  )
  run.reporter.removing(previews.filter((_, index) => !removals[index]?.overtaken))
  const done = previews.filter((_, index) => removals[index] && isDone(removals[index]))
  const incomplete = previews.filter((_, index) => removals[index]?.left.length)
  await keepFindable(
    gated,
    plan.place,
    incomplete.map(({ serviceName }) => serviceName),
  )
  const branches = await tryBranches(gated, plan.place, done)
  return removals.map((removal, index) => {
    const preview = previews[index]
    return preview && isDone(removal) ? withBranches(removal, preview, branches) : removal
  })
}

/** Names of those whose removal could take something from under a deployment: the service, or its database. */
function harmful({ database }: RemovalPlan, previews: readonly Removable[]): string[] {
  return previews.filter(({ service }) => service ?? database).map(({ serviceName }) => serviceName)
}

/** Whether the end of a removal is known: a service whose deletion went wrong may be on its way out all the same. */
function isOver({ left }: Removal): boolean {
  return left.every(({ kind }) => kind !== 'service')
}

/** Whether somebody has begun to deploy a preview since it was read. */
async function isDeployedAnew({ platform, signal }: Run, { serviceName, service }: Removable): Promise<boolean> {
  const now = await platform.service(serviceName, {}, signal)
  if (!now) return false
  if (!service || now.id !== service.id || now.branch !== service.branch) return true
  return isInProgress(now) && !isInProgress(service)
}

function isInProgress({ status }: Service): boolean {
  const phase = meaningOf(status)?.phase
  return phase !== 'live' && phase !== 'ended'
}

/**
 * After the removal of a preview: its deployment records go, and its row of the card says so. One that was not removed
 * completely may not be live any more either, and the row says that.
 */
export async function retirePreview(
  run: Run,
  place: Place,
  preview: RemovedPreview,
  { left, reason }: Pick<Removal, 'left'> & { readonly reason: string },
): Promise<void> {
  if (left.length > 0)
    return run.reporter.markRemoved(preview, {
      status: 'failed',
      reason: `Not removed completely: ${describeLeft(left)}`,
    })
  const task = recordTask({ ...preview, place })
  const [records] = await Promise.all([
    run.github.records.remove(task),
    run.reporter.markRemoved(preview, { status: 'removed', reason }),
  ])
  if (records && records.left > 0)
    run.log.info(
      `${count(records.left, 'deployment record')} of ${preview.serviceName} left: GitHub allows only so many writes at a time. The next sweep goes on with them.`,
    )
}

/** What could not be removed, and why. */
export function describeLeft(left: Removal['left']): string {
  return left.map(({ kind, name, why }) => `${kind} ${name} (${why})`).join(', ')
}

async function removeRunning(
  run: Run,
  plan: RemovalPlan,
  preview: Removable,
  look: Look,
  wantedAgain?: () => Promise<boolean>,
): Promise<Removal> {
  const { serviceName: name, service, databaseName } = preview
  const isWantedAgain = wantedAgain ?? (() => isDeployedAnew(run, preview))
  const removed: Resource[] = []
  const left: (Resource & { why: string })[] = []
  const attempt: Attempt = async (resource, act) => {
    try {
      if (await act()) removed.push(resource)
    } catch (error) {
      run.signal.throwIfAborted()
      left.push({ ...resource, why: safeMessage(run, error) })
    }
  }
  if (await isWantedAgain()) return { removed, left, overtaken: true }
  await detachDomains(run, preview, attempt)
  if (left.length > 0) return { removed, left, overtaken: false }
  let replaced: boolean | undefined
  await attempt({ kind: 'service', name }, async () => {
    const deletion = service && (await deleteAndWait(run, { name, id: service.id }, look))
    replaced = deletion?.replaced
    return deletion?.existed === true
  })
  if (left.length > 0) return { removed, left, overtaken: false }
  // Whoever has just seen that the service is gone, or is another one, need not ask for it once more.
  const overtaken = wantedAgain || replaced === undefined ? await isWantedAgain() : replaced
  if (overtaken) return { removed, left, overtaken }
  await attempt({ kind: 'database', name: databaseName }, () => removeDatabase(run, plan, preview))
  return { removed, left, overtaken: false }
}

function isDone({ left, overtaken }: Removal): boolean {
  return left.length === 0 && !overtaken
}

type Attempt = (resource: Resource, act: () => Promise<boolean>) => Promise<void>

// The platform shows one domain of a service, and one that is gone may be shown for a moment.
const mostDomains = 10

/**
 * Takes the domains off before the service goes. The platform keeps the DNS record that it made for a domain when the
 * service is deleted, and then refuses that name to everybody (seen on its own server).
 */
async function detachDomains(run: Run, { serviceName, service }: Removable, attempt: Attempt): Promise<void> {
  if (!run.platform.offers('removeDomain')) return
  let domain = service?.customDomain?.domain
  for (let count = 0; domain !== undefined && count < mostDomains; count++) {
    let shown: string | undefined
    await attempt({ kind: 'domain', name: domain }, async () => {
      await run.platform.removeDomain(serviceName, run.signal)
      shown = (await run.platform.service(serviceName, {}, run.signal))?.customDomain?.domain
      return true
    })
    if (shown === domain) return
    domain = shown
  }
}

type Branches = { readonly deleted: readonly string[] } | { readonly why: string }

async function tryBranches(run: Run, place: Place, previews: readonly Removable[]): Promise<Branches> {
  try {
    return { deleted: await removeBranches(run, place, previews) }
  } catch (error) {
    run.signal.throwIfAborted()
    return { why: safeMessage(run, error) }
  }
}

function withBranches(removal: Removal, preview: Removable, branches: Branches): Removal {
  if ('why' in branches) {
    const name = `ink/${sharedTarget(preview.pullRequest)}/*`
    return { ...removal, left: [{ kind: 'branch', name, why: branches.why }] }
  }
  const own = [...branchesOf(preview, branches.deleted), ...marksOfWorking(preview, branches.deleted)].map(
    (name): Resource => ({ kind: 'branch', name }),
  )
  return { ...removal, removed: [...removal.removed, ...own] }
}

async function removeBranches(run: Run, place: Place, previews: readonly Removable[]): Promise<readonly string[]> {
  if (previews.length === 0) return []
  const repository = await openInkRepository(run, place)
  if (!repository) return []
  const { remote, slug } = repository
  await using source = run.openSource()
  const present = await source.branches(remote, run.signal)
  const branches = [...new Set(previews.flatMap((preview) => branchesOf(preview, present.keys())))]
  const except = previews.map(({ serviceName }) => serviceName)
  const unused = branches.length === 0 ? [] : await unusedBranches(run, branches, { slug, except })
  const going = [...unused, ...previews.flatMap((preview) => marksOfWorking(preview, present.keys()))]
  const all = [...going, ...staleMarks(present.keys(), run.clock.now())]
  if (all.length > 0) await source.deleteBranches(remote, all, run.signal)
  return going
}
