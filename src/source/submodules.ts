import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { type Checkout, readCheckout } from './checkout.ts'
import { short } from './choose-commit.ts'
import { listCommit } from './complete.ts'
import { GitFailure } from './local-git.ts'
import type { ObjectStore } from './object-store.ts'
import type { Place } from './place.ts'
import { SourceError } from './source-error.ts'
import { submoduleRemote } from './submodule-remote.ts'
import { readablePath, type TreeEntry } from './tree.ts'
import type { Stores, Workshop } from './workshop.ts'

/** A submodule's tree, and where its own parts can be looked for. */
export interface SubmoduleTree {
  readonly commit: string
  readonly entries: readonly TreeEntry[]
  readonly place: Place
}

/**
 * Has the tree of one submodule: from the checkout when it lies there, else from the address in `.gitmodules`.
 *
 * @throws SourceError `no-submodule`, which says which one and how to check it out
 */
export async function openSubmodule(
  workshop: Workshop,
  stores: Stores,
  link: { readonly entry: TreeEntry; readonly url: string | undefined; readonly place: Place },
  signal: AbortSignal,
): Promise<SubmoduleTree> {
  const { entry, place } = link
  const path = readablePath(place.prefix + entry.path)
  const checkout = await readSubmoduleCheckout(workshop, place, entry.path, signal)
  if (checkout !== undefined) await stores.own.borrow(checkout.objectsDirectory)
  const remote = link.url === undefined ? undefined : submoduleRemote(link.url, place.remote)
  try {
    const from = { remote, nothingHere: checkout === undefined }
    return {
      commit: entry.oid,
      entries: await listCommit(workshop, stores, entry.oid, from, signal),
      place: {
        workTree: checkout?.directory,
        gitDirectory: checkout?.gitDirectory,
        remote,
        prefix: `${place.prefix}${entry.path}/`,
      },
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    const address = link.url === undefined ? 'no address in .gitmodules' : link.url
    throw new SourceError(
      'no-submodule',
      `The submodule ${path} (${address}, commit ${short(entry.oid)}) is needed and cannot be had. ${error.message}`,
      {
        hint:
          'Let actions/checkout bring it: "with: submodules: recursive". If it is private, also give checkout a ' +
          '"token" that may read it; the workflow\'s own token reads no other repository.',
      },
    )
  }
}

async function readSubmoduleCheckout(
  workshop: Workshop,
  place: Place,
  path: string,
  signal: AbortSignal,
): Promise<Checkout | undefined> {
  if (place.workTree === undefined) return undefined
  const directory = join(place.workTree, readablePath(path))
  try {
    await access(join(directory, '.git'))
    return await readCheckout(directory, workshop.environment, signal)
  } catch {
    signal.throwIfAborted()
    // Not there, or the ruin of one: it is fetched then.
    return undefined
  }
}

/** Path of a submodule → its address, from `.gitmodules`. */
export async function readSubmoduleUrls(
  store: ObjectStore,
  entries: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const file = entries.find(({ path, type }) => path === '.gitmodules' && type === 'blob')
  if (file === undefined) return new Map()
  const pattern = '^submodule\\..*\\.(path|url)$'
  const answer = await store
    .run(['config', '--blob', file.oid, '--null', '--get-regexp', pattern], { signal })
    .catch((error: unknown) => {
      if (error instanceof GitFailure && error.exitCode === 1) return Buffer.alloc(0)
      throw error
    })
  // submodule.<name>.<path|url> LF <value> NUL
  const settings = new Map<string, { path?: string; url?: string }>()
  for (const record of answer.toString('latin1').split('\0')) {
    const [, name, key, value] = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(record) ?? []
    if (name === undefined || key === undefined) continue
    settings.set(name, { ...settings.get(name), [key]: value })
  }
  return new Map(
    [...settings.values()].flatMap(({ path, url }) => (path === undefined || url === undefined ? [] : [[path, url]])),
  )
}
