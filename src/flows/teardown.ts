import { tryEach } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import type { Place } from '../plan/event.ts'
import { previewState } from '../plan/guards.ts'
import { databaseName } from '../plan/names.ts'
import type { Costing, PreviewPlan, ProductionPlan, TeardownPlan } from '../plan/plan.ts'
import { marks } from '../plan/variables.ts'
import type { TeardownReport } from '../report/model.ts'
import { targetFor } from '../report/parts.ts'
import { pullRequestFact } from './pull-requests.ts'
import { openReporter } from './reporter.ts'
import { describeLeft, type Removal, removePreview, retirePreview } from './resources/removal.ts'
import { assertRemovable, openInkRepository, ownServices } from './resources/repository.ts'
import { labelled, nothingReport, type Outcome, type Run, reportBase } from './run.ts'

/** A service that is to be taken down with all it consists of. */
export interface Removing extends Pick<Costing, 'database'> {
  readonly place: Place
  readonly serviceName: string
  readonly databaseName: string
  /** Undefined for a service of production. */
  readonly pullRequest: number | undefined
  readonly because: string
}

/** Takes a preview down and says so on the pull request. What is not there counts as removed. */
export async function teardown(plan: TeardownPlan, run: Run): Promise<Outcome> {
  const wantedAgain = plan.onDemand ? undefined : () => isWanted(plan, run)
  const others = await othersOf(plan, run)
  if (others.length === 0) return takeDown(plan, run, wantedAgain)
  return takeDownAll(others, run, wantedAgain)
}

/** Takes several services down, and tells of all by the one that went worst. */
export async function takeDownAll(...args: Parameters<typeof takeDownEach>): Promise<Outcome> {
  const outcomes = await takeDownEach(...args)
  const [worst, ...rest] = outcomes.toSorted(
    (a, b) => Number(b.failure !== undefined) - Number(a.failure !== undefined),
  )
  return { ...(worst as Outcome), others: rest.map(({ report }) => report) }
}

/** Takes several services down at the same time. One that fails does not stop the others. */
export async function takeDownEach(
  requests: readonly Removing[],
  run: Run,
  wantedAgain?: () => Promise<boolean>,
): Promise<readonly Outcome[]> {
  const removed: unknown[] = []
  const output: Run['output'] = (name, value) => {
    if (name === 'removed') removed.push(...(JSON.parse(String(value)) as unknown[]))
    else run.output(name, value)
  }
  const takeDownOne = (request: Removing) => {
    const { serviceName, pullRequest, place } = request
    const target = targetFor(pullRequest, place.environment)
    const own = { ...run, output, log: requests.length > 1 ? labelled(run.log, serviceName) : run.log }
    const reporter = openReporter(own, { serviceName, target, pullRequest, commit: '' })
    return takeDown(request, { ...own, reporter }, wantedAgain)
  }
  const { done, failed } = await tryEach(requests, takeDownOne, run.signal)
  run.output('removed', JSON.stringify(removed))
  if (failed[0]) throw failed[0].error
  return done
}

/**
 * The previews of a pull request whose services come from a file with several, found by their marks, whatever the file says
 * now; the repository's one preview is among them where it exists. Empty where there is none such.
 */
async function othersOf(plan: TeardownPlan, run: Run): Promise<Removing[]> {
  const { place, pullRequest, serviceName } = plan
  const found = await ownServices(run, place, (name) => name.endsWith(`-pr-${pullRequest}`))
  const names = found.flatMap(({ name, env = {} }) => {
    const { service: confined = env[marks.service] } = run.settings
    const isOne = env[marks.service] !== undefined && env[marks.service] === confined
    return name === serviceName || (isOne && env[marks.pullRequest] === String(pullRequest)) ? [name] : []
  })
  if (names.every((name) => name === serviceName)) return []
  return names.map((name) => ({ ...plan, serviceName: name, databaseName: databaseName(name) }))
}

/** Whether the pull request was opened, or its label put on, again since the event: then another run deploys it. */
async function isWanted(
  { pullRequest, previewLabel, previewDrafts }: Pick<TeardownPlan, 'pullRequest' | 'previewLabel' | 'previewDrafts'>,
  run: Run,
): Promise<boolean> {
  const now = pullRequestFact(await run.github.pullRequests.get(pullRequest))
  return typeof now === 'object' && previewState({ wanted: now.head, previewLabel, previewDrafts }, now).wanted
}

/** The pull request was closed while its preview was being deployed: what was just made is removed again. */
export async function teardownClosed(plan: PreviewPlan | ProductionPlan, run: Run): Promise<Outcome> {
  if (plan.kind !== 'preview') throw new DeployError('Only a preview can be taken down')
  const { place, serviceName, database, pullRequest, previewLabel, previewDrafts } = plan
  const because = 'the pull request was closed meanwhile'
  const names = { serviceName, databaseName: databaseName(serviceName) }
  const request = { place, database, ...names, pullRequest: pullRequest.number, because }
  return takeDown(request, run, () => isWanted({ pullRequest: pullRequest.number, previewLabel, previewDrafts }, run))
}

/** Takes one service down with its database, branches, domain and records, and says so. */
async function takeDown(request: Removing, run: Run, wantedAgain?: () => Promise<boolean>): Promise<Outcome> {
  run.reporter.timeline.begin('settle', `Take down ${request.serviceName}`)
  const service = await run.platform.service(request.serviceName, { env: true }, run.signal)
  if (service) assertRemovable(service, request, (await openInkRepository(run, request.place))?.slug)
  const removal = await removePreview(run, request, { ...request, service }, wantedAgain)
  reportRemoval(run, removal)
  if (removal.overtaken) return overtaken(request, run)
  const complete = removal.left.length === 0
  const reason = `Removed because ${request.because}`
  run.reporter.update({ status: complete ? 'removed' : 'failed', phase: undefined, reason })
  await retirePreview(run, request.place, request, { ...removal, reason })
  run.reporter.timeline.end(complete ? 'done' : 'failed')
  return outcomeOf(request, run, removal)
}

function reportRemoval(run: Run, { removed, left, overtaken: isOvertaken }: Removal): void {
  for (const { kind, name } of removed) run.log.info(`Removed ${kind} ${name}`)
  for (const { kind, name, why } of left) run.log.warning(`The ${kind} ${name} is still there: ${why}`)
  if (removed.length === 0 && left.length === 0 && !isOvertaken) run.log.info('Nothing was left to remove')
  run.output('removed', JSON.stringify(removed.map(({ kind, name }) => `${kind}:${name}`)))
}

function overtaken({ pullRequest, serviceName }: Removing, run: Run): Outcome {
  const reason =
    pullRequest === undefined
      ? `The branch of ${serviceName} is there again, so it was left to the run that deploys it`
      : `Pull request #${pullRequest} is open again, so its preview was left to the run that deploys it`
  run.reporter.timeline.end('cancelled', reason)
  return { action: 'teardown', status: 'superseded', report: nothingReport(run, 'nothing', reason) }
}

function outcomeOf({ serviceName, pullRequest, place }: Removing, run: Run, removal: Removal): Outcome {
  const { removed, left } = removal
  const target = targetFor(pullRequest, place.environment)
  const report: TeardownReport = { kind: 'teardown', service: serviceName, target, removed, left, ...reportBase(run) }
  if (left.length === 0) return { action: 'teardown', status: 'removed', report }
  const what = pullRequest === undefined ? `The service ${serviceName}` : `The preview of pull request #${pullRequest}`
  const failure = new DeployError(`${what} could not be removed completely: ${describeLeft(left)}`, {
    hint: 'Run this job again, or let a scheduled run sweep it up. What is left is billed until then.',
  })
  return { action: 'teardown', status: 'failed', report, failure }
}
