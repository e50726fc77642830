import type { PullRequestState } from '../github/pull-requests.ts'
import type { PullRequest } from '../plan/event.ts'
import type { Facts, NeededFact } from '../plan/plan.ts'
import type { Deps } from './run.ts'

/** A pull request as GitHub's API gives it, as a fact for the plan. */
export function pullRequestFact(
  read: PullRequestState | 'absent' | undefined,
): PullRequest | 'not-found' | 'unreadable' {
  if (read === undefined) return 'unreadable'
  if (read === 'absent') return 'not-found'
  const { open, merged, author, head, base, number, draft, title, htmlUrl, labels } = read
  return {
    number,
    state: open ? 'open' : 'closed',
    merged,
    draft,
    title,
    htmlUrl,
    labels,
    author: author ?? 'ghost',
    head,
    base,
  }
}

/** Looks up the one fact that a plan needs. What GitHub does not tell is a fact as well: `unreadable`. */
export async function lookUp(deps: Pick<Deps, 'github'>, need: NeededFact): Promise<Facts> {
  switch (need.fact) {
    case 'pullRequest':
      return { pullRequest: await pullRequestOf(deps, need) }
    case 'permission':
      return { permission: permissionOf(await deps.github.people.mayWrite(need.login)) }
    case 'changedFiles':
      return { changedFiles: await changedFilesOf(deps, need) }
  }
}

async function pullRequestOf(
  { github }: Pick<Deps, 'github'>,
  need: Extract<NeededFact, { fact: 'pullRequest' }>,
): Promise<NonNullable<Facts['pullRequest']>> {
  if ('number' in need) return pullRequestFact(await github.pullRequests.get(need.number))
  const open = await github.pullRequests.list('open')
  if (!open) return 'unreadable'
  const found = open.find(
    ({ head }) =>
      head.sha === need.headSha && (need.headRepository === undefined || head.repository === need.headRepository),
  )
  return pullRequestFact(found ?? 'absent')
}

function permissionOf(mayWrite: boolean | undefined): NonNullable<Facts['permission']> {
  if (mayWrite === undefined) return 'unreadable'
  return mayWrite ? 'write' : 'read'
}

async function changedFilesOf(
  { github }: Pick<Deps, 'github'>,
  { of }: Extract<NeededFact, { fact: 'changedFiles' }>,
): Promise<readonly string[] | 'unreadable'> {
  const files =
    of.kind === 'pull-request'
      ? await github.pullRequests.changedFiles(of.number)
      : await github.pullRequests.changedBetween(of.before, of.after)
  // A list that GitHub cut short proves no absence.
  return files?.complete ? files.paths : 'unreadable'
}
