import { safeMessage } from '../../core/sanitize.ts'
import type { Platform } from '../../ink/platform.ts'
import type { Service } from '../../ink/results.ts'
import { describePlan } from '../../plan/describe.ts'
import { type InkFile, parseInkFile } from '../../plan/file/ink-file.ts'
import { anyService } from '../../plan/file/keys.ts'
import { inOrder } from '../../plan/file/references.ts'
import { parseDeploymentBranch } from '../../plan/names.ts'
import type { Plan, PreviewPlan, ProductionPlan } from '../../plan/plan.ts'
import { settingTable } from '../../plan/setting-table.ts'
import { type SettingName, settingNames } from '../../plan/settings.ts'
import type { ForeseenChange, ForeseenService, PlanReport } from '../../report/model.ts'
import { changeWords } from '../../report/wording.ts'
import { desiredSettings } from '../prepare.ts'
import { costOf } from '../resources/budget.ts'
import { findDatabase } from '../resources/databases.ts'
import { compareDns, describeDns } from '../resources/dns.ts'
import { findPreviews } from '../resources/previews.ts'
import { isMadeBy } from '../resources/repository.ts'
import type { Outcome, RunDeps } from '../run.ts'
import type { Configuration } from './configuration.ts'
import { detectInCheckout } from './detected.ts'
import { outputOf } from './environment.ts'
import type { Leftovers } from './leftovers.ts'

/** One service of an environment, and what the event would lead to for it. */
export interface Part {
  /** Its name in the file; undefined where there is but one. */
  readonly key: string | undefined
  readonly would: Plan
  /** With its own settings. */
  readonly deps: RunDeps
  /** The services that have to be up before it, by their names in the file. */
  readonly after: readonly string[]
}

/** What a plan would do, service by service, in the order in which they would come up. */
export interface Foreseen {
  readonly steps: readonly string[]
  readonly services: readonly ForeseenService[]
}

/** The plans of all services of the file, or the one there is. */
export async function partsOf(
  whole: Plan,
  deps: RunDeps,
  { services }: Configuration,
  decide: (deps: RunDeps) => Promise<Plan>,
): Promise<Part[]> {
  if (services.length === 0) return [{ key: undefined, would: inner(whole), deps, after: [] }]
  const pullRequest = whole.kind === 'check' ? numberIn(whole.would) : numberIn(whole)
  const parts: Part[] = []
  for (const service of inOrder(services)) {
    if (service.idle !== undefined) continue
    const wired = new Map<string, string>()
    const own = { ...deps, settings: service.settings }
    for (const { service: other, output } of service.wires) {
      const from = services.find(({ name }) => name === other)
      const known = from && (await outputOf({ service: from, outputs: new Map() }, output, own, pullRequest))
      wired.set(`${other}.${output}`, known ?? `<${output} of ${other}>`)
    }
    const environment = { ...service.settings.environment, wired }
    const placed = { ...own, settings: { ...service.settings, environment } }
    const after = [...new Set(service.wires.map((wire) => wire.service))]
    parts.push({ key: service.name, would: inner(await decide(placed)), deps: placed, after })
  }
  return parts
}

function inner(plan: Plan): Plan {
  return plan.kind === 'check' ? plan.would : plan
}

function numberIn(plan: Plan): number | undefined {
  return 'pullRequest' in plan && typeof plan.pullRequest === 'object' ? plan.pullRequest.number : undefined
}

/** Compares what services would be told with what they are. Only reads; what cannot be read is said, and is no failure. */
export async function foresee(
  parts: readonly Part[],
  orphans: Leftovers['orphans'],
  deps: RunDeps,
  file: InkFile | undefined,
): Promise<Foreseen> {
  const steps = parts.flatMap(({ would }) => describePlan('dryRun' in would ? { ...would, dryRun: false } : would))
  const place = parts.flatMap(({ would }) => ('place' in would ? [would.place] : []))[0]
  if (place === undefined || deps.settings.apiKey === undefined) return { steps, services: [] }
  let platform: Platform | undefined
  try {
    platform = await deps.openPlatform(place, deps.signal)
    const services: ForeseenService[] = []
    for (const part of parts) services.push(...(await foreseePart(part, platform, file)))
    return { steps, services: [...services, ...orphans.map((orphan) => foreseenOrphan(orphan, deps))] }
  } catch (error) {
    deps.signal.throwIfAborted()
    return { steps: [...steps, `What is there now could not be read (${safeMessage(deps, error)})`], services: [] }
  } finally {
    await platform?.close()
  }
}

function foreseenOrphan({ name, goes }: Leftovers['orphans'][number], { settings }: RunDeps): ForeseenService {
  const why = `${settings.config} no longer has it${goes ? '' : '; remove-orphans: true removes it'}`
  return { service: name, what: goes ? 'remove' : 'unchanged', after: [], changes: [], why }
}

async function foreseePart(part: Part, platform: Platform, file: InkFile | undefined): Promise<ForeseenService[]> {
  const { would, deps, after, key } = part
  switch (would.kind) {
    case 'preview':
    case 'production':
      return [await foreseeDeployment(part, would, platform, file)]
    case 'teardown': {
      const { previews } = await findPreviews({ ...deps, platform }, would.place)
      return previews
        .filter(({ pullRequest }) => pullRequest === would.pullRequest)
        .map(({ serviceName }) => ({ service: serviceName, what: 'remove', after: [], changes: [] }))
    }
    case 'none':
      return key === undefined ? [] : [{ service: key, what: 'unchanged', after, changes: [], why: would.reason }]
    case 'refused':
      return key === undefined ? [] : [{ service: key, what: 'refuse', after, changes: [], why: would.problem }]
    default:
      return []
  }
}

async function foreseeDeployment(
  { deps, after, key }: Part,
  would: PreviewPlan | ProductionPlan,
  platform: Platform,
  file: InkFile | undefined,
): Promise<ForeseenService> {
  const { serviceName: service, database, place } = would
  const existing = await platform.service(service, { env: true }, deps.signal)
  if (existing && !isMadeBy(existing, place) && !would.adopt)
    return {
      service,
      what: 'refuse',
      after,
      changes: [],
      why: 'a service of that name is there, and not this repository’s',
    }
  const found = database && (await findDatabase({ ...deps, platform }, database, deps.signal))
  const detected = existing ? undefined : await detectInCheckout(would, deps)
  const desired = desiredSettings({ plan: would, run: { platform }, prepared: { database: found, detected } }, existing)
  const runs = existing?.branch === undefined ? undefined : parseDeploymentBranch(existing.branch)?.sourceSha
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
  const unique = new Map(changes.map((change) => [change.setting, change]))
  return {
    service,
    what,
    after,
    changes: [...unique.values()],
    why: detected?.sentence,
    costPerDay: costOf(size, would, platform),
  }
}

/** The file of the commit that a service runs: ml.ink does not tell most of what it was told. */
async function fileAt(
  sha: string | undefined,
  { github, settings }: RunDeps,
): Promise<InkFile | undefined | 'unknown'> {
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
export function foreseenLines(services: readonly ForeseenService[]): string[] {
  const signs = { create: '+', update: '~', unchanged: '=', remove: '-', refuse: '✗' } as const
  return services.flatMap(({ service, what, after, changes, why, costPerDay }) => [
    [
      `${signs[what]} ${service}: ${what}`,
      ...(after.length > 0 ? [`after ${after.join(' and ')}`] : []),
      ...(costPerDay === undefined ? [] : [`about $${costPerDay.toFixed(2)} a day`]),
      ...(why === undefined ? [] : [why]),
    ].join(', '),
    ...changes.map((change) => `    ${change.setting}: ${changeWords(change)}`),
  ])
}

type PlanToDo = Exclude<Extract<Plan, { readonly dryRun: boolean }>, { kind: 'help' | 'decline' | 'check' }>

/** A dry run says what would be done and changes nothing; the plan itself has been printed already. */
export async function dryRun(
  plan: PlanToDo,
  deps: RunDeps,
  { steps, services, checks }: Pick<PlanReport, 'steps' | 'services' | 'checks'>,
): Promise<Outcome> {
  const details = await foreseenDns(plan, deps)
  for (const line of details) deps.log.info(line)
  const report: PlanReport = {
    kind: 'plan',
    services,
    steps: [...steps, ...details],
    checks,
    runUrl: deps.context.runUrl,
    warnings: deps.warnings,
  }
  return {
    action: plan.kind === 'logs' ? 'none' : plan.kind === 'retire' ? 'teardown' : plan.kind,
    status: 'planned',
    report,
    failure: undefined,
  }
}

/** What a dry run has to read from the platform to be able to say it. */
async function foreseenDns(plan: PlanToDo, deps: RunDeps): Promise<readonly string[]> {
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
