import { access, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { SourceLog } from './contract.ts'
import type { ChildEnvironment } from './git-environment.ts'
import { GitFailure, runLocalGit } from './local-git.ts'
import type { ObjectFormat } from './object-store.ts'

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

/** What tells the right checkout from others: its place, its commit, its origin. */
export interface CheckoutQuery {
  readonly workspace: string
  /** `owner/name` */
  readonly repository: string
  /** Commits at which the event's checkout may stand. */
  readonly expectedHeads: readonly string[]
}

/**
 * Finds the checkout of the repository: in the workspace, or up to two folders down (`actions/checkout` with `path`).
 * Preferred, in this order: one at an expected commit, one whose origin is the repository, the one that is the workspace.
 *
 * @returns undefined when nothing is checked out
 */
export async function findCheckout(
  query: CheckoutQuery,
  environment: ChildEnvironment,
  log: SourceLog,
  signal: AbortSignal,
): Promise<Checkout | undefined> {
  const checkouts: Checkout[] = []
  for (const directory of await repositoriesUnder(query.workspace, 2)) {
    try {
      checkouts.push(await readCheckout(directory, environment, signal))
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error
      log.warning(
        `${join(directory, '.git')} is not a repository that git can read, and is passed over: ${error.message}`,
      )
    }
  }
  return (
    checkouts.find(({ head }) => head !== undefined && query.expectedHeads.includes(head)) ??
    checkouts.find(({ originUrl }) => isAddressOf(originUrl, query.repository)) ??
    checkouts.find(({ directory, head }) => directory === query.workspace && head !== undefined)
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
export async function readCheckout(
  directory: string,
  environment: ChildEnvironment,
  signal: AbortSignal,
): Promise<Checkout> {
  // Naming the repository, rather than letting git discover it, also spares the question who owns the folder: in
  // container jobs that is somebody else.
  const own = { cwd: directory, environment: { ...environment, GIT_DIR: join(directory, '.git') }, signal }
  const read = async (...args: string[]) => (await runLocalGit(args, own)).toString().trim()
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
