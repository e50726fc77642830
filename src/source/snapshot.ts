import type { Stats } from 'node:fs'
import { lstat, mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { count, formatBytes } from '../core/format.ts'
import { locateInWorkspace } from '../core/workspace-file.ts'
import { type Checkout, openCheckout, type WantedCommit } from './checkout.ts'
import { readableSubject, readCommit, snapshotContent, storeFiles, writeCommit } from './objects.ts'
import { SourceError } from './remote.ts'
import { type ResolvedTree, resolveTree } from './resolve-tree.ts'
import {
  convertEntries,
  fetchCommitAlone,
  leaves,
  listCommit,
  readablePath,
  type TreeEntry,
  TreeMeter,
  writeTree,
} from './tree.ts'
import type { GitWorkspace, Stores } from './workspace.ts'

export interface SnapshotRequest extends WantedCommit {
  /** Ship this directory's files as they lie in the workspace. Relative to the workspace. */
  readonly directory?: string | undefined
  /** Leave out what `.gitattributes` marks `export-ignore`. */
  readonly exportIgnore?: boolean | undefined
  /** Whether LFS files whose contents cannot be fetched are shipped as pointers. By default nothing is deployed then. */
  readonly lfsPointers?: 'refuse' | 'allow' | undefined
}

export interface SnapshotFile {
  readonly path: string
  readonly bytes: number
}

/** One parentless commit, ready to be pushed. */
export interface Snapshot {
  /** The parentless commit which is pushed. */
  readonly sha: string
  readonly tree: string
  /** The commit it was made from. */
  readonly sourceSha: string
  readonly subject: string
  /** First eight digits of the tree, when the tree is not the commit's own. Belongs into the branch's name. */
  readonly suffix?: string
  readonly files: number
  /** Sum of the files' sizes, uncompressed. */
  readonly bytes: number
  /** The five largest files, largest first. */
  readonly largest: readonly SnapshotFile[]
  readonly lfs: { readonly replaced: number; readonly missing: readonly string[] }
  readonly submodules: readonly { readonly path: string; readonly sha: string }[]
  /** One sentence, when the commit is not the wanted one or had to be fetched. */
  readonly why?: string
}

/** A snapshot, and what a push needs to know of how it was made. */
export interface MadeSnapshot {
  readonly snapshot: Snapshot
  /** Undefined for a directory's: nothing tells what older ones held. */
  readonly resolved: ResolvedTree | undefined
  /** Where the source commit lies. */
  readonly stores: Stores
}

/** Finds the checkout, the commit and its tree, and makes the parentless commit of it. */
export async function makeSnapshot(git: GitWorkspace, request: SnapshotRequest): Promise<MadeSnapshot> {
  const { checkout, chosen, stores } = await openCheckout(git, request)
  const outgoing = await git.stores('sha1')
  const sameFormat = stores.own.directory === outgoing.own.directory
  let resolved: ResolvedTree | undefined
  let entries: readonly TreeEntry[]
  if (request.directory === undefined) {
    resolved = await resolveCommit(git, stores, checkout, chosen.sha, request)
    entries = sameFormat ? resolved.entries : await convertEntries(git, stores, outgoing, resolved.entries)
  } else {
    entries = await listDirectory(git, outgoing, request.directory)
    await fetchCommitAlone(git, stores, chosen.sha)
  }
  const source = await readCommit(stores.own, chosen.sha)
  const asItIs = sameFormat && resolved?.changed === false
  const tree = asItIs ? source.tree : await writeTree(outgoing.own, entries)
  const changed = resolved?.changed ?? tree !== source.tree
  const weight = weigh(entries)
  warnOfLargeFiles(git, weight.largest)
  const snapshot = {
    sha: await writeCommit(outgoing.own, snapshotContent(tree, source, chosen.sha)),
    tree,
    sourceSha: chosen.sha,
    subject: readableSubject(source),
    ...(changed && { suffix: tree.slice(0, 8) }),
    ...weight,
    lfs: { replaced: resolved?.lfs.replaced ?? 0, missing: resolved?.lfs.missing ?? [] },
    submodules: resolved?.submodules ?? [],
    ...(chosen.why && { why: chosen.why }),
  }
  return { snapshot, resolved, stores }
}

async function resolveCommit(
  git: GitWorkspace,
  stores: Stores,
  checkout: Checkout | undefined,
  sha: string,
  { exportIgnore = false, lfsPointers = 'refuse' }: SnapshotRequest,
): Promise<ResolvedTree> {
  const { origin: remote } = git
  const entries = await listCommit(git, stores, sha, { remote, nothingHere: checkout === undefined })
  const location = { workTree: checkout?.directory, gitDirectory: checkout?.gitDirectory, remote, prefix: '' }
  const tree = { oid: `${sha}^{tree}`, entries, location }
  const resolved = await resolveTree(git, stores, tree, { exportIgnore, meter: new TreeMeter() })
  handleMissingContents(git, resolved, lfsPointers)
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

interface FileOnDisk {
  readonly absolute: Buffer
  /** From the directory, one character per byte. */
  readonly path: string
  readonly mode: '100644' | '100755' | '120000'
  readonly size: number
}

/**
 * The files of a directory as they lie there now, ignored ones included. Folders named `.git` stay behind: they hold
 * credentials.
 * @param directory relative to the workspace
 * @throws SourceError `no-directory` when it is missing, empty, or not inside the workspace
 */
export async function listDirectory(
  git: GitWorkspace,
  stores: Stores,
  directory: string,
): Promise<readonly TreeEntry[]> {
  const root = resolveDirectory(git.workspace, directory)
  const files: FileOnDisk[] = []
  await walk(git, Buffer.from(root), '', files, new TreeMeter())
  git.signal.throwIfAborted()
  if (files.length === 0) {
    throw new SourceError('no-directory', `The directory "${directory}" has no files.`, {
      hint: 'Build before this step, and check that the build writes there.',
    })
  }
  const linkFolder = git.freshPath('links')
  await mkdir(linkFolder, { recursive: true })
  try {
    const paths: Buffer[] = []
    for (const file of files) {
      paths.push(file.mode === '120000' ? await linkText(file, join(linkFolder, String(paths.length))) : file.absolute)
    }
    const oids = await storeFiles(stores.own, paths)
    return files.map(({ path, mode, size }, index) => ({ path, mode, size, type: 'blob', oid: oids[index] ?? '' }))
  } finally {
    await rm(linkFolder, { recursive: true, force: true })
  }
}

function resolveDirectory(workspace: string, directory: string): string {
  const refuse = (problem: string, hint: string) =>
    new SourceError('no-directory', `The directory "${directory}" ${problem}.`, { hint })
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

async function walk(
  git: GitWorkspace,
  folder: Buffer,
  prefix: string,
  found: FileOnDisk[],
  meter: TreeMeter,
): Promise<void> {
  const names = (await readdir(folder, { encoding: 'buffer' })).toSorted(Buffer.compare)
  for (const name of names) {
    git.signal.throwIfAborted()
    if (name.toString('latin1').toLowerCase() === '.git') continue
    const absolute = Buffer.concat([folder, Buffer.from(sep), name])
    const path = prefix + name.toString('latin1')
    const status = await lstat(absolute)
    const mode = modeOf(status)
    meter.add({ path, type: mode === undefined ? 'tree' : 'blob', size: mode === undefined ? 0 : status.size })
    if (mode !== undefined) found.push({ absolute, path, mode, size: status.size })
    else if (status.isDirectory()) await walk(git, absolute, `${path}/`, found, meter)
    else git.log.warning(`${readablePath(path)} is neither a file, a link nor a folder, and is not deployed.`)
  }
}

function modeOf(status: Stats): FileOnDisk['mode'] | undefined {
  if (status.isSymbolicLink()) return '120000'
  if (!status.isFile()) return undefined
  return (status.mode & 0o100) === 0 ? '100644' : '100755'
}

// A link's contents is where it points to. git takes contents from files, so it goes through one.
async function linkText(link: FileOnDisk, path: string): Promise<Buffer> {
  await writeFile(path, await readlink(link.absolute, { encoding: 'buffer' }))
  return Buffer.from(path)
}
