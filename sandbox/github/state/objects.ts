import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { objectFile, readIfThere, readLooseObject } from '../../git-objects.ts'
import { askReader, type GitObject } from './object-reader.ts'

/**
 * The object of a SHA, or `undefined` when there is none. Only what is in a pack takes a git.
 */
export async function readObject(directory: string, sha: string): Promise<GitObject | undefined> {
  const loose = readLooseObject(directory, sha)
  if (loose !== undefined) return { sha, ...loose }
  return hasPacks(directory) ? askReader(directory, sha) : undefined
}

/** Writes an object into a file of its own, unless it is there, and returns its SHA. */
export function writeObject(directory: string, type: string, content: Buffer): string {
  const bytes = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])
  const sha = createHash('sha1').update(bytes).digest('hex')
  const file = objectFile(directory, sha)
  if (!existsSync(file)) replaceFile(file, deflateSync(bytes, { level: 1 }))
  return sha
}

function hasPacks(directory: string): boolean {
  const folder = join(directory, 'objects', 'pack')
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.idx'))
}

/** Writes a file so that nobody sees a part of it. Git takes no name that begins with a dot for a reference. */
function replaceFile(file: string, content: string | Buffer): void {
  const folder = dirname(file)
  const made = join(folder, `.${randomUUID()}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(made, content)
  renameSync(made, file)
}

/** The commit a name stands for, or `undefined` when there is none. */
export async function resolveCommit(directory: string, name: string): Promise<string | undefined> {
  const sha = /^[0-9a-f]{40}$/.test(name) ? name : readReference(directory, name)
  if (sha !== undefined && (await readObject(directory, sha))?.type === 'commit') return sha
  if (sha === undefined && isReference(name)) return undefined
  // A tag with a message, a shortened SHA, `refs/heads/main~1`.
  return (await askReader(directory, `${name}^{commit}`))?.sha
}

/** What git refuses in the name of a reference (git-check-ref-format(1)); much of it would lead to another file. */
const NO_REFERENCE = /\.\.|@\{|[\p{Cc} ~^:?*[\\]|\/(?:[./]|$)|\.lock(?:\/|$)|\.$/u

function isReference(name: string): boolean {
  return name.startsWith('refs/') && !NO_REFERENCE.test(name)
}

function readReference(directory: string, name: string): string | undefined {
  if (!isReference(name)) return undefined
  const own = readIfThere(join(directory, name))?.toString('latin1').trimEnd()
  if (own !== undefined) return own
  return packedReferences(directory).get(name)
}

/** The commits of the references that git has packed into one file, by name. */
function packedReferences(directory: string): ReadonlyMap<string, string> {
  const text = readIfThere(join(directory, 'packed-refs'))?.toString('utf8') ?? ''
  return new Map([...text.matchAll(/^([0-9a-f]{40}) (.+)$/gm)].map(([, sha = '', name = '']) => [name, sha]))
}

/** Points a reference at a commit. */
export function writeReference(directory: string, name: string, sha: string): void {
  if (!isReference(name)) throw new Error(`Git allows no reference with the name ${name}.`)
  const other = inTheWay(directory, name)
  if (other !== undefined) throw new Error(`Git allows no reference with the name ${name} beside ${other}.`)
  replaceFile(join(directory, name), `${sha}\n`)
}

/** A reference that would have to be a folder for another one to be written, or the other way round. */
function inTheWay(directory: string, name: string): string | undefined {
  const folders = name.split('/').map((_, index, parts) => parts.slice(0, index).join('/'))
  const above = folders.find((folder) => readReference(directory, folder) !== undefined)
  if (above !== undefined) return above
  const isFolder = statSync(join(directory, name), { throwIfNoEntry: false })?.isDirectory()
  return isFolder ? `${name}/…` : [...packedReferences(directory).keys()].find((one) => one.startsWith(`${name}/`))
}
