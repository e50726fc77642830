import { GITLINK, type TreeEntry } from '../../git-objects.ts'
import { existingCommit } from './commits.ts'
import { succeeded } from './git.ts'
import { commonAncestor } from './history.ts'
import { readObject } from './objects.ts'
import type { RepositoryState } from './state.ts'
import { type ChangedPath, changedPaths } from './trees.ts'

export interface ChangedFile {
  readonly name: string
  readonly previous: string | undefined
  /** `undefined` when the file is gone. */
  readonly blob: string | undefined
  readonly status: string
  readonly additions: number
  readonly deletions: number
}

const STATUS: Readonly<Record<string, string>> = { A: 'added', M: 'modified', D: 'removed', R: 'renamed' }
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/** What a commit has that its common ancestor with `base` has not; `undefined` when there is none. Without `base`: all. */
export async function changedFiles(
  repository: RepositoryState,
  base: string | undefined,
  head: string,
): Promise<readonly ChangedFile[] | undefined> {
  const { gitDir } = repository
  const from = base === undefined ? undefined : await commonAncestor(repository, base, head)
  if (base !== undefined && from === undefined) return undefined
  const before = from === undefined ? undefined : (await existingCommit(gitDir, from)).tree
  const after = (await existingCommit(gitDir, head)).tree
  const plain = await plainChanges(gitDir, await changedPaths(gitDir, before, after))
  if (plain) return plain
  const options = ['-z', '-M', '--raw', '--numstat', '--abbrev=40']
  const said = await repository.askOfCommits('diff', ...options, before ?? EMPTY_TREE, after)
  return parseDiff(succeeded(said).stdout.toString('utf8'))
}

/**
 * What changed, where it needs no search for renames and no choice between lines: the changes of most pull requests, which
 * are spared a process. `undefined`: git is to say.
 */
async function plainChanges(
  directory: string,
  changes: readonly ChangedPath[],
): Promise<readonly ChangedFile[] | undefined> {
  if (changes.some(({ before }) => !before) && changes.some(({ after }) => !after)) return undefined
  const files: ChangedFile[] = []
  for (const { path, before, after } of changes) {
    const [old, young] = [await linesOf(directory, before), await linesOf(directory, after)]
    const size = old && young && changedLines(old, young)
    if (!size || (before && after && isLink(before) !== isLink(after))) return undefined
    const status = !before ? 'added' : after ? 'modified' : 'removed'
    files.push({ name: path, previous: undefined, blob: after?.sha, status, ...size })
  }
  return files
}

function isLink(entry: TreeEntry): boolean {
  return entry.mode === '120000'
}

/** `undefined`: it is binary or a submodule. */
async function linesOf(directory: string, entry: TreeEntry | undefined): Promise<readonly string[] | undefined> {
  if (entry === undefined) return []
  const content = entry.mode === GITLINK ? undefined : (await readObject(directory, entry.sha))?.content
  // Git looks no further for what tells a binary file.
  if (content === undefined || content.subarray(0, 8000).includes(0)) return undefined
  return content.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** How many lines differ, where no line between the first and the last of them is in both; `undefined` otherwise. */
function changedLines(
  before: readonly string[],
  after: readonly string[],
): { readonly additions: number; readonly deletions: number } | undefined {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start += 1
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1
  const gone = new Set(before.slice(start, before.length - end))
  const come = after.slice(start, after.length - end)
  if (come.some((line) => gone.has(line))) return undefined
  return { additions: come.length, deletions: before.length - end - start }
}

/**
 * Reads `git diff -z --raw --numstat`: all raw entries first, then as many counts in the same order. A rename has two
 * names in either part; in the counts they follow an entry whose own name is empty.
 */
function parseDiff(output: string): ChangedFile[] {
  const fields = output.split('\0').filter((field) => field !== '')
  const raw: Omit<ChangedFile, 'additions' | 'deletions'>[] = []
  let index = 0
  for (; fields[index]?.startsWith(':'); index += 1) {
    const [, , , blob = '', letter = ''] = fields[index]?.split(' ') ?? []
    const renamed = letter.startsWith('R')
    const previous = renamed ? fields[++index] : undefined
    const name = fields[++index] ?? ''
    const status = STATUS[letter.charAt(0)] ?? 'changed'
    raw.push({ name, previous, blob: /^0+$/.test(blob) ? undefined : blob, status })
  }
  return raw.map((file) => {
    const [additions = '', deletions = ''] = fields[index]?.split('\t') ?? []
    index += file.previous === undefined ? 1 : 3
    // Binary files have a dash for either count.
    return { ...file, additions: Number.parseInt(additions, 10) || 0, deletions: Number.parseInt(deletions, 10) || 0 }
  })
}
