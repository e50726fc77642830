import { type CommitFacts, readCommit, straightLine } from './commits.ts'
import { succeeded } from './git.ts'
import type { RepositoryState } from './state.ts'

/** The commits that a tip leads to and `base` does not, or all without one. Newest first. */
export async function readCommits(repository: RepositoryState, tip: string, base?: string): Promise<CommitFacts[]> {
  const commits: CommitFacts[] = []
  for (const sha of await listCommits(repository, tip, base)) {
    const commit = await readCommit(repository.gitDir, sha)
    if (commit) commits.push(commit)
  }
  return commits
}

/** The SHAs of the commits that {@link readCommits} reads. */
export async function listCommits(
  repository: RepositoryState,
  tip: string,
  ...without: readonly (string | undefined)[]
): Promise<readonly string[]> {
  const [base, ...others] = without.filter((sha) => sha !== undefined)
  const line = base === undefined || others.length > 0 ? undefined : await straightLine(repository.gitDir, tip, base)
  if (line) return line.toReversed()
  const excluded = without.flatMap((sha) => (sha === undefined ? [] : [`^${sha}`]))
  const { stdout } = succeeded(await repository.askOfCommits('rev-list', tip, ...excluded))
  return stdout
    .toString('utf8')
    .split('\n')
    .filter((sha) => sha !== '')
}

export async function isAncestor(repository: RepositoryState, sha: string, tip: string): Promise<boolean> {
  if (await straightLine(repository.gitDir, tip, sha)) return true
  return (await repository.askOfCommits('merge-base', '--is-ancestor', sha, tip)).exitCode === 0
}

/** The best common ancestor of two commits; `undefined` when their histories have none. */
export async function commonAncestor(
  repository: RepositoryState,
  one: string,
  other: string,
): Promise<string | undefined> {
  if (await straightLine(repository.gitDir, other, one)) return one
  if (await straightLine(repository.gitDir, one, other)) return other
  const found = await repository.askOfCommits('merge-base', one, other)
  return found.exitCode === 0 ? found.stdout.toString('utf8').trim() : undefined
}
