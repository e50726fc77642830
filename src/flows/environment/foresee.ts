import { safeMessage } from '../../core/sanitize.ts'
import type { Platform } from '../../ink/platform.ts'
import type { Service } from '../../ink/results.ts'
import { describePlan } from '../../plan/describe.ts'
import { type InkFile, parseInkFile } from '../../plan/file/ink-file.ts'
import { inOrder } from '../../plan/file/references.ts'
import { commitOf } from '../../plan/names.ts'
import type { CheckPlan, Plan, PreviewPlan, ProductionPlan, TeardownPlan, WorkPlan } from '../../plan/plan.ts'
import { settingTable } from '../../plan/setting-table.ts'
import { anyService, type SettingName, settingNames } from '../../plan/settings.ts'
import type { ForeseenChange, ForeseenService, PlanReport } from '../../report/model.ts'
import { changeWords } from '../../report/parts.ts'
import { desiredSettings, detectInCheckout } from '../prepare.ts'
import { costOf } from '../resources/account.ts'
import { findDatabase } from '../resources/databases.ts'
import { compareDns } from '../resources/dns.ts'
import { findPreviews } from '../resources/previews.ts'
import { isMadeBy } from '../resources/repository.ts'
import { actionOf, type Outcome, previewOf, type RunDeps, reportBase } from '../run.ts'
import { findLeftovers } from '../teardown.ts'
import type { Configuration } from './configuration.ts'
import { outputOf } from './environment.ts'

/** `command: plan` and `dry-run: true` look at all services, and touch none. */
export async function foreseeAll(
  plan: CheckPlan | PreviewPlan | ProductionPlan | TeardownPlan,
  deps: RunDeps,
  configuration: Configuration,
  decide: (deps: RunDeps) => Promise<Plan>,
): Promise<Outcome> {
  const { check, checksOfWorkflow, warnOfWorkflow } = await import('../check.ts')
  const { file } = configuration
  const would = meant(plan)
  const quiet = { ...deps, settings: { ...deps.settings, dryRun: true } }
  const leftovers = deps.settings.apiKey && (await findLeftovers(would, configuration, quiet))
  const { problem, orphans = [] } = leftovers ?? {}
  const refused = problem && { key: undefined, would: problem, deps, after: [] }
  const parts = refused ? [refused] : await partsOf(would, deps, configuration, decide)
  if (plan.kind !== 'check') warnOfWorkflow(deps, file, 'all')
  const checks = plan.kind === 'check' ? await checksOfWorkflow(deps, file) : []
  const gone = orphans.map(({ name, goes }): ForeseenService => {
    const why = `${deps.settings.config} no longer has it${goes ? '' : '; remove-orphans: true removes it'}`
    return { service: name, what: goes ? 'remove' : 'unchanged', after: [], changes: [], why }
  })
  const foreseen = { ...(await foresee(parts, gone, deps, file)), checks }
  deps.log.startGroup('Plan')
  for (const line of [...foreseen.steps, ...foreseenLines(foreseen.services)]) deps.log.info(line)
  deps.log.endGroup()
  if ('environment' in would) deps.output('environment', would.environment)
  if ('serviceName' in would && parts.length === 1) deps.output('service', would.serviceName)
  const plans = parts.map((part) => part.would)
  return plan.kind === 'check' ? check(plan, deps, plans, foreseen) : dryRun(plan, deps, foreseen)
}

/** One service of an environment, and what the event would lead to for it. */
interface Part {
  /** Its name in the file; undefined where there is but one. */
  readonly key: string | undefined
  readonly would: Plan
  readonly deps: RunDeps
  /** The services that have to be up before it, by their names in the file. */
  readonly after: readonly string[]
}

/** The plans of all services of the file, or the one there is; in the order in which they would come up. */
async function partsOf(
  whole: Plan,
  deps: RunDeps,
  { services }: Configuration,
  decide: (deps: RunDeps) => Promise<Plan>,
): Promise<Part[]> {
  if (services.length === 0) return [{ key: undefined, would: whole, deps, after: [] }]
  const pullRequest = previewOf(whole)
  const parts: Part[] = []
  for (const { name, settings, wires, idle } of inOrder(services)) {
    if (idle !== undefined) continue
    const wired = new Map<string, string>()
    for (const { service: other, output } of wires) {
      const from = services.find((one) => one.name === other)
      const own = { ...deps, settings }
      const known = from && (await outputOf({ service: from, outputs: new Map() }, output, own, pullRequest))
      wired.set(`${other}.${output}`, known ?? `<${output} of ${other}>`)
    }
    const own = { ...deps, settings: { ...settings, environment: { ...settings.environment, wired } } }
    const after = [...new Set(wires.map(({ service }) => service))]
    parts.push({ key: name, would: meant(await decide(own)), deps: own, after })
  }
  return parts
}

function meant(plan: Plan): Plan {
  return plan.kind === 'check' ? plan.would : plan
}

/** Compares what services would be told with what they are. Only reads; what cannot be read is said, and is no failure. */
async function foresee(
  parts: readonly Part[],
  gone: readonly ForeseenService[],
  deps: RunDeps,
  file: InkFile | undefined,
): Promise<Pick<PlanReport, 'steps' | 'services'>> {
  const steps = parts.flatMap(({ would }) => describePlan('dryRun' in would ? { ...would, dryRun: false } : would))
  const place = parts.flatMap(({ would }) => ('place' in would ? [would.place] : []))[0]
  if (place === undefined || deps.settings.apiKey === undefined) return { steps, services: [] }
  try {
    await using platform = await deps.openPlatform(place, deps.signal)
    const services: ForeseenService[] = []
    for (const part of parts) services.push(...(await foreseePart(part, platform, file)))
    return { steps, services: [...services, ...gone] }
  } catch (error) {
    deps.signal.throwIfAborted()
    return { steps: [...steps, `What is there now could not be read (${safeMessage(deps, error)})`], services: [] }
  }
}

async function foreseePart(part: Part, platform: Platform, file: InkFile | undefined): Promise<ForeseenService[]> {
  const { would, deps, after, key } = part
  if (would.kind === 'preview' || would.kind === 'production')
    return [await foreseeDeployment(part, would, platform, file)]
  if (would.kind === 'teardown') {
    const { previews } = await findPreviews({ ...deps, platform }, would.place)
    const going = previews.filter(({ pullRequest }) => pullRequest === would.pullRequest)
    return going.map(({ serviceName }) => ({ service: serviceName, what: 'remove', after: [], changes: [] }))
  }
  if (key === undefined) return []
  const untouched = { service: key, after, changes: [] }
  if (would.kind === 'none') return [{ ...untouched, what: 'unchanged', why: would.reason }]
  return would.kind === 'refused' ? [{ ...untouched, what: 'refuse', why: would.problem }] : []
}

async function foreseeDeployment(
  { deps, after, key }: Part,
  would: PreviewPlan | ProductionPlan,
  platform: Platform,
  file: InkFile | undefined,
): Promise<ForeseenService> {
  const { serviceName: service, database, place } = would
  const existing = await platform.service(service, { env: true }, deps.signal)
  const strange = 'a service of that name is there, and not this repository’s'
  if (existing && !isMadeBy(existing, place) && !would.adopt)
    return { service, what: 'refuse', after, changes: [], why: strange }
  const found = database && (await findDatabase({ ...deps, platform }, database, deps.signal))
  const detected = existing ? undefined : await detectInCheckout(would, deps)
  const desired = desiredSettings(would, platform, { database: found, detected }, existing)
  const runs = commitOf(existing)
  const before = existing && runs !== would.wanted.sha ? await fileAt(runs, deps) : existing && file
  const size = { memory: desired.memory ?? existing?.memory, vcpus: desired.vcpus ?? existing?.vcpus }
  const changes = [
    ...changed('commit', runs?.slice(0, 7), would.wanted.sha.slice(0, 7)),
    ...(before === 'unknown' ? [] : changesOfFile(before, file, key, would.kind)),
    // Not every server tells sizes.
    ...(existing && existing.memory === undefined ? [] : changed('size.memory', existing?.memory, size.memory)),
    ...(existing && existing.vcpus === undefined ? [] : changed('size.vcpus', existing?.vcpus, size.vcpus)),
    ...(database && !found
      ? [{ setting: 'database', from: undefined, to: `${database.name} (${database.type})` }]
      : []),
    ...changesOfVariables(existing, desired.env ?? {}),
  ]
  const what = existing === undefined ? 'create' : changes.length === 0 ? 'unchanged' : 'update'
  const unique = [...new Map(changes.map((change) => [change.setting, change])).values()]
  const costPerDay = costOf(size, would, platform)
  const again = what === 'unchanged' ? 'what is live is deployed again' : undefined
  return { service, what, after, changes: unique, why: detected?.sentence ?? again, costPerDay }
}

/** The file of the commit that a service runs: ml.ink does not tell most of what it was told. */
async function fileAt(sha: string | undefined, { github, settings }: RunDeps) {
  const text = sha === undefined ? undefined : await github.files.read(settings.config, sha)
  if (text === undefined) return 'unknown'
  const parsed = text === 'absent' ? undefined : parseInkFile(text, settings.config)
  return parsed?.ok === false ? 'unknown' : parsed?.file
}

function changesOfFile(
  before: InkFile | undefined,
  now: InkFile | undefined,
  key: string | undefined,
  environment: 'preview' | 'production',
): ForeseenChange[] {
  const said = (file: InkFile | undefined, setting: SettingName) => {
    const name = key ?? (file?.services.length === 1 ? file.services[0]?.name : undefined)
    return file?.services.some((service) => service.name === name)
      ? file.written(setting, name, environment)?.text
      : undefined
  }
  return settingNames.flatMap((setting) => {
    const { key: path } = settingTable[setting]
    if (!path?.startsWith(anyService)) return []
    return changed(path.slice(anyService.length), said(before, setting), said(now, setting))
  })
}

/** Variables by name only. Those that tell of the commit change every time, and say nothing. */
function changesOfVariables(existing: Service | undefined, wanted: Readonly<Record<string, string>>): ForeseenChange[] {
  const now = existing?.env ?? {}
  const names = [...new Set([...Object.keys(now), ...Object.keys(wanted)])].filter((name) => !name.startsWith('INK_'))
  return names.sort().flatMap((name) => {
    if (now[name] === wanted[name]) return []
    const to = wanted[name] === undefined ? 'removed' : now[name] === undefined ? 'set' : 'another value'
    return [{ setting: `env.${name}`, from: undefined, to }]
  })
}

function changed(setting: string, from: string | undefined, to: string | undefined): ForeseenChange[] {
  return from === to ? [] : [{ setting, from, to }]
}

/** The same as lines for the log. */
function foreseenLines(services: readonly ForeseenService[]): string[] {
  const signs = { create: '+', update: '~', unchanged: '=', remove: '-', refuse: '✗' } as const
  return services.flatMap(({ service, what, after, changes, why, costPerDay }) => {
    const needs = after.length > 0 ? `after ${after.join(' and ')}` : undefined
    const cost = costPerDay === undefined ? undefined : `about $${costPerDay.toFixed(2)} a day`
    const said = [`${signs[what]} ${service}: ${what}`, needs, cost, why].filter((one) => one !== undefined)
    return [said.join(', '), ...changes.map((change) => `    ${change.setting}: ${changeWords(change)}`)]
  })
}

/** A dry run says what would be done and changes nothing; the plan itself has been printed already. */
export async function dryRun(
  plan: WorkPlan,
  deps: RunDeps,
  { steps, services, checks }: Pick<PlanReport, 'steps' | 'services' | 'checks'>,
): Promise<Outcome> {
  const dns = plan.kind === 'production' && plan.dnsRecords !== undefined ? await foreseenDns(plan, deps) : []
  for (const line of dns) deps.log.info(line)
  const report: PlanReport = { kind: 'plan', services, steps: [...steps, ...dns], checks, ...reportBase(deps) }
  return { action: actionOf(plan), status: 'planned', report }
}

async function foreseenDns(plan: ProductionPlan, deps: RunDeps): Promise<readonly string[]> {
  try {
    await using platform = await deps.openPlatform(plan.place, deps.signal)
    const outlook = await compareDns(plan, { ...deps, platform })
    const lines = outlook ? [...outlook.problems, ...outlook.foreseen] : []
    return lines.length > 0 ? lines : ['DNS: in step']
  } catch (error) {
    deps.signal.throwIfAborted()
    return [`DNS: could not be read (${safeMessage(deps, error)})`]
  }
}
