import { commitName, type SourceCommit, snapshotContent } from './commit.ts'
import type { Snapshot } from './contract.ts'
import type { DeploymentBranch } from './deployment-branch.ts'
import { GitFailure } from './local-git.ts'
import { isUnder, leaves, type MaterialTree } from './materialise.ts'
import type { ObjectStore } from './object-store.ts'
import { listTree, readablePath, type TreeEntry, writeTree } from './tree.ts'

/** A snapshot that the remote has, and the source commit it says it was made of. */
export interface OlderSnapshot extends DeploymentBranch {
  readonly sha: string
}

/** How the snapshot that is being pushed was made: older ones were most likely made the same way. */
export interface Making {
  readonly snapshot: Snapshot
  readonly material: MaterialTree
  /** `owner/name` */
  readonly repository: string
  /** Refs that the older one may name. */
  readonly refs: readonly string[]
}

/**
 * Makes an older snapshot once more, from its source commit and that commit's directories; files' contents are not needed.
 * It counts only when its name comes out the same: then the remote has every object that it leads to.
 *
 * @returns the content of the older snapshot's commit, to be written; undefined when its name does not come out
 */
export async function rebuildSnapshot(
  store: ObjectStore,
  older: OlderSnapshot,
  commit: SourceCommit,
  making: Making,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const tree = older.suffix === undefined ? commit.tree : await rebuildTree(store, commit.tree, making, signal)
  if (tree === undefined || !tree.startsWith(older.suffix ?? '')) return undefined
  for (const sourceRef of making.refs) {
    const names = { sourceSha: older.sourceSha, sourceRef, repository: making.repository }
    const content = snapshotContent(tree, commit, names)
    if (commitName(content) === older.sha) return content
  }
  return undefined
}

// What stood in for a submodule or an LFS pointer then stands in for it now, unless it has changed since.
async function rebuildTree(
  store: ObjectStore,
  tree: string,
  { snapshot, material }: Making,
  signal: AbortSignal,
): Promise<string | undefined> {
  const dropped = new Set(material.dropped)
  const submodules = new Map(material.submodules.map(({ path, sha }) => [path, sha]))
  try {
    const entries: TreeEntry[] = []
    for (const entry of leaves(await listTree(store, tree, signal))) {
      if (isUnder(entry.path, dropped)) continue
      const contents = material.contents.get(entry.oid)
      if (entry.type !== 'commit') entries.push(contents === undefined ? entry : { ...entry, oid: contents })
      else {
        const path = readablePath(entry.path)
        if (submodules.get(path) !== entry.oid) return undefined
        const oid = await store.line(['rev-parse', '--verify', `${snapshot.tree}:${path}`], { signal })
        entries.push({ ...entry, mode: '040000', type: 'tree', oid })
      }
    }
    return await writeTree(store, entries, signal)
  } catch (error) {
    if (error instanceof GitFailure) return undefined
    throw error
  }
}
