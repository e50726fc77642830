import { safeMessage } from '../../core/sanitize.ts'
import { compareWithFile, nameNow, type RunningService } from '../../plan/file/placement.ts'
import type { RefusedPlan } from '../../plan/intent.ts'
import { databaseName, previewName } from '../../plan/names.ts'
import type { Plan } from '../../plan/plan.ts'
import { placeOf } from '../../plan/plan.ts'
import { configMark, formerRepositoryOf, marks, namedEnvironmentOf } from '../../plan/variables.ts'
import type { Report } from '../../report/model.ts'
import { openReporter } from '../reporter.ts'
import { ownServices } from '../resources/repository.ts'
import { nothingReport, type Outcome, type Run, type RunDeps } from '../run.ts'
import { type Removing, takeDownEach } from '../teardown.ts'
import { type Configuration, refusedProblems } from './configuration.ts'

/** What runs and belongs to no service of the file. */
export interface Leftovers {
  /** Why the run must not go on; undefined when it may. */
  readonly problem?: RefusedPlan
  /** What the file has no more, and whether it would be removed. */
  readonly orphans: readonly { readonly name: string; readonly goes: boolean }[]
  /** Says what is left over once the run has come to its end, and removes what is to go. */
  readonly settle: (outcome: Outcome) => Promise<Outcome>
}

const none: Leftovers = { orphans: [], settle: async (outcome) => outcome }

/**
 * Holds what runs against the file: production, an environment that the file names, or the preview of one pull request. Of
 * a preview what the file has no more is removed; of production it is said, and removed where `remove-orphans` says so.
 */
export async function findLeftovers(
  plan: Plan,
  { services, placed }: Configuration,
  deps: RunDeps,
): Promise<Leftovers> {
  if ((plan.kind !== 'preview' && plan.kind !== 'production') || !placed) return none
  const number = plan.kind === 'preview' ? plan.pullRequest.number : undefined
  const { removeOrphans, dryRun, config } = deps.settings
  try {
    const running = await connected(deps, (run) => findRunning(run, number))
    const here = placed.filter(({ key }) => services.every(({ name, idle }) => name !== key || idle !== 'no-previews'))
    const names = here.map(({ name }) => previewName(name, number))
    // Beside the one service of a file there may be those of other workflows, which no file has made.
    const isWanted = ({ madeNow, key }: RunningService) =>
      (services.length === 0 && key === undefined) || names.includes(madeNow)
    const { problems, orphans } =
      number === undefined && deps.settings.named === undefined
        ? compareWithFile(running, placed, removeOrphans)
        : { problems: [], orphans: running.filter((one) => !isWanted(one)) }
    if (problems.length > 0) return { ...none, problem: refusedProblems(problems, config) }
    // A run that is confined to one service leaves all others alone.
    if (orphans.length === 0 || services.some(({ idle }) => idle === 'confined')) return none
    const removes = number !== undefined || removeOrphans
    const told = orphans.map((one) => ({ name: one.name, goes: removes && isOurs(one, deps, number) }))
    return { orphans: told, settle: (outcome) => settle(orphans, outcome, deps, { number, removes }) }
  } catch (error) {
    deps.signal.throwIfAborted()
    const what = `what of ${config} runs on ml.ink could not be read`
    const why = safeMessage(deps, error)
    const hint = 'Nothing was done. Run the job again.'
    if (number === undefined && !dryRun)
      return { ...none, problem: { kind: 'refused', problem: `${what}: ${why}`, hint } }
    deps.log.warning(`Whether there are services that the file no longer has is not known: ${what} (${why})`)
    return none
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

/** One that no file made may be another workflow's, unless it has the name of this repository itself. */
function isOurs({ key, name }: RunningService, deps: RunDeps, number: number | undefined): boolean {
  return number !== undefined || key !== undefined || name === placeOf(deps).baseName
}

async function settle(
  orphans: readonly RunningService[],
  outcome: Outcome,
  deps: RunDeps,
  { number, removes }: { readonly number: number | undefined; readonly removes: boolean },
): Promise<Outcome> {
  // What a new one could not take the place of may still be needed, and a newer commit's run goes by its own file.
  const settled = outcome.failure === undefined && outcome.status !== 'superseded'
  const goes = (one: RunningService) => removes && settled && isOurs(one, deps, number)
  const staying = number === undefined ? orphans.filter((one) => !goes(one)) : []
  const because = `${deps.settings.config} no longer has it`
  const reports: Report[] = staying.map(({ name }) => {
    const advice = removes ? 'Remove it at ml.ink if it is not needed' : 'remove-orphans: true removes it'
    const reason = `${name} runs in ${deps.settings.named ?? 'production'}, and ${because}. ${advice}`
    deps.log.notice(reason)
    return nothingReport(deps, 'nothing', reason)
  })
  const going = orphans.filter(goes).map(({ name }): Removing => {
    const names = { serviceName: name, databaseName: databaseName(name) }
    return { place: placeOf(deps), database: undefined, ...names, pullRequest: number, because }
  })
  const ends = going.length === 0 ? [] : await connected(deps, (run) => takeDownEach(going, run))
  const failure = outcome.failure ?? ends.find((end) => end.failure)?.failure
  const others = [...(outcome.others ?? []), ...reports, ...ends.map(({ report }) => report)]
  return { ...outcome, failure, others }
}
