import type { WorkflowRun } from '../state/model.ts'
import type { RepositoryState, World } from '../state/state.ts'
import { renderComment, renderIssue, renderLabel } from './issue.ts'
import { renderFullPull } from './pull.ts'
import { fullReference, NO_COMMIT, renderPushEvent } from './push-event.ts'
import { nodeId, renderRepository, renderUser, timestamp } from './repository.ts'
import { renderRun } from './run.ts'

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
  /** Leaves `ref` out of the payload, as some who start workflows do. */
  readonly withoutRef?: boolean
  /** Who did it. Default: the pull request's author, otherwise the repository's owner. */
  readonly sender?: string
}

export interface WebhookEvent {
  readonly name: EventKind
  readonly payload: Readonly<Record<string, unknown>>
}

/** Renders an event in the shape of GitHub's webhooks, from the state that the repository is in now. */
export async function renderEvent(
  world: World,
  repository: RepositoryState,
  kind: EventKind,
  options: EventOptions,
): Promise<WebhookEvent> {
  const { ref, ...others } = await renderers[kind](world, repository, options)
  const payload = ref === undefined || options.withoutRef === true ? others : { ref, ...others }
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

type Renderer = (world: World, repository: RepositoryState, options: EventOptions) => Promise<Record<string, unknown>>

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
  workflow_run: async (world, repository, { action = 'completed', runId, number }) => {
    const run = repository.runs.get(runId ?? 0)
    if (!run) throw new Error('A workflow_run event needs the id of a run.')
    const rendered = await renderRun(world, repository, run)
    const named = rendered.pull_requests.filter((pull) => number === undefined || pull.number === number)
    return {
      action,
      workflow: renderWorkflow(world, repository, run),
      workflow_run: { ...rendered, pull_requests: named },
    }
  },
}

async function renderPullRequestEvent(world: World, repository: RepositoryState, options: EventOptions) {
  const { action = 'opened', number, label } = options
  const pull = repository.pull(number ?? 0)
  return {
    action,
    number: pull.number,
    pull_request: await renderFullPull(world, repository, pull),
    ...(action === 'synchronize' ? { before: options.before ?? NO_COMMIT, after: options.after ?? pull.headSha } : {}),
    ...(label === undefined ? {} : { label: renderLabel(repository, label, world) }),
  }
}

function renderWorkflow(world: World, repository: RepositoryState, run: WorkflowRun) {
  const url = `${world.apiUrl}/repos/${repository.fullName}/actions/workflows/1`
  const created = timestamp(repository.createdAt)
  return {
    id: 1,
    node_id: nodeId('W', 1),
    name: run.name,
    path: run.path,
    state: 'active',
    created_at: created,
    updated_at: created,
    url,
    html_url: `${repository.htmlUrl}/blob/${repository.defaultBranch}/${run.path}`,
    badge_url: `${repository.htmlUrl}/workflows/${encodeURIComponent(run.name)}/badge.svg`,
  }
}

function renderRelease(world: World, repository: RepositoryState, tag: string) {
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
