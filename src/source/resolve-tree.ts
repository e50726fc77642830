import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { AddressRefused } from '../core/addresses.ts'
import { formatBytes, shortSha } from '../core/format.ts'
import { type Checkout, readCheckout, type TreeLocation } from './checkout.ts'
import { listCommit } from './fetch.ts'
import { GitFailure, type GitRepository } from './git.ts'
import { findLfsContents } from './lfs.ts'
import { decisiveLine, GitRemote, SourceError } from './remote.ts'
import { findAttributes, isUnder, leaves, readablePath, type TreeEntry, type TreeMeter } from './tree.ts'
import { borrowObjects, type GitWorkspace, type Stores } from './workspace.ts'

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

export interface ResolveOptions {
  /** Leave out what is marked so. */
  readonly exportIgnore: boolean
  readonly meter: TreeMeter
}

/**
 * Puts LFS contents in the place of pointers and submodules' files in the place of links, all levels down, and leaves out what
 * is marked `export-ignore` when asked to.
 *
 * @throws SourceError `no-submodule`, `too-large`
 */
export async function resolveTree(
  git: GitWorkspace,
  stores: Stores,
  tree: { readonly oid: string; readonly entries: readonly TreeEntry[]; readonly location: TreeLocation },
  options: ResolveOptions,
): Promise<ResolvedTree> {
  const { location } = tree
  const { meter } = options
  for (const entry of tree.entries) meter.add({ ...entry, path: location.prefix + entry.path })
  const attributes = await findAttributes(git, stores.own, {
    tree: tree.oid,
    entries: tree.entries,
    names: options.exportIgnore ? ['filter', 'export-ignore'] : ['filter'],
  })
  const ignored = new Set(attributes.get('export-ignore')?.keys())
  const entries = leaves(tree.entries).filter(({ path }) => !isUnder(path, ignored))
  const lfs = await findLfsContents(git, stores, { entries, attributes, location, meter })
  const urls = await readSubmoduleUrls(stores.own, entries)
  const inner: ResolvedTree[] = []
  const submodules: { path: string; sha: string }[] = []
  for (const entry of entries.filter(({ type }) => type === 'commit')) {
    const opened = await openSubmodule(git, stores, { entry, url: urls.get(entry.path), location })
    const below = { oid: `${entry.oid}^{tree}`, entries: opened.entries, location: opened.location }
    inner.push(await resolveTree(git, stores, below, options))
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

/** A submodule's tree, and where its own parts can be looked for. */
interface SubmoduleTree {
  readonly entries: readonly TreeEntry[]
  readonly location: TreeLocation
}

/**
 * Has the tree of one submodule: from the checkout when it lies there, else from the address in `.gitmodules`.
 *
 * @throws SourceError `no-submodule`, which says which one and how to check it out
 */
async function openSubmodule(
  git: GitWorkspace,
  stores: Stores,
  link: { readonly entry: TreeEntry; readonly url: string | undefined; readonly location: TreeLocation },
): Promise<SubmoduleTree> {
  const { entry, location } = link
  const path = readablePath(location.prefix + entry.path)
  const checkout = await readSubmoduleCheckout(git, location, entry.path)
  if (checkout !== undefined) await borrowObjects(stores.own.directory, checkout.objectsDirectory)
  const remote = link.url === undefined ? undefined : submoduleRemote(link.url, location.remote)
  try {
    const from = { remote, nothingHere: checkout === undefined }
    return {
      entries: await listCommit(git, stores, entry.oid, from),
      location: {
        workTree: checkout?.directory,
        gitDirectory: checkout?.gitDirectory,
        remote,
        prefix: `${location.prefix}${entry.path}/`,
      },
    }
  } catch (error) {
    const gone = error instanceof SourceError && ['no-commit', 'unreachable'].includes(error.code)
    if (!gone && !(error instanceof AddressRefused)) throw error
    const address = link.url === undefined ? 'no address in .gitmodules' : link.url
    throw new SourceError(
      'no-submodule',
      `The submodule ${path} (${address}, commit ${shortSha(entry.oid)}) is needed and cannot be fetched. ${error.message}`,
      {
        hint:
          'Let actions/checkout bring it: "with: submodules: recursive". If it is private, also give checkout a ' +
          '"token" that may read it; the workflow\'s own token reads no other repository.',
      },
    )
  }
}

async function readSubmoduleCheckout(
  git: GitWorkspace,
  location: TreeLocation,
  path: string,
): Promise<Checkout | undefined> {
  if (location.workTree === undefined) return undefined
  const directory = join(location.workTree, readablePath(path))
  try {
    await access(join(directory, '.git'))
    return await readCheckout(git, directory)
  } catch {
    git.signal.throwIfAborted()
    // Not there, or the ruin of one: it is fetched then.
    return undefined
  }
}

// Some thousand submodules; what is shipped may have far fewer.
const mostGitmodulesBytes = 1_000_000

function unreadable(why: string): SourceError {
  return new SourceError('no-submodule', `.gitmodules cannot be read: ${why}`, {
    hint: 'There are submodules, and their addresses stand there. Fix the file, or remove the submodules.',
  })
}

/** Path of a submodule → its address, from `.gitmodules`. Empty where there are no submodules. */
async function readSubmoduleUrls(
  store: GitRepository,
  entries: readonly TreeEntry[],
): Promise<ReadonlyMap<string, string>> {
  const file = entries.find(({ path, type }) => path === '.gitmodules' && type === 'blob')
  if (file === undefined || entries.every(({ type }) => type !== 'commit')) return new Map()
  if ((file.size ?? 0) > mostGitmodulesBytes) throw unreadable(`it has ${formatBytes(file.size ?? 0)}`)
  const pattern = '^submodule\\..*\\.(path|url)$'
  const answer = await store
    .run(['config', '--blob', file.oid, '--null', '--get-regexp', pattern])
    .catch((error: unknown) => {
      if (!(error instanceof GitFailure)) throw error
      if (error.exitCode === 1 && error.stderr === '') return Buffer.alloc(0)
      throw unreadable(decisiveLine(error.stderr))
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

/**
 * The address at which a submodule can be fetched, with our token or without. `.gitmodules` is a stranger's text: the
 * token goes to the parent's own server alone (the same scheme, host and port), and nothing but HTTPS is spoken with
 * others.
 *
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
    return folder !== undefined && URL.canParse(url, folder) ? new URL(url, folder) : undefined
  }
  const { host, path } = (url.startsWith('http') ? undefined : sshAddress(url)) ?? {}
  if (host !== undefined) {
    const home = parent?.hostname === host ? parent.origin : `https://${host}`
    return URL.canParse(`/${path}`, home) ? new URL(`/${path}`, home) : undefined
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return parsed?.protocol === 'https:' || parsed?.protocol === 'http:' ? parsed : undefined
}

// user@host:path, ssh://user@host[:port]/path
function sshAddress(url: string): { readonly host: string; readonly path: string } | undefined {
  const [, host, path] = /^(?:ssh:\/\/)?[^@/]+@([^:/]+)(?::\d+\/|[:/])(.+)$/.exec(url) ?? []
  return host === undefined || path === undefined ? undefined : { host, path }
}
