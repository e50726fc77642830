import { writeMerge } from './commits.ts'
import { git } from './git.ts'
import { isAncestor, listCommits } from './history.ts'
import type { PullRequest } from './model.ts'
import { resolveCommit, writeReference } from './objects.ts'
import { findRepository, type RepositoryState, type World } from './state.ts'
import { copyObjects } from './trees.ts'

export interface OpenPullRequest {
  /** The branch to be merged, in the fork when there is one. */
  readonly head: string
  /** Default: the default branch. */
  readonly base?: string
  readonly title?: string
  readonly body?: string
  readonly author?: string
  readonly draft?: boolean
  readonly labels?: readonly string[]
  /** The repository that the branch is in. */
  readonly fromFork?: RepositoryState
}

/** Opens a pull request and sets `refs/pull/N/head` and, unless it conflicts, `refs/pull/N/merge`. */
export async function openPullRequest(
  world: World,
  repository: RepositoryState,
  options: OpenPullRequest,
): Promise<PullRequest> {
  const source = options.fromFork ?? repository
  const baseRef = options.base ?? repository.defaultBranch
  const now = world.now()
  const pull: PullRequest = {
    number: repository.nextNumber(),
    id: world.nextId(),
    user: options.author === undefined ? source.owner : world.user(options.author),
    createdAt: now,
    updatedAt: now,
    title: options.title ?? `Merge ${options.head}`,
    body: options.body ?? null,
    state: 'open',
    labels: [],
    closedAt: undefined,
    closedBy: undefined,
    headRef: options.head,
    headFullName: source.fullName,
    headSha: await source.head(options.head),
    baseRef,
    baseSha: await repository.head(baseRef),
    draft: options.draft ?? false,
    merged: false,
    mergedAt: undefined,
    mergedBy: undefined,
    mergeCommitSha: undefined,
    mergeable: undefined,
    testedMerge: undefined,
  }
  repository.pulls.set(pull.number, pull)
  repository.issues.set(pull.number, pull)
  for (const label of options.labels ?? []) repository.conversation.addLabel(pull, label, pull.user)
  await world.inTurn(() => refreshPullRequest(world, repository, pull))
  return pull
}

/** What GitHub does after every push: pull requests learn of their new head or base. */
export async function afterPush(world: World, repository: RepositoryState): Promise<void> {
  repository.pushedAt = world.now()
  for (const one of world.repositories.values())
    await refreshPullRequests(
      world,
      one,
      ({ headFullName }) => one === repository || headFullName === repository.fullName,
    )
}

/** Brings open pull requests of a repository in line with the branches they are about: all, or those concerned. */
export async function refreshPullRequests(
  world: World,
  repository: RepositoryState,
  concerned: (pull: PullRequest) => boolean = () => true,
): Promise<void> {
  for (const pull of repository.pulls.values())
    if (pull.state === 'open' && concerned(pull)) await world.inTurn(() => refreshPullRequest(world, repository, pull))
}

async function refreshPullRequest(world: World, repository: RepositoryState, pull: PullRequest): Promise<void> {
  const source = findRepository(world, pull.headFullName)
  const headSha = (source && (await resolveCommit(source.gitDir, `refs/heads/${pull.headRef}`))) ?? pull.headSha
  const baseTip = (await resolveCommit(repository.gitDir, `refs/heads/${pull.baseRef}`)) ?? pull.baseSha
  const merging = `${baseTip} ${headSha}`
  if (pull.testedMerge === merging) return
  const known = await resolveCommit(repository.gitDir, `refs/pull/${pull.number}/head`)
  if (source && source !== repository && known !== headSha) {
    await copyObjects(source.gitDir, repository.gitDir, headSha)
  }
  if (known !== headSha) await recordPush(repository, pull, known, headSha)
  if (headSha !== pull.headSha) {
    pull.headSha = headSha
    pull.baseSha = baseTip
    pull.updatedAt = world.now()
  }
  await writeReferences(world, repository, pull, baseTip)
  pull.testedMerge = merging
}

/** What the timeline says of a push; of one that did not build on what was there, `/events` says so as well. */
async function recordPush(repository: RepositoryState, pull: PullRequest, before: string | undefined, after: string) {
  const builtOnBase = before !== undefined && (await isAncestor(repository, pull.baseSha, before))
  const pushed = await listCommits(repository, after, before, builtOnBase ? undefined : pull.baseSha)
  repository.conversation.recordPush(pull.number, pushed.toReversed())
  if (before !== undefined && !(await isAncestor(repository, before, after)))
    repository.conversation.record(pull.number, 'head_ref_force_pushed', pull.user, { commitSha: after })
}

/** Sets the references of a pull request: its head, and GitHub's test merge, made ahead of time, unless there is a conflict. */
async function writeReferences(
  world: World,
  repository: RepositoryState,
  pull: PullRequest,
  baseTip: string,
): Promise<void> {
  const message = `Merge ${pull.headSha} into ${baseTip}`
  const merge = await writeMerge(repository.gitDir, { base: baseTip, head: pull.headSha, message })
  pull.mergeable = merge !== undefined
  const references = `refs/pull/${pull.number}`
  writeReference(repository.gitDir, `${references}/head`, pull.headSha)
  // A Gitea tests whether they merge, and keeps nothing of it.
  if (world.profile === 'gitea') return
  pull.mergeCommitSha = merge
  if (merge) writeReference(repository.gitDir, `${references}/merge`, merge)
  else await git(repository.gitDir, ['update-ref', '-d', `${references}/merge`])
}

/** Merges: a commit of two parents, or one of all changes on the base (`squash`). The branch stays. */
export async function mergePullRequest(
  world: World,
  repository: RepositoryState,
  pull: PullRequest,
  options: { readonly method?: 'merge' | 'squash'; readonly by?: string },
): Promise<string> {
  const by = options.by === undefined ? repository.owner : world.user(options.by)
  const squash = options.method === 'squash'
  const merged = await writeMerge(repository.gitDir, {
    base: await repository.head(pull.baseRef),
    head: pull.headSha,
    squash,
    message: squash
      ? `${pull.title} (#${pull.number})`
      : `Merge pull request #${pull.number} from ${pull.headFullName.split('/')[0]}/${pull.headRef}\n\n${pull.title}`,
  })
  if (!merged) throw new Error(`Pull request ${pull.number} conflicts with ${pull.baseRef}.`)
  repository.setIssueState(pull.number, 'closed', by)
  pull.merged = true
  pull.mergedAt = pull.closedAt
  pull.mergedBy = by
  pull.mergeCommitSha = merged
  repository.conversation.record(pull.number, 'merged', by, { commitSha: merged })
  writeReference(repository.gitDir, `refs/heads/${pull.baseRef}`, merged)
  await afterPush(world, repository)
  return merged
}
