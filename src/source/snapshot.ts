import type { Stats } from 'node:fs'
import { lstat, mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { count, formatBytes } from '../core/format.ts'
import { locateInWorkspace } from '../core/workspace-file.ts'
import type { WantedCommit } from '../plan/context.ts'
import { type Checkout, openCheckout } from './checkout.ts'
import {
  fetchCommitAlone,
  leaves,
  listCommit,
  readablePath,
  readableSubject,
  readCommit,
  snapshotContent,
  type TreeEntry,
  writeObject,
  writeTree,
} from './objects.ts'
import { SourceError } from './remote.ts'
import { type ResolvedTree, resolveTree, TreeMeter } from './resolve-tree.ts'
import { type GitWorkspace, readObjects, type Stores, storeFiles } from './workspace.ts'

export interface SnapshotRequest extends WantedCommit {
  /** Ship this directory's files as they lie in the workspace. Relative to the workspace. */
  readonly directory?: string | undefined
  /** Leave out what `.gitattributes` marks `export-ignore`. */
  readonly exportIgnore?: boolean | undefined
  /** Whether LFS files whose contents cannot be fetched are shipped as pointers. By default nothing is deployed then. */
  readonly lfsPointers?: 'refuse' | 'allow' | undefined
}

type SnapshotFile = { readonly path: string; readonly bytes: number }

/** A snapshot, and what a push needs to know of how it was made. */
export type MadeSnapshot = Awaited<ReturnType<typeof makeSnapshot>>

/** One parentless commit, ready to be pushed. */
export type Snapshot = Readonly<MadeSnapshot['snapshot']>

/** Finds the checkout, the commit and its tree, and makes the parentless commit of it. */
export async function makeSnapshot(git: GitWorkspace, request: SnapshotRequest) {
  const { checkout, chosen, stores } = await openCheckout(git, request)
  const outgoing = await git.stores('sha1')
  const sameFormat = stores.own.directory === outgoing.own.directory
  let resolved: ResolvedTree | undefined
  let entries: readonly TreeEntry[]
  if (request.directory === undefined) {
    resolved = await resolveCommit(stores, checkout, chosen.sha, request)
    entries = sameFormat ? resolved.entries : await convertEntries(stores, outgoing, resolved.entries)
  } else {
    entries = await listDirectory(outgoing, request.directory)
    await fetchCommitAlone(stores, chosen.sha)
  }
  const source = await readCommit(stores.own, chosen.sha)
  const asItIs = sameFormat && resolved?.changed === false
  const tree = asItIs ? source.tree : await writeTree(outgoing.own, entries)
  const changed = resolved?.changed ?? tree !== source.tree
  const weight = weigh(entries)
  warnOfLargeFiles(git, weight.largest)
  const snapshot = {
    sha: await writeObject(outgoing.own, 'commit', snapshotContent(tree, source, chosen.sha)),
    tree,
    sourceSha: chosen.sha,
    subject: readableSubject(source),
    /** First eight digits of the tree, when the tree is not the commit's own. Belongs into the branch's name. */
    ...(changed && { suffix: tree.slice(0, 8) }),
    ...weight,
    lfs: { replaced: resolved?.lfs.replaced ?? 0, missing: resolved?.lfs.missing ?? [] },
    submodules: resolved?.submodules ?? [],
    /** One sentence, when the commit is not the wanted one or had to be fetched. */
    ...(chosen.why && { why: chosen.why }),
  }
  return {
    snapshot,
    /** Undefined for a directory's: nothing tells what older ones held. */
    resolved,
    stores,
  }
}

async function resolveCommit(
  stores: Stores,
  checkout: Checkout | undefined,
  sha: string,
  { exportIgnore = false, lfsPointers = 'refuse' }: SnapshotRequest,
): Promise<ResolvedTree> {
  const location = { checkout, remote: stores.git.origin, prefix: '' }
  const tree = { oid: `${sha}^{tree}`, entries: await listCommit(stores, sha, location), location }
  const resolved = await resolveTree(stores, tree, { exportIgnore, meter: new TreeMeter() })
  handleMissingContents(stores.git, resolved, lfsPointers)
  return resolved
}

// Pointers in place of pictures, models or data: the build may well be green, and the app broken.
function handleMissingContents({ log }: GitWorkspace, { lfs }: ResolvedTree, policy: 'refuse' | 'allow'): void {
  const { missing, reasons } = lfs
  if (missing.length === 0) return
  const shown = missing.slice(0, 10).join(', ') + (missing.length > 10 ? ` and ${missing.length - 10} more` : '')
  const what = `The contents of ${count(missing.length, 'LFS file')} could not be fetched: ${shown}.`
  const why = reasons.length === 0 ? '' : ` ${reasons.join(' ')}`
  const bring = 'Let actions/checkout bring them ("with: lfs: true")'
  if (policy === 'allow') {
    log.warning(`${what}${why} The pointers are deployed as they are. ${bring}.`)
    return
  }
  throw new SourceError('lfs-missing', `${what}${why} Nothing was pushed.`, {
    hint: `${bring}, or see to it that the repository's host hands them out (quota, access). To deploy the pointers as they are, set \`build: { lfs-pointers: allow }\` in ink.yml.`,
  })
}

// The platform states no limit. GitHub takes no files above this size, so that hosts and proxies on the way may do the same.
const largeFileBytes = 100_000_000

function warnOfLargeFiles({ log }: GitWorkspace, largest: readonly SnapshotFile[]): void {
  const large = largest.filter(({ bytes }) => bytes > largeFileBytes)
  if (large.length === 0) return
  log.warning(`Large files slow every build, and may be refused: ${listFiles(large)}. Load them at run time instead.`)
}

/** `video.mp4 (101 MB), a.bin (9 MB)` */
export function listFiles(files: readonly SnapshotFile[]): string {
  return files.map(({ path, bytes }) => `${path} (${formatBytes(bytes)})`).join(', ')
}

function weigh(entries: readonly TreeEntry[]) {
  const files = leaves(entries).flatMap(({ path, type, size }) => (type === 'blob' ? [{ path, bytes: size ?? 0 }] : []))
  const largest: readonly SnapshotFile[] = files.toSorted((a, b) => b.bytes - a.bytes).slice(0, 5)
  return {
    files: files.length,
    /** Sum of the files' sizes, uncompressed. */
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    /** The five largest files, largest first. */
    largest: largest.map((file) => ({ ...file, path: readablePath(file.path) })),
  }
}

/** Contents held in memory at a time; a larger file is a batch of its own. */
const batchBytes = 32_000_000

/**
 * Copies a SHA-256 repository's files into a SHA-1 store: the platform's repositories are SHA-1, and a server
 * refuses objects named by another hash.
 * @param entries files and links, no subtrees but empty ones
 * @returns the same entries, by their new names
 */
async function convertEntries(from: Stores, to: Stores, entries: readonly TreeEntry[]): Promise<readonly TreeEntry[]> {
  const converted = new Map<string, string>()
  const files = entries.filter(({ type }) => type === 'blob')
  const left = new Map(files.map(({ oid, size = 0 }) => [oid, size]))
  while (left.size > 0) {
    const batch: string[] = []
    let bytes = 0
    for (const [oid, size] of left) {
      bytes += size
      if (batch.length > 0 && bytes > batchBytes) break
      batch.push(oid)
      left.delete(oid)
    }
    const folder = from.git.freshPath('conversion')
    await mkdir(folder)
    const contents = await readObjects(from.own, batch, { mostBytes: Number.POSITIVE_INFINITY })
    for (const [oid, content] of contents) await writeFile(join(folder, oid), content)
    const paths = Array.from(contents.keys(), (oid) => Buffer.from(join(folder, oid)))
    const stored = await storeFiles(to.own, paths)
    for (const [index, oid] of [...contents.keys()].entries()) converted.set(oid, stored[index] ?? '')
    await rm(folder, { recursive: true, force: true })
  }
  return files.map((entry) => ({ ...entry, oid: converted.get(entry.oid) ?? '' }))
}

/**
 * The files of a directory as they lie there now, ignored ones included. Folders named `.git` stay behind: they hold
 * credentials.
 * @param directory relative to the workspace
 * @throws SourceError `no-directory` when it is missing, empty, or not inside the workspace
 */
async function listDirectory({ git, own }: Stores, directory: string): Promise<readonly TreeEntry[]> {
  const refuse = (problem: string, hint: string) =>
    new SourceError('no-directory', `The directory "${directory}" ${problem}.`, { hint })
  const files: (Omit<TreeEntry, 'oid'> & { readonly content: Buffer })[] = []
  const meter = new TreeMeter()
  const links = git.freshPath('links')
  await mkdir(links)

  // A link's contents is where it points to. git takes contents from files, so it goes through one.
  const linkText = async (link: Buffer): Promise<Buffer> => {
    const path = join(links, String(files.length))
    await writeFile(path, await readlink(link, { encoding: 'buffer' }))
    return Buffer.from(path)
  }
  const walk = async (folder: Buffer, prefix: string): Promise<void> => {
    for (const name of (await readdir(folder, { encoding: 'buffer' })).toSorted(Buffer.compare)) {
      git.signal.throwIfAborted()
      if (name.toString('latin1').toLowerCase() === '.git') continue
      const absolute = Buffer.concat([folder, Buffer.from(sep), name])
      const path = prefix + name.toString('latin1')
      const status = await lstat(absolute)
      const mode = modeOf(status)
      const entry = {
        path,
        type: mode === undefined ? 'tree' : 'blob',
        size: mode === undefined ? 0 : status.size,
      } as const
      meter.add(entry)
      if (mode !== undefined) {
        files.push({ ...entry, mode, content: mode === '120000' ? await linkText(absolute) : absolute })
      } else if (status.isDirectory()) await walk(absolute, `${path}/`)
      else git.log.warning(`${readablePath(path)} is neither a file, a link nor a folder, and is not deployed.`)
    }
  }
  await walk(Buffer.from(locateDirectory(git.workspace, directory, refuse)), '')
  git.signal.throwIfAborted()
  if (files.length === 0) throw refuse('has no files', 'Build before this step, and check that the build writes there.')
  const contents = files.map(({ content }) => content)
  const oids = await storeFiles(own, contents)
  return files.map(({ content: _content, ...entry }, index) => ({ ...entry, oid: oids[index] ?? '' }))
}

function locateDirectory(workspace: string, directory: string, refuse: (problem: string, hint: string) => Error) {
  const located = locateInWorkspace(workspace, directory)
  switch (located.kind) {
    case 'directory':
      return located.path
    case 'absent':
      throw refuse('does not exist', 'Build before this step, and check the path: it is relative to the workspace.')
    case 'file':
      throw refuse('is a file', 'Name the directory that it lies in.')
    case 'refused':
      throw refuse(located.why, 'Name the directory inside the workspace that the build writes, such as "dist".')
  }
}

function modeOf(status: Stats): '100644' | '100755' | '120000' | undefined {
  if (status.isSymbolicLink()) return '120000'
  if (!status.isFile()) return undefined
  return (status.mode & 0o100) === 0 ? '100644' : '100755'
}
