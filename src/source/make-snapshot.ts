import { type Checkout, findCheckout } from './checkout.ts'
import { chooseCommit } from './choose-commit.ts'
import { readableSubject, readCommit, snapshotContent, writeCommit } from './commit.ts'
import { listCommit } from './complete.ts'
import type { Snapshot, SnapshotRequest } from './contract.ts'
import { readablePath, type TreeEntry } from './tree.ts'
import type { Workshop } from './workshop.ts'

/** Finds the checkout, the commit and its tree, and makes the parentless commit of it. */
export async function makeSnapshot(
  workshop: Workshop,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<Snapshot> {
  const checkout = await findCheckout(
    {
      workspace: workshop.workspace,
      repository: workshop.repository,
      expectedHeads: [request.wanted.sha, ...request.ordinaryCheckouts],
    },
    workshop.environment,
    signal,
  )
  const chosen = chooseCommit(checkout, request)
  const stores = await workshop.stores(formatOf(checkout, chosen.sha))
  if (checkout !== undefined) await stores.own.borrow(checkout.objectsDirectory)
  const entries = await listCommit(workshop, stores, chosen.sha, { nothingHere: checkout === undefined }, signal)
  const source = await readCommit(stores.own, chosen.sha, signal)
  const names = { sourceSha: chosen.sha, sourceRef: chosen.ref, repository: workshop.repository }
  const sha = await writeCommit(stores.own, snapshotContent(source.tree, source, names), signal)
  return {
    sha,
    tree: source.tree,
    sourceSha: chosen.sha,
    sourceRef: chosen.ref,
    subject: readableSubject(source),
    ...weigh(entries),
    lfs: { replaced: 0, missing: [] },
    submodules: [],
    ...(chosen.why === undefined ? {} : { why: chosen.why }),
  }
}

function formatOf(checkout: Checkout | undefined, sha: string): 'sha1' | 'sha256' {
  return checkout?.format ?? (sha.length === 64 ? 'sha256' : 'sha1')
}

function weigh(entries: readonly TreeEntry[]): Pick<Snapshot, 'files' | 'bytes' | 'largest'> {
  const files = entries.flatMap(({ path, type, size }) => (type === 'blob' ? [{ path, bytes: size ?? 0 }] : []))
  return {
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    largest: files
      .toSorted((a, b) => b.bytes - a.bytes)
      .slice(0, 5)
      .map((file) => ({ ...file, path: readablePath(file.path) })),
  }
}
