import { randomUUID } from 'node:crypto'
import type { ForgeProfile, GitHub, Repository, WebhookEvent, WorkflowRun } from '../github/github.ts'
import { fullReference } from '../github/render/push-event.ts'

/** What starts a workflow run: which event, by whom, on which commit. */
export interface JobContext {
  readonly event: WebhookEvent
  readonly sha: string
  /** `refs/heads/…`, `refs/tags/…` or `refs/pull/N/merge` */
  readonly ref: string
  readonly headRef: string
  readonly baseRef: string
  readonly actor: string
  /** Who started this attempt: somebody else where a run is started again. */
  readonly triggeringActor: string
  /** True for what GitHub gives no secrets and a read-only token: pull requests of forks and of Dependabot. */
  readonly untrusted: boolean
}

interface Payload {
  readonly action?: string
  readonly ref?: string
  readonly after?: string
  readonly deleted?: boolean
  readonly sender?: { readonly login?: string }
  readonly release?: { readonly tag_name?: string }
  readonly pull_request?: {
    readonly number: number
    readonly merged?: boolean
    readonly merge_commit_sha?: string | null
    readonly head: { readonly ref: string; readonly repo: { readonly full_name: string } | null }
    readonly base: { readonly ref: string }
  }
}

export interface ContextFacts {
  readonly actor?: string | undefined
  readonly profile?: ForgeProfile
  /** The run that is started again; what it was about stays as it was. */
  readonly again?: WorkflowRun | undefined
}

/**
 * The commit and reference a run is for, by event (GitHub's documentation, “Events that trigger workflows”).
 *
 * @throws when GitHub would not start a run at all: a pull request that conflicts, a branch that is gone
 */
export async function jobContext(
  repository: Repository,
  event: WebhookEvent,
  facts: ContextFacts = {},
): Promise<JobContext> {
  const { again, profile = 'github', actor } = facts
  const payload = (again?.start?.payload ?? event.payload) as Payload
  const login = again?.actor.login ?? actor ?? payload.sender?.login ?? repository.owner.login
  const { ref, sha } = again?.start ?? (await reference(repository, event.name, payload, profile))
  const pull = event.name.startsWith('pull_request') ? payload.pull_request : undefined
  const fromFork = pull !== undefined && pull.head.repo?.full_name !== repository.fullName
  return {
    event: { name: event.name, payload: payload as WebhookEvent['payload'] },
    sha,
    ref,
    headRef: pull?.head.ref ?? '',
    baseRef: pull?.base.ref ?? '',
    actor: login,
    triggeringActor: actor ?? login,
    untrusted:
      (event.name === 'pull_request' && fromFork) ||
      (login === 'dependabot[bot]' && event.name !== 'pull_request_target'),
  }
}

async function reference(
  repository: Repository,
  name: WebhookEvent['name'],
  payload: Payload,
  profile: ForgeProfile,
): Promise<{ readonly ref: string; readonly sha: string }> {
  if (name === 'pull_request' && payload.pull_request) {
    // A Gitea makes no test merges: a run is for the head itself.
    if (profile === 'gitea') return resolved(repository, `refs/pull/${payload.pull_request.number}/head`)
    return pullRequestReference(repository, payload.pull_request)
  }
  if (name === 'push') return pushReference(repository, payload)
  if (name === 'workflow_dispatch' && payload.ref !== undefined) return resolved(repository, fullReference(payload.ref))
  if (name === 'release') return resolved(repository, `refs/tags/${payload.release?.tag_name ?? ''}`)
  return resolved(repository, `refs/heads/${repository.defaultBranch}`)
}

function pushReference(repository: Repository, payload: Payload) {
  const { ref = `refs/heads/${repository.defaultBranch}`, after = '', deleted } = payload
  if (deleted) throw new Error(`GitHub starts no run: ${ref} was deleted.`)
  return { ref, sha: after }
}

async function pullRequestReference(repository: Repository, pull: NonNullable<Payload['pull_request']>) {
  if (pull.merged && pull.merge_commit_sha) return { ref: `refs/heads/${pull.base.ref}`, sha: pull.merge_commit_sha }
  const ref = `refs/pull/${pull.number}/merge`
  const sha = await repository.resolve(ref)
  if (!sha) throw new Error(`GitHub starts no run for pull request ${pull.number}: it conflicts with ${pull.base.ref}.`)
  return { ref, sha }
}

async function resolved(repository: Repository, ref: string) {
  const sha = await repository.resolve(ref)
  if (!sha) throw new Error(`GitHub starts no run: ${repository.fullName} has no ${ref}.`)
  return { ref, sha }
}

/** The folders of a job. */
export interface JobFolders {
  readonly root: string
  readonly workspace: string
  readonly temp: string
  readonly tools: string
  readonly home: string
}

export interface RunNumbers {
  readonly runId: number
  readonly runNumber: number
  readonly runAttempt: number
  readonly jobName: string
  readonly workflow: { readonly name: string; readonly path: string }
  readonly reusable?: boolean
}

/** The `github` context, as expressions see it; `GITHUB_*` is the same in upper case. */
export function githubContext(
  github: GitHub,
  repository: Repository,
  context: JobContext,
  folders: JobFolders,
  numbers: RunNumbers,
) {
  const workflowRef = `${repository.fullName}/${numbers.workflow.path}@${context.ref}`
  return {
    action: '__run',
    action_ref: '',
    action_repository: '',
    actor: context.actor,
    actor_id: String(repository.user(context.actor).id),
    api_url: github.apiUrl,
    base_ref: context.baseRef,
    event_name: github.profile === 'gitea' && numbers.reusable ? 'workflow_call' : context.event.name,
    event_path: `${folders.temp}/_github_workflow/event.json`,
    graphql_url: `${github.serverUrl}/api/graphql`,
    head_ref: context.headRef,
    job: numbers.jobName,
    ref: context.ref,
    ref_name: context.ref.replace(/^refs\/(heads|tags|pull)\//, ''),
    ref_protected: 'false',
    ref_type: context.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    repository: repository.fullName,
    repository_id: String(repository.id),
    repository_owner: repository.owner.login,
    repository_owner_id: String(repository.owner.id),
    retention_days: '90',
    run_attempt: String(numbers.runAttempt),
    run_id: String(numbers.runId),
    run_number: String(numbers.runNumber),
    // A Gitea tells its address with a slash at the end.
    server_url: github.profile === 'gitea' ? `${github.serverUrl}/` : github.serverUrl,
    sha: context.sha,
    triggering_actor: context.triggeringActor,
    workflow: numbers.workflow.name,
    workflow_ref: workflowRef,
    workflow_sha: context.sha,
    workspace: folders.workspace,
  }
}

/** What a Gitea's runner does not tell. Source: Gitea 1.26, `services/actions/context.go`. */
const GITHUB_ONLY = [
  'actor_id',
  'repository_id',
  'repository_owner_id',
  'triggering_actor',
  'workflow_ref',
  'workflow_sha',
]

/** The environment every step starts with, and nothing of this machine's but its search path. */
export function jobEnvironment(
  context: Readonly<Record<string, string>>,
  folders: JobFolders,
  debug: boolean,
  profile: ForgeProfile,
) {
  const told = Object.entries(context).filter(([name]) => profile === 'github' || !GITHUB_ONLY.includes(name))
  const variables = told.map(([name, value]) => [`GITHUB_${name.toUpperCase()}`, value])
  return {
    ...Object.fromEntries(variables),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    HOME: folders.home,
    LANG: 'C.UTF-8',
    PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    RUNNER_ARCH: 'X64',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_NAME: 'GitHub Actions 1',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: folders.temp,
    RUNNER_TOOL_CACHE: folders.tools,
    RUNNER_TRACKING_ID: `github_${randomUUID()}`,
    RUNNER_WORKSPACE: folders.root,
    ...(debug ? { RUNNER_DEBUG: '1' } : {}),
    ...(profile === 'gitea' ? { GITEA_ACTIONS: 'true' } : {}),
  } satisfies Record<string, string>
}
