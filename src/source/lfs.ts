import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { errorMessage } from '../core/errors.ts'
import type { FoundAttributes } from './attributes.ts'
import { download, findDownloads } from './lfs-download.ts'
import { type LfsPointer, parsePointer, pointerBelowBytes } from './lfs-pointer.ts'
import type { Place } from './place.ts'
import { readObjects } from './read-objects.ts'
import { storeFiles } from './store-files.ts'
import type { TreeEntry } from './tree.ts'
import type { Stores, Workshop } from './workshop.ts'

export interface LfsContents {
  /** Path of a pointer file → the object with the contents, and its size in bytes. */
  readonly replacements: ReadonlyMap<string, { readonly oid: string; readonly size: number }>
  /** Paths whose contents were not to be had. */
  readonly missing: readonly string[]
}

interface PointerFile {
  readonly entry: TreeEntry
  readonly pointer: LfsPointer
}

/**
 * Finds the contents that LFS pointer files stand for: in the checkout's files, in its LFS store, at the origin.
 * Only files which the tree's attributes give to LFS count: a pointer elsewhere is a text like any other.
 */
export async function findLfsContents(
  workshop: Workshop,
  stores: Stores,
  tree: { readonly entries: readonly TreeEntry[]; readonly attributes: FoundAttributes; readonly place: Place },
  signal: AbortSignal,
): Promise<LfsContents> {
  const pointers = await findPointers(stores, tree, signal)
  const located = new Map<string, Buffer>()
  for (const { entry, pointer } of pointers) {
    const path = await locate(tree.place, entry, pointer, signal)
    if (path !== undefined) located.set(pointer.oid, path)
  }
  const wanted = pointers.filter(({ pointer }) => !located.has(pointer.oid))
  for (const [oid, path] of await downloadContents(workshop, tree.place, wanted, signal)) located.set(oid, path)

  const found = pointers.flatMap((file) => {
    const path = located.get(file.pointer.oid)
    return path === undefined ? [] : [{ ...file, path }]
  })
  const paths = found.map(({ path }) => path)
  const oids = await storeFiles(stores.own, paths, signal)
  return {
    replacements: new Map(
      found.map(({ entry, pointer }, index) => [entry.path, { oid: oids[index] ?? '', size: pointer.size }]),
    ),
    missing: pointers.filter(({ pointer }) => !located.has(pointer.oid)).map(({ entry }) => entry.path),
  }
}

async function findPointers(
  stores: Stores,
  tree: { readonly entries: readonly TreeEntry[]; readonly attributes: FoundAttributes },
  signal: AbortSignal,
): Promise<PointerFile[]> {
  const filters = tree.attributes.get('filter')
  const small = tree.entries.filter(
    ({ type, mode, size, path }) =>
      type === 'blob' &&
      mode !== '120000' &&
      size !== undefined &&
      size < pointerBelowBytes &&
      filters?.get(path) === 'lfs',
  )
  const contents = await readObjects(
    stores.own,
    small.map(({ oid }) => oid),
    signal,
  )
  return small.flatMap((entry) => {
    const content = contents.get(entry.oid)
    const pointer = content && parsePointer(content)
    return pointer === undefined ? [] : [{ entry, pointer }]
  })
}

async function locate(
  place: Place,
  entry: TreeEntry,
  { oid, size }: LfsPointer,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const inStore =
    place.gitDirectory && join(place.gitDirectory, 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4), oid)
  const candidates = [
    ...(place.workTree === undefined
      ? []
      : [Buffer.concat([Buffer.from(`${place.workTree}/`), Buffer.from(entry.path, 'latin1')])]),
    ...(inStore === undefined ? [] : [Buffer.from(inStore)]),
  ]
  for (const path of candidates) if (await holds(path, { oid, size }, signal)) return path
  return undefined
}

async function holds(path: Buffer | string, { oid, size }: LfsPointer, signal: AbortSignal): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined)
  if (status?.isFile() !== true || status.size !== size) return false
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash, { signal })
  return hash.digest('hex') === oid
}

async function downloadContents(
  workshop: Workshop,
  { remote }: Place,
  wanted: readonly PointerFile[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const downloaded = new Map<string, Buffer>()
  if (wanted.length === 0 || remote === undefined) return downloaded
  const folder = join(workshop.directory, 'lfs')
  await mkdir(folder, { recursive: true })
  try {
    const pointers = wanted.map(({ pointer }) => pointer)
    const downloads = await findDownloads(workshop.fetch, remote, pointers, signal)
    for (const pointer of pointers) {
      const from = downloads.get(pointer.oid)
      if (from === undefined || downloaded.has(pointer.oid)) continue
      const path = join(folder, pointer.oid)
      await download(workshop.fetch, from, path, signal)
      if (await holds(path, pointer, signal)) downloaded.set(pointer.oid, Buffer.from(path))
    }
  } catch (error) {
    signal.throwIfAborted()
    // Whatever is missing in the end is named in a warning; this is why.
    workshop.log.debug(`LFS contents could not be fetched: ${remote.redact(errorMessage(error))}`)
  }
  return downloaded
}
