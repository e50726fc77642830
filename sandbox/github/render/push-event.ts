import type { RepositoryState, World } from '../state/state.ts'
import { type CommitFacts, readCommits } from './commit.ts'
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
  const before = options.before ?? (await firstParent(repository, after)) ?? NO_COMMIT
  const commits =
    after === NO_COMMIT
      ? []
      : await readCommits(repository, before === NO_COMMIT ? ['-1', after] : [`${before}..${after}`])
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
  const diff = await repository.askOfCommits(
    'diff-tree',
    '--root',
    '-r',
    '--no-commit-id',
    '--name-status',
    '-z',
    commit.sha,
  )
  const fields = diff.stdout.toString('utf8').split('\0')
  const named = (letter: string) => fields.filter((_, index) => index % 2 === 1 && fields[index - 1] === letter)
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${repository.htmlUrl}/commit/${commit.sha}`,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    added: named('A'),
    removed: named('D'),
    modified: named('M'),
  }
}

async function firstParent(repository: RepositoryState, sha: string): Promise<string | undefined> {
  return sha === NO_COMMIT ? undefined : repository.resolve(`${sha}^`)
}

/** `main` as `refs/heads/main`; what is complete stays as it is. */
export function fullReference(reference: string): string {
  return reference.startsWith('refs/') ? reference : `refs/heads/${reference}`
}
