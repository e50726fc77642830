import { DIRECTORY, GITLINK, parseTree, type TreeEntry } from '../../git-objects.ts'
import type { GitObject } from './object-reader.ts'
import { readObject, writeObject } from './objects.ts'

export function writeTree(directory: string, entries: ReadonlyMap<string, TreeEntry>): string {
  // Git sorts a directory as if its name ended in a slash.
  const key = ([name, { mode }]: [string, TreeEntry]) => (mode === DIRECTORY ? `${name}/` : name)
  const sorted = [...entries].sort((one, other) => (key(one) < key(other) ? -1 : 1))
  const parts = sorted.flatMap(([name, { mode, sha }]) => [
    Buffer.from(`${mode} ${name}\0`, 'latin1'),
    Buffer.from(sha, 'hex'),
  ])
  return writeObject(directory, 'tree', Buffer.concat(parts))
}

/** The entries of a tree of the repository: none where there is no tree. */
export async function readTree(directory: string, sha: string | undefined): Promise<Map<string, TreeEntry>> {
  const found = sha === undefined ? undefined : await readObject(directory, sha)
  return found?.type === 'tree' ? parseTree(found.content) : new Map()
}

/** The name of an entry as {@link TreeEntry}s go by it. */
export function entryName(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** What stands at a path of a tree, or `undefined` when there is no file. */
export async function readBlob(directory: string, tree: string, path: string): Promise<GitObject | undefined> {
  let sha: string | undefined = tree
  for (const segment of path.split('/')) sha = (await readTree(directory, sha)).get(entryName(segment))?.sha
  const found = sha === undefined ? undefined : await readObject(directory, sha)
  return found?.type === 'blob' ? found : undefined
}

/** A tree that is being changed, with those of its directories that have been opened so far. */
type OpenTree = Map<string, TreeEntry | OpenTree>

/** Writes a tree that differs from another in some paths, each with its entry or `null` for none, and returns its SHA. */
export async function editTree(
  directory: string,
  tree: string | undefined,
  changes: Iterable<readonly [path: string, entry: TreeEntry | null]>,
): Promise<string> {
  const root: OpenTree = await readTree(directory, tree)
  for (const [path, entry] of changes) await setEntry(directory, root, path.split('/').map(entryName), entry)
  return storeTree(directory, root) ?? writeTree(directory, new Map())
}

async function setEntry(
  directory: string,
  tree: OpenTree,
  [name = '', ...below]: readonly string[],
  entry: TreeEntry | null,
): Promise<void> {
  if (/^\.{0,2}$|^\.git$/i.test(name)) throw new Error(`Git allows no file with ${JSON.stringify(name)} in its path.`)
  if (below.length === 0) return void (entry === null ? tree.delete(name) : tree.set(name, entry))
  const found = tree.get(name)
  const isFile = found !== undefined && !(found instanceof Map) && found.mode !== DIRECTORY
  if (entry === null && (isFile || found === undefined)) return
  const opened = found instanceof Map ? found : await readTree(directory, isFile ? undefined : found?.sha)
  tree.set(name, opened)
  await setEntry(directory, opened, below, entry)
}

/** `undefined`: the tree is empty, and git keeps no empty directory. */
function storeTree(directory: string, tree: OpenTree): string | undefined {
  const entries = new Map<string, TreeEntry>()
  for (const [name, entry] of tree) {
    const sha = entry instanceof Map ? storeTree(directory, entry) : entry.sha
    if (sha !== undefined) entries.set(name, { mode: entry instanceof Map ? DIRECTORY : entry.mode, sha })
  }
  return entries.size === 0 ? undefined : writeTree(directory, entries)
}

/** A path that is not the same in two trees. */
export interface ChangedPath {
  readonly path: string
  readonly before: TreeEntry | undefined
  readonly after: TreeEntry | undefined
}

/** Which files two trees do not have alike, by path. */
export async function changedPaths(
  directory: string,
  before: string | undefined,
  after: string | undefined,
): Promise<readonly ChangedPath[]> {
  const changes = await compareTrees(directory, before, after, '')
  return changes
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map((change) => ({ ...change, path: Buffer.from(change.path, 'latin1').toString('utf8') }))
}

async function compareTrees(
  directory: string,
  before: string | undefined,
  after: string | undefined,
  folder: string,
): Promise<ChangedPath[]> {
  if (before === after) return []
  const [old, young] = [await readTree(directory, before), await readTree(directory, after)]
  const changes: ChangedPath[] = []
  for (const name of new Set([...old.keys(), ...young.keys()])) {
    const [was, is] = [old.get(name), young.get(name)]
    if (was?.sha === is?.sha && was?.mode === is?.mode) continue
    const path = folder + name
    const [fileBefore, fileAfter] = [asFile(was), asFile(is)]
    if (fileBefore || fileAfter) changes.push({ path, before: fileBefore, after: fileAfter })
    changes.push(...(await compareTrees(directory, asDirectory(was), asDirectory(is), `${path}/`)))
  }
  return changes
}

function asFile(entry: TreeEntry | undefined): TreeEntry | undefined {
  return entry?.mode === DIRECTORY ? undefined : entry
}

function asDirectory(entry: TreeEntry | undefined): string | undefined {
  return entry?.mode === DIRECTORY ? entry.sha : undefined
}

/** Copies an object and all it leads to, as far as it is missing: what a fetch from another repository does. */
export async function copyObjects(from: string, to: string, sha: string): Promise<void> {
  if (await readObject(to, sha)) return
  const found = await readObject(from, sha)
  if (!found) throw new Error(`${from} has no object ${sha}.`)
  // What an object leads to comes first: one that is there has all of it.
  for (const next of referred(found)) await copyObjects(from, to, next)
  writeObject(to, found.type, found.content)
}

function referred({ type, content }: GitObject): string[] {
  if (type === 'tree')
    return [...parseTree(content).values()].flatMap(({ mode, sha }) => (mode === GITLINK ? [] : [sha]))
  if (type === 'blob') return []
  const [head = ''] = content.toString('latin1').split('\n\n', 1)
  return [...head.matchAll(/^(?:tree|parent|object) ([0-9a-f]{40})$/gm)].map(([, next = '']) => next)
}
