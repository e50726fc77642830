import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'

/** Where an object that has a file of its own lies (gitrepository-layout(5)). */
export function objectFile(directory: string, sha: string): string {
  return join(directory, 'objects', sha.slice(0, 2), sha.slice(2))
}

/**
 * An object that has a file of its own, deflated: `<type> <size>`, a zero, the content (gitformat-loose, “loose object
 * format”); `undefined` when it is in a pack, or nowhere. Spares the process that git takes for it.
 */
export function readLooseObject(
  directory: string,
  sha: string,
): { readonly type: string; readonly content: Buffer } | undefined {
  const stored = readIfThere(objectFile(directory, sha))
  if (stored === undefined) return undefined
  const bytes = inflateSync(stored)
  const end = bytes.indexOf(0)
  const [type = ''] = bytes.toString('latin1', 0, end).split(' ')
  return { type, content: bytes.subarray(end + 1) }
}

/** A file's content, or `undefined` where none can be read. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    // A folder, or what cannot be the name of a file, is no object and no reference either.
    return undefined
  }
}

export const DIRECTORY = '40000'
export const GITLINK = '160000'

export interface TreeEntry {
  /** As a tree has it: without leading zeros. */
  readonly mode: string
  readonly sha: string
}

/** The entries of a tree by name. A name is any bytes, so it has a character for each of them (latin1). */
export function parseTree(content: Buffer): Map<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>()
  for (let at = 0; at < content.length; ) {
    const end = content.indexOf(0, at)
    const [mode = '', ...name] = content.toString('latin1', at, end).split(' ')
    at = end + 21
    entries.set(name.join(' '), { mode, sha: content.toString('hex', end + 1, at) })
  }
  return entries
}
