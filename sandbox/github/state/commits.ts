import { GITLINK, type TreeEntry } from '../../git-objects.ts'
import { succeeded, tryGit } from './git.ts'
import { readObject, resolveCommit, writeObject, writeReference } from './objects.ts'
import { editTree } from './trees.ts'

/** One file of a commit: its text or bytes, `null` to delete it, or an entry with a mode of its own. */
export type FileContent =
  | string
  | Buffer
  | null
  | { readonly mode: '100644' | '100755' | '120000'; readonly content: string | Buffer }
  | { readonly mode: '160000'; readonly commit: string }

export interface CommitOptions {
  readonly branch: string
  readonly files: Readonly<Record<string, FileContent>>
  readonly message: string
  readonly author?: { readonly name: string; readonly email: string }
  /** The commit to build on; `null` starts a history of its own. Default: the branch's tip, if it exists. */
  readonly parent?: string | null
  readonly date?: Date
}

/** Who did something to a commit, and when: in the time zone it was done in (ISO 8601). */
export interface Signature {
  readonly name: string
  readonly email: string
  readonly date: string
}

export interface CommitFacts {
  readonly sha: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Signature
  readonly committer: Signature
  readonly message: string
}

/** A commit, or `undefined` where the SHA is of none. */
export async function readCommit(directory: string, sha: string): Promise<CommitFacts | undefined> {
  const found = await readObject(directory, sha)
  if (found?.type !== 'commit') return undefined
  const text = found.content.toString('utf8')
  const headEnd = text.indexOf('\n\n')
  const head = text.slice(0, headEnd)
  const named = (field: string) =>
    [...head.matchAll(new RegExp(`^${field} (.+)$`, 'gm'))].map(([, value = '']) => value)
  return {
    sha,
    tree: named('tree')[0] ?? '',
    parents: named('parent'),
    author: readSignature(named('author')[0]),
    committer: readSignature(named('committer')[0]),
    message: text.slice(headEnd + 2).trimEnd(),
  }
}

/** @throws Error when there is no such commit */
export async function existingCommit(directory: string, sha: string): Promise<CommitFacts> {
  const commit = await readCommit(directory, sha)
  if (!commit) throw new Error(`There is no commit ${sha}.`)
  return commit
}

/** Reads `Ada <ada@example.com> 1700000000 +0100`. */
function readSignature(line = ''): Signature {
  const [, name = '', email = '', seconds = '0', sign = '+', hours = '00', minutes = '00'] =
    /^(.*?) ?<(.*)> (\d+) ([+-])(\d\d)(\d\d)$/.exec(line) ?? []
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60)
  const local = new Date((Number(seconds) + offset) * 1000).toISOString().slice(0, 19)
  return { name, email, date: `${local}${sign}${hours}:${minutes}` }
}

const LONGEST_LINE = 50

/**
 * The commits from a tip down to another commit, without that one, the oldest first, where each has one parent. `undefined`:
 * the way branches, is long, or does not lead there. It spares most questions about a pull request a process.
 */
export async function straightLine(
  directory: string,
  tip: string,
  end: string,
): Promise<readonly string[] | undefined> {
  const line: string[] = []
  for (let sha = tip; sha !== end; ) {
    const [parent, ...others] = (await readCommit(directory, sha))?.parents ?? []
    if (parent === undefined || others.length > 0 || line.length === LONGEST_LINE) return undefined
    line.unshift(sha)
    sha = parent
  }
  return line
}

/** Writes a commit into a bare repository, without a work tree, moves the branch to it and returns its SHA. */
export async function writeCommit(directory: string, options: CommitOptions): Promise<string> {
  const branch = `refs/heads/${options.branch}`
  const parent = options.parent === undefined ? await resolveCommit(directory, branch) : options.parent
  const base = parent ? await existingCommit(directory, parent) : undefined
  const changes = Object.entries(options.files).map(([path, content]) => [path, storeFile(directory, content)] as const)
  const { name, email } = options.author ?? { name: 'Ada Developer', email: 'ada@example.com' }
  const sha = storeCommit(directory, {
    tree: await editTree(directory, base?.tree, changes),
    parents: base ? [base.sha] : [],
    signature: `${name} <${email}> ${Math.floor((options.date ?? new Date()).getTime() / 1000)} +0000`,
    message: options.message,
  })
  writeReference(directory, branch, sha)
  return sha
}

function storeFile(directory: string, content: FileContent): TreeEntry | null {
  if (content === null) return null
  if (typeof content === 'string' || Buffer.isBuffer(content)) return storeFile(directory, { mode: '100644', content })
  if (content.mode === GITLINK) return { mode: content.mode, sha: content.commit }
  return { mode: content.mode, sha: writeObject(directory, 'blob', Buffer.from(content.content)) }
}

interface NewCommit {
  readonly tree: string
  readonly parents: readonly string[]
  /** Of author and committer: name, address and time as git writes them. */
  readonly signature: string
  readonly message: string
}

function storeCommit(directory: string, { tree, parents, signature, message }: NewCommit): string {
  const head = [
    `tree ${tree}`,
    ...parents.map((sha) => `parent ${sha}`),
    `author ${signature}`,
    `committer ${signature}`,
  ]
  return writeObject(directory, 'commit', Buffer.from(`${head.join('\n')}\n\n${message}`))
}

/** Merges two commits without a work tree. `undefined`: they conflict. */
export async function writeMerge(
  directory: string,
  options: { readonly base: string; readonly head: string; readonly message: string; readonly squash?: boolean },
): Promise<string | undefined> {
  const { base, head } = options
  const merged = await existingCommit(directory, head)
  const tree = await mergedTree(directory, base, merged)
  if (tree === undefined) return undefined
  const { date } = merged.committer
  return storeCommit(directory, {
    tree,
    parents: options.squash ? [base] : [base, head],
    signature: `GitHub <noreply@github.com> ${Date.parse(date) / 1000} ${date.slice(19).replace(':', '')}`,
    message: `${options.message}\n`,
  })
}

/** What results from a merge; `undefined` on a conflict. */
async function mergedTree(directory: string, base: string, head: CommitFacts): Promise<string | undefined> {
  if (await straightLine(directory, head.sha, base)) return head.tree
  const merged = await tryGit(directory, ['merge-tree', '--write-tree', '--no-messages', base, head.sha])
  if (merged.exitCode === 1) return undefined
  return succeeded(merged, ['merge-tree']).stdout.toString('utf8').trim()
}
