import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { shortSha } from '../core/format.ts'
import type { WantedCommit } from '../plan/context.ts'
import { GitFailure, type GitRepository, openRepository, unlessGitFails } from './git.ts'
import { listPaths, readablePath } from './objects.ts'
import type { GitRemote } from './remote.ts'
import { borrowObjects, type GitWorkspace, readObjects } from './workspace.ts'

/**
 * Finds the checkout of the repository: in the workspace, or up to two folders down (`actions/checkout` with `path`).
 * Preferred, in this order: one at an expected commit, one whose origin is the repository, the one that is the workspace.
 * @returns undefined when nothing is checked out
 */
export async function findCheckout(git: GitWorkspace, request: WantedCommit): Promise<Checkout | undefined> {
  const checkouts: Checkout[] = []
  for (const directory of await repositoriesUnder(git.workspace, 2)) {
    try {
      checkouts.push(await readCheckout(git, directory))
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error
      git.log.warning(
        `${join(directory, '.git')} is not a repository that git can read, and is passed over: ${error.message}`,
      )
    }
  }
  const expectedHeads = [request.wanted.sha, ...request.ordinaryCheckouts]
  const atCommit = checkouts.find(({ head }) => head !== undefined && expectedHeads.includes(head))
  if (atCommit !== undefined) return atCommit
  for (const checkout of checkouts) if (await comesFrom(checkout, git.repository)) return checkout
  return checkouts.find(({ directory, head }) => directory === git.workspace && head !== undefined)
}

// https://host/owner/name.git, git@host:owner/name.git: the last two parts say which repository it is.
async function comesFrom({ repository }: Checkout, name: string): Promise<boolean> {
  const url = await unlessGitFails(repository.run(['config', '--get', 'remote.origin.url']))
  const parts = url
    ?.toString()
    .trim()
    .replace(/(\.git)?\/?$/, '')
    .split(/[/:]/)
  return parts?.slice(-2).join('/').toLowerCase() === name.toLowerCase()
}

async function repositoriesUnder(directory: string, levels: number): Promise<string[]> {
  const own = existsSync(join(directory, '.git')) ? [directory] : []
  if (levels === 0) return own
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  const below = await Promise.all(
    folders
      .filter((entry) => entry.name !== 'node_modules')
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) => repositoriesUnder(join(directory, entry.name), levels - 1)),
  )
  return [...own, ...below.flat()]
}

/** A repository in the workspace. Only ever read. */
export type Checkout = Awaited<ReturnType<typeof readCheckout>>

/**
 * Reads what is to be known of a repository with a work tree.
 * @throws GitFailure when `.git` is not a repository that this git can read
 */
export async function readCheckout(git: GitWorkspace, directory: string) {
  // Naming the repository, rather than letting git discover it, also spares the question who owns the folder: in
  // container jobs that is somebody else.
  const environment = { ...git.environment, GIT_DIR: join(directory, '.git') }
  const repository = openRepository(directory, environment, git.signal)
  const layout = ['--show-object-format', '--git-path', 'objects', '--git-common-dir']
  const revisions = ['HEAD^{commit}', '--symbolic-full-name', 'HEAD']
  // --revs-only: what there is none of is left out.
  const answer = await repository.run(['rev-parse', '--revs-only', ...layout, ...revisions])
  const [format = '', objects = '', common = '', ...found] = answer.toString().trim().split('\n')
  return {
    directory,
    repository,
    objectsDirectory: resolve(directory, objects),
    /** The repository's own folder, shared by its work trees. */
    gitDirectory: resolve(directory, common),
    format: format === 'sha256' ? 'sha256' : 'sha1',
    /** The commit checked out; undefined before the first commit. */
    head: found.find((line) => /^[0-9a-f]+$/.test(line)),
    /** `refs/heads/…`; undefined when detached. */
    headRef: found.find((line) => line.startsWith('refs/')),
  } as const
}

/** Where the parts of a tree that are not git objects can be looked for. */
export interface TreeLocation {
  /** In which the tree's files may be checked out, and which may hold its LFS contents. */
  readonly checkout: Checkout | undefined
  readonly remote: GitRemote | undefined
  /** Where the tree is mounted in the snapshot: empty, or ending in a slash. One character per byte. */
  readonly prefix: string
}

/**
 * Which commit is deployed. The default checkout of a pull request stands at the merge commit, which nobody wrote: then
 * it is the head. Somebody who checked out another commit on purpose gets what they checked out.
 * @returns with `why`, one sentence, when it is not the commit that the event asks for or does not lie in the checkout
 */
export function chooseCommit(checkout: Pick<Checkout, 'head' | 'headRef'> | undefined, request: WantedCommit) {
  const { wanted, ordinaryCheckouts } = request
  if (checkout?.head === undefined) {
    const why = `This repository is not checked out in the workspace, so commit ${shortSha(wanted.sha)} was fetched.`
    return { sha: wanted.sha, why }
  }
  if (checkout.head === wanted.sha || ordinaryCheckouts.includes(checkout.head)) return { sha: wanted.sha }
  const place = checkout.headRef === undefined ? '' : ` (${checkout.headRef})`
  const instead = `checked out ${shortSha(checkout.head)}${place} and not ${shortSha(wanted.sha)}, the commit of this event`
  return { sha: checkout.head, why: `The workflow ${instead}, so what it checked out is what is deployed.` }
}

/** What a request means: the checkout, the commit that is deployed, and stores that hold all that the checkout does. */
export async function openCheckout(git: GitWorkspace, request: WantedCommit) {
  const checkout = await findCheckout(git, request)
  const chosen = chooseCommit(checkout, request)
  const stores = await git.stores(checkout?.format ?? (chosen.sha.length === 64 ? 'sha256' : 'sha1'))
  if (checkout !== undefined) await borrowObjects(stores.own.directory, checkout.objectsDirectory)
  return { checkout, chosen, stores }
}

/** Reads one file of the commit that is deployed from the checkout; fetches nothing. */
export async function readCommitted(git: GitWorkspace, request: WantedCommit, path: string) {
  const { checkout, chosen, stores } = await openCheckout(git, request)
  const read = async (sha: string | undefined): Promise<Buffer | 'absent' | 'unknown'> =>
    (checkout && sha && (await unlessGitFails(readFile(stores.own, sha, path)))) || 'unknown'
  const file = await read(chosen.sha)
  return {
    commit: chosen.sha,
    file,
    /** The same path in the commit that is checked out, which for a pull request is the merge commit as a rule. */
    inCheckout: checkout?.head === chosen.sha ? file : await read(checkout?.head),
  }
}

/** One file of a commit or tree; undefined where its contents are not here. Links count as no file. */
export async function readFile(own: GitRepository, commit: string, path: string) {
  // <mode> SP <type> SP <oid> TAB <path> NUL: git-ls-tree(1)
  const entry = (await own.run(['ls-tree', '-z', commit, '--', path])).toString('latin1')
  const [, oid, found = ''] = /^100\d+ blob ([0-9a-f]+)\t([^\0]*)/.exec(entry) ?? []
  // Of a directory git lists what is in it.
  if (oid === undefined || readablePath(found) !== path) return 'absent'
  return (await readObjects(own, [oid])).get(oid)
}

/** Paths of the commit that is deployed, or else of the one that is checked out; undefined where there is neither. */
export async function committedPaths(git: GitWorkspace, request: WantedCommit) {
  const { checkout, chosen, stores } = await openCheckout(git, request)
  // A checkout of depth 1 holds the merge commit and not the head.
  for (const commit of checkout === undefined ? [] : [chosen.sha, checkout.head]) {
    const paths = commit && (await unlessGitFails(listPaths(stores.own, commit)))
    if (paths) return paths
  }
  return undefined
}
