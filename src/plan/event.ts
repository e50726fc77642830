import * as v from 'valibot'
import { DeployError } from '../core/errors.ts'

/* What happened, as the webhook's payload tells it: what is needed of it is taken, and all else ignored. */

const sha = v.pipe(v.string(), v.regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/))
const number = v.pipe(v.number(), v.integer())
const user = v.nullish(v.object({ login: v.string(), type: v.nullish(v.string()) }))
const repository = v.nullish(v.object({ full_name: v.string() }))
const named = v.object({ name: v.string() })

const pullRequest = v.pipe(
  v.object({
    number,
    state: v.picklist(['open', 'closed']),
    draft: v.nullish(v.boolean(), false),
    head: v.object({ sha, ref: v.string(), repo: repository }),
    base: v.object({ sha }),
    labels: v.nullish(v.array(named), []),
  }),
  v.transform(({ head, labels, ...rest }) => ({
    ...rest,
    /** `ref` is the branch's short name, `repository` the `owner/name` that holds it: undefined when that fork was deleted. */
    head: { sha: head.sha, ref: head.ref, repository: head.repo?.full_name },
    labels: labels.map(({ name }) => name) as readonly string[],
  })),
)
export type PullRequest = Readonly<v.InferOutput<typeof pullRequest>>

const pullRequestEvent = v.pipe(
  v.object({ action: v.string(), pull_request: pullRequest, label: v.nullish(named), before: v.nullish(sha) }),
  v.transform(({ action, pull_request: of, label, before }) => ({
    kind: 'pull-request' as const,
    /** `opened`, `synchronize`, `closed`, … as GitHub names them. */
    action,
    pullRequest: of,
    /** The label that was put on or taken off, for `labeled` and `unlabeled`. */
    label: label?.name,
    /** The head before the push, for `synchronize`. */
    before: before ?? undefined,
  })),
)

const release = v.pipe(
  v.object({ action: v.string(), release: v.object({ tag_name: v.string() }) }),
  v.transform(({ action, release: { tag_name: tag } }) => ({ kind: 'release' as const, action, tag })),
)

const schedule = v.pipe(
  v.object({ schedule: v.nullish(v.string(), '') }),
  v.transform(({ schedule: cron }) => ({ kind: 'schedule' as const, cron })),
)

/** Where an account is gone GitHub shows this one in its place. */
const deletedAccount = 'ghost'

const comment = v.pipe(
  v.object({
    action: v.string(),
    sender: user,
    // Gitea says here what the sender may do (1.26, `services/actions/notifier.go`).
    repository: v.nullish(v.object({ permissions: v.nullish(v.object({ push: v.nullish(v.boolean()) })) })),
    issue: v.object({ number, pull_request: v.nullish(v.object({})) }),
    comment: v.object({ id: number, body: v.nullish(v.string(), ''), user }),
  }),
  v.transform(({ action, issue, comment: { id, body, user: author }, sender, repository: its }) => ({
    kind: 'comment' as const,
    action,
    number: issue.number,
    onPullRequest: issue.pull_request != null,
    commentId: id,
    body,
    author: author?.login ?? deletedAccount,
    byBot: author?.type === 'Bot',
    /** What a forge’s event tells of it; GitHub’s tell nothing. */
    authorMayWrite:
      sender?.login !== undefined && sender.login === author?.login ? (its?.permissions?.push ?? undefined) : undefined,
  })),
)

const workflowRun = v.pipe(
  v.object({
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
  v.transform(({ action, workflow_run: run }) => ({
    kind: 'workflow-run' as const,
    action,
    /** `success`, `failure`, …; undefined until the run has ended. */
    conclusion: run.conclusion ?? undefined,
    /** What had started that run: `pull_request`, `push`, … */
    event: run.event,
    headSha: run.head_sha,
    headBranch: run.head_branch,
    /** `owner/name`; differs from this repository's for a fork. */
    headRepository: run.head_repository?.full_name,
    /** Those that GitHub names in the payload: none for forks. */
    pullRequests: run.pull_requests.map((one) => one.number) as readonly number[],
  })),
)

const deletion = v.pipe(
  v.object({ ref_type: v.string(), ref: v.string() }),
  v.transform(({ ref_type: refType, ref }) => ({ kind: 'delete' as const, refType, ref })),
)

const push = v.object({ ref: v.nullish(v.string()), before: v.nullish(sha), after: v.nullish(sha) })
const dispatch = v.object({ ref: v.nullish(v.string()) })

export type RunEvent = Readonly<ReturnType<typeof readEvent>>
type EventOf<K extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: K }>
export type PullRequestEvent = EventOf<'pull-request'>
export type PushEvent = EventOf<'push'>
export type CommentEvent = EventOf<'comment'>
export type WorkflowRunEvent = EventOf<'workflow-run'>

/**
 * Makes an event of a webhook payload.
 * @throws DeployError naming the first part of the payload that is not as GitHub documents it
 */
export function readEvent(eventName: string, payload: unknown, known: Known = {}) {
  const read = <T>(schema: v.GenericSchema<unknown, T>): T => {
    const parsed = v.safeParse(schema, payload)
    if (parsed.success) return parsed.output
    const [issue] = parsed.issues
    throw unexpected(eventName, v.getDotPath(issue) ?? 'the whole', issue.message)
  }
  switch (eventName) {
    case 'pull_request':
    case 'pull_request_target':
      // Under `pull_request_target` a fork's pull request runs with the repository's secrets.
      return { ...read(pullRequestEvent), withSecretsForForks: eventName === 'pull_request_target' }
    case 'push': {
      const { ref, before, after } = read(push)
      // Zeros stand for "there was none" and "there is none any more": a branch that this push made, or deleted.
      const some = (commit: string | null | undefined) => (commit && !/^0+$/.test(commit) ? commit : undefined)
      const [from, to] = [some(before), some(after ?? known.sha)]
      return { kind: 'push' as const, ref: wholeRef('push', ref, known), before: from, after: to }
    }
    case 'workflow_dispatch':
      return { kind: 'dispatch' as const, ref: wholeRef(eventName, read(dispatch).ref, known) }
    case 'release':
      return read(release)
    case 'schedule':
      return read(schedule)
    case 'issue_comment':
      return read(comment)
    case 'workflow_run':
      return read(workflowRun)
    case 'delete':
      return read(deletion)
    default:
      return { kind: 'other' as const, name: eventName }
  }
}

function unexpected(eventName: string, where: string, what: string): DeployError {
  return new DeployError(`The description of the event ${eventName} is not as expected: ${where}: ${what}`, {
    hint: 'Run the workflow again. If that does not help, this action does not know this form of the event yet.',
  })
}

/** What the runner says of the event beside its payload: `GITHUB_REF` and `GITHUB_SHA`. */
type Known = { readonly [name in 'ref' | 'sha']?: string }

/** The whole ref. A payload may lack it, or hold a branch's short name. */
function wholeRef(eventName: string, ref: string | null | undefined, known: Known): string {
  if (ref?.startsWith('refs/')) return ref
  if (known.ref) return known.ref
  if (!ref) throw unexpected(eventName, 'ref', 'it is missing, and GITHUB_REF is not set')
  return `refs/heads/${ref}`
}

/** The short name of a branch's ref; undefined for tags and pull request refs. */
export function branchOf(ref: string): string | undefined {
  const prefix = 'refs/heads/'
  return ref.startsWith(prefix) ? ref.slice(prefix.length) : undefined
}

/** Whether the pull request's branch lies in another repository, or in a fork that no longer exists. */
export function isFromFork(pullRequest: PullRequest, repository: { readonly fullName: string }): boolean {
  return pullRequest.head.repository?.toLowerCase() !== repository.fullName.toLowerCase()
}

/** Whether two names mean the same label: GitHub ignores case there. */
export function sameLabel(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one.toLowerCase() === other?.toLowerCase()
}

/** What a comment asks for. A commit is given whole or abbreviated. */
type CommentCommand =
  | { readonly name: 'deploy' | 'rollback'; readonly commit: string | undefined }
  | { readonly name: 'stop' | 'logs' }
  | { readonly name: 'help'; readonly unknown: string | undefined }

/**
 * The first `/ink …` that a comment's author wrote as a command: alone at the start of a line, and not in a code block,
 * a quote (with the lines that Markdown counts to it) or a hidden HTML comment.
 */
export function findCommand(body: string): CommentCommand | undefined {
  const line = writtenLines(body).find((candidate) => /^ {0,3}\/ink(\s|$)/.test(candidate))
  return line === undefined ? undefined : readCommand(line.trim().split(/\s+/).slice(1))
}

function readCommand([word, argument]: readonly string[]): CommentCommand {
  const name = word?.toLowerCase()
  const commit = argument?.toLowerCase()
  if (name === 'stop' || name === 'logs') return { name }
  if (name !== 'deploy' && name !== 'rollback') return { name: 'help', unknown: name === 'help' ? undefined : word }
  return commit === undefined || /^[0-9a-f]{7,64}$/.test(commit)
    ? { name, commit }
    : { name: 'help', unknown: `${name} ${argument}` }
}

/** The lines that stand as text of the author's own. */
function writtenLines(body: string): string[] {
  const lines = body.replaceAll(/<!--[\s\S]*?(?:-->|$)/g, '').split(/\r\n?|\n/)
  const written: string[] = []
  let fence: string | undefined
  let inQuote = false
  for (const line of lines) {
    // Backticks after backticks on one line are code within the line, which opens no block.
    const [, mark, info = ''] = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$/.exec(line) ?? []
    if (fence !== undefined) {
      if (mark?.startsWith(fence) && info.trim() === '') fence = undefined
    } else if (mark !== undefined) {
      fence = mark
      inQuote = false
    } else if (line.trim() === '') {
      inQuote = false
    } else if (inQuote || /^ {0,3}>/.test(line)) {
      inQuote = true
    } else {
      written.push(line)
    }
  }
  return written
}
