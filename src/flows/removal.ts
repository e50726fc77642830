import { repositorySlug } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import type { Place } from '../plan/plan.ts'
import type { Thing } from '../report/model.ts'
import type { GitRemote } from '../source/remote.ts'
import { branchesInUse, branchesOf } from './branches.ts'
import { protectedRemote } from './prepare.ts'
import type { Run } from './run.ts'
import { tameError } from './switch-service.ts'
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
  readonly removed: readonly Thing[]
  readonly left: readonly (Thing & { readonly why: string })[]
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
  const removed: Thing[] = []
  const left: (Thing & { why: string })[] = []
  const attempt = async (thing: Thing, act: () => Promise<boolean>) => {
    try {
      if (await act()) removed.push(thing)
    } catch (error) {
      run.signal.throwIfAborted()
      left.push({ ...thing, why: tameError(run, error) })
    }
  }
  const so = (overtaken: boolean): Removal => ({ removed, left, overtaken })
  if (await wantedAgain()) return so(true)
  await attempt({ kind: 'service', name: preview.serviceName }, () => removeService(run, preview))
  if (left.length > 0) return so(false)
  if (await wantedAgain()) return so(true)
  await attempt({ kind: 'database', name: preview.databaseName }, () => removeDatabase(run, preview))
  if (left.length > 0) return so(false)
  const deleted: string[] = []
  await attempt({ kind: 'branch', name: `ink/pr-${preview.pullRequest}/*` }, async () => {
    deleted.push(...(await removeBranches(run, place, preview)))
    return false
  })
  return { removed: [...removed, ...deleted.map((name): Thing => ({ kind: 'branch', name }))], left, overtaken: false }
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

/**
 * A database carries no marks, so it is removed only when it is certain that it was the preview's own: the service was
 * using it, or this repository asks for databases and the name is that of a preview of ours.
 */
async function removeDatabase(run: Run, { databaseName, service }: Removable): Promise<boolean> {
  if (!run.platform.offers('deleteDatabase')) return false
  const database = await run.platform.database(databaseName, run.signal)
  if (!database) return false
  const used = database.url !== undefined && service?.env?.DATABASE_URL === database.url
  if (!used && !run.settings.database) return false
  return run.platform.deleteDatabase(databaseName, run.signal)
}

async function removeBranches(run: Run, place: Place, preview: Removable): Promise<readonly string[]> {
  const access = await run.platform.gitAccess(place.repositoryName, false, run.signal)
  if (!access) return []
  const remote: GitRemote = protectedRemote(access.remote, run.mask)
  await using source = run.openSource(place)
  const target = `pr-${preview.pullRequest}`
  const branches = branchesOf(target, (await source.branches(remote, run.signal)).keys())
  if (branches.length === 0) return []
  const where = { repositorySlug: repositorySlug(access.remote), target, except: preview.serviceName }
  const inUse = await branchesInUse(run.platform, where, run.signal)
  const unused = branches.filter((name) => !inUse.has(name))
  if (unused.length > 0) await source.deleteBranches(remote, unused, run.signal)
  return unused
}
