import { tryGit } from './git.ts'
import { readCommits } from './render-commit.ts'
import { renderComment, renderIssue, renderLabel } from './render-issue.ts'
import { renderFullPull } from './render-pull.ts'
import { renderPushedRepository, renderRepository, timestamp } from './render-repository.ts'
import { nodeId, renderUser } from './render-user.ts'
import type { Repository } from './repository.ts'
import type { World } from './world.ts'

export type EventKind =
  | 'pull_request'
  | 'pull_request_target'
  | 'push'
  | 'workflow_dispatch'
  | 'schedule'
  | 'issue_comment'
  | 'release'
  | 'delete'
  | 'workflow_run'

/** What is to be told about an event. Each kind needs only some of it and says so when it is missing. */
export interface EventOptions {
  readonly action?: string
  /** Number of the pull request or issue. */
  readonly number?: number
  /** `refs/heads/…` or `refs/tags/…`, or a plain branch name. Default: the default branch. */
  readonly ref?: string
  /** The commits before and after a push or synchronize. */
  readonly before?: string
  readonly after?: string
  readonly forced?: boolean
  /** The label of `labeled` and `unlabeled`. */
  readonly label?: string
  /** The comment of `issue_comment`. */
  readonly commentId?: number
  readonly inputs?: Readonly<Record<string, string>>
  /** Cron expression of `schedule`. */
  readonly schedule?: string
  readonly tag?: string
  readonly runId?: number
  /** Who did it. Default: the pull request's author, otherwise the repository's owner. */
  readonly sender?: string
}

export interface WebhookEvent {
  readonly name: EventKind
  readonly payload: Readonly<Record<string, unknown>>
}

const ZERO = '0'.repeat(40)

/** Renders an event in the shape of GitHub's webhooks, from the state that the repository is in now. */
export async function renderEvent(
  world: World,
  repository: Repository,
  kind: EventKind,
  options: EventOptions,
): Promise<WebhookEvent> {
  const payload = await renderers[kind](world, repository, options)
  const sender = options.sender ?? repository.pulls.get(options.number ?? 0)?.user.login ?? repository.owner.login
  return {
    name: kind,
    payload: {
      repository: renderRepository(repository, world),
      ...payload,
      sender: renderUser(world.user(sender), world),
    },
  }
}

type Renderer = (world: World, repository: Repository, options: EventOptions) => Promise<Record<string, unknown>>

const renderers: Readonly<Record<EventKind, Renderer>> = {
  pull_request: renderPullRequestEvent,
  pull_request_target: renderPullRequestEvent,
  push: renderPushEvent,
  workflow_dispatch: async (_world, repository, { ref, inputs = {} }) => ({
    inputs,
    ref: fullReference(ref ?? repository.defaultBranch),
    workflow: '.github/workflows/preview.yml',
  }),
  schedule: async (_world, _repository, { schedule = '17 3 * * *' }) => ({
    schedule,
    workflow: '.github/workflows/preview.yml',
  }),
  issue_comment: async (world, repository, { action = 'created', number, commentId }) => {
    const issue = repository.issues.get(number ?? 0)
    const comment = repository.conversation.comment(commentId ?? 0)
    if (!issue || !comment)
      throw new Error('An issue_comment event needs the number of an issue and the id of its comment.')
    return {
      action,
      issue: renderIssue(repository, issue, world),
      comment: renderComment(repository, comment, world),
    }
  },
  release: async (world, repository, { action = 'published', tag }) => {
    if (tag === undefined) throw new Error('A release event needs a tag.')
    return { action, release: renderRelease(world, repository, tag) }
  },
  delete: async (_world, _repository, { ref = '' }) => ({
    ref: ref.replace(/^refs\/(heads|tags)\//, ''),
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    pusher_type: 'user',
  }),
  workflow_run: async (_world, repository, { action = 'completed', runId, number }) => {
    const run = repository.runs.get(runId ?? 0)
    if (!run) throw new Error('A workflow_run event needs the id of a run.')
    const pull = number === undefined ? undefined : repository.pull(number)
    return {
      action,
      workflow: { id: 1, name: run.name, path: '.github/workflows/preview.yml', state: 'active' },
      workflow_run: {
        id: run.id,
        name: run.name,
        event: run.event,
        head_branch: run.headBranch,
        head_sha: run.headSha,
        run_number: run.number,
        run_attempt: run.attempt,
        status: 'completed',
        conclusion: 'success',
        html_url: `${repository.htmlUrl}/actions/runs/${run.id}`,
        pull_requests: pull ? [{ number: pull.number, head: { ref: pull.headRef, sha: pull.headSha } }] : [],
      },
    }
  },
}

async function renderPullRequestEvent(world: World, repository: Repository, options: EventOptions) {
  const { action = 'opened', number, label } = options
  const pull = repository.pull(number ?? 0)
  return {
    action,
    number: pull.number,
    pull_request: await renderFullPull(world, repository, pull),
    ...(action === 'synchronize' ? { before: options.before ?? ZERO, after: options.after ?? pull.headSha } : {}),
    ...(label === undefined ? {} : { label: renderLabel(repository, label, world) }),
  }
}

async function renderPushEvent(world: World, repository: Repository, options: EventOptions) {
  const ref = fullReference(options.ref ?? repository.defaultBranch)
  const after = options.after ?? (await repository.resolve(ref)) ?? ZERO
  const before = options.before ?? (await firstParent(repository, after)) ?? ZERO
  const commits =
    after === ZERO ? [] : await readCommits(repository, before === ZERO ? ['-1', after] : [`${before}..${after}`])
  const rendered = await Promise.all(commits.reverse().map((commit) => renderPushedCommit(repository, commit)))
  return {
    ref,
    before,
    after,
    created: before === ZERO,
    deleted: after === ZERO,
    forced: options.forced ?? false,
    base_ref: null,
    compare: `${repository.htmlUrl}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    commits: rendered,
    head_commit: rendered.at(-1) ?? null,
    repository: renderPushedRepository(repository, world),
    pusher: { name: options.sender ?? repository.owner.login, email: `${repository.owner.login}@example.com` },
  }
}

async function renderPushedCommit(repository: Repository, commit: Awaited<ReturnType<typeof readCommits>>[number]) {
  const diff = await tryGit(repository.gitDir, [
    'diff-tree',
    '--root',
    '-r',
    '--no-commit-id',
    '--name-status',
    '-z',
    commit.sha,
  ])
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

function renderRelease(world: World, repository: Repository, tag: string) {
  const id = world.nextId()
  const now = timestamp(world.now())
  const url = `${world.apiUrl}/repos/${repository.fullName}/releases/${id}`
  return {
    url,
    assets_url: `${url}/assets`,
    upload_url: `${url}/assets{?name,label}`,
    html_url: `${repository.htmlUrl}/releases/tag/${encodeURIComponent(tag)}`,
    id,
    node_id: nodeId('RE', id),
    tag_name: tag,
    target_commitish: repository.defaultBranch,
    name: tag,
    draft: false,
    author: renderUser(repository.owner, world),
    prerelease: false,
    created_at: now,
    published_at: now,
    assets: [],
    tarball_url: `${url}/tarball`,
    zipball_url: `${url}/zipball`,
    body: '',
  }
}

async function firstParent(repository: Repository, sha: string): Promise<string | undefined> {
  return sha === ZERO ? undefined : repository.resolve(`${sha}^`)
}

function fullReference(reference: string): string {
  return reference.startsWith('refs/') ? reference : `refs/heads/${reference}`
}
