import type { Annotation } from '../core/errors.ts'
import { DeployError } from '../core/errors.ts'
import { safeMessage } from '../core/sanitize.ts'
import { noneTitles } from '../plan/describe.ts'
import type { PullRequest, RunEvent } from '../plan/event.ts'
import { secretsWithheld } from '../plan/guards.ts'
import type { NonePlan, RefusedPlan } from '../plan/intent.ts'
import { previewName, serviceName } from '../plan/names.ts'
import { idleGlobs } from '../plan/paths.ts'
import { nothingReport, type Outcome, type Reporter, type RunDeps } from './run.ts'

/** The run cannot go on: a missing key, a command that lacks what it needs. The pull request that is waiting is told. */
export async function refused(plan: RefusedPlan, deps: RunDeps, event: RunEvent): Promise<Outcome> {
  const { problem, hint } = plan
  // A token that comes without secrets may not comment either, and what is closed waits for nothing.
  const isTold = event.kind === 'pull-request' && event.action !== 'closed' && !deps.settings.dryRun
  if (isTold && secretsWithheld(deps.context, event) === undefined) {
    const [cause = problem, ...lines] = problem.split('\n')
    const decisive = lines.map((line) => line.trim().replace(/^- /, ''))
    const [advice = hint] = hint.split('\n')
    const reporter = await openOwnReporter(event.pullRequest, deps)
    await reporter.noteIdle({ diagnosis: { cause: cause.replace(/:$/, ''), hint: advice, decisive, tail: [] } })
  }
  const report = nothingReport(deps, 'failed', problem, hint)
  const failure = new DeployError(problem, { hint })
  return { action: 'none', status: 'failed', report, failure, annotations: annotationsOf(plan) }
}

/** What is wrong in `ink.yml`, for the lines where it stands. */
export function annotationsOf({ places = [] }: RefusedPlan): Annotation[] {
  return places.map(({ text, ...place }) => ({ level: 'error', title: 'Ink Deploy', message: text, ...place }))
}

/** There is nothing to do, or a rule forbids it. */
export async function nothing(plan: NonePlan, deps: RunDeps, event: RunEvent): Promise<Outcome> {
  deps.output('skipped-reason', plan.reason)
  const said = `${noneTitles[plan.status]}: ${plan.reason}`
  if (plan.stillRuns) deps.log.warning(said)
  else deps.log.notice(said)
  if (plan.status === 'skipped' && event.kind === 'pull-request' && !deps.settings.dryRun)
    // What an earlier commit put up stays; the card, if there is one, says so.
    await (await openOwnReporter(event.pullRequest, deps)).noteIdle({ reason: plan.reason })
  if (plan.skippedBy) await warnOfHolding(plan.skippedBy, deps)
  return { action: 'none', status: plan.status, report: nothingReport(deps, plan.status, plan.reason) }
}

/** Where there is no checkout, nothing tells which globs are good. */
async function warnOfHolding({ paths, ...commit }: NonNullable<NonePlan['skippedBy']>, deps: RunDeps): Promise<void> {
  await using source = deps.openSource()
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
      `\`watch\` has what matches no file of this commit: ${idle.join(', ')}. Check how it is written; a change to what it is meant for is skipped.`,
    )
}

async function openOwnReporter({ number, head }: PullRequest, deps: RunDeps): Promise<Reporter> {
  const base = serviceName(deps.settings.service, deps.context.repository)
  const { openReporter } = await import('./reporter.ts')
  const subject = { serviceName: previewName(base, number), pullRequest: number, commit: head.sha }
  return openReporter(deps, { ...subject, target: `pr-${number}` })
}
