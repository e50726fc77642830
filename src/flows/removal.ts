import { fewAtOnce } from '../core/parallel.ts'
import { PlatformError } from '../ink/errors.ts'
import { repositorySlug } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import type { Place } from '../plan/plan.ts'
import type { Resource } from '../report/model.ts'
import type { GitRemote } from '../source/remote.ts'
import { branchesInUse, branchesOf } from './branches.ts'
import { protectedRemote } from './prepare.ts'
import { removeDatabase } from './remove-database.ts'
import type { Run } from './run.ts'
import { safeMessage } from './switch-service.ts'
import { waitUntilGone } from './waiting.ts'

/** A preview to be removed; `service` is what was read of it, undefined when it is gone already. */
export interface Removable {
  readonly serviceName: string
  readonly databaseName: string
  readonly pullRequest: number
  readonly service: Service | undefined
}

/** What was removed, and what could not be. */
export interface Removal {
  /** It is wanted again: what is there now belongs to another run, and the rest was left to it. */
  readonly overtaken: boolean
  readonly removed: readonly Resource[]
  readonly left: readonly (Resource & { readonly why: string })[]
}

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
  place: Place,
  preview: Removable,
  wantedAgain: () => Promise<boolean> = async () => false,
): Promise<Removal> {
  const removal = await removeRunning(run, place, preview, wantedAgain)
  return isDone(removal) ? withBranches(removal, preview, await tryBranches(run, place, [preview])) : removal
}

/** Removes many previews: a few calls at a time, all deletions under way together, and all branches in one push. */
export async function removePreviews(
  run: Run,
  place: Place,
  previews: readonly Removable[],
): Promise<readonly Removal[]> {
  const gated = { ...run, platform: fewAtOnce(run.platform) }
  const removals = await Promise.all(previews.map((preview) => removeRunning(gated, place, preview, async () => false)))
  const done = previews.filter((_, index) => removals[index]?.left.length === 0)
  const branches = await tryBranches(gated, place, done)
  return removals.map((removal, index) => {
    const preview = previews[index]
    return preview && isDone(removal) ? withBranches(removal, preview, branches) : removal
  })
}

async function removeRunning(
  run: Run,
  place: Place,
  preview: Removable,
  wantedAgain: () => Promise<boolean>,
): Promise<Removal> {
  const removed: Resource[] = []
  const left: (Resource & { why: string })[] = []
  const attempt = async (thing: Resource, act: () => Promise<boolean>) => {
    try {
      if (await act()) removed.push(thing)
    } catch (error) {
      run.signal.throwIfAborted()
      left.push({ ...thing, why: safeMessage(run, error) })
    }
  }
  if (await wantedAgain()) return { removed, left, overtaken: true }
  await attempt({ kind: 'service', name: preview.serviceName }, () => removeService(run, preview))
  if (left.length > 0) return { removed, left, overtaken: false }
  // The platform takes the domain's records back together with the service.
  const { domain } = preview.service?.customDomain ?? {}
  if (domain !== undefined) removed.push({ kind: 'domain', name: domain })
  if (await wantedAgain()) return { removed, left, overtaken: true }
  await attempt({ kind: 'database', name: preview.databaseName }, () => removeDatabase(run, place, preview))
  return { removed, left, overtaken: false }
}

function isDone({ left, overtaken }: Removal): boolean {
  return left.length === 0 && !overtaken
}

type Branches = { readonly deleted: readonly string[] } | { readonly why: string }

async function tryBranches(run: Run, place: Place, previews: readonly Removable[]): Promise<Branches> {
  try {
    return { deleted: await removeBranches(run, place, previews) }
  } catch (error) {
    run.signal.throwIfAborted()
    if (!(error instanceof PlatformError && error.failure === 'missing-tool')) return { why: safeMessage(run, error) }
    // No later run could do it either, and a branch that no service tracks costs nothing.
    run.log.warning(`Branches of removed previews stay on ml.ink: ${safeMessage(run, error)}. They start nothing.`)
    return { deleted: [] }
  }
}

function withBranches(removal: Removal, { pullRequest }: Removable, branches: Branches): Removal {
  const target = `pr-${pullRequest}`
  if ('why' in branches) return { ...removal, left: [{ kind: 'branch', name: `ink/${target}/*`, why: branches.why }] }
  const own = branchesOf(target, branches.deleted).map((name): Resource => ({ kind: 'branch', name }))
  return { ...removal, removed: [...removal.removed, ...own] }
}

async function removeService(run: Run, { serviceName, service }: Removable): Promise<boolean> {
  if (!service) return false
  const existed = await run.platform.deleteService(serviceName, run.signal)
  const deadlineAt = run.clock.now() + deletionTimeoutMs
  const gone = await waitUntilGone(
    run.platform,
    { name: serviceName, id: service.id },
    { clock: run.clock, deadlineAt, signal: run.signal },
  )
  if (!gone) throw new Error('ml.ink accepted the deletion, and still shows the service after 3 minutes')
  return existed
}

async function removeBranches(run: Run, place: Place, previews: readonly Removable[]): Promise<readonly string[]> {
  if (previews.length === 0) return []
  const access = await run.platform.gitAccess(place.repositoryName, false, run.signal)
  if (!access) return []
  const remote: GitRemote = protectedRemote(access.remote, run.mask)
  await using source = run.openSource(place)
  const present = await source.branches(remote, run.signal)
  const targets = [...new Set(previews.map(({ pullRequest }) => `pr-${pullRequest}`))]
  const branches = targets.flatMap((target) => branchesOf(target, present.keys()))
  if (branches.length === 0) return []
  const except = previews.map(({ serviceName }) => serviceName)
  const where = { repositorySlug: repositorySlug(access.remote), targets, except }
  const inUse = await branchesInUse(run.platform, where, run.signal)
  const unused = branches.filter((name) => !inUse.has(name))
  if (unused.length > 0) await source.deleteBranches(remote, unused, run.signal)
  return unused
}
