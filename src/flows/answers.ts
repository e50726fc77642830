import { createSanitizer } from '../core/sanitize.ts'
import { repositorySlug } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import type { DeclinePlan, HelpPlan, LogsPlan } from '../plan/plan.ts'
import { declineAnswer, declineMarker, helpAnswer, logsAnswer } from '../report/messages.ts'
import type { NothingReport } from '../report/model.ts'
import type { Deps } from './deps.ts'
import type { Outcome } from './outcome.ts'
import { isOurs } from './ownership.ts'
import type { Run } from './run.ts'

const logLines = 200

/** Answers `/ink help` and unknown commands. */
export async function answerHelp(plan: HelpPlan, deps: Deps): Promise<Outcome> {
  await deps.github.comments.add(plan.pullRequest, helpAnswer(plan.unknown))
  return answered(
    deps,
    plan.unknown === undefined ? 'help was asked for and given' : `there is no command ${plan.unknown}`,
  )
}

/** Says no, politely and once: whoever asks again for the same gets the sign alone. */
export async function answerNo(plan: DeclinePlan, deps: Deps): Promise<Outcome> {
  await deps.github.people.react(plan.askedBy.commentId, '-1')
  const marker = declineMarker(plan.askedBy.login, plan.reason)
  const body = `${marker}\n${declineAnswer(plan.reason)}`
  const fold = (bodies: readonly string[]) => ({ body: bodies[0] ?? body, shared: false })
  await deps.github.comments.keep({ pullRequest: plan.pullRequest, marker, fold })
  return answered(deps, plan.reason)
}

/** Answers `/ink logs` with the end of the runtime log. */
export async function answerLogs(plan: LogsPlan, run: Run): Promise<Outcome> {
  const service = await ownService(plan, run)
  const sanitize = createSanitizer(run.secrets())
  const body = service
    ? logsAnswer(plan.serviceName, service.status, service.runtimeLogs.map(sanitize))
    : declineAnswer('this pull request has no preview')
  await run.github.comments.add(plan.pullRequest.number, body)
  return answered(run, service ? 'the log was shown in a comment' : 'there is no preview')
}

/** The preview, if it is ours: another service of that name has a log that is nobody's business here. */
async function ownService({ serviceName, place }: LogsPlan, { platform, signal }: Run): Promise<Service | undefined> {
  const parts = { env: true, runtimeLogLines: logLines }
  const service = await platform.service(serviceName, parts, signal)
  if (!service) return undefined
  const access = await platform.gitAccess(place.repositoryName, false, signal)
  return access && isOurs(service, place, repositorySlug(access.remote)) ? service : undefined
}

function answered(deps: Deps, reason: string): Outcome {
  const report: NothingReport = { kind: 'none', status: 'nothing', reason, runUrl: deps.context.runUrl, warnings: [] }
  return { action: 'none', status: 'nothing', report, failure: undefined }
}
