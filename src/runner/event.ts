import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { z } from 'zod'
import { DeployError } from '../core/errors.ts'
import type { PullRequest, RunEvent } from '../plan/event.ts'
import { branchOf, type Repository, type RunContext } from '../plan/event.ts'

/** The process environment, or what a test puts in its place. */
export type Environment = Readonly<Record<string, string | undefined>>

// Scheduled runs have come with and without a repository in their payload.
const repositoryPayload = z.object({
  repository: z.object({ default_branch: z.string().nullish(), private: z.boolean().nullish() }).nullish(),
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
  const actor = environment.GITHUB_ACTOR ?? ''
  return {
    repository,
    actor,
    triggeringActor: environment.GITHUB_TRIGGERING_ACTOR || actor,
    runId,
    runAttempt,
    runUrl: runAttempt > 1 ? `${runPage}/attempts/${runAttempt}` : runPage,
    workflow: environment.GITHUB_WORKFLOW ?? '',
    job: environment.GITHUB_JOB ?? '',
    runnerName: environment.RUNNER_NAME ?? '',
    sha: needed('GITHUB_SHA'),
    ref: environment.GITHUB_REF ?? '',
    eventName: needed('GITHUB_EVENT_NAME'),
    workspace: needed('GITHUB_WORKSPACE'),
    tempDir: environment.RUNNER_TEMP || tmpdir(),
  }
}

function readRepository(environment: Environment, fullName: string, payload: unknown): Repository {
  const [owner = '', name = ''] = fullName.split('/')
  const parsed = repositoryPayload.safeParse(payload)
  const described = parsed.success ? parsed.data.repository : undefined
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

const sha = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/)
const user = z.object({ login: z.string(), type: z.string().nullish() }).nullish()
const repository = z.object({ full_name: z.string() }).nullish()

const pullRequestPayload = z.object({
  number: z.number().int(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean().nullish(),
  draft: z.boolean().nullish(),
  title: z.string(),
  html_url: z.string(),
  head: z.object({ sha, ref: z.string(), repo: repository }),
  base: z.object({ sha, ref: z.string() }),
  labels: z.array(z.object({ name: z.string() })).nullish(),
  user,
})

const payloads = {
  pullRequest: z.object({
    action: z.string(),
    pull_request: pullRequestPayload,
    label: z.object({ name: z.string() }).nullish(),
    before: sha.nullish(),
  }),
  push: z.object({ ref: z.string().nullish(), before: sha.nullish(), after: sha.nullish() }),
  dispatch: z.object({ ref: z.string().nullish() }),
  release: z.object({ action: z.string(), release: z.object({ tag_name: z.string() }) }),
  schedule: z.object({ schedule: z.string().nullish() }),
  comment: z.object({
    action: z.string(),
    sender: user,
    // Gitea says here what the sender may do (1.26, `services/actions/notifier.go`).
    repository: z.object({ permissions: z.object({ push: z.boolean().nullish() }).nullish() }).nullish(),
    issue: z.object({ number: z.number().int(), pull_request: z.object({}).nullish() }),
    comment: z.object({ id: z.number().int(), body: z.string().nullish(), created_at: z.string(), user }),
  }),
  workflowRun: z.object({
    action: z.string(),
    workflow_run: z.object({
      conclusion: z.string().nullish(),
      event: z.string(),
      head_sha: sha,
      head_branch: z.string().nullish(),
      head_repository: repository,
      pull_requests: z.array(z.object({ number: z.number().int() })).nullish(),
    }),
  }),
  delete: z.object({ ref_type: z.string(), ref: z.string() }),
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
 * Makes an event of a webhook payload, taking what is needed and ignoring all else.
 * @throws DeployError naming the first part of the payload that is not as GitHub documents it
 */
export function readEvent(eventName: string, payload: unknown, known: Known = {}): RunEvent {
  const read = <T>(schema: z.ZodType<T>): T => parsePayload(schema, payload, eventName)
  switch (eventName) {
    case 'pull_request':
    case 'pull_request_target':
      return pullRequestEvent(read(payloads.pullRequest), eventName === 'pull_request_target')
    case 'push':
      return pushEvent(read(payloads.push), known)
    case 'workflow_dispatch':
      return { kind: 'dispatch', ref: wholeRef(eventName, read(payloads.dispatch).ref, known) }
    case 'release': {
      const { action, release } = read(payloads.release)
      return { kind: 'release', action, tag: release.tag_name }
    }
    case 'schedule':
      return { kind: 'schedule', cron: read(payloads.schedule).schedule ?? '' }
    case 'issue_comment':
      return commentEvent(read(payloads.comment))
    case 'workflow_run':
      return workflowRunEvent(read(payloads.workflowRun))
    case 'delete': {
      const { ref_type: refType, ref } = read(payloads.delete)
      return { kind: 'delete', refType, ref }
    }
    default:
      return { kind: 'other', name: eventName }
  }
}

function parsePayload<T>(schema: z.ZodType<T>, payload: unknown, eventName: string): T {
  const parsed = schema.safeParse(payload)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw unexpected(eventName, issue?.path.join('.') || 'the whole', issue?.message ?? '')
}

function unexpected(eventName: string, where: string, what: string): DeployError {
  return new DeployError(`The description of the event ${eventName} is not as expected: ${where}: ${what}`, {
    hint: 'Run the workflow again. If that does not help, this action does not know this form of the event yet.',
  })
}

function pullRequestEvent(payload: z.infer<typeof payloads.pullRequest>, target: boolean): RunEvent {
  return {
    kind: 'pull-request',
    action: payload.action,
    withSecretsForForks: target,
    pullRequest: pullRequestOf(payload.pull_request),
    label: payload.label?.name,
    before: payload.before ?? undefined,
  }
}

function pullRequestOf(payload: z.infer<typeof pullRequestPayload>): PullRequest {
  const { head, base } = payload
  return {
    number: payload.number,
    state: payload.state,
    merged: payload.merged ?? false,
    draft: payload.draft ?? false,
    title: payload.title,
    htmlUrl: payload.html_url,
    head: { sha: head.sha, ref: head.ref, repository: head.repo?.full_name },
    base: { sha: base.sha, ref: base.ref },
    labels: (payload.labels ?? []).map(({ name }) => name),
    author: payload.user?.login ?? deletedAccount,
  }
}

/** Where an account is gone GitHub shows this one in its place. */
const deletedAccount = 'ghost'

/** What the runner says of the event beside its payload: `GITHUB_REF` and `GITHUB_SHA`. */
type Known = Partial<Pick<RunContext, 'ref' | 'sha'>>

/** The whole ref. A payload may lack it, or hold a branch's short name. */
function wholeRef(eventName: string, ref: string | null | undefined, known: Known): string {
  if (ref?.startsWith('refs/')) return ref
  if (known.ref) return known.ref
  if (!ref) throw unexpected(eventName, 'ref', 'it is missing, and GITHUB_REF is not set')
  return `refs/heads/${ref}`
}

function pushEvent({ ref, before, after }: z.infer<typeof payloads.push>, known: Known): RunEvent {
  // Zeros stand for "there was none" and "there is none any more".
  const some = (commit: string | null | undefined) => (commit && !/^0+$/.test(commit) ? commit : undefined)
  return { kind: 'push', ref: wholeRef('push', ref, known), before: some(before), after: some(after ?? known.sha) }
}

function commentEvent({ action, issue, comment, sender, repository }: z.infer<typeof payloads.comment>): RunEvent {
  const byAuthor = sender?.login !== undefined && sender.login === comment.user?.login
  return {
    kind: 'comment',
    action,
    number: issue.number,
    onPullRequest: issue.pull_request != null,
    commentId: comment.id,
    body: comment.body ?? '',
    author: comment.user?.login ?? deletedAccount,
    byBot: comment.user?.type === 'Bot',
    authorMayWrite: byAuthor ? (repository?.permissions?.push ?? undefined) : undefined,
    createdAt: comment.created_at,
  }
}

function workflowRunEvent({ action, workflow_run: run }: z.infer<typeof payloads.workflowRun>): RunEvent {
  return {
    kind: 'workflow-run',
    action,
    conclusion: run.conclusion ?? undefined,
    event: run.event,
    headSha: run.head_sha,
    headBranch: run.head_branch ?? '',
    headRepository: run.head_repository?.full_name,
    pullRequests: (run.pull_requests ?? []).map(({ number }) => number),
  }
}
