import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DIRECTORY, parseTree, readLooseObject, type TreeEntry } from '../../git-objects.ts'
import type { GitCommand } from './command.ts'

export interface CheckoutRequest {
  readonly git: GitCommand
  /** The bare repository. */
  readonly repository: string
  readonly commit: string
  /** An existing folder, in which `source` becomes the work tree. */
  readonly folder: string
  readonly signal: AbortSignal
}

/**
 * Writes a commit's files, as cloning would: a clone's own git is deleted anyway, and takes four more processes. A commit of
 * plain files in loose objects takes none; whatever is out of the ordinary is left to git.
 */
export async function checkOut({ git, repository, commit, folder, signal }: CheckoutRequest): Promise<void> {
  const source = join(folder, 'source')
  await mkdir(source)
  try {
    const [, tree = ''] = /^tree ([0-9a-f]{40})\n/.exec(contentOf(repository, commit).toString()) ?? []
    writeTree(repository, tree, source)
  } catch {
    await rm(source, { recursive: true })
    await mkdir(source)
    const places = [`--git-dir=${repository}`, `--work-tree=${source}`]
    const index = { GIT_INDEX_FILE: join(folder, 'index') }
    await git.run([...places, 'read-tree', '-u', '--reset', commit], { cwd: source, signal, env: index })
    await rm(index.GIT_INDEX_FILE)
  }
}

/**
 * Writes what is in a tree. Throws when an object is packed, and at a name that git may refuse (`.GIT`), look into
 * (`.gitattributes`) or write otherwise than it stands there (not ASCII).
 */
function writeTree(repository: string, sha: string, folder: string): void {
  for (const [name, entry] of parseTree(contentOf(repository, sha))) {
    if (!/^(?!\.git)[\w.@+ -]*[\w@+-]$/i.test(name)) throw new Error(`not a plain name: ${name}`)
    writeEntry(repository, entry, join(folder, name))
  }
}

/** Writes an entry of a tree where nothing is yet. */
function writeEntry(repository: string, { mode, sha }: TreeEntry, path: string): void {
  if (mode === '100644') writeFileSync(path, contentOf(repository, sha), { flag: 'wx' })
  else if (mode === '100755') writeFileSync(path, contentOf(repository, sha), { flag: 'wx', mode: 0o777 })
  else if (mode === '120000') symlinkSync(contentOf(repository, sha), path)
  else if (mode === DIRECTORY) {
    mkdirSync(path)
    writeTree(repository, sha, path)
  } else throw new Error(`not a plain entry: ${mode}`)
}

function contentOf(repository: string, sha: string): Buffer {
  const object = readLooseObject(repository, sha)
  if (object === undefined) throw new Error(`not in a file of its own: ${sha}`)
  return object.content
}
