import { callsAtOnce, inTurns, systemClock, withinTime } from '../../core/async.ts'
import { DeployError, errorMessage } from '../../core/errors.ts'
import type { Platform } from '../../ink/platform.ts'
import { fewAtOnce } from '../../ink/platform.ts'
import type { ServiceOutput } from '../../plan/file/references.ts'
import { inOrder } from '../../plan/file/references.ts'
import { commitOf, databaseName, previewName } from '../../plan/names.ts'
import type { WorkPlan } from '../../plan/plan.ts'
import { placeOf } from '../../plan/plan.ts'
import type { OutputName } from '../../plan/setting-table.ts'
import type { Snapshot } from '../../source/snapshot.ts'
import type { Source } from '../../source/source.ts'
import { findDatabase } from '../resources/databases.ts'
import {
  labelled,
  nothingToDo,
  type OpenDeployment,
  type Outcome,
  previewOf,
  type RunDeps,
  runStatuses,
} from '../run.ts'
import type { ConfiguredService } from './configuration.ts'

/** How many services are deployed at the same time. */
const servicesAtOnce = 4

/** What a run of all services is about, and how that of one is carried out, given what is its own. */
interface ServiceRunner {
  readonly plan: WorkPlan
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
export async function runEnvironment(configured: readonly ConfiguredService[], deps: RunDeps, runner: ServiceRunner) {
  await using sources = shareSources(deps)
  const calls = inTurns(callsAtOnce)
  const shared: RunDeps = {
    ...deps,
    remember: rememberTogether(deps),
    openSource: sources.openSource,
    openPlatform: async (...where) => fewAtOnce(await deps.openPlatform(...where), calls),
  }
  const atOnce = inTurns(servicesAtOnce)
  // Only what is deployed takes anything from the others.
  const services = deploys(runner) ? configured : configured.map((service) => ({ ...service, wires: [] }))
  const ends = new Map<string, Promise<Ended>>()
  for (const service of inOrder(services)) {
    const needed = Promise.all(new Set(service.wires.map((wire) => ends.get(wire.service) as Promise<Ended>)))
    ends.set(
      service.name,
      needed.then((others) => atOnce(() => runService(service, others, shared, runner))),
    )
  }
  const settled = await Promise.allSettled(services.map(({ name }) => ends.get(name) as Promise<Ended>))
  deps.signal.throwIfAborted()
  const done = settled.flatMap((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value.service.idle === undefined ? [one.value] : []
  })
  tellServices(deps, done)
  return together(done, deps)
}

function deploys({ plan }: ServiceRunner): boolean {
  return plan.kind === 'preview' || plan.kind === 'production'
}

async function runService(
  service: ConfiguredService,
  needed: readonly Ended[],
  deps: RunDeps,
  runner: ServiceRunner,
): Promise<Ended> {
  const { name, settings, wires } = service
  const pullRequest = previewOf(runner.plan)
  const outputs = new Map<OutputName, string | number>()
  const output: RunDeps['output'] = (one, value) => void outputs.set(one, value)
  const own: RunDeps = { ...deps, settings, output, log: labelled(deps.log, name) }
  const end = (outcome: Outcome, blocks: boolean): Ended => {
    const { report } = outcome
    const named = report.kind === 'none' ? { ...report, reason: `${name}: ${report.reason}` } : report
    return { service, outcome: { ...outcome, report: named }, outputs, blocks }
  }
  if (service.idle) return end(nothingToDo(own, 'the input service names another'), false)
  // Those that come to their turn once it is over would only say that they ran out of time.
  deps.signal.throwIfAborted()
  const skipped = async (reason: string) => end(await runner.skip(own, reason), true)
  const broken = needed.find(({ blocks }) => blocks)
  if (broken) return skipped(`${name} needs ${broken.service.name}, which is ${broken.outcome.status}`)
  const wired = new Map<string, string>()
  for (const { service: other, output: wanted } of wires) {
    const from = needed.find(({ service: one }) => one.name === other)
    const value = await outputOf(from, wanted, own, pullRequest)
    const where = from?.service.idle === 'no-previews' ? ' in production' : ''
    if (value === undefined) return skipped(`${name} needs the ${wanted} of ${other}, which is not there yet${where}`)
    wired.set(`${other}.${wanted}`, value)
  }
  const environment = { ...settings.environment, wired }
  const outcome = await runner.run({ ...own, settings: { ...settings, environment } })
  // Whoever asks for its address does not care that nothing of it has changed.
  if (deploys(runner) && outcome.action === 'none') await tellRunning(service, own, pullRequest)
  return end(outcome, outcome.failure !== undefined)
}

/** The outputs of a service that this run had no reason to touch. */
async function tellRunning(service: ConfiguredService, deps: RunDeps, pullRequest: number | undefined): Promise<void> {
  try {
    const { name, url, branch } =
      (await withPlatform(service, deps, pullRequest, (platform, named) => platform.service(named, {}, deps.signal))) ??
      {}
    const commit = commitOf({ branch })
    const told = { service: name, url, ...(commit === undefined ? {} : { branch, commit }) }
    for (const [output, value] of Object.entries(told))
      if (value !== undefined) deps.output(output as keyof typeof told, value)
  } catch (error) {
    deps.signal.throwIfAborted()
    deps.log.debug(`What it runs could not be read: ${errorMessage(error)}`)
  }
}

/** Asks the platform about one service, by the name that it has in this run. */
async function withPlatform<T>(
  { settings, idle }: ConfiguredService,
  deps: RunDeps,
  pullRequest: number | undefined,
  ask: (platform: Platform, serviceName: string) => Promise<T>,
): Promise<T> {
  const place = placeOf({ context: deps.context, settings })
  const isProduction = pullRequest === undefined || idle === 'no-previews'
  await using platform = await deps.openPlatform(place, deps.signal)
  return await ask(platform, isProduction ? place.baseName : previewName(place.baseName, pullRequest))
}

/** What one service hands to another. It may have been skipped, as nothing of it changed: then it is asked for. */
export async function outputOf(
  from: Pick<Ended, 'service' | 'outputs'> | undefined,
  output: ServiceOutput,
  deps: RunDeps,
  pullRequest: number | undefined,
): Promise<string | undefined> {
  if (from === undefined) return undefined
  return await withPlatform(from.service, deps, pullRequest, async (platform, serviceName) => {
    if (output === 'url' || output === 'host') {
      const url = from.outputs.get('url') ?? (await platform.service(serviceName, {}, deps.signal))?.url
      if (url === undefined) return undefined
      return output === 'url' ? String(url) : new URL(String(url)).host
    }
    const { database } = from.service.settings
    if (!database) return undefined
    const env = new Map([['value', output === 'database.url' ? 'url' : 'token']])
    const wanted = { ...database, name: databaseName(serviceName), env }
    return (await findDatabase({ ...deps, platform }, wanted, deps.signal))?.variables.value
  })
}

/** What each service would leave open is remembered together. */
function rememberTogether(deps: RunDeps): RunDeps['remember'] {
  const open = new Map<string, readonly OpenDeployment[]>()
  return (left, service) => {
    open.set(service, left)
    deps.remember([...open.values()].flat(), service)
  }
}

const toldOutputs = ['url', 'commit', 'service', 'branch'] as const

function tellServices(deps: RunDeps, ended: readonly Ended[]): void {
  const [only, ...others] = ended
  if (only && others.length === 0) for (const [name, value] of only.outputs) deps.output(name, value)
  // What several services have in common.
  for (const name of ['environment', 'comment-id'] as const) {
    const value = ended.map(({ outputs }) => outputs.get(name)).find((one) => one !== undefined)
    if (value !== undefined) deps.output(name, value)
  }
  const told = ended.map(({ service: { name }, outputs, outcome: { status } }) => {
    const [url, commit, service, branch] = toldOutputs.map((one) => outputs.get(one))
    return [name, { url, status, commit, service, branch }]
  })
  deps.output('services', JSON.stringify(Object.fromEntries(told)))
}

function together(ended: readonly Ended[], deps: RunDeps): Outcome {
  // One that had to be left out for want of another is worse off than any that is live.
  const rank = ({ outcome, blocks }: Ended) =>
    runStatuses.indexOf(blocks && outcome.status === 'skipped' ? 'superseded' : outcome.status)
  const [worst, ...others] = ended.toSorted((a, b) => rank(a) - rank(b)).map(({ outcome }) => outcome)
  if (!worst) return nothingToDo(deps, `none of the services of ${deps.settings.config} has previews`)
  const failed = ended.filter(({ outcome }) => outcome.failure)
  const why = failed.map(({ service, outcome }) => `${service.name}: ${outcome.failure?.message}`).join('\n')
  const hint = failed.map(({ outcome }) => outcome.failure?.hint).find((one) => one !== undefined) ?? ''
  const failure = failed.length === 0 ? undefined : new DeployError(why, { hint })
  const action = ended.find(({ outcome }) => outcome.action !== 'none')?.outcome.action ?? 'none'
  return { ...worst, action, others: others.map(({ report }) => report), failure }
}

/**
 * Lets services of one commit share its snapshot: one checkout is read, what it lacks is fetched once, and what one of them
 * has pushed travels for none of the others again.
 */
export function shareSources({ openSource, signal }: Pick<RunDeps, 'openSource' | 'signal'>) {
  const opened = new Map<boolean, ReturnType<typeof shareSource>>()
  const openShared: RunDeps['openSource'] = (wish = {}) => {
    // Only what deploys is bounded by the run's own time; what is short is opened by itself.
    if (wish.deadlineAt === undefined) return openSource(wish)
    const key = wish.ignoreWorkspace ?? false
    const { shared, close } = opened.get(key) ?? shareSource(openSource(wish), signal)
    opened.set(key, { shared, close })
    return shared
  }
  return {
    openSource: openShared,
    [Symbol.asyncDispose]: async () => {
      for (const { close } of opened.values()) await close()
    },
  }
}

/** @param runSignal of the whole run: that of one service must not end what others wait for */
function shareSource(source: Source, runSignal: AbortSignal) {
  const snapshots = new Map<string, Promise<Snapshot>>()
  // What fetches or pushes takes locks of git's in one and the same repository.
  const inTurn = inTurns(1)
  const shared: Source = {
    ...source,
    snapshot: async (request, signal) => {
      signal.throwIfAborted()
      const key = JSON.stringify(request)
      const made = snapshots.get(key) ?? inTurn(() => source.snapshot(request, runSignal))
      snapshots.set(key, made)
      return await withinTime(systemClock, Number.POSITIVE_INFINITY, signal, () => made)
    },
    push: (...args) => inTurn(() => source.push(...args)),
    mark: (...args) => inTurn(() => source.mark(...args)),
    oldBranches: (...args) => inTurn(() => source.oldBranches(...args)),
    newestFirst: (...args) => inTurn(() => source.newestFirst(...args)),
    [Symbol.asyncDispose]: async () => undefined,
  }
  const close = async () => {
    // Once all that is under way has come to its end.
    await inTurn(async () => undefined)
    await source[Symbol.asyncDispose]()
  }
  return { shared, close }
}
