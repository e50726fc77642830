import type { GitRemote } from './remote.ts'

/** Where the parts of a tree that are not git objects can be looked for. */
export interface Place {
  /** Folder in which the tree's files may be checked out. */
  readonly workTree: string | undefined
  /** The repository's own folder, which holds its LFS contents. */
  readonly gitDirectory: string | undefined
  /** Where the repository came from. */
  readonly remote: GitRemote | undefined
  /** Where the tree is mounted in the snapshot: empty, or ending in a slash. One character per byte. */
  readonly prefix: string
}
