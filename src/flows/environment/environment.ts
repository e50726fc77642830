import { DeployError } from '../../core/errors.ts'
import { callsAtOnce, inTurns } from '../../core/parallel.ts'
import { fewAtOnce } from '../../ink/platform.ts'
import { placeOf } from '../../plan/build-plan.ts'
import { variablesOf } from '../../plan/file/fill-variables.ts'
import type { ServiceOutput } from '../../plan/file/references.ts'
import { databaseName, previewName } from '../../plan/names.ts'
import type { Plan, RefusedPlan } from '../../plan/plan.ts'
import type { Report } from '../../report/model.ts'
import { nothingReport } from '../no-deployment.ts'
import { findDatabase } from '../resources/databases.ts'
import type { Log, OpenDeployment, Outcome, OutputName, RunDeps, Status } from '../run.ts'
import type { ConfiguredService } from './configuration.ts'
import { shareSources } from './shared-source.ts'

/** How many services are deployed at the same time. */
const servicesAtOnce = 4

/** What the environment needs of whoever carries out the run of one service. */
export interface ServiceRunner {
  /** Undefined for production. */
  readonly pullRequest: number | undefined
  run(deps: RunDeps): Promise<Outcome>
  skip(deps: RunDeps, reason: string): Promise<Outcome>
}

interface Ended {
  readonly service: ConfiguredService
  readonly outcome: Outcome
  /** Whoever needs it cannot go on. */
  readonly blocks: boolean
  readonly outputs: ReadonlyMap<OutputName, string | number>
}

/**
 * Runs all services of a file: those that are independent at the same time, and those that use another's address or database
 * after it. One that fails does not stop the others, but those that need it, which say so.
 */
export async function runEnvironment(
  services: readonly ConfiguredService[],
  deps: RunDeps,
  runner: ServiceRunner,
): Promise<Outcome> {
  await using sources = shareSources(deps)
  const calls = inTurns(callsAtOnce)
  const shared: RunDeps = {
    ...sharedMemory(deps),
    openSource: sources.openSource,
    openPlatform: async (...where) => fewAtOnce(await deps.openPlatform(...where), calls),
  }
  const atOnce = inTurns(servicesAtOnce)
  const ends = new Map<string, Promise<Ended>>()
  // No file gets here whose services wait for each other in a circle.
  const endOf = (name: string): Promise<Ended> => {
    const known = ends.get(name)
    if (known) return known
    const end = endAfter(services.find((service) => service.name === name) as ConfiguredService)
    ends.set(name, end)
    return end
  }
  const endAfter = async (service: ConfiguredService): Promise<Ended> => {
    const needed = await Promise.all([...new Set(service.wires.map((wire) => wire.service))].map(endOf))
    return await atOnce(() => runService(service, needed, shared, runner))
  }
  const settled = await Promise.allSettled(services.map(({ name }) => endOf(name)))
  deps.signal.throwIfAborted()
  const ended = settled.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
  const done = ended.filter(({ service }) => service.idle === undefined)
  tellServices(deps, done)
  return together(done, deps)
}

async function runService(
  service: ConfiguredService,
  needed: readonly Ended[],
  deps: RunDeps,
  runner: ServiceRunner,
): Promise<Ended> {
  const { name, settings, wires } = service
  const outputs = new Map<OutputName, string | number>()
  const own: RunDeps = {
    ...deps,
    settings,
    log: labelled(deps.log, name),
    output: (output, value) => void outputs.set(output, value),
  }
  const end = (outcome: Outcome, blocks: boolean): Ended => {
    const { report } = outcome
    const named = report.kind === 'none' ? { ...report, reason: `${name}: ${report.reason}` } : report
    return { service, outcome: { ...outcome, report: named }, outputs, blocks }
  }
  if (service.idle) return end(nothingOf(own, 'the input service names another'), false)
  // Those that come to their turn once it is over would only say that they ran out of time.
  deps.signal.throwIfAborted()
  const skipped = async (reason: string) => end(await runner.skip(own, reason), true)
  const broken = needed.find(({ blocks }) => blocks)
  if (broken) return skipped(`${name} needs ${broken.service.name}, which is ${broken.outcome.status}`)
  const wired = new Map<string, string>()
  for (const { service: other, output } of wires) {
    const from = needed.find(({ service: one }) => one.name === other)
    const value = settings.dryRun ? `<${output} of ${other}>` : await outputOf(from, output, own, runner)
    if (value === undefined)
      return skipped(
        `${name} needs the ${output} of ${other}, which is not there yet${from?.service.idle === 'no-previews' ? ' in production' : ''}`,
      )
    wired.set(`${other}.${output}`, value)
  }
  const environment = { ...settings.environment, wired }
  const outcome = await runner.run({ ...own, settings: { ...settings, environment } })
  return end(outcome, outcome.failure !== undefined)
}

function nothingOf(deps: RunDeps, reason: string): Outcome {
  return { action: 'none', status: 'nothing', report: nothingReport(deps, 'nothing', reason), failure: undefined }
}

/** The secrets of all services that the workflow does not give, before the first service is touched. */
export function missingSecrets(plan: Plan, services: readonly ConfiguredService[]): RefusedPlan | undefined {
  if (plan.kind !== 'preview' && plan.kind !== 'production') return undefined
  const of = {
    environment: plan.kind,
    pullRequest: plan.kind === 'preview' ? plan.pullRequest.number : undefined,
    sha: plan.wanted.sha,
    untrusted: plan.kind === 'preview' && plan.untrusted,
  } as const
  const refused = services.flatMap(({ settings, wires, idle }) => {
    const wired = new Map(wires.map(({ service, output }) => [`${service}.${output}`, output]))
    const found = idle ? undefined : variablesOf({ ...settings, environment: { ...settings.environment, wired } }, of)
    return found && 'kind' in found ? [found] : []
  })
  const [first] = refused
  if (!first) return undefined
  const [title = ''] = first.problem.split('\n')
  const lines = refused.flatMap(({ problem }) => problem.split('\n').slice(1))
  return { ...first, problem: [title, ...lines].join('\n'), places: refused.flatMap(({ places = [] }) => places) }
}

/** What one service hands to another. It may have been skipped, as nothing of it changed: then it is asked for. */
async function outputOf(
  from: Ended | undefined,
  output: ServiceOutput,
  deps: RunDeps,
  { pullRequest }: ServiceRunner,
): Promise<string | undefined> {
  if (from === undefined) return undefined
  const { settings, idle } = from.service
  const place = placeOf({ context: deps.context, settings })
  const isProduction = pullRequest === undefined || idle === 'no-previews'
  const serviceName = isProduction ? place.baseName : previewName(place.baseName, pullRequest)
  const platform = await deps.openPlatform(place, deps.signal)
  try {
    if (output === 'url' || output === 'host') {
      const url = from.outputs.get('url') ?? (await platform.service(serviceName, {}, deps.signal))?.url
      if (url === undefined) return undefined
      return output === 'url' ? String(url) : new URL(String(url)).host
    }
    if (!settings.database) return undefined
    const env = new Map([['value', output === 'database.url' ? 'url' : 'token']])
    const wanted = { ...settings.database, name: databaseName(serviceName), env }
    return (await findDatabase({ ...deps, platform }, wanted, deps.signal))?.variables.value
  } finally {
    await platform.close()
  }
}

/** Lines of several services come mixed, so each says whose it is; groups cannot lie within each other. */
function labelled(log: Log, name: string): Log {
  const label = (text: string) => `${name} │ ${text}`
  return {
    ...log,
    startGroup: (title) => log.info(label(title)),
    endGroup: () => undefined,
    info: (text) => log.info(label(text)),
    debug: (text) => log.debug(label(text)),
    notice: (text) => log.notice(label(text)),
    warning: (text) => log.warning(label(text)),
    untrusted: (line) => log.untrusted(label(line)),
  }
}

/** What each service would leave open is remembered together. */
function sharedMemory(deps: RunDeps): RunDeps {
  const open = new Map<string, OpenDeployment>()
  return {
    ...deps,
    remember: (left, service) => {
      for (const one of left) open.set(service, one)
      if (left.length === 0) open.delete(service)
      deps.remember([...open.values()], service)
    },
  }
}

function tellServices(deps: RunDeps, ended: readonly Ended[]): void {
  const told = ended.map(({ service, outputs, outcome }) => [
    service.name,
    {
      url: outputs.get('url'),
      status: outcome.status,
      commit: outputs.get('commit'),
      service: outputs.get('service'),
      branch: outputs.get('branch'),
    },
  ])
  deps.output('services', JSON.stringify(Object.fromEntries(told)))
}

/** The worst first: what a run of several services is called. */
const worstFirst: readonly Status[] = [
  ...(['failed', 'unhealthy', 'rolled-back', 'timed-out', 'cancelled', 'superseded'] as const),
  ...(['live', 'planned', 'removed', 'swept', 'skipped', 'nothing'] as const),
]

function together(ended: readonly Ended[], deps: RunDeps): Outcome {
  const outcomes = ended.map(({ outcome }) => outcome)
  const [worst, ...others] = outcomes.toSorted((a, b) => worstFirst.indexOf(a.status) - worstFirst.indexOf(b.status))
  if (!worst) return nothingOf(deps, `none of the services of ${deps.settings.config} has previews`)
  const failed = ended.filter(({ outcome }) => outcome.failure)
  const failure =
    failed.length === 0
      ? undefined
      : new DeployError(
          failed.map(({ service, outcome }) => `${service.name}: ${outcome.failure?.message}`).join('\n'),
          {
            hint: failed.map(({ outcome }) => outcome.failure?.hint).find((hint) => hint !== undefined) ?? '',
          },
        )
  const reports: Report[] = others.map(({ report }) => report)
  return { ...worst, action: actionOf(outcomes), others: reports, failure }
}

function actionOf(outcomes: readonly Outcome[]): Outcome['action'] {
  return outcomes.find(({ action }) => action !== 'none')?.action ?? 'none'
}
