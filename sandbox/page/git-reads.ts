import type { Repository } from '../github/github.ts'
import type { CommitFacts } from '../github/state/commits.ts'
import { tryGit } from '../github/state/git.ts'
import { readCommits } from '../github/state/history.ts'

/**
 * What the pages read with git, each thing once: pages are rendered several times a second while somebody looks, and what
 * a commit holds never changes.
 */
export interface GitReads {
  /** Commits that are in `head` and not in `base`, oldest first. */
  commits(repository: Repository, head: string, base: string): Promise<readonly CommitFacts[]>
  /** Lines of a file as a commit has it; `undefined` when it has no such file. */
  lines(repository: Repository, sha: string, file: string): Promise<readonly string[] | undefined>
}

export function createGitReads(): GitReads {
  const known = new WeakMap<Repository, Map<string, unknown>>()

  async function once<T>(repository: Repository, key: string, read: () => Promise<T>): Promise<T> {
    const of = known.get(repository) ?? new Map<string, unknown>()
    known.set(repository, of)
    if (!of.has(key)) of.set(key, await read())
    return of.get(key) as T
  }

  return {
    commits: (repository, head, base) =>
      once(repository, `commits ${head} ${base}`, async () => (await readCommits(repository, head, base)).reverse()),
    lines: (repository, sha, file) => once(repository, `lines ${sha} ${file}`, () => readLines(repository, sha, file)),
  }
}

async function readLines(repository: Repository, sha: string, file: string): Promise<readonly string[] | undefined> {
  const shown = await tryGit(repository.gitDir, ['show', `${sha}:${file}`])
  return shown.exitCode === 0 ? shown.stdout.toString('utf8').split('\n') : undefined
}
