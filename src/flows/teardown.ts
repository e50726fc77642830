import { DeployError } from '../core/errors.ts'
import { repositorySlug } from '../ink/platform.ts'
import { standing } from '../plan/guards.ts'
import { databaseName } from '../plan/names.ts'
import type { Place, PreviewPlan, ProductionPlan, TeardownPlan } from '../plan/plan.ts'
import type { NothingReport, TeardownReport } from '../report/model.ts'
import { pullRequestFact } from './facts.ts'
import { claimPreview } from './ownership.ts'
import { type Removal, removePreview } from './removal.ts'
import { retire } from './retire.ts'
import type { Outcome, Run } from './run.ts'

interface Request {
  readonly place: Place
  readonly serviceName: string
  readonly databaseName: string
  readonly pullRequest: number
  readonly because: string
}

/** Takes a preview down and says so on the pull request. What is not there counts as removed. */
export async function teardown(plan: TeardownPlan, run: Run): Promise<Outcome> {
  const asked = plan.askedBy !== undefined || run.settings.command === 'teardown'
  return takeDown(plan, run, asked ? undefined : () => isWanted(plan.pullRequest, run))
}

/** Whether the pull request was opened, or its label put on, again since the event: then another run deploys it. */
async function isWanted(number: number, run: Run): Promise<boolean> {
  const now = pullRequestFact(await run.github.pullRequests.get(number))
  if (typeof now !== 'object') return false
  return standing({ wanted: now.head, previewLabel: run.settings.previewLabel }, now).wanted
}

/** The pull request was closed while its preview was being deployed: what was just made is removed again. */
export async function teardownClosed(plan: PreviewPlan | ProductionPlan, run: Run): Promise<Outcome> {
  if (plan.kind !== 'preview') throw new DeployError('Only a preview can be taken down')
  return takeDown(
    {
      place: plan.place,
      serviceName: plan.serviceName,
      databaseName: databaseName(plan.serviceName),
      pullRequest: plan.pullRequest.number,
      because: 'the pull request was closed meanwhile',
    },
    run,
  )
}

async function takeDown(request: Request, run: Run, wantedAgain?: () => Promise<boolean>): Promise<Outcome> {
  run.reporter.timeline.begin('settle', `Take down ${request.serviceName}`)
  const service = await run.platform.service(request.serviceName, { env: true }, run.signal)
  if (service) {
    const access = await run.platform.gitAccess(request.place.repositoryName, false, run.signal)
    claimPreview(service, request, access && repositorySlug(access.remote))
  }
  const removal = await removePreview(run, request.place, { ...request, service }, wantedAgain)
  tell(run, removal)
  if (removal.overtaken) return overtaken(request, run)
  if (removal.left.length === 0) {
    const reason = `Removed because ${request.because}`
    run.reporter.update({ status: 'removed', phase: undefined, reason })
    await retire(run, request.place, request, reason)
  } else run.reporter.update({ status: 'failed', phase: undefined, reason: leftovers(removal) })
  run.reporter.timeline.end(removal.left.length === 0 ? 'done' : 'failed')
  return outcomeOf(request, run, removal)
}

function leftovers({ left }: Removal): string {
  return `Not removed completely: ${left.map(({ kind, name, why }) => `${kind} ${name} (${why})`).join(', ')}`
}

function tell(run: Run, { removed, left, overtaken: isOvertaken }: Removal): void {
  for (const { kind, name } of removed) run.log.info(`Removed ${kind} ${name}`)
  for (const { kind, name, why } of left) run.log.warning(`The ${kind} ${name} is still there: ${why}`)
  if (removed.length === 0 && left.length === 0 && !isOvertaken) run.log.info('Nothing was left to remove')
  run.output('removed', JSON.stringify(removed.map(({ kind, name }) => `${kind}:${name}`)))
}

function overtaken({ pullRequest }: Request, run: Run): Outcome {
  const reason = `Pull request #${pullRequest} is open again, so its preview was left to the run that deploys it`
  run.reporter.timeline.end('cancelled', reason)
  const report: NothingReport = {
    kind: 'none',
    status: 'nothing',
    reason,
    runUrl: run.context.runUrl,
    warnings: run.warnings,
  }
  return { action: 'teardown', status: 'superseded', report, failure: undefined }
}

function outcomeOf(request: Request, run: Run, { removed, left }: Removal): Outcome {
  const report: TeardownReport = {
    kind: 'teardown',
    service: request.serviceName,
    target: `pr-${request.pullRequest}`,
    removed,
    left,
    runUrl: run.context.runUrl,
    warnings: run.warnings,
  }
  const failure =
    left.length === 0
      ? undefined
      : new DeployError(
          `The preview of pull request #${request.pullRequest} could not be removed completely: ${left.map(({ kind, name, why }) => `${kind} ${name} (${why})`).join(', ')}`,
          {
            hint: 'Run this job again, or let a scheduled run sweep it up. What is left is billed until then.',
          },
        )
  return { action: 'teardown', status: failure ? 'failed' : 'removed', report, failure }
}
