import type { Stats } from 'node:fs'
import { lstat, mkdir, readdir, readlink, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
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
  const root = await resolveDirectory(git.workspace, directory)
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

async function resolveDirectory(workspace: string, directory: string): Promise<string> {
  const refuse = (problem: string, hint: string) =>
    new SourceError('no-directory', `The directory "${directory}" ${problem}.`, { hint })
  const asked = relative(workspace, resolve(workspace, directory))
  if (!isInside(asked)) throw refuse('is outside the workspace', 'Name a directory inside it, such as "dist".')
  const path = join(workspace, asked)
  const status = await stat(path).catch(() => undefined)
  if (status === undefined) {
    throw refuse('does not exist', 'Build before this step, and check the path: it is relative to the workspace.')
  }
  if (!status.isDirectory()) throw refuse('is a file', 'Name the directory that it lies in.')
  const real = await realpath(path)
  const place = relative(await realpath(workspace), real)
  if (!isInside(place)) {
    throw refuse('is a link that leads out of the workspace', 'Copy its contents into the workspace first.')
  }
  if (place.split(sep).some((part) => part.toLowerCase() === '.git')) {
    throw refuse(
      'belongs to git, and may hold credentials',
      'Name the directory that the build writes, such as "dist".',
    )
  }
  return real
}

// On Windows a path on another drive stays absolute.
function isInside(path: string): boolean {
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)
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
