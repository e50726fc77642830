import { succeeded } from '../state/git.ts'
import type { Addresses } from '../state/model.ts'
import type { RepositoryState } from '../state/state.ts'
import { repositoryUrl } from './issue.ts'
import { nodeId } from './repository.ts'

export interface CommitFacts {
  readonly sha: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: { readonly name: string; readonly email: string; readonly date: string }
  readonly committer: { readonly name: string; readonly email: string; readonly date: string }
  readonly message: string
}

const FORMAT = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x1f')

/** Reads commits with `git log`; `revisions`, of SHAs, may be a single commit (with `-1`) or a range. Newest first. */
export async function readCommits(repository: RepositoryState, revisions: readonly string[]): Promise<CommitFacts[]> {
  const { stdout } = succeeded(await repository.askOfCommits('log', '-z', `--format=${FORMAT}`, ...revisions, '--'))
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => {
      const [sha = '', tree = '', parents = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', message = ''] =
        record.split('\x1f')
      return {
        sha,
        tree,
        parents: parents === '' ? [] : parents.split(' '),
        author: { name: an, email: ae, date: ad },
        committer: { name: cn, email: ce, date: cd },
        message: message.trimEnd(),
      }
    })
}

/** GitHub's `commit`. */
export function renderCommit(repository: RepositoryState, commit: CommitFacts, addresses: Addresses) {
  const repositoryAt = repositoryUrl(repository, addresses)
  const url = `${repositoryAt}/commits/${commit.sha}`
  return {
    sha: commit.sha,
    node_id: nodeId('C', Number.parseInt(commit.sha.slice(0, 8), 16)),
    commit: {
      author: utc(commit.author),
      committer: utc(commit.committer),
      message: commit.message,
      tree: { sha: commit.tree, url: `${repositoryAt}/git/trees/${commit.tree}` },
      url: `${repositoryAt}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
    },
    url,
    html_url: `${repository.htmlUrl}/commit/${commit.sha}`,
    comments_url: `${url}/comments`,
    author: null,
    committer: null,
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${repositoryAt}/commits/${sha}`,
      html_url: `${repository.htmlUrl}/commit/${sha}`,
    })),
  }
}

/** GitHub's `timeline-committed-event`: the commit as git has it, in the git API's shape. */
export function renderTimelineCommit(repository: RepositoryState, commit: CommitFacts, addresses: Addresses) {
  const { sha, node_id, html_url, parents, commit: facts } = renderCommit(repository, commit, addresses)
  const { author, committer, message, tree, url } = facts
  const verification = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null }
  return { event: 'committed', sha, node_id, url, html_url, author, committer, message, tree, parents, verification }
}

function utc<T extends { readonly date: string }>(person: T): T {
  return { ...person, date: `${new Date(person.date).toISOString().slice(0, 19)}Z` }
}

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
export async function readChangedFiles(repository: RepositoryState, range: string, tip: string, addresses: Addresses) {
  const { stdout } = succeeded(
    await repository.askOfCommits('diff', '-z', '-M', '--raw', '--numstat', '--abbrev=40', range),
  )
  const repositoryAt = repositoryUrl(repository, addresses)
  return parseDiff(stdout.toString('utf8')).map((file) => {
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
