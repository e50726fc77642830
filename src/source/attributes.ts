import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectStore } from './object-store.ts'
import { readObjects } from './read-objects.ts'
import type { TreeEntry } from './tree.ts'

/** The attributes that change what is shipped: gitattributes(5). */
export type AttributeName = 'filter' | 'export-ignore'

export interface AttributeQuery {
  readonly tree: string
  readonly entries: readonly TreeEntry[]
  readonly names: readonly AttributeName[]
}

/** `<name>` → paths of the entries that have it set, with its value (`set` for a bare one). */
export type FoundAttributes = ReadonlyMap<AttributeName, ReadonlyMap<string, string>>

/**
 * Looks attributes up as git does, but in the tree's own `.gitattributes` alone: neither the machine's nor the
 * checkout's count, as these differ from place to place.
 */
export async function findAttributes(
  store: ObjectStore,
  query: AttributeQuery,
  signal: AbortSignal,
): Promise<FoundAttributes> {
  const found = new Map(query.names.map((name) => [name, new Map<string, string>()]))
  if (!(await mentioned(store, query, signal))) return found
  const indexFile = join(store.directory, `index-${randomUUID()}`)
  const variables = { GIT_INDEX_FILE: indexFile }
  try {
    await store.run(['read-tree', query.tree], { variables, signal })
    // A trailing slash says that it is a directory: patterns may ask for one.
    const paths = query.entries.map(({ path, type }) => (type === 'blob' ? `${path}\0` : `${path}/\0`))
    const answer = await store.run(['check-attr', '-z', '--cached', '--stdin', ...query.names], {
      input: Buffer.from(paths.join(''), 'latin1'),
      variables,
      signal,
    })
    const fields = answer.toString('latin1').split('\0')
    for (let index = 0; index + 2 < fields.length; index += 3) {
      const [path = '', name = '', value = ''] = fields.slice(index, index + 3)
      if (value === 'unspecified' || value === 'unset') continue
      found.get(name as AttributeName)?.set(path.replace(/\/$/, ''), value)
    }
    return found
  } finally {
    await rm(indexFile, { force: true })
  }
}

// Most repositories have no such attribute at all, and are spared the index.
async function mentioned(store: ObjectStore, query: AttributeQuery, signal: AbortSignal): Promise<boolean> {
  const files = query.entries.filter(({ path, type }) => type === 'blob' && /(^|\/)\.gitattributes$/.test(path))
  const contents = await readObjects(
    store,
    files.map(({ oid }) => oid),
    signal,
  )
  return [...contents.values()].some((content) => query.names.some((name) => content.includes(name)))
}
