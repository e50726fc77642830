import { type CommitFacts, existingCommit } from '../state/commits.ts'
import { readCommits } from '../state/history.ts'
import type { RepositoryState, World } from '../state/state.ts'
import { type ChangedPath, changedPaths } from '../state/trees.ts'
import { renderPushedRepository } from './repository.ts'

/** What stands for “no commit” on either side of a push. */
export const NO_COMMIT = '0'.repeat(40)

export interface PushFacts {
  readonly ref?: string
  readonly before?: string
  readonly after?: string
  readonly forced?: boolean
  readonly sender?: string
}

/** The payload of `push`, with the commits that came with it. */
export async function renderPushEvent(world: World, repository: RepositoryState, options: PushFacts) {
  const ref = fullReference(options.ref ?? repository.defaultBranch)
  const after = options.after ?? (await repository.resolve(ref)) ?? NO_COMMIT
  // What was pushed of a tag with a message is the tag, which stands for the commit.
  const commit = (await repository.resolve(after)) ?? after
  const tip = after === NO_COMMIT ? undefined : await existingCommit(repository.gitDir, commit)
  const before = options.before ?? tip?.parents[0] ?? NO_COMMIT
  const commits = tip && before !== NO_COMMIT ? await readCommits(repository, tip.sha, before) : tip ? [tip] : []
  const rendered = await Promise.all(commits.reverse().map((commit) => renderPushedCommit(repository, commit)))
  return {
    ref,
    before,
    after,
    created: before === NO_COMMIT,
    deleted: after === NO_COMMIT,
    forced: options.forced ?? false,
    base_ref: null,
    compare: `${repository.htmlUrl}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    commits: rendered,
    head_commit: rendered.at(-1) ?? null,
    repository: renderPushedRepository(repository, world),
    pusher: { name: options.sender ?? repository.owner.login, email: `${repository.owner.login}@example.com` },
  }
}

async function renderPushedCommit(repository: RepositoryState, commit: CommitFacts) {
  const changes = await changesOf(repository, commit)
  const named = (isMeant: (change: ChangedPath) => boolean) => changes.filter(isMeant).map(({ path }) => path)
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${repository.htmlUrl}/commit/${commit.sha}`,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    added: named(({ before }) => !before),
    removed: named(({ after }) => !after),
    // A file that became a link is none of the three to git.
    modified: named(({ before, after }) => before?.mode.slice(0, 2) === after?.mode.slice(0, 2)),
  }
}

/** What a commit changed of the one before it. Git names no files of a merge. */
async function changesOf({ gitDir }: RepositoryState, commit: CommitFacts): Promise<readonly ChangedPath[]> {
  const [parent, ...others] = commit.parents
  if (others.length > 0) return []
  const before = parent === undefined ? undefined : (await existingCommit(gitDir, parent)).tree
  return changedPaths(gitDir, before, commit.tree)
}

/** `main` as `refs/heads/main`; what is complete stays as it is. */
export function fullReference(reference: string): string {
  return reference.startsWith('refs/') ? reference : `refs/heads/${reference}`
}
