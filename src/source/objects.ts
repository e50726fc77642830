import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { formatBytes, shortSha } from '../core/format.ts'
import { GitFailure, type GitRepository, OutputTooLarge, unlessGitFails } from './git.ts'
import { decisiveLine, type GitRemote, SourceError } from './remote.ts'
import { fetchObjects, heldObjects, type Stores } from './workspace.ts'

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

/** What is held as one character per byte, such as a path, for people. */
export function readablePath(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8')
}

/** The error for what nobody could build or even list. */
export function tooLarge(how: string): SourceError {
  return new SourceError('too-large', `What is to be deployed is too large: ${how}.`, {
    hint: 'Take out what the app does not need, or build first and deploy the result with the input "directory".',
  })
}

const mostListingBytes = 64_000_000

/**
 * Records of `git ls-tree`, one character per byte.
 * @throws SourceError `too-large` for a tree that nobody can list: a few objects can stand for any number of files
 */
async function treeRecords(store: GitRepository, tree: string, ...options: readonly string[]): Promise<string[]> {
  const args = ['ls-tree', '-r', '-z', '--full-tree', ...options, tree]
  const listing = await store.run(args, { mostBytes: mostListingBytes }).catch((error: unknown) => {
    const tooLong = `its list of files is longer than ${formatBytes(mostListingBytes)}`
    throw error instanceof OutputTooLarge ? tooLarge(tooLong) : error
  })
  return listing.toString('latin1').split('\0').slice(0, -1)
}

/**
 * Lists a tree, directories included, in git's order. Files whose contents are missing have no size.
 * @throws SourceError `too-large`
 */
export async function listTree(store: GitRepository, tree: string): Promise<TreeEntry[]> {
  // <mode> SP <type> SP <oid> SP <size, padded; - for other than blobs, BAD for missing ones> TAB <path> NUL
  const records = await treeRecords(store, tree, '-t', '--long')
  return records.map((record) => {
    const tab = record.indexOf('\t')
    const [mode = '', type = '', oid = '', size = ''] = record.slice(0, tab).split(/ +/)
    const entry = { mode, type: type as TreeEntry['type'], oid, path: record.slice(tab + 1) }
    return /^\d+$/.test(size) ? { ...entry, size: Number(size) } : entry
  })
}

/**
 * Readable paths of all that is no directory in a tree. Quicker than its whole listing: no object is looked at.
 * @throws SourceError `too-large`
 */
export async function listPaths(store: GitRepository, tree: string): Promise<ReadonlySet<string>> {
  return new Set((await treeRecords(store, tree, '--name-only')).map(readablePath))
}

/**
 * The commit's whole tree, fetched from the remote where the checkout does not hold it. A checkout of another commit mostly has most
 * of the contents, so directories are fetched first and then only the contents that are missing.
 * @throws SourceError `no-commit` when it is neither here nor at the remote
 */
export async function listCommit(
  stores: Stores,
  sha: string,
  { remote, checkout }: { readonly remote: GitRemote | undefined; readonly checkout: unknown },
): Promise<readonly TreeEntry[]> {
  const tree = `${sha}^{tree}`
  const here = checkout === undefined ? undefined : await unlessGitFails(listTree(stores.own, tree))
  if (here !== undefined && missingContents(here).length === 0) return here
  return await fetchingCommit(sha, remote, async (from) => {
    stores.git.log.debug(`Commit ${shortSha(sha)} is not complete in the checkout: fetching it from ${from.url}.`)
    if (here === undefined) {
      const filter = checkout === undefined ? {} : { filter: 'blob:none' as const }
      await fetchObjects(stores, { remote: from, wants: [sha], kind: 'commits', ...filter, needed: true })
    }
    const entries = here ?? (await listTree(stores.own, tree))
    const missing = missingContents(entries)
    if (missing.length === 0) return entries
    await fetchObjects(stores, { remote: from, wants: missing, kind: 'contents', needed: true })
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
export async function fetchCommitAlone(stores: Stores, sha: string): Promise<void> {
  if ((await heldObjects(stores.own, [sha])).has(sha)) return
  await fetchingCommit(sha, stores.git.origin, (remote) =>
    fetchObjects(stores, { remote, wants: [sha], kind: 'commits', filter: 'tree:0', needed: true }),
  )
}

async function fetchingCommit<T>(sha: string, remote: GitRemote | undefined, fetch: (remote: GitRemote) => Promise<T>) {
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

/**
 * Writes the tree which holds these entries, in a store of SHA-1. An entry may be a whole subtree; directories above the
 * entries are made.
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

  // Deepest first, as a tree names its subtrees. An empty record ends a tree.
  const depth = (path: string) => (path === '' ? 0 : path.split('/').length)
  const records: string[] = []
  for (const path of [...directories.keys()].sort((a, b) => depth(b) - depth(a))) {
    const tree = directory(path).map((entry) => ({ ...entry, name: entry.path.slice(entry.path.lastIndexOf('/') + 1) }))
    for (const { mode, type, oid, name } of tree) records.push(`${mode} ${type} ${oid}\t${name}\0`)
    records.push('\0')
    if (path !== '') directory(parentOf(path)).push({ mode: '040000', type: 'tree', oid: treeName(tree), path })
  }
  // --missing: a tree fetched without contents can be rebuilt as well.
  const input = Buffer.from(records.join(''), 'latin1')
  const written = (await store.run(['mktree', '-z', '--missing', '--batch'], { input })).toString('latin1')
  return written.trim().split('\n').at(-1) ?? ''
}

/** Name which git gives to a tree of these entries: they are sorted as if the names of directories ended in a slash. */
function treeName(entries: readonly (TreeEntry & { readonly name: string })[]): string {
  const sorted = entries
    .map((entry) => ({ ...entry, key: entry.type === 'tree' ? `${entry.name}/` : entry.name }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const parts = sorted.map(
    ({ mode, name, oid }) => `${mode.replace(/^0/, '')} ${name}\0${Buffer.from(oid, 'hex').toString('latin1')}`,
  )
  return objectName('tree', Buffer.from(parts.join(''), 'latin1'))
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
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

/** What a snapshot takes over from the commit it is made of. One character per byte, as old commits are not always UTF-8. */
export type SourceCommit = ReturnType<typeof parseCommit>

export async function readCommit(store: GitRepository, sha: string): Promise<SourceCommit> {
  return parseCommit(await store.run(['cat-file', 'commit', sha], { mostBytes: 16_000_000 }))
}

/** When the commit was made, in seconds since 1970; 0 when it does not say. */
export function committedAtSeconds({ committer }: SourceCommit): number {
  return Number(/> (\d+) [+-]\d+$/.exec(committer)?.[1] ?? 0)
}

/** Takes a commit object's content apart. */
export function parseCommit(content: Buffer) {
  const text = content.toString('latin1')
  const headerEnd = text.indexOf('\n\n')
  const headers = headerEnd < 0 ? text : text.slice(0, headerEnd)
  const message = headerEnd < 0 ? '' : text.slice(headerEnd + 2)
  const header = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(headers)?.[1]
  const lines = message.split('\n').map(trimBlanks)
  const start = lines.findIndex((line) => line !== '')
  const end = lines.indexOf('', start)
  return {
    tree: header('tree') ?? '',
    parents: Array.from(headers.matchAll(/^parent ([0-9a-f]+)$/gm), ([, sha = '']) => sha),
    author: header('author') ?? '',
    committer: header('committer') ?? '',
    /** Content of the `encoding` header, when the message is not UTF-8. */
    encoding: header('encoding'),
    /** First paragraph of the message on one line. */
    subject: start < 0 ? '' : lines.slice(start, end < 0 ? lines.length : end).join(' '),
  }
}

// Not String.trim: one of the characters it takes away is the last byte of "à" in UTF-8. And no regular expression, as
// those look for the end of a text from every blank in it.
function trimBlanks(line: string): string {
  let [start, end] = [0, line.length]
  while (start < end && blanks.has(line[start] ?? '')) start++
  while (end > start && blanks.has(line[end - 1] ?? '')) end--
  return line.slice(start, end)
}

const blanks = new Set([' ', '\t', '\r', '\v', '\f'])

/** The subject for people. */
export function readableSubject({ subject, encoding }: SourceCommit): string {
  try {
    return new TextDecoder(encoding ?? 'utf-8').decode(Buffer.from(subject, 'latin1'))
  } catch {
    // An encoding that nobody knows: the bytes are still mostly ASCII.
    return readablePath(subject)
  }
}

/**
 * Content of the snapshot commit: no parents, author, date and subject of the source, and a trailer that leads back to
 * it. A function of the tree and of the source commit alone: neither the ref nor the name of the repository is part of
 * it, as a commit keeps its snapshot when it is merged, tagged or its repository renamed.
 */
export function snapshotContent(tree: string, source: SourceCommit, sourceSha: string): Buffer {
  const { author, committer, encoding } = source
  const encoded = encoding === undefined ? '' : `encoding ${encoding}\n`
  const headers = `tree ${tree}\nauthor ${author}\ncommitter ${committer}\n${encoded}`
  return Buffer.from(`${headers}\n${source.subject || '(no message)'}\n\nSource-Commit: ${sourceSha}\n`, 'latin1')
}

/** Name which git gives to an object of that content. */
export function objectName(type: 'commit' | 'tree', content: Buffer): string {
  return createHash('sha1').update(withHeader(type, content)).digest('hex')
}

function withHeader(type: string, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])
}

/**
 * Writes an object as a file of its own, as git does (gitrepository-layout(5)), in a store of SHA-1. Not checked by git: what
 * authors wrote into old commits is not always well formed.
 * @returns its name
 */
export async function writeObject(
  { directory }: GitRepository,
  type: 'commit' | 'tree',
  content: Buffer,
): Promise<string> {
  const name = objectName(type, content)
  const folder = join(directory, 'objects', name.slice(0, 2))
  await mkdir(folder, { recursive: true })
  // Whoever reads it meanwhile finds all of it or nothing.
  const unfinished = join(folder, randomUUID())
  await writeFile(unfinished, deflateSync(withHeader(type, content)))
  await rename(unfinished, join(folder, name.slice(2)))
  return name
}
