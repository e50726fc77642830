import { findCommand } from './comment-command.ts'
import {
  branchOf,
  type CommentEvent,
  type PullRequest,
  type PullRequestEvent,
  type PushEvent,
  sameLabel,
  type WorkflowRunEvent,
} from './event.ts'
import type { Intent, Occasion, PreviewIntent, ProductionIntent } from './intent.ts'
import type { Asked, NonePlan } from './plan.ts'
import type { Settings } from './settings.ts'

/** What an event means by itself, with `command: auto`. */
export function meaningOf(occasion: Occasion): Intent | NonePlan {
  const { context, event, settings } = occasion
  switch (event.kind) {
    case 'pull-request':
      return meaningOfPullRequest(event, settings)
    case 'push':
      return meaningOfPush(event, occasion)
    case 'dispatch':
      if (settings.pullRequest !== undefined) {
        return previewByNumber(settings.pullRequest, `started by hand for pull request #${settings.pullRequest}`)
      }
      if (branchOf(event.ref) !== productionBranch(occasion)) {
        const branch = productionBranch(occasion)
        return nothing(
          `it was started on ${event.ref}, which is not the production branch ${branch}; give pr-number for a preview`,
        )
      }
      return production(`started by hand on ${branchOf(event.ref)}`, { sha: context.sha, ref: event.ref })
    case 'release':
      if (event.action !== 'published') return nothing(`a release was ${event.action}, not published`)
      return production(`release ${event.tag} was published`, { sha: context.sha, ref: `refs/tags/${event.tag}` })
    case 'schedule':
      return { kind: 'sweep', because: `scheduled (${event.cron})`, thenMonitor: true }
    case 'comment':
      return meaningOfComment(event)
    case 'workflow-run':
      return meaningOfWorkflowRun(event, occasion)
    case 'delete':
      return nothing(`the ${event.refType} ${event.ref} was deleted; previews go when their pull request closes`)
    case 'other':
      return nothing(`the event ${event.name} means nothing to this action; set command to act on it`)
  }
}

const deployingActions = ['opened', 'reopened', 'synchronize', 'ready_for_review', 'labeled']

function meaningOfPullRequest(event: PullRequestEvent, settings: Settings): Intent | NonePlan {
  const { action, pullRequest } = event
  const { number } = pullRequest
  if (action === 'closed') return teardown(`pull request #${number} was closed`, pullRequest)
  if (action === 'unlabeled' && sameLabel(event.label, settings.previewLabel)) {
    return teardown(`the label ${settings.previewLabel} was taken off pull request #${number}`, pullRequest)
  }
  if (!deployingActions.includes(action)) {
    return nothing(`pull request #${number} was ${action}, which changes nothing about its preview`)
  }
  return previewOfEvent(event, settings, `pull request #${number}: ${action}`)
}

export function previewOfEvent(event: PullRequestEvent, settings: Settings, because: string): PreviewIntent {
  const labeled = event.action === 'labeled' && sameLabel(event.label, settings.previewLabel)
  const reason = labeled ? 'labeled' : event.action === 'synchronize' ? 'pushed' : 'other'
  return {
    kind: 'preview',
    because,
    of: { kind: 'known', pullRequest: event.pullRequest },
    before: event.before,
    byPerson: false,
    fork: event.withSecretsForForks ? reason : undefined,
    comment: undefined,
  }
}

function meaningOfPush(event: PushEvent, occasion: Occasion): Intent | NonePlan {
  const branch = productionBranch(occasion)
  if (branchOf(event.ref) !== branch) return nothing(`${event.ref} is not the production branch ${branch}`)
  if (event.after === undefined)
    return nothing(`the production branch ${branch} was deleted; production stays as it is`)
  return production(`push to ${branch}`, { sha: event.after, ref: event.ref }, event.before)
}

function meaningOfComment(event: CommentEvent): Intent | NonePlan {
  const { number } = event
  const command = event.action === 'created' && !event.byBot ? findCommand(event.body) : undefined
  if (!command) return nothing('the comment is no new command of the form /ink …')
  if (!event.onPullRequest) return nothing(`#${number} is an issue; commands are for pull requests`)
  const askedBy: Asked = { commentId: event.commentId, login: event.author }
  const because = `${event.author} commented /ink ${command.name} on pull request #${number}`
  switch (command.name) {
    case 'deploy':
      return {
        ...previewByNumber(number, because),
        fork: 'commented',
        comment: { ...askedBy, commit: command.commit },
      }
    case 'stop':
      return { kind: 'teardown', because, number, askedBy, pullRequest: undefined }
    case 'rollback':
      return { kind: 'rollback', because, number, to: command.commit, askedBy }
    case 'logs':
      return { kind: 'logs', because, number, askedBy }
    case 'help':
      return { kind: 'help', because, number, unknown: command.unknown, askedBy }
  }
}

export function meaningOfWorkflowRun(event: WorkflowRunEvent, occasion: Occasion): Intent | NonePlan {
  const { headSha, headBranch, headRepository } = event
  if (event.action !== 'completed' || event.conclusion !== 'success') {
    return nothing(`the workflow before this one is ${event.conclusion ?? event.action}, not done with success`)
  }
  const here = occasion.context.repository.fullName.toLowerCase() === headRepository?.toLowerCase()
  if (event.event === 'push' && here && headBranch === productionBranch(occasion)) {
    return production(`the workflow before this one passed on ${headBranch}`, {
      sha: headSha,
      ref: `refs/heads/${headBranch}`,
    })
  }
  if (event.event !== 'pull_request' && event.event !== 'pull_request_target') {
    return nothing(`the workflow before this one ran for ${event.event} on ${headBranch}`)
  }
  return {
    kind: 'preview',
    because: `the workflow before this one passed on ${headBranch}`,
    of: { kind: 'head', headSha, headBranch, headRepository },
    before: undefined,
    byPerson: false,
    fork: 'other',
    comment: undefined,
  }
}

/** The branch whose commits go to production. */
export function productionBranch({ context, settings }: Pick<Occasion, 'context' | 'settings'>): string {
  return settings.productionBranch ?? context.repository.defaultBranch
}

export function previewByNumber(number: number, because: string): PreviewIntent {
  return {
    kind: 'preview',
    because,
    of: { kind: 'number', number },
    before: undefined,
    byPerson: true,
    fork: 'other',
    comment: undefined,
  }
}

function teardown(because: string, pullRequest: PullRequest): Intent {
  return { kind: 'teardown', because, number: pullRequest.number, askedBy: undefined, pullRequest }
}

export function production(because: string, wanted: ProductionIntent['wanted'], before?: string): ProductionIntent {
  return { kind: 'production', because, wanted, before }
}

function nothing(reason: string): NonePlan {
  return { kind: 'none', status: 'nothing', reason, pullRequest: undefined }
}
