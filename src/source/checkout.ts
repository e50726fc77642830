import { access, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { shortSha } from '../core/format.ts'
import { GitFailure, openRepository } from './git.ts'
import type { GitRemote } from './remote.ts'
import type { GitWorkspace, ObjectFormat } from './workspace.ts'

/** Which commit the event asks for, and what its checkout looks like. */
export interface WantedCommit {
  /** The commit which the event asks for: the head of the pull request, the pushed commit. */
  readonly wanted: { readonly sha: string }
  /** Commits at which the default checkout may stand for this event: the merge commit, the head. */
  readonly ordinaryCheckouts: readonly string[]
}

/** A repository in the workspace. Only ever read. */
export interface Checkout {
  readonly directory: string
  readonly objectsDirectory: string
  /** The repository's own folder, shared by its work trees. */
  readonly gitDirectory: string
  readonly format: ObjectFormat
  /** The commit checked out; undefined before the first commit. */
  readonly head: string | undefined
  /** `refs/heads/…`; undefined when detached. */
  readonly headRef: string | undefined
  readonly originUrl: string | undefined
}

/**
 * Finds the checkout of the repository: in the workspace, or up to two folders down (`actions/checkout` with `path`).
 * Preferred, in this order: one at an expected commit, one whose origin is the repository, the one that is the workspace.
 *
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
  return (
    checkouts.find(({ head }) => head !== undefined && expectedHeads.includes(head)) ??
    checkouts.find(({ originUrl }) => isAddressOf(originUrl, git.repository)) ??
    checkouts.find(({ directory, head }) => directory === git.workspace && head !== undefined)
  )
}

async function repositoriesUnder(directory: string, levels: number): Promise<string[]> {
  const own = (await exists(join(directory, '.git'))) ? [directory] : []
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

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/**
 * Reads what is to be known of a repository with a work tree.
 *
 * @throws GitFailure when `.git` is not a repository that this git can read
 */
export async function readCheckout(git: GitWorkspace, directory: string): Promise<Checkout> {
  // Naming the repository, rather than letting git discover it, also spares the question who owns the folder: in
  // container jobs that is somebody else.
  const environment = { ...git.environment, GIT_DIR: join(directory, '.git') }
  const repository = openRepository(directory, environment, git.signal)
  const read = async (...args: string[]) => (await repository.run(args)).toString().trim()
  const [layout, head, headRef, originUrl] = await Promise.all([
    read('rev-parse', '--show-object-format', '--git-path', 'objects', '--git-common-dir'),
    orUndefined(read('rev-parse', '--quiet', '--verify', 'HEAD^{commit}')),
    orUndefined(read('symbolic-ref', '--quiet', 'HEAD')),
    orUndefined(read('config', '--get', 'remote.origin.url')),
  ])
  const [format = '', objects = '', common = ''] = layout.split('\n')
  return {
    directory,
    objectsDirectory: resolve(directory, objects),
    gitDirectory: resolve(directory, common),
    format: format === 'sha256' ? 'sha256' : 'sha1',
    head,
    headRef,
    originUrl,
  }
}

// These commands answer "there is none" with a status of 1 and no text.
async function orUndefined(answer: Promise<string>): Promise<string | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof GitFailure && error.exitCode === 1) return undefined
    throw error
  }
}

// https://host/owner/name.git, git@host:owner/name.git: the last two parts say which repository it is.
function isAddressOf(url: string | undefined, repository: string): boolean {
  const parts = url?.replace(/(\.git)?\/?$/, '').split(/[/:]/)
  return parts?.slice(-2).join('/').toLowerCase() === repository.toLowerCase()
}

/** Where the parts of a tree that are not git objects can be looked for. */
export interface TreeLocation {
  /** Folder in which the tree's files may be checked out. */
  readonly workTree: string | undefined
  /** The repository's own folder, which holds its LFS contents. */
  readonly gitDirectory: string | undefined
  /** Where the repository came from. */
  readonly remote: GitRemote | undefined
  /** Where the tree is mounted in the snapshot: empty, or ending in a slash. One character per byte. */
  readonly prefix: string
}

export interface ChosenCommit {
  readonly sha: string
  /** One sentence, when it is not the commit that the event asks for or does not lie in the checkout. */
  readonly why?: string
}

/**
 * Which commit is deployed. The default checkout of a pull request stands at the merge commit, which nobody wrote: then
 * it is the head. Somebody who checked out another commit on purpose gets what they checked out.
 */
export function chooseCommit(checkout: Checkout | undefined, request: WantedCommit): ChosenCommit {
  const { wanted, ordinaryCheckouts } = request
  if (checkout?.head === undefined) {
    const why = `This repository is not checked out in the workspace, so commit ${shortSha(wanted.sha)} was fetched.`
    return { sha: wanted.sha, why }
  }
  if (checkout.head === wanted.sha || ordinaryCheckouts.includes(checkout.head)) return { sha: wanted.sha }
  const place = checkout.headRef === undefined ? '' : ` (${checkout.headRef})`
  return {
    sha: checkout.head,
    why:
      `The workflow checked out ${shortSha(checkout.head)}${place} and not ${shortSha(wanted.sha)}, the commit of this event, ` +
      'so what it checked out is what is deployed.',
  }
}
