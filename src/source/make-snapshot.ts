import { type Checkout, findCheckout } from './checkout.ts'
import { type ChosenCommit, chooseCommit } from './choose-commit.ts'
import { readableSubject, readCommit, type SourceCommit, snapshotContent, writeCommit } from './commit.ts'
import { fetchCommitAlone, listCommit } from './complete.ts'
import type { Snapshot, SnapshotFile, SnapshotRequest } from './contract.ts'
import { convertEntries } from './convert.ts'
import { listDirectory } from './directory.ts'
import { leaves, type MaterialTree, materialise } from './materialise.ts'
import { megabytes } from './megabytes.ts'
import { readablePath, type TreeEntry, writeTree } from './tree.ts'
import type { Stores, Workshop } from './workshop.ts'

/** A snapshot, and what a push needs to know of how it was made. */
export interface MadeSnapshot {
  readonly snapshot: Snapshot
  /** Undefined for a directory's: nothing tells what older ones held. */
  readonly material: MaterialTree | undefined
  /** Where the source commit lies. */
  readonly stores: Stores
}

/** Finds the checkout, the commit and its tree, and makes the parentless commit of it. */
export async function makeSnapshot(
  workshop: Workshop,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<MadeSnapshot> {
  const expectedHeads = [request.wanted.sha, ...request.ordinaryCheckouts]
  const { workspace, repository, environment, log } = workshop
  const checkout = await findCheckout({ workspace, repository, expectedHeads }, environment, log, signal)
  const chosen = chooseCommit(checkout, request)
  const stores = await workshop.stores(checkout?.format ?? (chosen.sha.length === 64 ? 'sha256' : 'sha1'))
  if (checkout !== undefined) await stores.own.borrow(checkout.objectsDirectory)
  const outgoing = await workshop.stores('sha1')
  if (request.directory !== undefined) {
    return await snapshotDirectory(workshop, stores, outgoing, chosen, request.directory, signal)
  }
  const material = await materialiseCommit(workshop, stores, checkout, chosen, request, signal)
  const source = await readCommit(stores.own, chosen.sha, signal)
  const entries =
    stores === outgoing ? material.entries : await convertEntries(workshop, stores, outgoing, material.entries, signal)
  const asItIs = stores === outgoing && !material.changed
  const tree = asItIs ? source.tree : await writeTree(outgoing.own, entries, signal)
  warnOfPointers(workshop, material)
  const snapshot = await writeSnapshot(workshop, outgoing, chosen, source, { ...material, tree }, signal)
  return { snapshot, material, stores }
}

async function snapshotDirectory(
  workshop: Workshop,
  stores: Stores,
  outgoing: Stores,
  chosen: ChosenCommit,
  directory: string,
  signal: AbortSignal,
): Promise<MadeSnapshot> {
  const entries = await listDirectory(workshop, outgoing, directory, signal)
  await fetchCommitAlone(workshop, stores, chosen.sha, signal)
  const source = await readCommit(stores.own, chosen.sha, signal)
  const tree = await writeTree(outgoing.own, entries, signal)
  const facts = { tree, entries, changed: tree !== source.tree, lfs: { replaced: 0, missing: [] }, submodules: [] }
  const snapshot = await writeSnapshot(workshop, outgoing, chosen, source, facts, signal)
  return { snapshot, material: undefined, stores }
}

async function materialiseCommit(
  workshop: Workshop,
  stores: Stores,
  checkout: Checkout | undefined,
  chosen: ChosenCommit,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<MaterialTree> {
  const from = { remote: workshop.origin, nothingHere: checkout === undefined }
  const place = {
    workTree: checkout?.directory,
    gitDirectory: checkout?.gitDirectory,
    remote: workshop.origin,
    prefix: '',
  }
  const entries = await listCommit(workshop, stores, chosen.sha, from, signal)
  const tree = { oid: `${chosen.sha}^{tree}`, entries, place }
  return await materialise(workshop, stores, tree, { exportIgnore: request.exportIgnore ?? false }, signal)
}

async function writeSnapshot(
  workshop: Workshop,
  outgoing: Stores,
  chosen: ChosenCommit,
  source: SourceCommit,
  facts: Pick<MaterialTree, 'changed' | 'entries' | 'lfs' | 'submodules'> & { readonly tree: string },
  signal: AbortSignal,
): Promise<Snapshot> {
  const { tree, lfs, submodules } = facts
  const weight = weigh(facts.entries)
  warnOfLargeFiles(workshop, weight.largest)
  const names = { sourceSha: chosen.sha, sourceRef: chosen.ref, repository: workshop.repository }
  return {
    sha: await writeCommit(outgoing.own, snapshotContent(tree, source, names), signal),
    tree,
    sourceSha: chosen.sha,
    sourceRef: chosen.ref,
    subject: readableSubject(source),
    ...(facts.changed ? { suffix: tree.slice(0, 8) } : {}),
    ...weight,
    lfs,
    submodules,
    ...(chosen.why === undefined ? {} : { why: chosen.why }),
  }
}

function warnOfPointers({ log }: Workshop, { lfs: { missing } }: MaterialTree): void {
  if (missing.length === 0) return
  log.warning(
    `${missing.length} LFS file(s) are deployed as pointers, as their contents could not be had: ${missing.join(', ')}. ` +
      'Let actions/checkout bring them: "with: lfs: true".',
  )
}

// The platform states no limit. GitHub takes no files above this size, so that hosts and proxies on the way may do the same.
const largeFileBytes = 100_000_000

function warnOfLargeFiles({ log }: Workshop, largest: readonly SnapshotFile[]): void {
  const large = largest.filter(({ bytes }) => bytes > largeFileBytes)
  if (large.length === 0) return
  const names = large.map(({ path, bytes }) => `${path} (${megabytes(bytes)})`).join(', ')
  log.warning(`Large files slow every build, and may be refused: ${names}. Load them at run time instead.`)
}

function weigh(entries: readonly TreeEntry[]): Pick<Snapshot, 'files' | 'bytes' | 'largest'> {
  const files = leaves(entries).flatMap(({ path, type, size }) => (type === 'blob' ? [{ path, bytes: size ?? 0 }] : []))
  return {
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    largest: files
      .toSorted((a, b) => b.bytes - a.bytes)
      .slice(0, 5)
      .map((file) => ({ ...file, path: readablePath(file.path) })),
  }
}
