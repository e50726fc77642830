import type { Stats } from 'node:fs'
import { access, lstat, mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { shortSha } from '../core/format.ts'
import { locateInWorkspace } from '../core/workspace-file.ts'
import { GitFailure, openRepository } from './git.ts'
import { storeFiles } from './objects.ts'
import type { GitRemote } from './remote.ts'
import { SourceError } from './remote.ts'
import { readablePath, type TreeEntry, TreeMeter } from './tree.ts'
import type { GitWorkspace, ObjectFormat, Stores } from './workspace.ts'

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

interface FoundFile {
  readonly absolute: Buffer
  /** From the directory, one character per byte. */
  readonly path: string
  readonly mode: '100644' | '100755' | '120000'
  readonly size: number
}

/**
 * The files of a directory as they lie there now, ignored ones included. Folders named `.git` stay behind: they hold
 * credentials.
 *
 * @param directory relative to the workspace
 * @throws SourceError `no-directory` when it is missing, empty, or not inside the workspace
 */
export async function listDirectory(
  git: GitWorkspace,
  stores: Stores,
  directory: string,
): Promise<readonly TreeEntry[]> {
  const root = resolveDirectory(git.workspace, directory)
  const files: FoundFile[] = []
  await walk(git, Buffer.from(root), '', files, new TreeMeter())
  git.signal.throwIfAborted()
  if (files.length === 0) {
    throw new SourceError('no-directory', `The directory "${directory}" has no files.`, {
      hint: 'Build before this step, and check that the build writes there.',
    })
  }
  const linkFolder = git.freshPath('links')
  await mkdir(linkFolder, { recursive: true })
  try {
    const paths: Buffer[] = []
    for (const file of files) {
      paths.push(file.mode === '120000' ? await linkText(file, join(linkFolder, String(paths.length))) : file.absolute)
    }
    const oids = await storeFiles(stores.own, paths)
    return files.map(({ path, mode, size }, index) => ({ path, mode, size, type: 'blob', oid: oids[index] ?? '' }))
  } finally {
    await rm(linkFolder, { recursive: true, force: true })
  }
}

function resolveDirectory(workspace: string, directory: string): string {
  const refuse = (problem: string, hint: string) =>
    new SourceError('no-directory', `The directory "${directory}" ${problem}.`, { hint })
  const located = locateInWorkspace(workspace, directory)
  switch (located.kind) {
    case 'directory':
      return located.path
    case 'absent':
      throw refuse('does not exist', 'Build before this step, and check the path: it is relative to the workspace.')
    case 'file':
      throw refuse('is a file', 'Name the directory that it lies in.')
    case 'refused':
      throw refuse(located.why, 'Name the directory inside the workspace that the build writes, such as "dist".')
  }
}

async function walk(
  git: GitWorkspace,
  folder: Buffer,
  prefix: string,
  found: FoundFile[],
  meter: TreeMeter,
): Promise<void> {
  const names = (await readdir(folder, { encoding: 'buffer' })).toSorted(Buffer.compare)
  for (const name of names) {
    git.signal.throwIfAborted()
    if (name.toString('latin1').toLowerCase() === '.git') continue
    const absolute = Buffer.concat([folder, Buffer.from(sep), name])
    const path = prefix + name.toString('latin1')
    const status = await lstat(absolute)
    const mode = modeOf(status)
    meter.add({ path, type: mode === undefined ? 'tree' : 'blob', size: mode === undefined ? 0 : status.size })
    if (mode !== undefined) found.push({ absolute, path, mode, size: status.size })
    else if (status.isDirectory()) await walk(git, absolute, `${path}/`, found, meter)
    else git.log.warning(`${readablePath(path)} is neither a file, a link nor a folder, and is not deployed.`)
  }
}

function modeOf(status: Stats): FoundFile['mode'] | undefined {
  if (status.isSymbolicLink()) return '120000'
  if (!status.isFile()) return undefined
  return (status.mode & 0o100) === 0 ? '100644' : '100755'
}

// A link's contents is where it points to. git takes contents from files, so it goes through one.
async function linkText(link: FoundFile, path: string): Promise<Buffer> {
  await writeFile(path, await readlink(link.absolute, { encoding: 'buffer' }))
  return Buffer.from(path)
}
