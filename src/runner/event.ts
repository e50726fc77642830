import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as v from 'valibot'
import { DeployError } from '../core/errors.ts'
import { branchOf, type PullRequest, type Repository, type RunContext, type RunEvent } from '../plan/event.ts'

/** The process environment, or what a test puts in its place. */
export type Environment = Readonly<Record<string, string | undefined>>

// Scheduled runs have come with and without a repository in their payload.
const repositoryPayload = v.object({
  repository: v.nullish(v.object({ default_branch: v.nullish(v.string()), private: v.nullish(v.boolean()) })),
})

/**
 * Who runs where, from the variables that the runner sets (docs.github.com, "Variables reference") and the payload.
 * @throws DeployError when a variable is missing without which nothing can be done
 */
export function readContext(environment: Environment, payload: unknown): RunContext {
  const needed = (name: string): string => {
    const value = environment[name]
    if (value) return value
    throw new DeployError(`The variable ${name} is not set`, {
      hint: 'This program is an action: it is started by the GitHub Actions runner, which sets it.',
    })
  }
  const repository = readRepository(environment, needed('GITHUB_REPOSITORY'), payload)
  const runId = Number(needed('GITHUB_RUN_ID'))
  const runAttempt = Number(environment.GITHUB_RUN_ATTEMPT ?? '1')
  const runPage = `${repository.serverUrl}/${repository.fullName}/actions/runs/${runId}`
  return {
    repository,
    actor: environment.GITHUB_ACTOR ?? '',
    runId,
    runAttempt,
    runUrl: runAttempt > 1 ? `${runPage}/attempts/${runAttempt}` : runPage,
    workflow: environment.GITHUB_WORKFLOW ?? '',
    workflowPath: workflowPath(environment),
    workflowSha: environment.GITHUB_WORKFLOW_SHA || undefined,
    action: environment.GITHUB_ACTION_REPOSITORY || undefined,
    job: environment.GITHUB_JOB ?? '',
    runnerName: environment.RUNNER_NAME ?? '',
    sha: needed('GITHUB_SHA'),
    ref: environment.GITHUB_REF ?? '',
    eventName: needed('GITHUB_EVENT_NAME'),
    workspace: needed('GITHUB_WORKSPACE'),
    tempDir: environment.RUNNER_TEMP || tmpdir(),
  }
}

/** `owner/name/.github/workflows/deploy.yml@refs/heads/main` without what is around the path; a Gitea tells nothing. */
function workflowPath({ GITHUB_WORKFLOW_REF: ref = '', GITHUB_REPOSITORY: repository = '' }: Environment) {
  const [file = ''] = ref.split('@')
  return file.toLowerCase().startsWith(`${repository.toLowerCase()}/`) ? file.slice(repository.length + 1) : undefined
}

function readRepository(environment: Environment, fullName: string, payload: unknown): Repository {
  const [owner = '', name = ''] = fullName.split('/')
  const parsed = v.safeParse(repositoryPayload, payload)
  const described = parsed.success ? parsed.output.repository : undefined
  const serverUrl = withoutSlash(environment.GITHUB_SERVER_URL || 'https://github.com')
  return {
    owner,
    name,
    id: environment.GITHUB_REPOSITORY_ID || undefined,
    fullName,
    // What has no payload of its own, such as a schedule, runs on the default branch.
    defaultBranch: described?.default_branch ?? branchOf(environment.GITHUB_REF ?? '') ?? 'main',
    private: described?.private ?? true,
    serverUrl,
    apiUrl: withoutSlash(environment.GITHUB_API_URL || 'https://api.github.com'),
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

const sha = v.pipe(v.string(), v.regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/))
const number = v.pipe(v.number(), v.integer())
const user = v.nullish(v.object({ login: v.string(), type: v.nullish(v.string()) }))
const repository = v.nullish(v.object({ full_name: v.string() }))
const named = v.object({ name: v.string() })

/** Where an account is gone GitHub shows this one in its place. */
const deletedAccount = 'ghost'

const pullRequest = v.pipe(
  v.object({
    number,
    state: v.picklist(['open', 'closed']),
    draft: v.nullish(v.boolean(), false),
    head: v.object({ sha, ref: v.string(), repo: repository }),
    base: v.object({ sha }),
    labels: v.nullish(v.array(named), []),
  }),
  v.transform(
    ({ head, labels, ...rest }): PullRequest => ({
      ...rest,
      head: { sha: head.sha, ref: head.ref, repository: head.repo?.full_name },
      labels: labels.map(({ name }) => name),
    }),
  ),
)

/** One event by what its payload is: what is needed of it is taken, and all else ignored. */
const payloads = {
  pullRequest: v.object({
    action: v.string(),
    pull_request: pullRequest,
    label: v.nullish(named),
    before: v.nullish(sha),
  }),
  push: v.object({ ref: v.nullish(v.string()), before: v.nullish(sha), after: v.nullish(sha) }),
  dispatch: v.object({ ref: v.nullish(v.string()) }),
  release: v.object({ action: v.string(), release: v.object({ tag_name: v.string() }) }),
  schedule: v.object({ schedule: v.nullish(v.string(), '') }),
  comment: v.object({
    action: v.string(),
    sender: user,
    // Gitea says here what the sender may do (1.26, `services/actions/notifier.go`).
    repository: v.nullish(v.object({ permissions: v.nullish(v.object({ push: v.nullish(v.boolean()) })) })),
    issue: v.object({ number, pull_request: v.nullish(v.object({})) }),
    comment: v.object({ id: number, body: v.nullish(v.string(), ''), user }),
  }),
  workflowRun: v.object({
    action: v.string(),
    workflow_run: v.object({
      conclusion: v.nullish(v.string()),
      event: v.string(),
      head_sha: sha,
      head_branch: v.nullish(v.string(), ''),
      head_repository: repository,
      pull_requests: v.nullish(v.array(v.object({ number })), []),
    }),
  }),
  delete: v.object({ ref_type: v.string(), ref: v.string() }),
}

/**
 * Reads the file that the runner names in `GITHUB_EVENT_PATH`.
 * @throws DeployError when it is missing or no JSON
 */
export function readPayload(path: string | undefined): unknown {
  if (!path) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new DeployError('The description of the event could not be read', {
      cause,
      hint: 'The runner writes it to the file named by GITHUB_EVENT_PATH. No step may change that variable or file.',
    })
  }
}

/**
 * Makes an event of a webhook payload.
 * @throws DeployError naming the first part of the payload that is not as GitHub documents it
 */
export function readEvent(eventName: string, payload: unknown, known: Known = {}): RunEvent {
  const read = <T>(schema: v.GenericSchema<unknown, T>): T => {
    const parsed = v.safeParse(schema, payload)
    if (parsed.success) return parsed.output
    const [issue] = parsed.issues
    throw unexpected(eventName, v.getDotPath(issue) ?? 'the whole', issue.message)
  }
  switch (eventName) {
    case 'pull_request':
    case 'pull_request_target': {
      const { action, pull_request: pullRequest, label, before } = read(payloads.pullRequest)
      const withSecretsForForks = eventName === 'pull_request_target'
      const rest = { label: label?.name, before: before ?? undefined }
      return { kind: 'pull-request', action, withSecretsForForks, pullRequest, ...rest }
    }
    case 'push': {
      const { ref, before, after } = read(payloads.push)
      // Zeros stand for "there was none" and "there is none any more".
      const some = (commit: string | null | undefined) => (commit && !/^0+$/.test(commit) ? commit : undefined)
      return { kind: 'push', ref: wholeRef('push', ref, known), before: some(before), after: some(after ?? known.sha) }
    }
    case 'workflow_dispatch':
      return { kind: 'dispatch', ref: wholeRef(eventName, read(payloads.dispatch).ref, known) }
    case 'release': {
      const { action, release } = read(payloads.release)
      return { kind: 'release', action, tag: release.tag_name }
    }
    case 'schedule':
      return { kind: 'schedule', cron: read(payloads.schedule).schedule }
    case 'issue_comment':
      return commentEvent(read(payloads.comment))
    case 'workflow_run': {
      const { action, workflow_run: run } = read(payloads.workflowRun)
      return {
        kind: 'workflow-run',
        action,
        conclusion: run.conclusion ?? undefined,
        event: run.event,
        headSha: run.head_sha,
        headBranch: run.head_branch,
        headRepository: run.head_repository?.full_name,
        pullRequests: run.pull_requests.map(({ number }) => number),
      }
    }
    case 'delete': {
      const { ref_type: refType, ref } = read(payloads.delete)
      return { kind: 'delete', refType, ref }
    }
    default:
      return { kind: 'other', name: eventName }
  }
}

function unexpected(eventName: string, where: string, what: string): DeployError {
  return new DeployError(`The description of the event ${eventName} is not as expected: ${where}: ${what}`, {
    hint: 'Run the workflow again. If that does not help, this action does not know this form of the event yet.',
  })
}

/** What the runner says of the event beside its payload: `GITHUB_REF` and `GITHUB_SHA`. */
type Known = Partial<Pick<RunContext, 'ref' | 'sha'>>

/** The whole ref. A payload may lack it, or hold a branch's short name. */
function wholeRef(eventName: string, ref: string | null | undefined, known: Known): string {
  if (ref?.startsWith('refs/')) return ref
  if (known.ref) return known.ref
  if (!ref) throw unexpected(eventName, 'ref', 'it is missing, and GITHUB_REF is not set')
  return `refs/heads/${ref}`
}

function commentEvent({
  action,
  issue,
  comment,
  sender,
  repository,
}: v.InferOutput<typeof payloads.comment>): RunEvent {
  const byAuthor = sender?.login !== undefined && sender.login === comment.user?.login
  return {
    kind: 'comment',
    action,
    number: issue.number,
    onPullRequest: issue.pull_request != null,
    commentId: comment.id,
    body: comment.body,
    author: comment.user?.login ?? deletedAccount,
    byBot: comment.user?.type === 'Bot',
    authorMayWrite: byAuthor ? (repository?.permissions?.push ?? undefined) : undefined,
  }
}
