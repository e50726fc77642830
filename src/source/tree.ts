import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatBytes, shortSha } from '../core/format.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import { GitFailure, type GitRepository, OutputTooLarge, unlessGitFails } from './git.ts'
import { fetchNeeded, readObjects, storeFiles } from './objects.ts'
import { decisiveLine, type GitRemote, SourceError } from './remote.ts'
import type { GitWorkspace, Stores } from './workspace.ts'

/** One entry of a tree, all levels down. */
export interface TreeEntry {
  /** Six octal digits: 100644, 100755, 120000 (link), 160000 (submodule), 040000 (directory). */
  readonly mode: string
  readonly type: 'blob' | 'tree' | 'commit'
  readonly oid: string
  /** Full path from the root, one character per byte: file names need not be UTF-8. */
  readonly path: string
  /** Bytes; undefined for what is not a file and for a file that is not here (blob-less fetch). */
  readonly size?: number
}

/** A path for people. */
export function readablePath(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8')
}

/**
 * Lists a tree, directories included, in git's order. Files whose contents are missing have no size.
 * @throws SourceError `too-large` for one that nobody can list: a few objects can stand for any number of files
 */
export async function listTree(store: GitRepository, tree: string): Promise<TreeEntry[]> {
  const args = ['ls-tree', '-r', '-t', '-z', '--long', '--full-tree', tree]
  const listing = await store.run(args, { mostBytes: mostListingBytes }).catch((error: unknown) => {
    throw error instanceof OutputTooLarge
      ? tooLarge(`its list of files is longer than ${formatBytes(mostListingBytes)}`)
      : error
  })
  return listing
    .toString('latin1')
    .split('\0')
    .filter((record) => record !== '')
    .map(parseRecord)
}

/**
 * The commit's whole tree, fetched from the remote where the checkout does not hold it. A checkout of another commit mostly has most
 * of the contents, so directories are fetched first and then only the contents that are missing.
 * @throws SourceError `no-commit` when it is neither here nor at the remote
 */
export async function listCommit(
  git: GitWorkspace,
  stores: Stores,
  sha: string,
  { remote, nothingHere }: { readonly remote: GitRemote | undefined; readonly nothingHere: boolean },
): Promise<readonly TreeEntry[]> {
  const tree = `${sha}^{tree}`
  const here = nothingHere ? undefined : await unlessGitFails(listTree(stores.own, tree))
  if (here !== undefined && missingContents(here).length === 0) return here
  return await fetchingCommit(sha, remote, async (from) => {
    git.log.debug(`Commit ${shortSha(sha)} is not complete in the checkout: fetching it from ${from.url}.`)
    if (here === undefined) {
      const filter = nothingHere ? {} : { filter: 'blob:none' as const }
      await fetchNeeded(git, stores, { remote: from, wants: [sha], kind: 'commits', ...filter })
    }
    const entries = await listTree(stores.own, tree)
    const missing = missingContents(entries)
    if (missing.length === 0) return entries
    await fetchNeeded(git, stores, { remote: from, wants: missing, kind: 'contents' })
    return await listTree(stores.own, tree)
  })
}

function missingContents(entries: readonly TreeEntry[]): string[] {
  const missing = entries.filter((entry) => entry.type === 'blob' && entry.size === undefined)
  return [...new Set(missing.map((entry) => entry.oid))]
}

/**
 * Has a commit without its tree, for what it says of itself.
 * @throws SourceError `no-commit` when it is neither here nor at the remote
 */
export async function fetchCommitAlone(git: GitWorkspace, stores: Stores, sha: string): Promise<void> {
  if ((await readObjects(stores.own, [sha])).has(sha)) return
  await fetchingCommit(sha, git.origin, (remote) =>
    fetchNeeded(git, stores, { remote, wants: [sha], kind: 'commits', filter: 'tree:0' }),
  )
}

async function fetchingCommit<T>(
  sha: string,
  remote: GitRemote | undefined,
  fetch: (remote: GitRemote) => Promise<T>,
): Promise<T> {
  const gone = (reason: string) =>
    new SourceError('no-commit', `Commit ${sha} is not in the checkout and could not be fetched: ${reason}`, {
      hint:
        'Check it out before this step (actions/checkout), or let the token read the repository ' +
        '(permissions: contents: read). A commit that was force-pushed away can be gone for good.',
    })
  if (remote === undefined) throw gone('there is no https address to fetch it from')
  try {
    return await fetch(remote)
  } catch (error) {
    throw error instanceof GitFailure ? gone(remote.redact(decisiveLine(error.stderr))) : error
  }
}

/** What is shipped at most. Far above what can be built, and low enough to be handled in the memory of a small runner. */
export const treeLimits = { entries: 300_000, depth: 100, bytes: 10_000_000_000, submodules: 200 }
const mostListingBytes = 64_000_000

/** Measures what is to be shipped while it is collected, through all submodules: each may contain others. */
export class TreeMeter {
  readonly #limits: typeof treeLimits
  #entries = 0
  #bytes = 0
  #submodules = 0

  constructor(limits = treeLimits) {
    this.#limits = limits
  }

  /**
   * @param entry its path is the one from the snapshot's root
   * @throws SourceError `too-large` from the first entry on that is too much; `git-failed` for a path that leads elsewhere
   */
  add({ path, type, size = 0 }: Pick<TreeEntry, 'path' | 'type' | 'size'>): void {
    const { entries, depth, submodules } = this.#limits
    const parts = path.split('/')
    this.#entries += 1
    if (type === 'commit') this.#submodules += 1
    if (this.#entries > entries) throw tooLarge(`it has more than ${entries} files and folders`)
    if (this.#submodules > submodules) throw tooLarge(`it has more than ${submodules} submodules`)
    if (parts.length > depth) throw tooLarge(`its folders are nested more than ${depth} levels deep`)
    if (parts.some((part) => leadsElsewhere.has(part.toLowerCase()))) {
      const where = sanitizePhrase(readablePath(path))
      throw new SourceError('git-failed', `What is to be deployed has a file at ${where}.`, {
        hint: 'git itself makes no such paths, as they lead out of the repository. Find the commit that added it.',
      })
    }
    this.addBytes(size)
  }

  /** For contents that take the place of a file. */
  addBytes(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.bytes) throw tooLarge(`its files are larger than ${formatBytes(this.#limits.bytes)}`)
  }
}

const leadsElsewhere = new Set(['', '.', '..', '.git'])

function tooLarge(how: string): SourceError {
  return new SourceError('too-large', `What is to be deployed is too large: ${how}.`, {
    hint: 'Take out what the app does not need, or build first and deploy the result with the input "directory".',
  })
}

// <mode> SP <type> SP <oid> SP <size, padded; - for other than blobs, BAD for missing ones> TAB <path>
function parseRecord(record: string): TreeEntry {
  const tab = record.indexOf('\t')
  const [mode = '', type = '', oid = '', size = ''] = record.slice(0, tab).split(/ +/)
  const entry = { mode, type: type as TreeEntry['type'], oid, path: record.slice(tab + 1) }
  return /^\d+$/.test(size) ? { ...entry, size: Number(size) } : entry
}

/**
 * Writes the tree which holds these entries. An entry may be a whole subtree; directories above the entries are made.
 * @returns the name of the root tree
 */
export async function writeTree(store: GitRepository, entries: readonly TreeEntry[]): Promise<string> {
  const directories = new Map<string, TreeEntry[]>([['', []]])
  const directory = (path: string): TreeEntry[] => {
    const known = directories.get(path)
    if (known !== undefined) return known
    directory(parentOf(path))
    directories.set(path, [])
    return directory(path)
  }
  for (const entry of entries) directory(parentOf(entry.path)).push(entry)

  // Deepest first, a level at a time: a tree names its subtrees.
  const deepest = Array.from(directories.keys(), depthOf).reduce((most, depth) => Math.max(most, depth), 0)
  let root = ''
  for (let depth = deepest; depth >= 0; depth--) {
    const paths = [...directories.keys()].filter((path) => depthOf(path) === depth)
    const written = await writeLevel(store, paths, directories)
    for (const [index, path] of paths.entries()) {
      const oid = written[index] ?? ''
      if (path === '') root = oid
      else directories.get(parentOf(path))?.push({ mode: '040000', type: 'tree', oid, path })
    }
  }
  return root
}

async function writeLevel(
  store: GitRepository,
  paths: readonly string[],
  directories: ReadonlyMap<string, readonly TreeEntry[]>,
): Promise<string[]> {
  const trees = paths.map((path) =>
    (directories.get(path) ?? [])
      .map((entry) => `${entry.mode} ${entry.type} ${entry.oid}\t${nameOf(entry.path)}\0`)
      .join(''),
  )
  // An empty record ends a tree. --missing: a tree fetched without contents can be rebuilt as well.
  const input = Buffer.from(trees.map((tree) => `${tree}\0`).join(''), 'latin1')
  const answer = await store.run(['mktree', '-z', '--missing', '--batch'], { input })
  return answer.toString('latin1').trim().split('\n')
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length
}

/** The entries that a tree is rebuilt from: files and links, and directories without any. */
export function leaves(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  const parents = new Set(entries.map(({ path }) => parentOf(path)))
  return entries.filter(({ type, path }) => type !== 'tree' || !parents.has(path))
}

/** Whether one of the paths is that path or a directory above it. */
export function isUnder(path: string, paths: ReadonlySet<string>): boolean {
  for (let at = path; at !== '' && paths.size > 0; at = parentOf(at)) if (paths.has(at)) return true
  return false
}

/** Contents held in memory at a time; a larger file is a batch of its own. */
const batchBytes = 32_000_000

/**
 * Copies a SHA-256 repository's files into a SHA-1 store: the platform's repositories are SHA-1, and a server
 * refuses objects named by another hash.
 * @param entries files and links, no subtrees but empty ones
 * @returns the same entries, by their new names
 */
export async function convertEntries(
  git: GitWorkspace,
  from: Stores,
  to: Stores,
  entries: readonly TreeEntry[],
): Promise<readonly TreeEntry[]> {
  const converted = new Map<string, string>()
  const folder = git.freshPath('conversion')
  const files = entries.filter(({ type }) => type === 'blob')
  for (const batch of batches(files)) {
    await mkdir(folder, { recursive: true })
    const contents = await readObjects(from.own, batch, { mostBytes: Number.POSITIVE_INFINITY })
    for (const [oid, content] of contents) await writeFile(join(folder, oid), content)
    const paths = Array.from(contents.keys(), (oid) => Buffer.from(join(folder, oid)))
    const oids = await storeFiles(to.own, paths)
    for (const [index, oid] of [...contents.keys()].entries()) converted.set(oid, oids[index] ?? '')
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
