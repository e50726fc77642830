import type { ObjectStore } from './object-store.ts'

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

/** Lists a tree, directories included, in git's order. Files whose contents are missing have no size. */
export async function listTree(store: ObjectStore, tree: string, signal: AbortSignal): Promise<TreeEntry[]> {
  const listing = await store.run(['ls-tree', '-r', '-t', '-z', '--long', '--full-tree', tree], { signal })
  return listing
    .toString('latin1')
    .split('\0')
    .filter((record) => record !== '')
    .map(parseRecord)
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
 *
 * @returns the name of the root tree
 */
export async function writeTree(
  store: ObjectStore,
  entries: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<string> {
  const directories = new Map<string, TreeEntry[]>([['', []]])
  const directory = (path: string): TreeEntry[] => {
    const known = directories.get(path)
    if (known !== undefined) return known
    directory(parentOf(path))
    const made: TreeEntry[] = []
    directories.set(path, made)
    return made
  }
  for (const entry of entries) directory(parentOf(entry.path)).push(entry)

  // Deepest first, a level at a time: a tree names its subtrees.
  const deepest = Array.from(directories.keys(), depthOf).reduce((most, depth) => Math.max(most, depth), 0)
  let root = ''
  for (let depth = deepest; depth >= 0; depth--) {
    const paths = [...directories.keys()].filter((path) => depthOf(path) === depth)
    const written = await writeLevel(store, paths, directories, signal)
    for (const [index, path] of paths.entries()) {
      const oid = written[index] ?? ''
      if (path === '') root = oid
      else directories.get(parentOf(path))?.push({ mode: '040000', type: 'tree', oid, path })
    }
  }
  return root
}

async function writeLevel(
  store: ObjectStore,
  paths: readonly string[],
  directories: ReadonlyMap<string, readonly TreeEntry[]>,
  signal: AbortSignal,
): Promise<string[]> {
  const trees = paths.map((path) =>
    (directories.get(path) ?? [])
      .map((entry) => `${entry.mode} ${entry.type} ${entry.oid}\t${nameOf(entry.path)}\0`)
      .join(''),
  )
  // An empty record ends a tree. --missing: a tree fetched without contents can be rebuilt as well.
  const input = Buffer.from(trees.map((tree) => `${tree}\0`).join(''), 'latin1')
  const answer = await store.run(['mktree', '-z', '--missing', '--batch'], { input, signal })
  return answer.toString('latin1').trim().split('\n')
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length
}
