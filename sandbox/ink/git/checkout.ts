import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
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
    const [, tree = ''] = /^tree ([0-9a-f]{40})\n/.exec(looseObject(repository, commit).toString()) ?? []
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
 * Writes what is in a tree: `<mode> <name>`, a zero and the 20 bytes of an id each. Throws when an object is packed, and at a
 * name that git may refuse (`.GIT`), look into (`.gitattributes`) or write otherwise than it stands there (not ASCII).
 */
function writeTree(repository: string, id: string, folder: string): void {
  const tree = looseObject(repository, id)
  for (let start = 0; start < tree.length; ) {
    const space = tree.indexOf(' ', start)
    const end = tree.indexOf(0, space)
    const name = tree.toString('latin1', space + 1, end)
    if (!/^(?!\.git)[\w.@+ -]*[\w@+-]$/i.test(name)) throw new Error(`not a plain name: ${name}`)
    writeEntry(
      repository,
      tree.toString('latin1', start, space),
      tree.toString('hex', end + 1, end + 21),
      join(folder, name),
    )
    start = end + 21
  }
}

/** Writes an entry of a tree where nothing is yet. */
function writeEntry(repository: string, mode: string, id: string, path: string): void {
  if (mode === '100644') writeFileSync(path, looseObject(repository, id), { flag: 'wx' })
  else if (mode === '100755') writeFileSync(path, looseObject(repository, id), { flag: 'wx', mode: 0o777 })
  else if (mode === '120000') symlinkSync(looseObject(repository, id), path)
  else if (mode === '40000') {
    mkdirSync(path)
    writeTree(repository, id, path)
  } else throw new Error(`not a plain entry: ${mode}`)
}

/** The content of an object that has a file of its own, deflated: `<type> <size>`, a zero, the content (gitrepository-layout(5)). */
function looseObject(repository: string, id: string): Buffer {
  const object = inflateSync(readFileSync(join(repository, 'objects', id.slice(0, 2), id.slice(2))))
  return object.subarray(object.indexOf(0) + 1)
}
