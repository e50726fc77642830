import { git } from './git.ts'
import { repositoryUrl } from './render-issue.ts'
import type { Addresses } from './render-user.ts'
import type { Repository } from './repository.ts'

const STATUS: Readonly<Record<string, string>> = { A: 'added', M: 'modified', D: 'removed', R: 'renamed' }

interface ChangedFile {
  readonly name: string
  readonly previous: string | undefined
  /** `undefined` when the file is gone. */
  readonly blob: string | undefined
  readonly status: string
  readonly additions: number
  readonly deletions: number
}

/** GitHub's `diff-entry` list between two commits (`a..b`, or `a...b` from their common ancestor); renames are detected. */
export async function readChangedFiles(repository: Repository, range: string, tip: string, addresses: Addresses) {
  const output = await git(repository.gitDir, ['diff', '-z', '-M', '--raw', '--numstat', '--abbrev=40', range])
  const repositoryAt = repositoryUrl(repository, addresses)
  return parseDiff(output).map((file) => {
    const encoded = encodeURIComponent(file.name)
    return {
      sha: file.blob ?? null,
      filename: file.name,
      status: file.status,
      additions: file.additions,
      deletions: file.deletions,
      changes: file.additions + file.deletions,
      blob_url: `${repository.htmlUrl}/blob/${tip}/${encoded}`,
      raw_url: `${repository.htmlUrl}/raw/${tip}/${encoded}`,
      contents_url: `${repositoryAt}/contents/${encoded}?ref=${tip}`,
      ...(file.previous === undefined ? {} : { previous_filename: file.previous }),
    }
  })
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
