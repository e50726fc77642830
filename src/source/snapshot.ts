import { count, formatBytes } from '../core/format.ts'
import {
  type Checkout,
  type ChosenCommit,
  chooseCommit,
  findCheckout,
  listDirectory,
  type WantedCommit,
} from './checkout.ts'
import { fetchCommitAlone, listCommit } from './fetch.ts'
import { readableSubject, readCommit, type SourceCommit, snapshotContent, writeCommit } from './objects.ts'
import { SourceError } from './remote.ts'
import { type ResolvedTree, resolveTree } from './resolve-tree.ts'
import { convertEntries, leaves, readablePath, type TreeEntry, TreeMeter, writeTree } from './tree.ts'
import { borrowObjects, type GitWorkspace, type Stores } from './workspace.ts'

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
  const checkout = await findCheckout(git, request)
  const chosen = chooseCommit(checkout, request)
  const stores = await git.stores(checkout?.format ?? (chosen.sha.length === 64 ? 'sha256' : 'sha1'))
  if (checkout !== undefined) await borrowObjects(stores.own.directory, checkout.objectsDirectory)
  return request.directory === undefined
    ? await snapshotCommit(git, stores, checkout, chosen, request)
    : await snapshotDirectory(git, stores, chosen, request.directory)
}

async function snapshotCommit(
  git: GitWorkspace,
  stores: Stores,
  checkout: Checkout | undefined,
  chosen: ChosenCommit,
  request: SnapshotRequest,
): Promise<MadeSnapshot> {
  const outgoing = await git.stores('sha1')
  const { origin: remote } = git
  const entries = await listCommit(git, stores, chosen.sha, { remote, nothingHere: checkout === undefined })
  const location = { workTree: checkout?.directory, gitDirectory: checkout?.gitDirectory, remote, prefix: '' }
  const tree = { oid: `${chosen.sha}^{tree}`, entries, location }
  const resolved = await resolveTree(git, stores, tree, {
    exportIgnore: request.exportIgnore ?? false,
    meter: new TreeMeter(),
  })
  judgePointers(git, resolved, request.lfsPointers ?? 'refuse')
  const source = await readCommit(stores.own, chosen.sha)
  const sameFormat = stores.own.directory === outgoing.own.directory
  const shipped = sameFormat ? resolved.entries : await convertEntries(git, stores, outgoing, resolved.entries)
  const asItIs = sameFormat && !resolved.changed
  const treeSha = asItIs ? source.tree : await writeTree(outgoing.own, shipped)
  return { snapshot: await writeSnapshot(git, chosen, source, { ...resolved, tree: treeSha }), resolved, stores }
}

async function snapshotDirectory(
  git: GitWorkspace,
  stores: Stores,
  chosen: ChosenCommit,
  directory: string,
): Promise<MadeSnapshot> {
  const outgoing = await git.stores('sha1')
  const entries = await listDirectory(git, outgoing, directory)
  await fetchCommitAlone(git, stores, chosen.sha)
  const source = await readCommit(stores.own, chosen.sha)
  const tree = await writeTree(outgoing.own, entries)
  const facts = {
    tree,
    entries,
    changed: tree !== source.tree,
    lfs: { replaced: 0, missing: [], reasons: [] },
    submodules: [],
  }
  return { snapshot: await writeSnapshot(git, chosen, source, facts), resolved: undefined, stores }
}

async function writeSnapshot(
  git: GitWorkspace,
  chosen: ChosenCommit,
  source: SourceCommit,
  facts: Pick<ResolvedTree, 'changed' | 'entries' | 'lfs' | 'submodules'> & { readonly tree: string },
): Promise<Snapshot> {
  const { tree, submodules } = facts
  const lfs = { replaced: facts.lfs.replaced, missing: facts.lfs.missing }
  const weight = weigh(facts.entries)
  warnOfLargeFiles(git, weight.largest)
  const { own } = await git.stores('sha1')
  return {
    sha: await writeCommit(own, snapshotContent(tree, source, chosen.sha)),
    tree,
    sourceSha: chosen.sha,
    subject: readableSubject(source),
    ...(facts.changed ? { suffix: tree.slice(0, 8) } : {}),
    ...weight,
    lfs,
    submodules,
    ...(chosen.why === undefined ? {} : { why: chosen.why }),
  }
}

// Pointers in place of pictures, models or data: the build may well be green, and the app broken.
function judgePointers({ log }: GitWorkspace, { lfs }: ResolvedTree, policy: 'refuse' | 'allow'): void {
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
