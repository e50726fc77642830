import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { errorMessage } from '../core/errors.ts'
import { readObjects, storeFiles } from './objects.ts'
import type { GitRemote } from './remote.ts'
import type { FoundAttributes, TreeEntry } from './tree.ts'
import type { GitWorkspace, Stores } from './workspace.ts'

/** Where the parts of a tree that are not git objects can be looked for. */
export interface TreeLocation {
  /** Folder in which the tree's files may be checked out. */
  readonly workTree: string | undefined
  /** The repository's own folder, which holds its LFS contents. */
  readonly gitDirectory: string | undefined
  /** Where the repository came from. */
  readonly remote: GitRemote | undefined
  /** Where the tree is mounted in the snapshot: empty, or ending in a slash. One character per byte. */
  readonly prefix: string
}

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
  git: GitWorkspace,
  stores: Stores,
  tree: {
    readonly entries: readonly TreeEntry[]
    readonly attributes: FoundAttributes
    readonly location: TreeLocation
  },
): Promise<LfsContents> {
  const pointers = await findPointers(stores, tree)
  const located = new Map<string, Buffer>()
  for (const { entry, pointer } of pointers) {
    const path = await locate(tree.location, entry, pointer, git.signal)
    if (path !== undefined) located.set(pointer.oid, path)
  }
  const wanted = pointers.filter(({ pointer }) => !located.has(pointer.oid))
  for (const [oid, path] of await downloadContents(git, tree.location, wanted)) located.set(oid, path)

  const found = pointers.flatMap((file) => {
    const path = located.get(file.pointer.oid)
    return path === undefined ? [] : [{ ...file, path }]
  })
  const paths = found.map(({ path }) => path)
  const oids = await storeFiles(stores.own, paths)
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
  const oids = small.map(({ oid }) => oid)
  const contents = await readObjects(stores.own, oids)
  return small.flatMap((entry) => {
    const content = contents.get(entry.oid)
    const pointer = content && parsePointer(content)
    return pointer === undefined ? [] : [{ entry, pointer }]
  })
}

async function locate(
  location: TreeLocation,
  entry: TreeEntry,
  { oid, size }: LfsPointer,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const inStore =
    location.gitDirectory && join(location.gitDirectory, 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4), oid)
  const candidates = [
    ...(location.workTree === undefined
      ? []
      : [Buffer.concat([Buffer.from(`${location.workTree}/`), Buffer.from(entry.path, 'latin1')])]),
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
  git: GitWorkspace,
  { remote }: TreeLocation,
  wanted: readonly PointerFile[],
): Promise<ReadonlyMap<string, Buffer>> {
  const downloaded = new Map<string, Buffer>()
  if (wanted.length === 0 || remote === undefined) return downloaded
  const folder = git.freshPath('lfs')
  await mkdir(folder, { recursive: true })
  try {
    const pointers = wanted.map(({ pointer }) => pointer)
    const downloads = await findDownloads(git, remote, pointers)
    for (const pointer of pointers) {
      const from = downloads.get(pointer.oid)
      if (from === undefined || downloaded.has(pointer.oid)) continue
      const path = join(folder, pointer.oid)
      await download(git, from, path)
      if (await holds(path, pointer, git.signal)) downloaded.set(pointer.oid, Buffer.from(path))
    }
  } catch (error) {
    git.signal.throwIfAborted()
    // Whatever is missing in the end is named in a warning; this is why.
    git.log.debug(`LFS contents could not be fetched: ${remote.redact(errorMessage(error))}`)
  }
  return downloaded
}

/** What a Git LFS pointer file stands for. */
export interface LfsPointer {
  /** SHA-256 of the contents, hexadecimal. */
  readonly oid: string
  readonly size: number
}

/** A pointer is a text of less than this (git-lfs, docs/spec.md). */
const pointerBelowBytes = 1024

/** Reads a pointer file; undefined when it is something else, or needs an extension's program to be read. */
export function parsePointer(content: Buffer): LfsPointer | undefined {
  if (content.length >= pointerBelowBytes) return undefined
  const text = content.toString('utf8')
  const match = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n$/.exec(text)
  const [, oid, size] = match ?? []
  return oid === undefined ? undefined : { oid, size: Number(size) }
}

const batchAnswer = z.object({
  objects: z.array(
    z.object({
      oid: z.string(),
      actions: z
        .object({ download: z.object({ href: z.url(), header: z.record(z.string(), z.string()).optional() }) })
        .optional(),
      error: z.object({ message: z.string() }).optional(),
    }),
  ),
})

/** Where one content can be downloaded, and the headers to send there. */
interface LfsDownload {
  readonly href: string
  readonly headers: Readonly<Record<string, string>>
}

// The server's limit is not documented; git-lfs itself asks for so many at once.
const batchSize = 100

/**
 * Asks the origin where contents can be downloaded (git-lfs, docs/api/batch.md). Those it does not have are left out.
 *
 * @returns SHA-256 → where to download it
 * @throws Error when the server does not answer, or with something else than a batch
 */
async function findDownloads(
  { fetch, signal }: GitWorkspace,
  remote: GitRemote,
  pointers: readonly LfsPointer[],
): Promise<ReadonlyMap<string, LfsDownload>> {
  const found = new Map<string, LfsDownload>()
  for (let start = 0; start < pointers.length; start += batchSize) {
    const authorization = remote.authorization()
    const response = await fetch(`${remote.url.replace(/(\.git)?\/?$/, '')}.git/info/lfs/objects/batch`, {
      method: 'POST',
      headers: {
        Accept: 'application/vnd.git-lfs+json',
        'Content-Type': 'application/vnd.git-lfs+json',
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
      body: JSON.stringify({
        operation: 'download',
        transfers: ['basic'],
        objects: pointers.slice(start, start + batchSize),
      }),
      signal,
    })
    if (!response.ok) throw new Error(`HTTP ${response.status} from ${new URL(remote.url).host}`)
    for (const { oid, actions } of batchAnswer.parse(await response.json()).objects) {
      if (actions === undefined) continue
      found.set(oid, { href: actions.download.href, headers: actions.download.header ?? {} })
    }
  }
  return found
}

/**
 * Downloads one content to a file. Our credentials stay here: the address carries its own, and often is another host's.
 *
 * @throws Error when the server refuses or the connection breaks
 */
async function download({ fetch, signal }: GitWorkspace, from: LfsDownload, path: string): Promise<void> {
  const response = await fetch(from.href, { headers: { ...from.headers }, signal })
  if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status} from ${new URL(from.href).host}`)
  await pipeline(Readable.fromWeb(response.body), createWriteStream(path), { signal })
}
