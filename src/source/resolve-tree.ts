import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { formatBytes, shortSha } from '../core/format.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import { readCheckout, type TreeLocation } from './checkout.ts'
import { GitFailure, type GitRepository, unlessGitFails } from './git.ts'
import { isUnder, leaves, listCommit, readablePath, type TreeEntry, tooLarge } from './objects.ts'
import { decisiveLine, GitRemote, SourceError } from './remote.ts'
import { borrowObjects, readObjects, type Stores } from './workspace.ts'

/** A tree with everything in it that the platform would not fetch by itself. */
export interface ResolvedTree {
  /** Files, and directories that have none. Paths from the snapshot's root. */
  readonly entries: readonly TreeEntry[]
  /** False when it is the commit's own tree, entry by entry. */
  readonly changed: boolean
  readonly lfs: { readonly replaced: number; readonly missing: readonly string[]; readonly reasons: readonly string[] }
  readonly submodules: readonly { readonly path: string; readonly sha: string }[]
  readonly dropped: readonly string[]
  /** What stands in for what, to rebuild the trees of older commits: object of a pointer → object of its contents. */
  readonly contents: ReadonlyMap<string, string>
}

interface SourceTree {
  readonly oid: string
  readonly entries: readonly TreeEntry[]
  readonly location: TreeLocation
}

/**
 * Puts LFS contents in the place of pointers and submodules' files in the place of links, all levels down, and leaves out what
 * is marked `export-ignore` when asked to.
 * @throws SourceError `no-submodule`, `too-large`
 */
export async function resolveTree(
  stores: Stores,
  tree: SourceTree,
  options: { readonly exportIgnore: boolean; readonly meter: TreeMeter },
): Promise<ResolvedTree> {
  const { location } = tree
  const { meter } = options
  for (const entry of tree.entries) meter.add({ ...entry, path: location.prefix + entry.path })
  const names: AttributeName[] = options.exportIgnore ? ['filter', 'export-ignore'] : ['filter']
  const attributes = await findAttributes(stores, tree, names)
  const ignored = new Set(attributes['export-ignore'].keys())
  const entries = leaves(tree.entries).filter(({ path }) => !isUnder(path, ignored))
  const givenToLfs = entries.filter(({ path }) => attributes.filter.get(path) === 'lfs')
  const lfs = givenToLfs.length === 0 ? noLfsContents : await lfsContents(stores, givenToLfs, location, meter)
  const urls = await readSubmoduleUrls(stores.own, entries)
  const inner: ResolvedTree[] = []
  const submodules: { path: string; sha: string }[] = []
  for (const entry of entries.filter(({ type }) => type === 'commit')) {
    const below = await openSubmodule(stores, entry, urls.get(entry.path), location)
    inner.push(await resolveTree(stores, below, options))
    submodules.push({ path: readablePath(location.prefix + entry.path), sha: entry.oid })
  }
  const own = entries
    .filter(({ type }) => type !== 'commit')
    .map((entry) => ({ ...entry, ...lfs.replacements.get(entry.path), path: location.prefix + entry.path }))
  const missing = lfs.missing.map((path) => readablePath(location.prefix + path))
  return {
    entries: [...own, ...inner.flatMap((below) => below.entries)],
    changed: lfs.replacements.size > 0 || submodules.length > 0 || ignored.size > 0,
    lfs: {
      replaced: inner.reduce((sum, below) => sum + below.lfs.replaced, lfs.replacements.size),
      missing: [...missing, ...inner.flatMap((below) => below.lfs.missing)],
      reasons: [...lfs.reasons, ...inner.flatMap((below) => below.lfs.reasons)],
    },
    submodules: [...submodules, ...inner.flatMap((below) => below.submodules)],
    dropped: [...ignored],
    contents: new Map(
      entries.flatMap(({ path, oid }) => {
        const replacement = lfs.replacements.get(path)
        return replacement === undefined ? [] : [[oid, replacement.oid]]
      }),
    ),
  }
}

const noLfsContents = { replacements: new Map<string, Pick<TreeEntry, 'oid' | 'size'>>(), missing: [], reasons: [] }

async function lfsContents(stores: Stores, entries: readonly TreeEntry[], location: TreeLocation, meter: TreeMeter) {
  const { findLfsContents } = await import('./lfs.ts')
  return findLfsContents(stores, entries, location, (bytes) => meter.addBytes(bytes))
}

/** What is shipped at most. Far above what can be built, and low enough to be handled in the memory of a small runner. */
const treeLimits = { entries: 300_000, depth: 100, bytes: 10_000_000_000, submodules: 200 }

/** Measures what is to be shipped while it is collected, through all submodules: each may contain others. */
export class TreeMeter {
  readonly #limits: typeof treeLimits
  #entries = 0
  #bytes = 0
  #submodules = 0

  constructor(limits = treeLimits) {
    this.#limits = limits
  }

  /**
   * @param entry its path is the one from the snapshot's root
   * @throws SourceError `too-large` from the first entry on that is too much; `git-failed` for a path that leads elsewhere
   */
  add({ path, type, size = 0 }: Pick<TreeEntry, 'path' | 'type' | 'size'>): void {
    const { entries, depth, submodules } = this.#limits
    const parts = path.split('/')
    this.#entries += 1
    if (type === 'commit') this.#submodules += 1
    if (this.#entries > entries) throw tooLarge(`it has more than ${entries} files and folders`)
    if (this.#submodules > submodules) throw tooLarge(`it has more than ${submodules} submodules`)
    if (parts.length > depth) throw tooLarge(`its folders are nested more than ${depth} levels deep`)
    if (parts.some((part) => leadsElsewhere.has(part.toLowerCase()))) {
      const where = sanitizePhrase(readablePath(path))
      throw new SourceError('git-failed', `What is to be deployed has a file at ${where}.`, {
        hint: 'git itself makes no such paths, as they lead out of the repository. Find the commit that added it.',
      })
    }
    this.addBytes(size)
  }

  /** For contents that take the place of a file. */
  addBytes(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.bytes) throw tooLarge(`its files are larger than ${formatBytes(this.#limits.bytes)}`)
  }
}

const leadsElsewhere = new Set(['', '.', '..', '.git'])

/** The attributes that change what is shipped: gitattributes(5). */
type AttributeName = 'filter' | 'export-ignore'

/**
 * Looks attributes up as git does, but in the tree's own `.gitattributes` alone: neither the machine's nor the
 * checkout's count, as these differ from place to place.
 * @returns for each name the paths that have it set, with its value (`set` for a bare one)
 */
async function findAttributes({ git, own }: Stores, tree: SourceTree, names: readonly AttributeName[]) {
  const found = { filter: new Map<string, string>(), 'export-ignore': new Map<string, string>() }
  // Most repositories have no such attribute at all, and are spared the index.
  const files = tree.entries.filter(({ path, type }) => type === 'blob' && /(^|\/)\.gitattributes$/.test(path))
  const oids = files.map(({ oid }) => oid)
  const contents = [...(await readObjects(own, oids)).values()]
  if (!contents.some((content) => names.some((name) => content.includes(name)))) return found
  const variables = { GIT_INDEX_FILE: git.freshPath('index') }
  await own.run(['read-tree', tree.oid], { variables })
  // A trailing slash says that it is a directory: patterns may ask for one.
  const paths = tree.entries.map(({ path, type }) => (type === 'blob' ? `${path}\0` : `${path}/\0`))
  const input = Buffer.from(paths.join(''), 'latin1')
  const answer = await own.run(['check-attr', '-z', '--cached', '--stdin', ...names], { input, variables })
  // <path> NUL <attribute> NUL <value> NUL
  for (const [, path = '', name, value = ''] of answer.toString('latin1').matchAll(/([^\0]*)\0([^\0]*)\0([^\0]*)\0/g)) {
    if (value !== 'unspecified' && value !== 'unset') found[name as AttributeName].set(path.replace(/\/$/, ''), value)
  }
  return found
}

/**
 * Has the tree of one submodule: from the checkout when it lies there, else from the address in `.gitmodules`.
 * @throws SourceError `no-submodule`, which says which one and how to check it out
 */
async function openSubmodule(stores: Stores, { path, oid }: TreeEntry, url: string | undefined, parent: TreeLocation) {
  const directory = parent.checkout && join(parent.checkout.directory, readablePath(path))
  const isThere = directory !== undefined && existsSync(join(directory, '.git'))
  // The ruin of one is fetched as if it were not there.
  const checkout = isThere ? await unlessGitFails(readCheckout(stores.git, directory)) : undefined
  if (checkout !== undefined) await borrowObjects(stores.own.directory, checkout.objectsDirectory)
  const remote = url === undefined ? undefined : submoduleRemote(url, parent.remote)
  try {
    const location = { checkout, remote, prefix: `${parent.prefix}${path}/` }
    return { oid: `${oid}^{tree}`, entries: await listCommit(stores, oid, location), location }
  } catch (error) {
    const gone = error instanceof SourceError && ['no-commit', 'unreachable'].includes(error.code)
    const { AddressRefused } = await import('../core/addresses.ts')
    if (!gone && !(error instanceof AddressRefused)) throw error
    const what = `${readablePath(parent.prefix + path)} (${url ?? 'no address in .gitmodules'}, commit ${shortSha(oid)})`
    throw new SourceError('no-submodule', `The submodule ${what} is needed and cannot be fetched. ${error.message}`, {
      hint:
        'Let actions/checkout bring it: "with: submodules: recursive". If it is private, also give checkout a ' +
        '"token" that may read it; the workflow\'s own token reads no other repository.',
    })
  }
}

// Some thousand submodules; what is shipped may have far fewer.
const mostGitmodulesBytes = 1_000_000

/** Path of a submodule → its address, from `.gitmodules`. Empty where there are no submodules. */
async function readSubmoduleUrls(store: GitRepository, entries: readonly TreeEntry[]) {
  const file = entries.find(({ path, type }) => path === '.gitmodules' && type === 'blob')
  if (file === undefined || entries.every(({ type }) => type !== 'commit')) return new Map()
  const { oid, size = 0 } = file
  const unreadable = (why: string) =>
    new SourceError('no-submodule', `.gitmodules cannot be read: ${why}`, {
      hint: 'There are submodules, and their addresses stand there. Fix the file, or remove the submodules.',
    })
  if (size > mostGitmodulesBytes) throw unreadable(`it has ${formatBytes(size)}`)
  const pattern = '^submodule\\..*\\.(path|url)$'
  const answer = await store
    .run(['config', '--blob', oid, '--null', '--get-regexp', pattern])
    .catch((error: unknown) => {
      if (!(error instanceof GitFailure)) throw error
      if (error.exitCode === 1 && error.stderr === '') return Buffer.alloc(0)
      throw unreadable(decisiveLine(error.stderr))
    })
  // submodule.<name>.<path|url> LF <value> NUL
  const settings = new Map<string, { path?: string; url?: string }>()
  const records = answer.toString('latin1').matchAll(/submodule\.([^\0]*)\.(path|url)\n([^\0]*)\0/g)
  for (const [, name = '', key = '', value] of records) {
    settings.set(name, { ...settings.get(name), [key]: value })
  }
  return new Map(
    [...settings.values()].flatMap(({ path, url }) => (path === undefined || url === undefined ? [] : [[path, url]])),
  )
}

/**
 * The address at which a submodule can be fetched, with our token or without. `.gitmodules` is a stranger's text: the
 * token goes to the parent's own server alone (the same scheme, host and port), and nothing but HTTPS is spoken with
 * others.
 * @param url as in `.gitmodules`: absolute, relative to the parent (`../lib.git`), or for SSH (`git@host:owner/lib.git`)
 * @returns undefined when it cannot be fetched over HTTPS (or as the parent is)
 */
export function submoduleRemote(url: string, parent: GitRemote | undefined): GitRemote | undefined {
  const resolved = resolveAddress(url, parent && new URL(parent.url))
  if (resolved === undefined) return undefined
  // Credentials in a file that everybody reads are not used.
  resolved.username = ''
  resolved.password = ''
  if (parent !== undefined && resolved.origin === new URL(parent.url).origin) return parent.sibling(resolved.href)
  return resolved.protocol === 'https:' ? new GitRemote(resolved.href, '', undefined, { untrusted: true }) : undefined
}

function resolveAddress(url: string, parent: URL | undefined): URL | undefined {
  if (url.startsWith('./') || url.startsWith('../')) {
    const folder = parent && `${parent.href.replace(/\/$/, '')}/`
    return folder === undefined ? undefined : parsed(url, folder)
  }
  // user@host:path, ssh://user@host[:port]/path
  const ssh = /^(?:ssh:\/\/)?[^@/]+@([^:/]+)(?::\d+\/|[:/])(.+)$/
  const [, host, path] = (url.startsWith('http') ? undefined : ssh.exec(url)) ?? []
  if (host !== undefined) return parsed(`/${path}`, parent?.hostname === host ? parent.origin : `https://${host}`)
  const absolute = parsed(url)
  return absolute?.protocol === 'https:' || absolute?.protocol === 'http:' ? absolute : undefined
}

function parsed(address: string, base?: string): URL | undefined {
  return URL.canParse(address, base) ? new URL(address, base) : undefined
}
