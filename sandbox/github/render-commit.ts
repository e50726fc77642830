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
