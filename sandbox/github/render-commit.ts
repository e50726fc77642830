import { git } from './git.ts'
import { repositoryUrl } from './render-issue.ts'
import { type Addresses, nodeId } from './render-user.ts'
import type { Repository } from './repository.ts'

export interface CommitFacts {
  readonly sha: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: { readonly name: string; readonly email: string; readonly date: string }
  readonly committer: { readonly name: string; readonly email: string; readonly date: string }
  readonly message: string
}

const FORMAT = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x1f')

/** Reads commits with `git log`; `revisions` may be a single commit (with `-1`) or a range. Newest first. */
export async function readCommits(repository: Repository, revisions: readonly string[]): Promise<CommitFacts[]> {
  const output = await git(repository.gitDir, ['log', '-z', `--format=${FORMAT}`, ...revisions, '--'])
  return output
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
export function renderCommit(repository: Repository, commit: CommitFacts, addresses: Addresses) {
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

function utc<T extends { readonly date: string }>(person: T): T {
  return { ...person, date: `${new Date(person.date).toISOString().slice(0, 19)}Z` }
}

const STATUS: Readonly<Record<string, string>> = { A: 'added', M: 'modified', D: 'removed', T: 'changed' }

/** GitHub's `diff-entry` list between two commits; renames are detected. */
export async function readChangedFiles(repository: Repository, range: string, tip: string, addresses: Addresses) {
  const raw = await git(repository.gitDir, ['diff', '-z', '-M', '--raw', '--numstat', '--abbrev=40', range])
  const fields = raw.split('\0')
  const files = new Map<string, { sha: string; status: string; previous: string | undefined }>()
  const counts = new Map<string, { additions: number; deletions: number }>()
  for (let index = 0; index < fields.length; index += 1) {
    const field = fields[index] ?? ''
    if (field.startsWith(':')) {
      const [, , , sha = '', letter = ''] = field.split(' ')
      const renamed = letter.startsWith('R')
      const first = fields[index + 1] ?? ''
      const name = renamed ? (fields[index + 2] ?? '') : first
      index += renamed ? 2 : 1
      files.set(name, {
        sha,
        status: renamed ? 'renamed' : (STATUS[letter.charAt(0)] ?? 'changed'),
        previous: renamed ? first : undefined,
      })
      continue
    }
    const [additions = '', deletions = '', name] = field.split('\t')
    if (name === undefined) continue
    // A rename has an empty name here, and its two names follow.
    const key = name === '' ? (fields[index + 2] ?? '') : name
    if (name === '') index += 2
    counts.set(key, { additions: Number.parseInt(additions, 10) || 0, deletions: Number.parseInt(deletions, 10) || 0 })
  }
  const repositoryAt = repositoryUrl(repository, addresses)
  return [...files].map(([filename, { sha, status, previous }]) => {
    const { additions, deletions } = counts.get(filename) ?? { additions: 0, deletions: 0 }
    const encoded = encodeURIComponent(filename)
    return {
      sha: /^0+$/.test(sha) ? null : sha,
      filename,
      status,
      additions,
      deletions,
      changes: additions + deletions,
      blob_url: `${repository.htmlUrl}/blob/${tip}/${encoded}`,
      raw_url: `${repository.htmlUrl}/raw/${tip}/${encoded}`,
      contents_url: `${repositoryAt}/contents/${encoded}?ref=${tip}`,
      ...(previous === undefined ? {} : { previous_filename: previous }),
    }
  })
}
