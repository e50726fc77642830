import { short } from './choose-commit.ts'
import { decisiveLine } from './failure.ts'
import { fetchNeeded } from './fetch.ts'
import { GitFailure } from './local-git.ts'
import { readObjects } from './read-objects.ts'
import type { GitRemote } from './remote.ts'
import { SourceError } from './source-error.ts'
import { listTree, type TreeEntry } from './tree.ts'
import type { Stores, Workshop } from './workshop.ts'

/**
 * The commit's whole tree, fetched from the remote where the checkout does not hold it. A checkout of another commit mostly has most
 * of the contents, so directories are fetched first and then only the contents that are missing.
 *
 * @throws SourceError `no-commit` when it is neither here nor to be had
 */
export async function listCommit(
  workshop: Workshop,
  stores: Stores,
  sha: string,
  from: { readonly remote: GitRemote | undefined; readonly nothingHere: boolean },
  signal: AbortSignal,
): Promise<readonly TreeEntry[]> {
  const tree = `${sha}^{tree}`
  const here = from.nothingHere ? undefined : await tryList(stores, tree, signal)
  if (here !== undefined && missingContents(here).length === 0) return here
  const { remote } = from
  if (remote === undefined) throw cannotHave(sha, 'there is no address to fetch it from')
  workshop.log.debug(`Commit ${short(sha)} is not complete in the checkout: fetching it from ${remote.url}.`)
  try {
    if (here === undefined) {
      const filter = from.nothingHere ? {} : { filter: 'blob:none' as const }
      await fetchNeeded(stores.fetched, { remote, wants: [sha], kind: 'commits', ...filter }, workshop.patience, signal)
    }
    const entries = await listTree(stores.own, tree, signal)
    const missing = missingContents(entries)
    if (missing.length === 0) return entries
    await fetchNeeded(stores.fetched, { remote, wants: missing, kind: 'contents' }, workshop.patience, signal)
    return await listTree(stores.own, tree, signal)
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    throw cannotHave(sha, remote.redact(decisiveLine(error.stderr)))
  }
}

/**
 * Has a commit without its tree, for what it says of itself.
 *
 * @throws SourceError `no-commit` when it is neither here nor to be had
 */
export async function fetchCommitAlone(
  workshop: Workshop,
  stores: Stores,
  sha: string,
  signal: AbortSignal,
): Promise<void> {
  const here = await readObjects(stores.own, [sha], signal)
  if (here.has(sha)) return
  const { origin: remote } = workshop
  if (remote === undefined) throw cannotHave(sha, 'there is no address to fetch it from')
  try {
    const request = { remote, wants: [sha], kind: 'commits', filter: 'tree:0' } as const
    await fetchNeeded(stores.fetched, request, workshop.patience, signal)
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    throw cannotHave(sha, remote.redact(decisiveLine(error.stderr)))
  }
}

async function tryList(stores: Stores, tree: string, signal: AbortSignal): Promise<readonly TreeEntry[] | undefined> {
  try {
    return await listTree(stores.own, tree, signal)
  } catch (error) {
    if (error instanceof GitFailure) return undefined
    throw error
  }
}

function missingContents(entries: readonly TreeEntry[]): string[] {
  const missing = entries.filter((entry) => entry.type === 'blob' && entry.size === undefined)
  return [...new Set(missing.map((entry) => entry.oid))]
}

function cannotHave(sha: string, reason: string): SourceError {
  return new SourceError('no-commit', `Commit ${sha} is not in the checkout and could not be fetched: ${reason}`, {
    hint:
      'Check it out before this step (actions/checkout), or let the token read the repository ' +
      '(permissions: contents: read). A commit that was force-pushed away can be gone for good.',
  })
}
