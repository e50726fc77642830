import { shortSha } from '../core/format.ts'
import type { Approval, Facts, RunContext } from './context.ts'
import { isFromFork, type PullRequest, type RunEvent, sameLabel } from './event.ts'
import {
  type IntentTo,
  type NeedsPlan,
  type NonePlan,
  noPlan,
  type PlanInput,
  type RefusedPlan,
  refusal,
} from './intent.ts'
import type { Settings } from './settings.ts'
import { managedBy, marks } from './variables.ts'

/**
 * What a run without a key comes to; undefined when there is one. Forks and Dependabot cannot have secrets: no failure.
 * @param takesDown whether the run is to take a preview down, which then runs on
 */
export function missingKey(
  { context, event, settings }: PlanInput,
  takesDown: boolean,
): NonePlan | RefusedPlan | undefined {
  if (settings.apiKey !== undefined) return undefined
  const withheld = secretsWithheld(context, event)
  if (withheld === undefined) return refusal('api-key: is not set', missingKeyHint)
  const pullRequest = event.kind === 'pull-request' ? event.pullRequest.number : undefined
  if (!takesDown) return noPlan('skipped', withheld, pullRequest)
  const reason =
    `the preview${pullRequest === undefined ? '' : ` of pull request #${pullRequest}`}, if there is one, still runs and is billed. ` +
    `The next sweep of a scheduled workflow removes it, or a comment /ink stop; a workflow that closes previews under pull_request_target has the key. Why: ${withheld}`
  return { ...noPlan('skipped', reason, pullRequest), stillRuns: true }
}

const missingKeyHint =
  'Make a key at ml.ink (account, API keys), save it as the repository secret INK_API_KEY, ' +
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
  'and pass it: `api-key: ${{ secrets.INK_API_KEY }}`.'

/** Why GitHub gives this run no secrets, and what a maintainer can do about it; undefined when it does. */
export function secretsWithheld(context: RunContext, event: RunEvent): string | undefined {
  // Its branches lie in the same repository, so the actor is what tells (docs.github.com, "Dependabot on GitHub Actions").
  if (context.actor === 'dependabot[bot]')
    return (
      'Runs of Dependabot get none of the repository’s Actions secrets. ' +
      'For previews of its pull requests save INK_API_KEY under Settings, Secrets and variables, Dependabot as well.'
    )
  if (event.kind !== 'pull-request' || !isFromFork(event.pullRequest, context.repository)) return undefined
  return (
    'Pull requests from forks get no secrets. ' +
    'A maintainer who has read the code can comment /ink deploy, if a workflow for issue_comment is set up.'
  )
}

/** Whether a pull request's code may run with the repository's key, what has to be known first, or why it may not. */
type Trust =
  | { readonly kind: 'trusted' | 'approved' }
  | NeedsPlan
  | { readonly kind: 'denied'; readonly reason: string }

/**
 * Trust is decided from whose code it is, wherever the key comes from: a repository may hand its secrets to forks itself.
 * A fork's code is deployed with the key in reach only when somebody with write permission asked for that very commit: by a
 * comment that names it in full (two commits that share an abbreviation are quickly made), or by putting the gate's label on
 * after GitHub had heard of the commit. Nothing that was done earlier counts.
 */
export function trustIn(
  { context, settings }: PlanInput,
  intent: IntentTo<'preview'>,
  pullRequest: PullRequest,
  facts: Facts,
): Trust {
  if (!isFromFork(pullRequest, context.repository)) return { kind: 'trusted' }
  const { number, head } = pullRequest
  const { previewLabel: label } = settings
  if (intent.comment?.commit === head.sha) return { kind: 'approved' }
  if (!intent.labeled || label === undefined) return { kind: 'denied', reason: howToApprove(head.sha, label) }
  const { actor: login } = context
  const how = howToApprove(head.sha, undefined)
  if (facts.permission === undefined) return { kind: 'needs', need: { fact: 'permission', login } }
  if (facts.permission !== 'write') return { kind: 'denied', reason: `${login} has no write permission. ${how}` }
  // A label says nothing of a commit that was pushed while somebody was on the way to put it on.
  if (facts.approval === undefined)
    return { kind: 'needs', need: { fact: 'approval', of: { number, label, sha: head.sha } } }
  return facts.approval === 'given' ? { kind: 'approved' } : { kind: 'denied', reason: how }
}

/** Of a pull request's history. */
type Entry = { readonly event: string } & Readonly<Record<'sha' | 'label' | 'at', string | undefined>>

/**
 * Whether the label was put on after the commit had become the head, by GitHub's order of events and by its clock: the
 * times in commits are their author's to choose, so the last push to the head's repository has to be before the label too.
 * @param timeline oldest first
 * @param pushedAt when the head's repository was pushed to last; ISO 8601
 */
export function labelFollowsHead(
  timeline: readonly Entry[],
  { label, sha }: Pick<Approval, 'label' | 'sha'>,
  pushedAt: string | undefined,
): boolean {
  const labeled = timeline.findLastIndex((entry) => entry.event === 'labeled' && sameLabel(entry.label, label))
  const isPush = ({ event }: Entry) => event === 'committed' || event === 'head_ref_force_pushed'
  const arrived = timeline.findIndex((entry) => isPush(entry) && entry.sha === sha)
  const last = timeline.findLastIndex(isPush)
  const labeledAt = Date.parse(timeline[labeled]?.at ?? '')
  return arrived !== -1 && last < labeled && Date.parse(pushedAt ?? '') <= labeledAt
}

function howToApprove(sha: string, label: string | undefined): string {
  const ways = [`comment /ink deploy ${sha}`]
  if (label !== undefined) ways.push(`take the label ${label} off and put it on again`)
  return `It comes from a fork, and nobody is known to have approved of ${shortSha(sha)} after it was pushed. A maintainer who has read the code can ${ways.join(', or ')}.`
}

/** Why a pull request gets no preview now; undefined when nothing speaks against it. */
export function skipReason(input: PlanInput, pullRequest: PullRequest, byPerson: boolean): string | undefined {
  const { previewLabel, previewDrafts, hasPreviews, config } = input.settings
  if (!hasPreviews) return `${config} says that this service has no previews (preview: false)`
  if (pullRequest.state === 'closed') return `pull request #${pullRequest.number} is closed`
  if (!labelIsOn(previewLabel, pullRequest)) return `it does not have the label ${previewLabel}`
  if (!pullRequest.draft || previewDrafts || byPerson) return undefined
  return 'it is a draft, and previews.drafts is false; mark it ready for review, or comment /ink deploy'
}

/** Whether a pull request has the label without which there is no preview; true where none is asked for. */
export function labelIsOn(label: string | undefined, pullRequest: PullRequest): boolean {
  return label === undefined || pullRequest.labels.some((name) => sameLabel(name, label))
}

/** What happened on GitHub since a run began, for which it gives way. */
export interface Change {
  readonly kind: 'closed' | 'moved-on'
  readonly sentence: string
  /** The commit that came after ours. */
  readonly by?: string
}

/**
 * Why a preview is not wanted any more, asked just before it is changed and again afterwards; undefined while it is.
 * @param planned a draft keeps its preview unless `previewDrafts` is false
 */
export function previewChange(
  planned: { wanted: { readonly sha: string }; previewLabel: string | undefined; previewDrafts?: boolean },
  now: PullRequest,
): Change | undefined {
  const it = `pull request #${now.number}`
  const closed = (sentence: string): Change => ({ kind: 'closed', sentence })
  if (now.state === 'closed') return closed(`${it} was closed meanwhile`)
  if (!labelIsOn(planned.previewLabel, now)) return closed(`the label ${planned.previewLabel} was taken off meanwhile`)
  if (now.draft && planned.previewDrafts === false) return closed(`${it} became a draft meanwhile`)
  const by = now.head.sha
  return by === planned.wanted.sha
    ? undefined
    : { kind: 'moved-on', sentence: `${it} has moved on to ${shortSha(by)}`, by }
}

/** Whose a service is by its marks. Where both numbers of repositories are known they decide alone: names change hands. */
export function ownershipOf(
  env: Readonly<Record<string, string>>,
  repository: string,
  id: string | undefined,
): 'ours' | 'of-others' | 'unmarked' {
  const [manager, owner, ownerId] = [marks.managedBy, marks.repository, marks.repositoryId].map((mark) => env[mark])
  if (manager === undefined && owner === undefined) return 'unmarked'
  const isOwn =
    id !== undefined && ownerId !== undefined ? ownerId === id : owner?.toLowerCase() === repository.toLowerCase()
  return manager === managedBy && isOwn ? 'ours' : 'of-others'
}

/** An existing service, as far as it matters to whether it may be touched. */
interface Existing {
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  /** Whether it is built from our repository on the platform (`owner/slug`, as in the git remote). */
  readonly fromOurRepository: boolean
  /** GitHub's number for our repository. */
  readonly repositoryId?: string | undefined
}

export type Allowance =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string; readonly hint: string }

/** Whether a service may be updated: it is ours, or `adopt` allows it. */
export function mayChange(service: Existing, repository: string, adopt: boolean): Allowance {
  const reason = whyNotOurs(service, repository)
  if (reason === undefined || adopt) return { allowed: true }
  const hint = 'Set another name with the input service, or take the service over with adopt: true.'
  return { allowed: false, reason, hint }
}

/** Whether a service may be deleted: only if every mark says that it is this pull request's, or production's without one. */
export function mayDelete(service: Existing, repository: string, pullRequest: number | undefined): Allowance {
  const marked = service.env[marks.pullRequest]
  const strange = whyNotOurs(service, repository)
  if (strange === undefined && marked === pullRequest?.toString()) return { allowed: true }
  const what = pullRequest === undefined ? 'a service of production' : `the preview of pull request #${pullRequest}`
  const unmarked = `the service ${service.name} is not marked as ${what} (${marks.pullRequest} is ${marked ?? 'not set'})`
  return { allowed: false, reason: strange ?? unmarked, hint: 'Delete it by hand at ml.ink if it is not needed.' }
}

function whyNotOurs(service: Existing, repository: string): string | undefined {
  const ownership = ownershipOf(service.env, repository, service.repositoryId)
  const name = `the service ${service.name}`
  if (ownership === 'unmarked') return `${name} exists, and does not carry the marks of this action`
  if (ownership === 'of-others') {
    const owner = service.env[marks.repository] ?? 'something else'
    return owner.toLowerCase() === repository.toLowerCase()
      ? `${name} belongs to another repository that was called ${owner} before`
      : `${name} belongs to ${owner}, not to ${repository}`
  }
  return service.fromOurRepository ? undefined : `${name} carries our marks, but is built from another repository`
}

export interface SweepCandidate {
  readonly serviceName: string
  readonly pullRequest: number
  /** Milliseconds since the epoch; undefined when the platform does not say. */
  readonly createdAt: number | undefined
  /** False when only branches are left of it. */
  readonly running: boolean
}

export interface SweepDecision<T> {
  readonly preview: T
  readonly remove: boolean
  readonly why: string
}

/**
 * Decides for each preview whether it stays. Without the list of open pull requests nothing can be said to be closed, and
 * nothing is removed for it.
 * @param open open pull requests by number; undefined when GitHub did not tell
 * @param now milliseconds since the epoch
 */
export function decideSweep<T extends SweepCandidate>(
  previews: readonly T[],
  open: ReadonlyMap<number, PullRequest> | undefined,
  rules: Pick<Settings, 'previewLabel' | 'previewTtlMs' | 'maxPreviews'>,
  now: number,
): SweepDecision<T>[] {
  const { previewLabel, previewTtlMs = Number.POSITIVE_INFINITY, maxPreviews = Number.POSITIVE_INFINITY } = rules
  const reasonToRemove = ({ pullRequest: number, createdAt, running }: T) => {
    const pullRequest = open?.get(number)
    if (open && !pullRequest) return 'its pull request is closed'
    if (pullRequest && !labelIsOn(previewLabel, pullRequest))
      return `its pull request does not have the label ${previewLabel}`
    const tooOld = running && createdAt !== undefined && now - createdAt > previewTtlMs
    return tooOld ? 'it is older than previews.ttl allows' : undefined
  }
  const reasons = new Map(previews.map((preview) => [preview, reasonToRemove(preview)]))
  // Of those that stay, the oldest beyond `previews.max` go as well. Those of unknown age count as young.
  const staying = previews.filter((preview) => reasons.get(preview) === undefined && preview.running)
  const age = ({ createdAt = Number.POSITIVE_INFINITY }: T) => createdAt
  const surplus = staying.toSorted((a, b) => age(a) - age(b) || 0).slice(0, Math.max(0, staying.length - maxPreviews))
  const tooMany = `there are more than ${maxPreviews} previews (previews.max), and it is among the oldest`
  const kept = open ? 'its pull request is open' : 'it is not known whether its pull request is open'
  return previews.map((preview) => {
    const why = reasons.get(preview) ?? (surplus.includes(preview) ? tooMany : undefined)
    return { preview, remove: why !== undefined, why: why ?? kept }
  })
}

/** A preview that runs, as far as its cost matters. Dollars. */
export interface RunningCost<T> {
  readonly preview: T
  readonly perDay: number
  /** Whether it may be removed to make room for another. */
  readonly mayGo: boolean
}

/** Whether what runs already and one more stay within a limit of dollars a day. A sum of rates is not exact to the last bit. */
export function fitsBudget(running: readonly RunningCost<unknown>[], morePerDay: number, limitPerDay: number): boolean {
  return sumPerDay(running) + morePerDay <= limitPerDay + 1e-9
}

export function sumPerDay(running: readonly Pick<RunningCost<unknown>, 'perDay'>[]): number {
  return running.reduce((sum, { perDay }) => sum + perDay, 0)
}

/** The fewest that have to go so that one more fits, in the order given; undefined when it would not fit even then. */
export function roomInBudget<T>(
  running: readonly RunningCost<T>[],
  morePerDay: number,
  limitPerDay: number,
): readonly T[] | undefined {
  const mayGo = running.filter((one) => one.mayGo)
  for (let count = 0; count <= mayGo.length; count++) {
    const going = mayGo.slice(0, count)
    const staying = running.filter((one) => !going.includes(one))
    if (fitsBudget(staying, morePerDay, limitPerDay)) return going.map(({ preview }) => preview)
  }
  return undefined
}
