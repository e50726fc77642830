import { bothOf, settleEach } from '../core/parallel.ts'
import { safeMessage } from '../core/sanitize.ts'
import { repositorySlug } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import { databaseName, marks, previewName } from '../plan/names.ts'
import type { Place } from '../plan/plan.ts'
import { parseDeploymentBranch } from '../source/deployment-branch.ts'
import type { GitRemote } from '../source/remote.ts'
import { isOurs } from './ownership.ts'
import { protectedRemote } from './prepare.ts'
import type { Removable } from './removal.ts'
import type { Run } from './run.ts'

/** What finding needs. */
export type PreviewFinder = Pick<Run, 'platform' | 'mask' | 'openSource' | 'secrets' | 'signal'>

/** A preview of this repository that was found on the platform. */
export interface FoundPreview extends Removable {
  /** Milliseconds since the epoch; undefined when the platform does not say. */
  readonly createdAt: number | undefined
}

/** All previews of one repository. */
export interface FoundPreviews {
  readonly previews: readonly FoundPreview[]
  /** Services that look like ours and could not be read. */
  readonly unreadable: readonly { readonly serviceName: string; readonly why: string }[]
  /** The repository they come from; undefined when there is none yet. */
  readonly repository: FoundRepository | undefined
}

/** A repository on the platform's git hosting, with the branches it had. */
export interface FoundRepository {
  readonly remote: GitRemote
  readonly branches: ReadonlyMap<string, string>
}

/**
 * Finds all previews of a repository: among the services that the platform lists (100 at most), and by the repository's
 * branches `ink/pr-<n>/…`, which also show those beyond the list and those whose service is gone.
 */
export async function findPreviews(run: PreviewFinder, place: Place): Promise<FoundPreviews> {
  const access = await run.platform.gitAccess(place.repositoryName, false, run.signal)
  if (!access) return { previews: [], unreadable: [], repository: undefined }
  const slug = repositorySlug(access.remote)
  const remote = protectedRemote(access.remote, run.mask)
  await using source = run.openSource(place)
  const [listed, branches] = await bothOf(
    run.signal,
    // Without a list the branches alone tell which previews there are.
    (signal) => (run.platform.offers('listServices') ? run.platform.services(signal) : Promise.resolve([])),
    (signal) => source.branches(remote, signal),
  )
  const fromBranches = new Map(
    [...branches.keys()]
      .flatMap((name) => pullRequestOf(name))
      .map((number) => [previewName(place.baseName, number), number]),
  )
  const names = new Set([
    ...listed.filter(({ repo, name }) => repo === slug && name !== place.baseName).map(({ name }) => name),
    ...fromBranches.keys(),
  ])
  const read = await settleEach([...names], async (serviceName) => ({
    serviceName,
    service: await run.platform.service(serviceName, { env: true }, run.signal),
  }))
  run.signal.throwIfAborted()
  return { ...sortOut(run, place, slug, [...names], fromBranches, read), repository: { remote, branches } }
}

function sortOut(
  run: PreviewFinder,
  place: Place,
  slug: string,
  names: readonly string[],
  fromBranches: ReadonlyMap<string, number>,
  read: readonly PromiseSettledResult<{ serviceName: string; service: Service | undefined }>[],
): Pick<FoundPreviews, 'previews' | 'unreadable'> {
  const previews: FoundPreview[] = []
  const unreadable: { serviceName: string; why: string }[] = []
  for (const [index, result] of read.entries()) {
    const serviceName = names[index] ?? ''
    if (result.status === 'rejected') {
      unreadable.push({ serviceName, why: safeMessage(run, result.reason) })
      continue
    }
    const { service } = result.value
    const pullRequest = service ? numberOf(service) : fromBranches.get(serviceName)
    if (pullRequest === undefined || (service && !isOurs(service, place, slug))) continue
    const createdAt = service?.createdAt === undefined ? undefined : Date.parse(service.createdAt)
    previews.push({
      serviceName,
      service,
      pullRequest,
      databaseName: databaseName(serviceName),
      createdAt: Number.isNaN(createdAt) ? undefined : createdAt,
    })
  }
  return { previews, unreadable }
}

function pullRequestOf(branch: string): number[] {
  const [, number] = /^pr-(\d+)$/.exec(parseDeploymentBranch(branch)?.target ?? '') ?? []
  return number === undefined ? [] : [Number(number)]
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
