import { safeMessage } from '../../core/sanitize.ts'
import { placeOf } from '../../plan/build-plan.ts'
import { compareWithFile, type RunningService } from '../../plan/file/placement.ts'
import { databaseName, previewName } from '../../plan/names.ts'
import type { Plan, RefusedPlan } from '../../plan/plan.ts'
import { configMark, marks } from '../../plan/variables.ts'
import type { Report, Target } from '../../report/model.ts'
import { nothingReport } from '../no-deployment.ts'
import { openReporter } from '../reporter.ts'
import { ownServices } from '../resources/repository.ts'
import type { Outcome, Run, RunDeps } from '../run.ts'
import { takeDown } from '../teardown.ts'
import { type Configuration, refusedProblems } from './configuration.ts'

/** What runs and belongs to no service of the file. */
export interface Leftovers {
  /** Why the run must not go on; undefined when it may. */
  readonly problem?: RefusedPlan
  /** Says what is left over once the run has come to its end, and removes what is to go. */
  readonly settle: (outcome: Outcome) => Promise<Outcome>
}

const none: Leftovers = { settle: async (outcome) => outcome }

/**
 * Holds what runs against the file: production, or the preview of one pull request. Of a preview what the file has no more
 * is removed; of production it is said, and removed where `remove-orphans` says so.
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
    const { problems, orphans } =
      number === undefined
        ? compareWithFile(running, placed, removeOrphans)
        : {
            problems: [],
            // Beside the one service of a file there may be those of other workflows, which no file has made.
            orphans: running.filter(
              ({ name, key }) =>
                (services.length > 0 || key !== undefined) &&
                here.every((one) => previewName(one.name, number) !== name),
            ),
          }
    if (problems.length > 0) return { ...none, problem: refusedProblems(problems, config) }
    // A run that is confined to one service leaves all others alone.
    if (orphans.length === 0 || services.some(({ idle }) => idle === 'confined')) return none
    const removes = (number !== undefined || removeOrphans) && !dryRun
    return { settle: (outcome) => settle(orphans, outcome, { deps, number, removes }) }
  } catch (error) {
    deps.signal.throwIfAborted()
    const what = `what of ${config} runs on ml.ink could not be read`
    if (number === undefined && !dryRun)
      return {
        ...none,
        problem: {
          kind: 'refused',
          problem: `${what}: ${safeMessage(deps, error)}`,
          hint: 'Nothing was done. Run the job again.',
        },
      }
    deps.log.warning(
      `Whether there are services that the file no longer has is not known: ${what} (${safeMessage(deps, error)})`,
    )
    return none
  }
}

/** Work on the platform beside that of the services. */
async function connected<T>(deps: RunDeps, work: (run: Run) => Promise<T>): Promise<T> {
  const platform = await deps.openPlatform(placeOf(deps), deps.signal)
  try {
    const reporter = openReporter(deps, { serviceName: '', target: 'production', pullRequest: undefined, commit: '' })
    return await work({ ...deps, platform, reporter })
  } finally {
    await platform.close()
  }
}

/** The services of this repository and this file, those of production or those of one pull request. */
async function findRunning(run: Run, number: number | undefined): Promise<RunningService[]> {
  const { settings } = run
  const mayBe = (name: string) => (number === undefined ? !/-pr-\d+$/.test(name) : name.endsWith(`-pr-${number}`))
  return (await ownServices(run, placeOf(run), mayBe)).flatMap(({ name, env = {} }) =>
    env[marks.pullRequest] === (number === undefined ? undefined : String(number)) &&
    env[marks.config] === configMark(settings.config)
      ? [{ name, key: env[marks.service] }]
      : [],
  )
}

interface Settling {
  readonly deps: RunDeps
  readonly number: number | undefined
  readonly removes: boolean
}

async function settle(
  orphans: readonly RunningService[],
  outcome: Outcome,
  { deps, number, removes }: Settling,
): Promise<Outcome> {
  const place = placeOf(deps)
  // What a new one could not take the place of may still be needed, and a newer commit's run goes by its own file.
  const settled = outcome.failure === undefined && outcome.status !== 'superseded'
  // One that no file made may be another workflow's, unless it has the name of this repository itself.
  const goes = ({ key, name }: RunningService) =>
    removes && settled && (number !== undefined || key !== undefined || name === place.baseName)
  const staying = number === undefined ? orphans.filter((one) => !goes(one)) : []
  const reports: Report[] = staying.map(({ name }) => {
    const reason = `${name} runs in production, and ${deps.settings.config} no longer has it. ${removes ? 'Remove it at ml.ink if it is not needed' : 'remove-orphans: true removes it'}`
    deps.log.notice(reason)
    return nothingReport(deps, 'nothing', reason)
  })
  const ends = await connected(deps, (run) => removeEach(orphans.filter(goes), run, number))
  const failure = outcome.failure ?? ends.find((end) => end.failure)?.failure
  const others = [...(outcome.others ?? []), ...reports, ...ends.map(({ report }) => report)]
  return { ...outcome, failure, others }
}

async function removeEach(services: readonly RunningService[], run: Run, number: number | undefined) {
  const removed: unknown[] = []
  const ends: Outcome[] = []
  for (const { name } of services) {
    const target: Target = number === undefined ? 'production' : `pr-${number}`
    const reporter = openReporter(run, { serviceName: name, target, pullRequest: number, commit: '' })
    const output: Run['output'] = (_, value) => void removed.push(...(JSON.parse(String(value)) as unknown[]))
    const because = `${run.settings.config} no longer has it`
    const where = { place: placeOf(run), database: undefined, serviceName: name, databaseName: databaseName(name) }
    ends.push(await takeDown({ ...where, pullRequest: number, because }, { ...run, output, reporter }))
  }
  if (services.length > 0) run.output('removed', JSON.stringify(removed))
  return ends
}
