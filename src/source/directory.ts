import type { Stats } from 'node:fs'
import { lstat, mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { locateInWorkspace } from '../core/workspace-file.ts'
import { storeFiles } from './objects.ts'
import { SourceError } from './remote.ts'
import { readablePath, type TreeEntry, TreeMeter } from './tree.ts'
import type { GitWorkspace, Stores } from './workspace.ts'

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
