import { chooseCommit, findCheckout, type WantedCommit } from './checkout.ts'
import { GitFailure } from './git.ts'
import { readObjects } from './objects.ts'
import { listTree, readablePath } from './tree.ts'
import { borrowObjects, type GitWorkspace, type Stores } from './workspace.ts'

/** What a commit has at a path; `unknown` where the checkout does not hold the commit. Links count as no file. */
export type CommittedFile = Buffer | 'absent' | 'unknown'

/** One file of the commit that is deployed, as far as it can be told without asking a server. */
export interface FoundFile {
  /** The commit that is deployed. */
  readonly commit: string
  readonly file: CommittedFile
  /** The same path in the commit that is checked out, which for a pull request is the merge commit as a rule. */
  readonly inCheckout: CommittedFile
}

/** Reads one file of the commit that is deployed from the checkout; fetches nothing. */
export async function readCommitted(git: GitWorkspace, request: WantedCommit, path: string): Promise<FoundFile> {
  const checkout = await findCheckout(git, request)
  const { sha: commit } = chooseCommit(checkout, request)
  if (checkout === undefined) return { commit, file: 'unknown', inCheckout: 'unknown' }
  const stores = await git.stores(checkout.format)
  await borrowObjects(stores.own.directory, checkout.objectsDirectory)
  const read = (sha: string | undefined) => (sha === undefined ? ('unknown' as const) : readFrom(stores, sha, path))
  const file = await read(commit)
  return { commit, file, inCheckout: checkout.head === commit ? file : await read(checkout.head) }
}

/** Paths of the commit that is deployed, or else of the one that is checked out; undefined where there is neither. */
export async function committedPaths(
  git: GitWorkspace,
  request: WantedCommit,
): Promise<ReadonlySet<string> | undefined> {
  const checkout = await findCheckout(git, request)
  if (checkout === undefined) return undefined
  const { own } = await git.stores(checkout.format)
  await borrowObjects(own.directory, checkout.objectsDirectory)
  for (const commit of [chooseCommit(checkout, request).sha, checkout.head]) {
    try {
      if (commit === undefined) continue
      const entries = await listTree(own, commit)
      return new Set(entries.filter(({ type }) => type !== 'tree').map(({ path }) => readablePath(path)))
    } catch (error) {
      // A checkout of depth 1 holds the merge commit and not the head.
      if (!(error instanceof GitFailure)) throw error
    }
  }
  return undefined
}

async function readFrom({ own }: Stores, commit: string, path: string): Promise<CommittedFile> {
  try {
    // <mode> SP <type> SP <oid> TAB <path> NUL: git-ls-tree(1)
    const entry = (await own.run(['ls-tree', '-z', commit, '--', path])).toString('latin1')
    const [, oid] = /^100\d+ blob ([0-9a-f]+)\t/.exec(entry) ?? []
    if (oid === undefined) return 'absent'
    return (await readObjects(own, [oid])).get(oid) ?? 'unknown'
  } catch (error) {
    if (error instanceof GitFailure) return 'unknown'
    throw error
  }
}
