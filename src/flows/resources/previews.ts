import { bothOf, tryEach } from '../../core/parallel.ts'
import { safeMessage } from '../../core/sanitize.ts'
import type { Service } from '../../ink/results.ts'
import { databaseName, previewName } from '../../plan/names.ts'
import type { Place } from '../../plan/plan.ts'
import { marks } from '../../plan/variables.ts'
import type { Run } from '../run.ts'
import type { Removable } from './removal-steps.ts'
import { type InkRepository, isOwnService, openInkRepository, readBranches } from './repository.ts'
import { targetOf } from './versions.ts'

/** What finding needs. */
export type PreviewFinder = Pick<Run, 'platform' | 'mask' | 'openSource' | 'secrets' | 'signal'>

/** A preview of this repository that was found on the platform. */
export interface FoundPreview extends Removable {
  readonly pullRequest: number
  /** Milliseconds since the epoch; undefined when the platform does not say. */
  readonly createdAt: number | undefined
}

/** All previews of one repository. */
export interface FoundPreviews {
  readonly previews: readonly FoundPreview[]
  /** Services that look like ours and could not be read. */
  readonly unreadable: readonly { readonly serviceName: string; readonly why: string }[]
  /** The repository they come from; undefined when there is none yet. */
  readonly repository: ReadRepository | undefined
}

/** Our repository on the platform's git hosting, with the branches it had. */
export interface ReadRepository extends InkRepository {
  readonly branches: ReadonlyMap<string, string>
}

/**
 * Finds all previews of a repository: among the services that the platform lists (100 at most), and by the repository's
 * branches `ink/pr-<n>/<service>/…`, which also show those beyond the list and those whose service is gone.
 */
export async function findPreviews(run: PreviewFinder, place: Place): Promise<FoundPreviews> {
  const repository = await openInkRepository(run, place)
  if (!repository) return { previews: [], unreadable: [], repository: undefined }
  const { slug } = repository
  const [listed, branches] = await bothOf(
    run.signal,
    // Without a list the branches alone tell which previews there are.
    (signal) => (run.platform.offers('listServices') ? run.platform.services(signal) : Promise.resolve([])),
    (signal) => readBranches({ ...run, signal }, place, repository),
  )
  const fromBranches = new Map(
    [...branches.keys()]
      .flatMap((name) => targetOf(name) ?? [])
      .flatMap(({ pullRequest, serviceName }): [string, number][] =>
        pullRequest === undefined ? [] : [[serviceName ?? previewName(place.baseName, pullRequest), pullRequest]],
      ),
  )
  const names = new Set([
    ...listed.filter(({ repo, name }) => repo === slug && name !== place.baseName).map(({ name }) => name),
    ...fromBranches.keys(),
  ])
  const read = async (serviceName: string): Promise<FoundPreview[]> => {
    const service = await run.platform.service(serviceName, { env: true }, run.signal)
    const pullRequest = service ? numberOf(service) : fromBranches.get(serviceName)
    if (pullRequest === undefined || (service && !isOwnService(service, place, slug))) return []
    const createdAt = Date.parse(service?.createdAt ?? '')
    const own = { serviceName, databaseName: databaseName(serviceName), service, pullRequest }
    return [{ ...own, createdAt: Number.isNaN(createdAt) ? undefined : createdAt }]
  }
  const { done, failed } = await tryEach([...names], read, run.signal)
  const unreadable = failed.map(({ item, error }) => ({ serviceName: item, why: safeMessage(run, error) }))
  return { previews: done.flat(), unreadable, repository: { ...repository, branches } }
}

function numberOf(service: Service): number | undefined {
  const number = Number(service.env?.[marks.pullRequest])
  return Number.isInteger(number) && number > 0 ? number : undefined
}

/** The oldest first; those of unknown age last, so that they are not taken for old. The platform tells whole seconds. */
export function oldestFirst(previews: readonly FoundPreview[]): FoundPreview[] {
  return previews.toSorted(
    (a, b) =>
      (a.createdAt ?? Number.POSITIVE_INFINITY) - (b.createdAt ?? Number.POSITIVE_INFINITY) ||
      a.pullRequest - b.pullRequest,
  )
}
