import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readObjects } from './read-objects.ts'
import { storeFiles } from './store-files.ts'
import type { TreeEntry } from './tree.ts'
import type { Stores, Workshop } from './workshop.ts'

/** Contents held in memory at a time; a larger file is a batch of its own. */
const batchBytes = 32_000_000

/**
 * Copies a SHA-256 repository's files into a SHA-1 store: the platform's repositories are SHA-1, and a server
 * refuses objects named by another hash.
 *
 * @param entries files and links, no subtrees but empty ones
 * @returns the same entries, by their new names
 */
export async function convertEntries(
  workshop: Workshop,
  from: Stores,
  to: Stores,
  entries: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<readonly TreeEntry[]> {
  const converted = new Map<string, string>()
  const folder = join(workshop.directory, 'conversion')
  const files = entries.filter(({ type }) => type === 'blob')
  for (const batch of batches(files)) {
    await mkdir(folder, { recursive: true })
    const contents = [...(await readObjects(from.own, batch, signal))]
    const paths = contents.map(([oid]) => join(folder, oid))
    await Promise.all(contents.map(([, content], index) => writeFile(paths[index] ?? '', content)))
    const oids = await storeFiles(
      to.own,
      paths.map((path) => Buffer.from(path)),
      signal,
    )
    for (const [index, [oid]] of contents.entries()) converted.set(oid, oids[index] ?? '')
    await rm(folder, { recursive: true, force: true })
  }
  return files.map((entry) => ({ ...entry, oid: converted.get(entry.oid) ?? '' }))
}

function* batches(files: readonly TreeEntry[]): Generator<readonly string[]> {
  let batch: string[] = []
  let bytes = 0
  for (const [oid, size] of new Map(files.map((file) => [file.oid, file.size ?? 0]))) {
    if (batch.length > 0 && bytes + size > batchBytes) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(oid)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
