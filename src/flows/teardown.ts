import { doEach, settleEach } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import { safeMessage } from '../core/sanitize.ts'
import type { Place } from '../plan/context.ts'
import { compareWithFile, nameNow, type RunningService, refusedProblems } from '../plan/file/placement.ts'
import { previewName } from '../plan/names.ts'
import type { Costing, Plan, PreviewPlan, RetirePlan, TeardownPlan } from '../plan/plan.ts'
import { placeOf } from '../plan/plan.ts'
import { configMark, formerRepositoryOf, marks, namedEnvironmentOf } from '../plan/variables.ts'
import type { Report, SweptPreview, TeardownReport } from '../report/model.ts'
import { targetFor } from '../report/parts.ts'
import type { Configuration } from './environment/configuration.ts'
import { isWantedAgain, unanswered } from './facts.ts'
import { openReporter } from './reporter.ts'
import { describeLeft, type Removal, removePreview, retirePreview } from './resources/removal.ts'
import { assertRemovable, openInkRepository, ownServices } from './resources/repository.ts'
import {
  labelled,
  type NamedService,
  nothingReport,
  nothingToDo,
  type Outcome,
  previewOf,
  type Run,
  type RunDeps,
  reportBase,
} from './run.ts'

/** A service that is to be taken down with all it consists of. */
interface Removing extends NamedService, Partial<Pick<Costing, 'database'>> {
  readonly place: Place
  readonly because: string
}

/** Takes a preview down and says so on the pull request. What is not there counts as removed. */
export async function teardown(plan: TeardownPlan, run: Run): Promise<Outcome> {
  const wantedAgain = plan.onDemand ? undefined : () => isWantedAgain(plan.pullRequest, plan, run)
  const others = await othersOf(plan, run)
  return others.length === 0 ? takeDown(plan, run, wantedAgain) : takeDownAll(others, run, wantedAgain)
}

/** The pull request was closed while its preview was being deployed: what was just made is removed again. */
export async function teardownClosed(plan: PreviewPlan, run: Run): Promise<Outcome> {
  const { number } = plan.pullRequest
  const request = { ...plan, pullRequest: number, because: 'the pull request was closed meanwhile' }
  return takeDown(request, run, () => isWantedAgain(number, plan, run))
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
  return names.map((name) => ({ ...plan, serviceName: name }))
}

/** Takes down what a branch had deployed to an environment of its own: services, databases, branches and records. */
export async function retire({ branch, place, because }: RetirePlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('settle', `Take down what ${branch} had deployed`)
  const found = (await findDeployed(run, place)).filter((one) => one.branch === branch)
  if (found.length === 0) {
    const reason = `${because}, and it had deployed nothing to an environment of its own`
    run.reporter.timeline.end('done', reason)
    return nothingToDo(run, reason)
  }
  const isBack = async () => {
    const tip = await run.github.branches.tip(branch, { deadlineAt: run.deadlineAt })
    const left = 'What is there of its environment goes then, or with the next sweep.'
    if (tip === undefined) throw unanswered(`${branch} is there again`, left)
    return tip !== 'withheld'
  }
  const removing = found.map((one) => ({ ...one, because }))
  return takeDownAll(removing, run, isBack)
}

/** Removes what branches had deployed that are certainly gone, which a run for their deletion may have left. */
export async function sweepEnvironments(run: Run, place: Place, dryRun: boolean) {
  const deployed = await findDeployed(run, place).catch((error: unknown) => {
    run.signal.throwIfAborted()
    const why = safeMessage(run, error)
    run.log.warning(`What branches have deployed to environments of their own could not be read: ${why}`)
    return []
  })
  const { defaultBranch } = run.context.repository
  const gone = new Set<string>()
  for (const branch of new Set(deployed.map((one) => one.branch)))
    if (await run.github.branches.isGone(branch, defaultBranch)) gone.add(branch)
  const because = 'its branch is gone'
  const going = deployed.filter(({ branch }) => gone.has(branch)).map((one) => ({ ...one, because }))
  const ends = await settleEach(dryRun ? [] : going, async (one) => (await takeDownEach([one], run))[0])
  run.signal.throwIfAborted()
  const [removed, failed]: [SweptPreview[], SweptPreview[]] = [[], []]
  for (const [index, { serviceName: service }] of going.entries()) {
    const end = ends[index]
    const why = end?.status === 'rejected' ? safeMessage(run, end.reason) : end?.value?.failure?.message
    if (why !== undefined) failed.push({ service, why })
    // What is being deployed anew was left to whoever does that.
    else if (end?.status !== 'fulfilled' || end.value?.status !== 'superseded') removed.push({ service, why: because })
  }
  return { removed, failed }
}

/** What branches have deployed to environments of their own, by its marks, whatever any file says now. */
async function findDeployed(run: Run, place: Place) {
  const found = await ownServices(run, place, (name) => !/-pr-\d+$/.test(name))
  return found.flatMap(({ name: serviceName, env = {} }) => {
    const environment = namedEnvironmentOf(env)
    const branch = env[marks.environmentBranch]
    if (environment === undefined || branch === undefined) return []
    return [{ place: { ...place, environment }, serviceName, pullRequest: undefined, branch }]
  })
}

const nothingLeft = { problem: undefined, orphans: [], settle: async (outcome: Outcome) => outcome }

/**
 * Holds what runs against the file: production, an environment that the file names, or the preview of one pull request. Of
 * a preview what the file has no more is removed; of production it is said, and removed where `remove-orphans` says so.
 * @returns why the run must not go on; what the file has no more, and whether it goes; and what says and removes that once
 *   the run has come to its end
 */
export async function findLeftovers(plan: Plan, { services, placed }: Configuration, deps: RunDeps) {
  if ((plan.kind !== 'preview' && plan.kind !== 'production') || !placed) return nothingLeft
  const number = previewOf(plan)
  const { removeOrphans, dryRun, config, named: environment } = deps.settings
  try {
    const running = await connected(deps, (run) => findRunning(run, number))
    const here = placed.filter(({ key }) => services.every(({ name, idle }) => name !== key || idle !== 'no-previews'))
    const names = here.map(({ name }) => previewName(name, number))
    // Beside the one service of a file there may be those of other workflows, which no file has made.
    const isWanted = ({ madeNow, key }: RunningService) =>
      (services.length === 0 && key === undefined) || names.includes(madeNow)
    const { problems, orphans } =
      number === undefined && environment === undefined
        ? compareWithFile(running, placed, removeOrphans)
        : { problems: [], orphans: running.filter((one) => !isWanted(one)) }
    if (problems.length > 0) return { ...nothingLeft, problem: refusedProblems(problems, config) }
    // A run that is confined to one service leaves all others alone.
    if (orphans.length === 0 || services.some(({ idle }) => idle === 'confined')) return nothingLeft
    // One that no file made may be another workflow's, unless it has the name of this repository itself.
    const isOurs = ({ key, name }: RunningService) => key !== undefined || name === placeOf(deps).baseName
    const told = orphans.map((one) => ({
      name: one.name,
      goes: number !== undefined || (removeOrphans && isOurs(one)),
    }))
    return { ...nothingLeft, orphans: told, settle: (outcome: Outcome) => settleOrphans(told, outcome, deps, number) }
  } catch (error) {
    deps.signal.throwIfAborted()
    const what = `what of ${config} runs on ml.ink could not be read`
    const why = safeMessage(deps, error)
    const hint = 'Nothing was done. Run the job again.'
    if (number === undefined && !dryRun)
      return { ...nothingLeft, problem: { kind: 'refused', problem: `${what}: ${why}`, hint } as const }
    deps.log.warning(`Whether there are services that the file no longer has is not known: ${what} (${why})`)
    return nothingLeft
  }
}

/** Work on the platform beside that of the services. */
async function connected<T>(deps: RunDeps, work: (run: Run) => Promise<T>): Promise<T> {
  await using platform = await deps.openPlatform(placeOf(deps), deps.signal)
  const reporter = openReporter(deps, { serviceName: '', target: 'production', pullRequest: undefined, commit: '' })
  return await work({ ...deps, platform, reporter })
}

/** The services of this repository and this file: those of production, one pull request, or the environment that the file names. */
async function findRunning(run: Run, number: number | undefined): Promise<RunningService[]> {
  const { config, named: environment } = run.settings
  const { repository } = run.context
  const mayBe = (name: string) => (number === undefined ? !/-pr-\d+$/.test(name) : name.endsWith(`-pr-${number}`))
  return (await ownServices(run, placeOf(run), mayBe)).flatMap(({ name, env = {} }) => {
    const isOne =
      env[marks.pullRequest] === (number === undefined ? undefined : String(number)) &&
      namedEnvironmentOf(env) === environment
    if (!isOne || env[marks.config] !== configMark(config)) return []
    const key = env[marks.service]
    const former = formerRepositoryOf(env, repository.fullName)
    return [{ name, key, madeNow: nameNow({ name, key, number, environment }, repository, former) }]
  })
}

async function settleOrphans(
  orphans: readonly { readonly name: string; readonly goes: boolean }[],
  outcome: Outcome,
  deps: RunDeps,
  pullRequest: number | undefined,
): Promise<Outcome> {
  const { config, named, removeOrphans } = deps.settings
  const because = `${config} no longer has it`
  // What a new one could not take the place of may still be needed, and a newer commit's run goes by its own file.
  const settled = outcome.failure === undefined && outcome.status !== 'superseded'
  const staying = pullRequest === undefined ? orphans.filter(({ goes }) => !(goes && settled)) : []
  const reports: Report[] = staying.map(({ name }) => {
    const advice = removeOrphans ? 'Remove it at ml.ink if it is not needed' : 'remove-orphans: true removes it'
    const reason = `${name} runs in ${named ?? 'production'}, and ${because}. ${advice}`
    deps.log.notice(reason)
    return nothingReport(deps, 'nothing', reason)
  })
  const going = orphans.flatMap(({ name, goes }): Removing[] =>
    goes && settled ? [{ place: placeOf(deps), serviceName: name, pullRequest, because }] : [],
  )
  const ends = going.length === 0 ? [] : await connected(deps, (run) => takeDownEach(going, run))
  const failure = outcome.failure ?? ends.find((end) => end.failure)?.failure
  const others = [...(outcome.others ?? []), ...reports, ...ends.map(({ report }) => report)]
  return { ...outcome, failure, others }
}

/** Takes several services down, and tells of all by the one that went worst. */
async function takeDownAll(...args: Parameters<typeof takeDownEach>): Promise<Outcome> {
  const outcomes = await takeDownEach(...args)
  const [worst, ...rest] = outcomes.toSorted(
    (a, b) => Number(b.failure !== undefined) - Number(a.failure !== undefined),
  )
  return { ...(worst as Outcome), others: rest.map(({ report }) => report) }
}

/** Takes several services down at the same time. One that fails does not stop the others. */
async function takeDownEach(requests: readonly Removing[], run: Run, wantedAgain?: () => Promise<boolean>) {
  const removed: string[] = []
  run.output('removed', JSON.stringify(removed))
  const takeDownOne = (request: Removing) => {
    const { serviceName, pullRequest, place } = request
    const target = targetFor(pullRequest, place.environment)
    const own = { ...run, log: requests.length > 1 ? labelled(run.log, serviceName) : run.log }
    const reporter = openReporter(own, { serviceName, target, pullRequest, commit: '' })
    return takeDown(request, { ...own, reporter }, wantedAgain, removed)
  }
  return doEach(requests, takeDownOne, run.signal)
}

/**
 * Takes one service down with its database, branches, domain and records, and says so.
 * @param all collects what is removed of several services, for the output
 */
async function takeDown(
  request: Removing,
  run: Run,
  wantedAgain?: () => Promise<boolean>,
  all: string[] = [],
): Promise<Outcome> {
  const { serviceName, pullRequest, place, database, because } = request
  const { timeline } = run.reporter
  timeline.begin('settle', `Take down ${serviceName}`)
  const service = await run.platform.service(serviceName, { env: true }, run.signal)
  if (service) assertRemovable(service, request, (await openInkRepository(run, place))?.slug)
  const preview = { serviceName, pullRequest, service }
  const removal = await removePreview(run, { place, database }, preview, wantedAgain)
  tellRemoval(run, removal, all)
  if (removal.overtaken) {
    const what =
      pullRequest === undefined ? `The branch of ${serviceName} is there` : `Pull request #${pullRequest} is open`
    const which = pullRequest === undefined ? 'it' : 'its preview'
    const reason = `${what} again, so ${which} was left to the run that deploys it`
    timeline.end('cancelled', reason)
    return { action: 'teardown', status: 'superseded', report: nothingReport(run, 'nothing', reason) }
  }
  const { removed, left } = removal
  const status = left.length === 0 ? 'removed' : 'failed'
  const reason = `Removed because ${because}`
  run.reporter.update({ status, phase: undefined, reason })
  await retirePreview(run, place, preview, { left, reason })
  timeline.end(left.length === 0 ? 'done' : 'failed')
  const target = targetFor(pullRequest, place.environment)
  const report: TeardownReport = { kind: 'teardown', service: serviceName, target, removed, left, ...reportBase(run) }
  const what = pullRequest === undefined ? `The service ${serviceName}` : `The preview of pull request #${pullRequest}`
  const hint = 'Run this job again, or let a scheduled run sweep it up. What is left is billed until then.'
  const failure = new DeployError(`${what} could not be removed completely: ${describeLeft(left)}`, { hint })
  return { action: 'teardown', status, report, failure: left.length === 0 ? undefined : failure }
}

function tellRemoval(run: Run, { removed, left, overtaken }: Removal, all: string[]): void {
  for (const { kind, name } of removed) run.log.info(`Removed ${kind} ${name}`)
  for (const { kind, name, why } of left) run.log.warning(`The ${kind} ${name} is still there: ${why}`)
  if (removed.length === 0 && left.length === 0 && !overtaken) run.log.info('Nothing was left to remove')
  all.push(...removed.map(({ kind, name }) => `${kind}:${name}`))
  run.output('removed', JSON.stringify(all))
}
