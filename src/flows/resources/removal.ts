import { count } from '../../core/format.ts'
import { safeMessage } from '../../core/sanitize.ts'
import { fewAtOnce } from '../../ink/platform.ts'
import type { Place } from '../../plan/context.ts'
import { databaseName, removalMarks, targetName } from '../../plan/names.ts'
import type { Resource } from '../../report/model.ts'
import type { GitRemote } from '../../source/remote.ts'
import { isDeploying } from '../../watch/readings.ts'
import { recordTask } from '../records.ts'
import type { NamedService, Run } from '../run.ts'
import { branchesOf, marksOfWorking, staleMarks, unusedBranches } from './branches.ts'
import {
  deleteAndWait,
  type Look,
  lookAtMany,
  lookAtOne,
  type Removable,
  type RemovalPlan,
  removeDatabase,
} from './previews.ts'
import { openInkRepository } from './repository.ts'

/** What was removed, and what could not be. */
export interface Removal {
  readonly preview: Removable
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
  const [removal] = await removeTogether(run, plan, [preview], () => lookAtOne(run), wantedAgain)
  return removal as Removal
}

/** Removes many previews: a few calls at a time, all deletions under way together, and all branches in one push. */
export function removePreviews(
  run: Run,
  plan: RemovalPlan,
  previews: readonly Removable[],
): Promise<readonly Removal[]> {
  const gated = { ...run, platform: fewAtOnce(run.platform) }
  return removeTogether(gated, plan, previews, () => lookAtMany(gated))
}

/**
 * Removals go under marks, by which deployments of the same previews know of them. A mark stays where the service may
 * still be on its way out: after a removal that was killed, or one whose end is not known. The next deployment, or a
 * later removal, takes it away.
 */
async function removeTogether(
  run: Run,
  plan: RemovalPlan,
  previews: readonly Removable[],
  openLook: () => Look,
  wantedAgain?: () => Promise<boolean>,
): Promise<readonly Removal[]> {
  await using branches = openBranches(run, plan.place)
  // Those whose removal could take something from under a deployment: the service, or its database.
  const harmful = previews.filter(({ service }) => service ?? plan.database)
  run.reporter.removing(previews)
  await branches.mark(harmful)
  const look = openLook()
  const removals = await Promise.all(previews.map((one) => removeRunning(run, plan, one, look, wantedAgain)))
  const going = removals.filter(({ overtaken }) => !overtaken)
  const done = going.filter(({ left }) => left.length === 0).map(({ preview }) => preview)
  // A service whose deletion went wrong may be on its way out all the same.
  const over = removals.filter(({ left }) => left.every(({ kind }) => kind !== 'service')).map(({ preview }) => preview)
  await branches.unmark(over.filter((preview) => harmful.includes(preview) && !done.includes(preview)))
  run.reporter.removing(going.map(({ preview }) => preview))
  const incomplete = going.map(({ preview }) => preview).filter((preview) => !done.includes(preview))
  await branches.keepFindable(incomplete.filter(({ pullRequest }) => pullRequest !== undefined))
  const deleted = await branches.remove(done).catch((error: unknown) => {
    run.signal.throwIfAborted()
    return safeMessage(run, error)
  })
  return removals.map((removal) => (done.includes(removal.preview) ? withBranches(removal, deleted) : removal))
}

/** The branches of previews that are being removed; nothing is read or opened before the first use. */
function openBranches(run: Run, place: Place) {
  const { signal, clock, context } = run
  const source = run.openSource()
  let opened: ReturnType<typeof openInkRepository> | undefined
  const open = () => (opened ??= openInkRepository(run, place))
  const marksFrom = (atMs: number) => {
    const own = `/${Math.floor(atMs / 1000)}-${context.runId}-${context.runAttempt}`
    return ({ serviceName }: Removable) => `${removalMarks}${serviceName}${own}`
  }
  const markOf = marksFrom(clock.now())
  const attempt = async (
    previews: readonly Removable[],
    act: (remote: GitRemote) => Promise<void>,
    consequence: string,
  ): Promise<void> => {
    const repository = previews.length === 0 ? undefined : await open()
    try {
      if (repository) await act(repository.remote)
    } catch (error) {
      signal.throwIfAborted()
      run.log.warning(
        `The branches below ${removalMarks} could not be written on ml.ink (${safeMessage(run, error)}). ${consequence}`,
      )
    }
  }
  return {
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    mark: (previews: readonly Removable[]) =>
      attempt(
        previews,
        (remote) => source.mark(remote, previews.map(markOf), signal),
        'A run that deploys the preview meanwhile may not notice its removal.',
      ),
    unmark: (previews: readonly Removable[]) =>
      attempt(
        previews,
        (remote) => source.deleteBranches(remote, previews.map(markOf), signal),
        'The next deployment may wait for them, and takes them away.',
      ),
    /** What is left of previews whose branches are gone would be found by nobody any more: those get a mark that stays. */
    keepFindable: (previews: readonly Removable[]) =>
      attempt(
        previews,
        async (remote) => {
          const present = [...(await source.branches(remote, signal)).keys()].flatMap((name) => name.split('/'))
          const lost = previews.filter(({ serviceName }) => !present.includes(serviceName))
          if (lost.length > 0) await source.mark(remote, lost.map(marksFrom(clock.now())), signal)
        },
        'What is left of the preview may not be found by a sweep: remove it at ml.ink.',
      ),
    /**
     * In one push with the marks, so that whoever waits for their end does not lose a branch that it pushes next.
     * @returns the names of those that are gone; marks go as well, those of killed removals, too, and are not told
     */
    remove: async (previews: readonly Removable[]): Promise<readonly string[]> => {
      const repository = previews.length === 0 ? undefined : await open()
      if (!repository) return []
      const { remote } = repository
      const present = [...(await source.branches(remote, signal)).keys()]
      const versions = [...new Set(previews.flatMap((preview) => branchesOf(preview, present)))]
      const gone = previews.map(({ serviceName }) => serviceName)
      const unused = versions.length === 0 ? [] : await unusedBranches(run, versions, gone)
      const going = [...unused, ...previews.flatMap((preview) => marksOfWorking(preview, present))]
      const own = previews.map(markOf)
      const marks = [...staleMarks(present, clock.now()), ...present.filter((name) => own.includes(name))]
      const all = [...new Set([...going, ...marks])]
      if (all.length > 0) await source.deleteBranches(remote, all, signal)
      return going
    },
  }
}

/** @param deleted the names of all branches that were deleted, or why it did not work */
function withBranches(removal: Removal, deleted: readonly string[] | string): Removal {
  const { preview } = removal
  if (typeof deleted === 'string')
    return {
      ...removal,
      left: [{ kind: 'branch', name: `ink/${targetName(preview.serviceName, preview.pullRequest)}/*`, why: deleted }],
    }
  const own = [...branchesOf(preview, deleted), ...marksOfWorking(preview, deleted)]
  return { ...removal, removed: [...removal.removed, ...own.map((name): Resource => ({ kind: 'branch', name }))] }
}

/** Whether somebody has begun to deploy a preview since it was read. */
async function isDeployedAnew({ platform, signal }: Run, { serviceName, service }: Removable): Promise<boolean> {
  const now = await platform.service(serviceName, {}, signal)
  if (!now) return false
  if (!service || now.id !== service.id || now.branch !== service.branch) return true
  return isDeploying(now) && !isDeploying(service)
}

/**
 * After the removal of a preview: its deployment records go, and its row of the card says so. One that was not removed
 * completely may not be live any more either, and the row says that.
 */
export async function retirePreview(
  run: Run,
  place: Place,
  preview: NamedService,
  { left, reason }: Pick<Removal, 'left'> & { readonly reason: string },
): Promise<void> {
  if (left.length > 0)
    return run.reporter.markRemoved(preview, 'failed', `Not removed completely: ${describeLeft(left)}`)
  const task = recordTask({ ...preview, place })
  const [records] = await Promise.all([
    run.github.records.remove(task),
    run.reporter.markRemoved(preview, 'removed', reason),
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
  const { serviceName: name, service } = preview
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
  const end = (overtaken: boolean): Removal => ({ preview, removed, left, overtaken })
  if (await isWantedAgain()) return end(true)
  await detachDomains(run, preview, attempt)
  if (left.length > 0) return end(false)
  let replaced: boolean | undefined
  await attempt({ kind: 'service', name }, async () => {
    const deletion = service && (await deleteAndWait(run, { name, id: service.id }, look))
    replaced = deletion?.replaced
    return deletion?.existed === true
  })
  if (left.length > 0) return end(false)
  // Whoever has just seen that the service is gone, or is another one, need not ask for it once more.
  const overtaken = wantedAgain || replaced === undefined ? await isWantedAgain() : replaced
  if (overtaken) return end(true)
  await attempt({ kind: 'database', name: databaseName(name) }, () => removeDatabase(run, plan, preview))
  return end(false)
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
