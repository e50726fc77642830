import { bothOf, retry, tryEach } from '../../core/async.ts'
import { safeMessage } from '../../core/sanitize.ts'
import { isTransient } from '../../ink/errors.ts'
import type { Database, Service, TemplateInstance } from '../../ink/results.ts'
import type { Place } from '../../plan/context.ts'
import { databaseName, markedPreview } from '../../plan/names.ts'
import type { Costing } from '../../plan/plan.ts'
import { marks } from '../../plan/variables.ts'
import type { NamedService, Run } from '../run.ts'
import { branchesOf, targetOf } from './branches.ts'
import { isOwnService, openInkRepository, type ReadRepository, readBranches } from './repository.ts'

/** A preview to be removed; `service` is what was read of it, undefined when it is gone already. */
export interface Removable extends NamedService {
  readonly service: Service | undefined
}

/** A preview of this repository that was found on the platform. */
export interface FoundPreview extends Removable {
  readonly pullRequest: number
  /** Milliseconds since the epoch; undefined when the platform does not say. */
  readonly createdAt: number | undefined
}

/**
 * Finds all previews of a repository: among the services that the platform lists (100 at most), and by the repository's
 * branches `ink/pr-<n>/<service>/…` and marks of removals, which also show those beyond the list and those whose service is
 * gone.
 */
export async function findPreviews(
  run: Pick<Run, 'platform' | 'mask' | 'openSource' | 'secrets' | 'signal'>,
  place: Place,
) {
  const repository = await openInkRepository(run, place)
  if (!repository) return { previews: [], unreadable: [] }
  const { slug } = repository
  const [listed, branches] = await bothOf(
    run.signal,
    // Without a list the branches alone tell which previews there are.
    (signal) => (run.platform.offers('listServices') ? run.platform.services(signal) : Promise.resolve([])),
    (signal) => readBranches({ ...run, signal }, repository),
  )
  const fromBranches = new Map(
    [...branches.keys()]
      .flatMap((name) => targetOf(name) ?? markedPreview(name) ?? [])
      .flatMap(({ pullRequest, serviceName }): [string, number][] =>
        pullRequest === undefined ? [] : [[serviceName, pullRequest]],
      ),
  )
  const names = new Set([
    ...listed.filter(({ repo, name }) => repo === slug && name !== place.baseName).map(({ name }) => name),
    ...fromBranches.keys(),
  ])
  const read = async (serviceName: string): Promise<FoundPreview[]> => {
    const service = await run.platform.service(serviceName, { env: true }, run.signal)
    const pullRequest = service ? Number(service.env?.[marks.pullRequest]) : (fromBranches.get(serviceName) ?? 0)
    if (!Number.isInteger(pullRequest) || pullRequest <= 0 || (service && !isOwnService(service, place, slug)))
      return []
    const createdAt = Date.parse(service?.createdAt ?? '')
    return [{ serviceName, service, pullRequest, createdAt: Number.isNaN(createdAt) ? undefined : createdAt }]
  }
  const { done, failed } = await tryEach([...names], read, run.signal)
  // What looks like ours and could not be read.
  const unreadable = failed.map(({ item, error }) => ({ serviceName: item, why: safeMessage(run, error) }))
  const found: ReadRepository = { ...repository, branches }
  return { previews: done.flat(), unreadable, repository: found }
}

/** The oldest first; those of unknown age last, so that they are not taken for old. The platform tells whole seconds. */
export function oldestFirst(previews: readonly FoundPreview[]): FoundPreview[] {
  return previews.toSorted(
    (a, b) =>
      (a.createdAt ?? Number.POSITIVE_INFINITY) - (b.createdAt ?? Number.POSITIVE_INFINITY) ||
      a.pullRequest - b.pullRequest,
  )
}

/** The plan of whoever removes something: where, and whether this repository asks for databases. */
export type RemovalPlan = Pick<Costing, 'database'> & { readonly place: Place }

const deletionTimeoutMs = 180_000
const firstPauseMs = 250

type Removed = Pick<Service, 'name' | 'id'>

/** Tells where a service stands that is to go. */
export interface Look {
  /** `replaced` when another one has its name by now, made by a parallel run. */
  at(service: Removed): Promise<'there' | 'gone' | 'replaced'>
  /** Milliseconds between two looks at the most. */
  readonly longestPauseMs: number
}

/** Asks for each service by itself. */
export function lookAtOne({ platform, signal }: Run): Look {
  return {
    longestPauseMs: 2000,
    at: async ({ name, id }) => {
      const found = await platform.service(name, {}, signal)
      if (!found) return 'gone'
      return id !== undefined && found.id !== undefined && found.id !== id ? 'replaced' : 'there'
    },
  }
}

/**
 * Asks for many services at once: a listing answers all who asked before it began. It proves that a service is gone where it
 * has shown this very one before, and is shorter than it was: a list that is cut off does not shrink. Else the service is
 * asked for by itself.
 */
export function lookAtMany(run: Run): Look {
  const { platform, signal } = run
  const alone = lookAtOne(run)
  if (!platform.offers('listServices')) return alone
  const shown = new Set<string>()
  let longest = 0
  const list = askedTogether(async () => {
    const services = await platform.services(signal)
    for (const { id } of services) if (id !== undefined) shown.add(id)
    longest = Math.max(longest, services.length)
    return services
  })
  const before = list().catch(() => signal.throwIfAborted())
  return {
    // However many wait, it is one call.
    longestPauseMs: firstPauseMs,
    at: async (service) => {
      await before
      const listed = await list()
      const same = listed.find(({ name }) => name === service.name)
      if (same?.id !== undefined && same.id === service.id) return 'there'
      const isProof = !same && service.id !== undefined && shown.has(service.id) && listed.length < longest
      return isProof ? 'gone' : alone.at(service)
    },
  }
}

/** Gives all who ask the answer of the next call, of which one at a time is under way. */
function askedTogether<T>(call: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  let next: Promise<T> | undefined
  const begin = () => {
    next = undefined
    return call()
  }
  return () => {
    if (!next) {
      next = last.then(begin)
      last = next.catch(() => undefined)
    }
    return next
  }
}

/**
 * Deletes a service and waits until it is gone: deletion is asynchronous, and until it has happened the service is found,
 * billed, and its name refused. Another one of that name, made by a parallel run, does not count. Outages are waited
 * out: nobody else would tell that the service is on its way out.
 *
 * @returns whether there was one, and whether there is another one now
 */
export async function deleteAndWait(
  run: Run,
  service: Removed,
  look: Look = lookAtOne(run),
): Promise<{ readonly existed: boolean; readonly replaced: boolean }> {
  const { platform, clock, signal, random } = run
  const { name } = service
  const deadlineAt = clock.now() + deletionTimeoutMs
  const patience = { deadlineAt, clock, signal, random, again: isTransient }
  const existed = await retry(async (attempt) => {
    // A deletion whose answer was lost may be done by now, and the name be another service's.
    if (attempt > 1 && (await look.at(service)) !== 'there') return true
    return platform.deleteService(name, signal)
  }, patience)
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, look.longestPauseMs)) {
    const seen = await retry(() => look.at(service), patience)
    if (seen !== 'there') return { existed, replaced: seen === 'replaced' }
    if (clock.now() >= deadlineAt)
      throw new Error(`ml.ink accepted the deletion of ${name}, and still shows it after 3 minutes`)
    await clock.sleep(pauseMs, signal)
  }
}

/**
 * A database carries no marks, so it is removed only when it is certain that it was the preview's own: the service was
 * using it, or this repository asks for databases and the name is that of a preview of ours.
 */
export async function removeDatabase(run: Run, plan: RemovalPlan, preview: Removable): Promise<boolean> {
  const { platform, signal } = run
  const { serviceName, service } = preview
  const name = databaseName(serviceName)
  const wanted = plan.database !== undefined
  const values = Object.values(service?.env ?? {})
  const isAddress = (value: string) => value.includes('://')
  if (!wanted && service && !values.some(isAddress)) return false
  const isOwn = (addresses: readonly (string | undefined)[]) =>
    wanted || addresses.some((address) => address !== undefined && values.includes(address))
  const [database, instance] = await Promise.all([
    platform.offers('deleteDatabase') ? platform.database(name, signal) : undefined,
    platform.templateInstance(name, signal),
  ])
  if (!wanted && !service) return removeRemains(run, plan.place, preview, database ?? instance)
  const resource = database && isOwn([database.url]) && (await platform.deleteDatabase(name, signal))
  const ofTemplate =
    (instance ? isOwn(instance.outputs.map(({ value }) => value).filter(isAddress)) : wanted) &&
    platform.offers('listTemplateInstances')
  const template = ofTemplate && (await removeTemplateDatabase(run, name, instance))
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
  const name = databaseName(preview.serviceName)
  const volumes = database ? [] : await volumesOf(run, name)
  if (!database && volumes.length === 0) return false
  const repository = await openInkRepository(run, place)
  const branches = repository ? await readBranches(run, repository) : new Map<string, string>()
  if (branchesOf(preview, branches.keys()).length === 0) return false
  if (database)
    throw new Error(
      'its service is gone already, so nothing tells any more whether it was the preview’s own; delete it at ml.ink, or run this again with the `database` input',
    )
  return (await removeVolumes(run, name)) > 0
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
