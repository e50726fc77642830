import { findAttributes } from './attributes.ts'
import { findLfsContents } from './lfs.ts'
import type { Place } from './place.ts'
import { openSubmodule, readSubmoduleUrls } from './submodules.ts'
import { readablePath, type TreeEntry } from './tree.ts'
import type { Stores, Workshop } from './workshop.ts'

/** A tree with everything in it that the platform would not fetch by itself. */
export interface MaterialTree {
  /** Files, and directories that have none. Paths from the snapshot's root. */
  readonly entries: readonly TreeEntry[]
  /** False when it is the commit's own tree, entry by entry. */
  readonly changed: boolean
  readonly lfs: { readonly replaced: number; readonly missing: readonly string[] }
  readonly submodules: readonly { readonly path: string; readonly sha: string }[]
  readonly dropped: readonly string[]
  /** What stands in for what, to rebuild the trees of older commits: object of a pointer → object of its contents. */
  readonly contents: ReadonlyMap<string, string>
}

/**
 * Puts LFS contents in the place of pointers and submodules' files in the place of links, all levels down, and leaves out what
 * is marked `export-ignore` when asked to.
 *
 * @throws SourceError `no-submodule`
 */
export async function materialise(
  workshop: Workshop,
  stores: Stores,
  tree: { readonly oid: string; readonly entries: readonly TreeEntry[]; readonly place: Place },
  options: { readonly exportIgnore: boolean },
  signal: AbortSignal,
): Promise<MaterialTree> {
  const { place } = tree
  const attributes = await findAttributes(
    stores.own,
    {
      tree: tree.oid,
      entries: tree.entries,
      names: options.exportIgnore ? ['filter', 'export-ignore'] : ['filter'],
    },
    signal,
  )
  const ignored = new Set(attributes.get('export-ignore')?.keys())
  const entries = leaves(tree.entries).filter(({ path }) => !isUnder(path, ignored))
  const lfs = await findLfsContents(workshop, stores, { entries, attributes, place }, signal)
  const urls = await readSubmoduleUrls(stores.own, entries, signal)
  const inner: MaterialTree[] = []
  const submodules: { path: string; sha: string }[] = []
  for (const entry of entries.filter(({ type }) => type === 'commit')) {
    const opened = await openSubmodule(workshop, stores, { entry, url: urls.get(entry.path), place }, signal)
    const below = { oid: `${entry.oid}^{tree}`, entries: opened.entries, place: opened.place }
    inner.push(await materialise(workshop, stores, below, options, signal))
    submodules.push({ path: readablePath(place.prefix + entry.path), sha: entry.oid })
  }
  const own = entries
    .filter(({ type }) => type !== 'commit')
    .map((entry) => ({ ...entry, ...lfs.replacements.get(entry.path), path: place.prefix + entry.path }))
  const missing = lfs.missing.map((path) => readablePath(place.prefix + path))
  return {
    entries: [...own, ...inner.flatMap((below) => below.entries)],
    changed: lfs.replacements.size > 0 || submodules.length > 0 || ignored.size > 0,
    lfs: {
      replaced: inner.reduce((sum, below) => sum + below.lfs.replaced, lfs.replacements.size),
      missing: [...missing, ...inner.flatMap((below) => below.lfs.missing)],
    },
    submodules: [...submodules, ...inner.flatMap((below) => below.submodules)],
    dropped: [...ignored],
    contents: new Map(
      entries.flatMap(({ path, oid }) => {
        const replacement = lfs.replacements.get(path)
        return replacement === undefined ? [] : [[oid, replacement.oid]]
      }),
    ),
  }
}

/** The entries that a tree is rebuilt from: files and links, and directories without any. */
export function leaves(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  const parents = new Set(entries.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('/')))))
  return entries.filter(({ type, path }) => type !== 'tree' || !parents.has(path))
}

/** Whether one of the paths is that path or a directory above it. */
export function isUnder(path: string, paths: ReadonlySet<string>): boolean {
  if (paths.size === 0) return false
  const parts = path.split('/')
  return parts.some((_, index) => paths.has(parts.slice(0, index + 1).join('/')))
}
