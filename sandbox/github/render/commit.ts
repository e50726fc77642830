import { changedFiles } from '../state/changes.ts'
import type { CommitFacts } from '../state/commits.ts'
import type { Addresses } from '../state/model.ts'
import type { RepositoryState } from '../state/state.ts'
import { repositoryUrl } from './issue.ts'
import { nodeId } from './repository.ts'

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

/** GitHub's `diff-entry` list: what a commit has that its common ancestor with another has not; renames are detected. */
export async function renderChangedFiles(
  repository: RepositoryState,
  base: string | undefined,
  head: string,
  addresses: Addresses,
) {
  const files = await changedFiles(repository, base, head)
  if (!files) throw new Error(`${base} and ${head} have no common ancestor.`)
  const repositoryAt = repositoryUrl(repository, addresses)
  return files.map((file) => {
    const encoded = encodeURIComponent(file.name)
    return {
      sha: file.blob ?? null,
      filename: file.name,
      status: file.status,
      additions: file.additions,
      deletions: file.deletions,
      changes: file.additions + file.deletions,
      blob_url: `${repository.htmlUrl}/blob/${head}/${encoded}`,
      raw_url: `${repository.htmlUrl}/raw/${head}/${encoded}`,
      contents_url: `${repositoryAt}/contents/${encoded}?ref=${head}`,
      ...(file.previous === undefined ? {} : { previous_filename: file.previous }),
    }
  })
}
