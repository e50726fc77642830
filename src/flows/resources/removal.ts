import type { Clock } from '../../core/clock.ts'
import { count } from '../../core/format.ts'
import { safeMessage } from '../../core/sanitize.ts'
import { fewAtOnce } from '../../ink/few-at-once.ts'
import type { Platform } from '../../ink/platform.ts'
import type { Database, TemplateInstance } from '../../ink/resources.ts'
import type { Service } from '../../ink/results.ts'
import { sharedTarget } from '../../plan/names.ts'
import type { Costing, Place } from '../../plan/plan.ts'
import type { Resource } from '../../report/model.ts'
import { recordTask } from '../records.ts'
import type { Run } from '../run.ts'
import { removalMark, underRemovalMark } from './removal-mark.ts'
import { openInkRepository, readBranches } from './repository.ts'
import { branchesOf, marksOfWorking, unusedBranches } from './versions.ts'

/** A preview to be removed; `service` is what was read of it, undefined when it is gone already. */
export interface Removable {
  readonly serviceName: string
  readonly databaseName: string
  /** Undefined for a service of production. */
  readonly pullRequest: number | undefined
  readonly service: Service | undefined
}

/** What was removed, and what could not be. */
export interface Removal {
  /** It is wanted again: what is there now belongs to another run, and the rest was left to it. */
  readonly overtaken: boolean
  readonly removed: readonly Resource[]
  readonly left: readonly (Resource & { readonly why: string })[]
}

/** The plan of whoever removes something: where, and whether this repository asks for databases. */
export type RemovalPlan = Pick<Costing, 'database'> & { readonly place: Place }

const deletionTimeoutMs = 180_000

/**
 * Removes everything that one preview consists of on ml.ink: service, database, branches. What is not there counts as
 * removed. Whoever calls this has made sure that the preview is ours.
 *
 * In this order, and no further than the first thing that cannot be removed: what a service that is still there uses
 * must not be taken from under it, and by its branches the sweep finds what is left of a preview.
 *
 * @param wantedAgain asked before each step that would harm a run that has begun to deploy the preview anew
 */
export async function removePreview(
  run: Run,
  plan: RemovalPlan,
  preview: Removable,
  wantedAgain: () => Promise<boolean> = async () => false,
): Promise<Removal> {
  const remove = () => removeRunning(run, plan, preview, wantedAgain)
  const { serviceName, service } = preview
  const removal = await (service ? underRemovalMark(run, plan.place, serviceName, remove) : remove())
  return isDone(removal) ? withBranches(removal, preview, await tryBranches(run, plan.place, [preview])) : removal
}

/** Removes many previews: a few calls at a time, all deletions under way together, and all branches in one push. */
export async function removePreviews(
  run: Run,
  plan: RemovalPlan,
  previews: readonly Removable[],
): Promise<readonly Removal[]> {
  const gated = { ...run, platform: fewAtOnce(run.platform) }
  const removals = await Promise.all(previews.map((preview) => removeRunning(gated, plan, preview, async () => false)))
  const done = previews.filter((_, index) => removals[index]?.left.length === 0)
  const branches = await tryBranches(gated, plan.place, done)
  return removals.map((removal, index) => {
    const preview = previews[index]
    return preview && isDone(removal) ? withBranches(removal, preview, branches) : removal
  })
}

/** After a preview was removed: its deployment records go, and its row of the card says so. */
export async function retirePreview(
  run: Run,
  place: Place,
  preview: { serviceName: string; pullRequest: number | undefined },
  reason: string,
): Promise<void> {
  const task = recordTask({ ...preview, place })
  const [records] = await Promise.all([run.github.records.remove(task), run.reporter.markRemoved(preview, reason)])
  if (records && records.left > 0)
    run.log.info(
      `${count(records.left, 'deployment record')} of ${preview.serviceName} left: GitHub allows only so many writes at a time. The next sweep goes on with them.`,
    )
}

async function removeRunning(
  run: Run,
  plan: RemovalPlan,
  preview: Removable,
  wantedAgain: () => Promise<boolean>,
): Promise<Removal> {
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
  if (await wantedAgain()) return { removed, left, overtaken: true }
  await detachDomains(run, preview, attempt)
  if (left.length > 0) return { removed, left, overtaken: false }
  await attempt({ kind: 'service', name: preview.serviceName }, () => removeService(run, preview))
  if (left.length > 0) return { removed, left, overtaken: false }
  if (await wantedAgain()) return { removed, left, overtaken: true }
  await attempt({ kind: 'database', name: preview.databaseName }, () => removeDatabase(run, plan, preview))
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

async function removeService(run: Run, { serviceName, service }: Removable): Promise<boolean> {
  if (!service) return false
  return await deleteAndWait(run, { name: serviceName, id: service.id })
}

/** Deletes a service and waits until it is gone. `false`: there was none. */
async function deleteAndWait(run: Run, service: { readonly name: string; readonly id: string | undefined }) {
  const { platform, clock, signal } = run
  const existed = await platform.deleteService(service.name, signal)
  if (!(await waitUntilGone(platform, service, { clock, deadlineAt: clock.now() + deletionTimeoutMs, signal })))
    throw new Error(`ml.ink accepted the deletion of ${service.name}, and still shows it after 3 minutes`)
  return existed
}

const firstPauseMs = 250
const longestPauseMs = 2000

/**
 * Waits until a deleted service is really gone: deletion is asynchronous, and until it has happened the service is
 * found, billed, and its name refused.
 * @param service the one that was deleted; another one of its name, made by a parallel run, does not count
 * @returns false when it was still there at `deadlineAt` (milliseconds since the epoch)
 */
export async function waitUntilGone(
  platform: Pick<Platform, 'service'>,
  { name, id }: { readonly name: string; readonly id: string | undefined },
  options: { clock: Clock; deadlineAt: number; signal: AbortSignal },
): Promise<boolean> {
  let pauseMs = firstPauseMs
  for (;;) {
    const found = await platform.service(name, {}, options.signal)
    if (!found || (id !== undefined && found.id !== undefined && found.id !== id)) return true
    if (options.clock.now() >= options.deadlineAt) return false
    await options.clock.sleep(pauseMs, options.signal)
    pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)
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
  await using source = run.openSource(place)
  const present = await source.branches(remote, run.signal)
  const branches = [...new Set(previews.flatMap((preview) => branchesOf(preview, present.keys())))]
  const except = previews.map(({ serviceName }) => serviceName)
  const unused = branches.length === 0 ? [] : await unusedBranches(run, branches, { slug, except })
  const going = [...unused, ...previews.flatMap((preview) => marksOfWorking(preview, present.keys()))]
  // Only of services that are gone now: where there was none, a mark is of somebody who found one.
  const marks = previews.flatMap(({ serviceName, service }) => (service ? removalMark(serviceName) : []))
  const all = [...going, ...marks.filter((mark) => present.has(mark))]
  if (all.length > 0) await source.deleteBranches(remote, all, run.signal)
  return going
}

/**
 * A database carries no marks, so it is removed only when it is certain that it was the preview's own: the service was
 * using it, or this repository asks for databases and the name is that of a preview of ours.
 */
async function removeDatabase(run: Run, plan: RemovalPlan, preview: Removable): Promise<boolean> {
  const { platform, signal } = run
  const { databaseName, service } = preview
  const wanted = plan.database !== undefined
  const values = Object.values(service?.env ?? {})
  if (!wanted && service && !values.some((value) => value.includes('://'))) return false
  const isOwn = (addresses: readonly (string | undefined)[]) =>
    wanted || addresses.some((address) => address !== undefined && values.includes(address))
  const [database, instance] = await Promise.all([
    platform.offers('deleteDatabase') ? platform.database(databaseName, signal) : undefined,
    platform.templateInstance(databaseName, signal),
  ])
  if (!wanted && !service) return removeRemains(run, plan.place, preview, database ?? instance)
  const resource = database && isOwn([database.url]) && (await platform.deleteDatabase(databaseName, signal))
  const ofTemplate = (instance ? isOwn(addressesOf(instance)) : wanted) && platform.offers('listTemplateInstances')
  const template = ofTemplate && (await removeTemplateDatabase(run, databaseName, instance))
  return Boolean(resource || template)
}

/**
 * What an earlier try has left behind of a preview whose service it removed. Only the preview's branch still tells that
 * it was ours: enough for volumes that nothing uses, not for a database that may be in use.
 */
async function removeRemains(
  run: Run,
  place: Place,
  preview: Removable,
  database: Database | TemplateInstance | undefined,
): Promise<boolean> {
  const { databaseName } = preview
  const volumes = database ? [] : await volumesOf(run, databaseName)
  if (!database && volumes.length === 0) return false
  if (!(await hasBranch(run, place, preview))) return false
  if (database)
    throw new Error(
      'its service is gone already, so nothing tells any more whether it was the preview’s own; delete it at ml.ink, or run this again with the `database` input',
    )
  return (await removeVolumes(run, databaseName)) > 0
}

async function hasBranch(run: Run, place: Place, preview: Removable): Promise<boolean> {
  const repository = await openInkRepository(run, place)
  if (!repository) return false
  const present = await readBranches(run, place, repository)
  return branchesOf(preview, present.keys()).length > 0
}

/** Its services, then the volumes, which outlive them. What an earlier try has removed is not missed. */
async function removeTemplateDatabase(
  run: Run,
  name: string,
  instance: TemplateInstance | undefined,
): Promise<boolean> {
  for (const service of instance?.services ?? []) await deleteAndWait(run, service)
  const volumes = await removeVolumes(run, name)
  return instance !== undefined || volumes > 0
}

/** Removes the volumes of a template's database, whose services are gone, and returns how many there were. */
async function removeVolumes(run: Run, name: string): Promise<number> {
  const volumes = await volumesOf(run, name)
  for (const volume of volumes) await run.platform.deleteVolume(volume, run.signal)
  return volumes.length
}

async function volumesOf({ platform, signal }: Run, name: string): Promise<readonly string[]> {
  const all = await platform.volumes(signal)
  return all.map((volume) => volume.name).filter((volume) => volume === name || volume.startsWith(`${name}-`))
}

/** The addresses that an instance goes by, each of which a service may have been given. */
function addressesOf({ outputs }: TemplateInstance): string[] {
  return outputs.map(({ value }) => value).filter((value) => value.includes('://'))
}
