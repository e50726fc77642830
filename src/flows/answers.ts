import type { DeclinePlan, HelpPlan, LogsPlan } from '../plan/plan.ts'
import { declineAnswer, helpAnswer, logsAnswer } from '../report/answers.ts'
import type { NothingReport } from '../report/model.ts'
import { createTamer } from '../watch/tame.ts'
import type { Deps } from './deps.ts'
import type { Outcome } from './outcome.ts'
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

/** Says no, politely and once. */
export async function answerNo(plan: DeclinePlan, deps: Deps): Promise<Outcome> {
  await deps.github.people.react(plan.askedBy.commentId, '-1')
  await deps.github.comments.add(plan.pullRequest, declineAnswer(plan.reason))
  return answered(deps, plan.reason)
}

/** Answers `/ink logs` with the end of the runtime log. */
export async function answerLogs(plan: LogsPlan, run: Run): Promise<Outcome> {
  const service = await run.platform.service(plan.serviceName, { runtimeLogLines: logLines }, run.signal)
  const tame = createTamer(run.secrets())
  const body = service
    ? logsAnswer(plan.serviceName, service.status, service.runtimeLogs.map(tame))
    : declineAnswer('this pull request has no preview')
  await run.github.comments.add(plan.pullRequest.number, body)
  return answered(run, service ? 'the log was shown in a comment' : 'there is no preview')
}

function answered(deps: Deps, reason: string): Outcome {
  const report: NothingReport = { kind: 'none', status: 'nothing', reason, runUrl: deps.context.runUrl, warnings: [] }
  return { action: 'none', status: 'nothing', report, failure: undefined }
}
