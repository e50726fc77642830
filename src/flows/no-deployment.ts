import { DeployError } from '../core/errors.ts'
import { createSanitizer, safeMessage } from '../core/sanitize.ts'
import type { Platform } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import { placeOf } from '../plan/build-plan.ts'
import { describePlan, noneTitles } from '../plan/describe.ts'
import type { PullRequest, RunEvent } from '../plan/event.ts'
import { previewName, serviceName } from '../plan/names.ts'
import { idleGlobs } from '../plan/paths.ts'
import type { DeclinePlan, HelpPlan, LogsPlan, NonePlan, Plan, RefusedPlan } from '../plan/plan.ts'
import { declineAnswer, declineMarker, helpAnswer, logsAnswer } from '../report/messages.ts'
import type { AnnotationView, NothingReport, PlanReport } from '../report/model.ts'
import { openReporter, type Subject } from './reporter.ts'
import { compareDns, describeDns } from './resources/dns.ts'
import { isOwnService, openInkRepository } from './resources/repository.ts'
import type { Action, Outcome, Run, RunDeps } from './run.ts'

/** The run cannot go on: a missing key, a command that lacks what it needs. */
export function refused(plan: RefusedPlan, deps: RunDeps): Outcome {
  const { problem, hint } = plan
  const report = nothingReport(deps, 'failed', problem, hint)
  const failure = new DeployError(problem, { hint })
  return { action: 'none', status: 'failed', report, failure, annotations: annotationsOf(plan) }
}

/** What is wrong in `ink.yml`, for the lines where it stands. */
export function annotationsOf({ places = [] }: RefusedPlan): AnnotationView[] {
  return places.map(({ text, ...place }) => ({ level: 'error', title: 'Ink Deploy', message: text, ...place }))
}

/** There is nothing to do, or a rule forbids it. */
export async function nothing(plan: NonePlan, deps: RunDeps, event: RunEvent): Promise<Outcome> {
  deps.output('skipped-reason', plan.reason)
  const said = `${noneTitles[plan.status]}: ${plan.reason}`
  if (plan.stillRuns) deps.log.warning(said)
  else deps.log.notice(said)
  if (plan.status === 'skipped' && event.kind === 'pull-request' && !deps.settings.dryRun)
    await noteSkipped(plan.reason, event.pullRequest, deps)
  if (plan.heldBy) await warnOfHolding(plan.heldBy, deps)
  const report = nothingReport(deps, plan.status, plan.reason)
  return { action: 'none', status: plan.status, report, failure: undefined }
}

/** Where there is no checkout, nothing tells which globs are good. */
async function warnOfHolding({ paths, ...commit }: NonNullable<NonePlan['heldBy']>, deps: RunDeps): Promise<void> {
  await using source = deps.openSource(placeOf(deps))
  try {
    const files = await source.committedPaths(commit, deps.signal)
    if (files) warnOfIdleGlobs(deps, paths, files)
  } catch (error) {
    deps.signal.throwIfAborted()
    deps.log.debug(`The files of the checkout could not be listed: ${safeMessage(deps, error)}`)
  }
}

/** A glob that matches nothing lets every commit be skipped that it was written for. */
export function warnOfIdleGlobs(
  { log }: Pick<RunDeps, 'log'>,
  paths: readonly string[],
  files: Iterable<string>,
): void {
  const idle = idleGlobs(paths, files)
  if (idle.length > 0)
    log.warning(
      `\`paths\` has what matches no file of this commit: ${idle.join(', ')}. Check how it is written; a change to what it is meant for is skipped.`,
    )
}

/** A commit that is skipped leaves what an earlier one put up; the card, if there is one, says so. */
async function noteSkipped(reason: string, pullRequest: PullRequest, deps: RunDeps): Promise<void> {
  const { number, head } = pullRequest
  const base = serviceName(deps.settings.service, deps.context.repository)
  const subject: Subject = {
    serviceName: previewName(base, number),
    target: `pr-${number}`,
    pullRequest: number,
    commit: head.sha,
  }
  await openReporter(deps, subject).noteSkipped(reason)
}

type PlanToDo = Extract<Plan, { readonly dryRun: boolean }>

/** A dry run says what would be done and changes nothing; the plan itself has been printed already. */
export async function dryRun(plan: PlanToDo, action: Action, deps: RunDeps): Promise<Outcome> {
  const details = await foreseen(plan, deps)
  for (const line of details) deps.log.info(line)
  const report: PlanReport = {
    kind: 'plan',
    steps: [...describePlan({ ...plan, dryRun: false }), ...details],
    checks: [],
    runUrl: deps.context.runUrl,
    warnings: deps.warnings,
  }
  return { action, status: 'planned', report, failure: undefined }
}

/** What a dry run has to read from the platform to be able to say it. */
async function foreseen(plan: PlanToDo, deps: RunDeps): Promise<readonly string[]> {
  if (plan.kind !== 'production' || plan.dnsRecords === undefined) return []
  let platform: Platform | undefined
  try {
    platform = await deps.openPlatform(plan.place, deps.signal)
    const outlook = await compareDns(plan, { ...deps, platform })
    if (!outlook) return []
    const lines = [...outlook.problems, ...describeDns(outlook)]
    return lines.length > 0 ? lines : ['DNS: in step']
  } catch (error) {
    deps.signal.throwIfAborted()
    return [`DNS: could not be read (${safeMessage(deps, error)})`]
  } finally {
    await platform?.close()
  }
}

const logLines = 200

/** Answers `/ink help` and unknown commands. */
export async function answerHelp(plan: HelpPlan, deps: RunDeps): Promise<Outcome> {
  await deps.github.comments.add(plan.pullRequest, helpAnswer(plan.unknown))
  return answered(
    deps,
    plan.unknown === undefined ? 'help was asked for and given' : `there is no command ${plan.unknown}`,
  )
}

/** Says no, politely and once: whoever asks again for the same gets the sign alone. */
export async function answerDecline(plan: DeclinePlan, deps: RunDeps): Promise<Outcome> {
  await deps.github.people.react(plan.askedBy.commentId, '-1')
  const marker = declineMarker(plan.askedBy.login, plan.reason)
  const body = `${marker}\n${declineAnswer(deps.redact(plan.reason))}`
  const fold = (bodies: readonly string[]) => ({ body: bodies[0] ?? body, shared: false })
  await deps.github.comments.upsert({ pullRequest: plan.pullRequest, marker, fold })
  return answered(deps, plan.reason)
}

/** Answers `/ink logs` with the end of the runtime log. */
export async function answerLogs(plan: LogsPlan, run: Run): Promise<Outcome> {
  const service = await ownService(plan, run)
  const sanitize = createSanitizer(run.secrets())
  const body = service
    ? logsAnswer(plan.serviceName, service.status, run.redact(service.runtimeLogs.map(sanitize)))
    : declineAnswer('this pull request has no preview')
  await run.github.comments.add(plan.pullRequest.number, body)
  return answered(run, service ? 'the log was shown in a comment' : 'there is no preview')
}

/** The preview, if it is ours: another service of that name has a log that is nobody's business here. */
async function ownService({ serviceName, place }: LogsPlan, run: Run): Promise<Service | undefined> {
  const parts = { env: true, runtimeLogLines: logLines }
  const service = await run.platform.service(serviceName, parts, run.signal)
  if (!service) return undefined
  const repository = await openInkRepository(run, place)
  return repository && isOwnService(service, place, repository.slug) ? service : undefined
}

function answered(deps: RunDeps, reason: string): Outcome {
  return { action: 'none', status: 'nothing', report: nothingReport(deps, 'nothing', reason), failure: undefined }
}

/** The report of a run that comes to no deployment and has no report of its own. */
export function nothingReport(
  { context, warnings }: RunDeps,
  status: NothingReport['status'],
  reason: string,
  hint?: string,
): NothingReport {
  return { kind: 'none', status, reason, hint, runUrl: context.runUrl, warnings }
}
