/**
 * What the monitor remembers of a service from run to run. It lives in the name of a branch on the platform's git
 * hosting, `ink/monitor/<service>/<what is remembered>`: the key may push there already, and such a push starts nothing.
 */

/** Checks of one stretch of time. `since` in minutes since the epoch. */
interface Stretch {
  readonly since: number
  readonly asked: number
  readonly healthy: number
}

const unset = undefined as number | undefined
/** What scaling has to know, while nothing has been read yet. In the order in which a branch's name has it. */
export const noLoad = {
  /** Readings in a row above the upper mark, and below the lower, and when the first of these was. Minutes since the epoch. */
  memoryHigh: 0,
  memoryLow: 0,
  memoryLowSince: unset,
  cpuHigh: 0,
  cpuLow: 0,
  cpuLowSince: unset,
  /** When the size was changed last, and to what: not every platform tells. */
  changedAt: unset,
  memoryMi: unset,
  centiVcpus: unset,
  /** When it did not come up with a size that it had been given, and with which. */
  brokeAt: unset,
  brokeMemoryMi: unset,
  brokeCentiVcpus: unset,
}
export type Load = Readonly<typeof noLoad>
const loadFields = Object.keys(noLoad) as readonly (keyof Load)[]

export interface MonitorMemory {
  readonly lastAt: number
  /** The stretch under way, and the one before it: together the last one to two months. */
  readonly current: Stretch
  readonly former: Stretch | undefined
  readonly load: Load
}

const stretchMinutes = 30 * 24 * 60
const clockSkewMinutes = 24 * 60

export function withCheck(memory: MonitorMemory | undefined, check: { at: number; healthy: boolean }): MonitorMemory {
  const first: Stretch = { since: check.at, asked: 0, healthy: 0 }
  const over = memory !== undefined && check.at - memory.current.since >= stretchMinutes
  const stretch = memory === undefined || over ? first : memory.current
  return {
    lastAt: check.at,
    current: { ...stretch, asked: stretch.asked + 1, healthy: stretch.healthy + (check.healthy ? 1 : 0) },
    former: over ? memory.current : memory?.former,
    load: memory?.load ?? noLoad,
  }
}

export function uptimeOf({ current, former }: MonitorMemory): Stretch {
  return {
    since: former?.since ?? current.since,
    asked: current.asked + (former?.asked ?? 0),
    healthy: current.healthy + (former?.healthy ?? 0),
  }
}

const prefix = 'ink/monitor/'
const version = 'v1'
// A ref's name must not hold "..", so what is not there needs a sign of its own.
const none = '-'
const field = `_(?:${none}|[0-9a-z]{1,9})`
const encoded = new RegExp(`^${version}(?:${field}){19}$`)

/** The branch that holds what is remembered of a service. */
export function memoryBranch(service: string, { lastAt, current, former, load }: MonitorMemory): string {
  const stretches = [current.since, current.asked, current.healthy, former?.since, former?.asked, former?.healthy]
  const fields = [lastAt, ...stretches, ...loadFields.map((name) => load[name])]
  const written = fields.map((field) => (field === undefined ? none : field.toString(36)))
  return `${prefix}${service}/${[version, ...written].join('_')}`
}

/** The service whose memory a branch holds; undefined for all other branches. */
export function serviceOfMemoryBranch(branch: string): string | undefined {
  return branch.startsWith(prefix) ? branch.slice(prefix.length).split('/')[0] || undefined : undefined
}

/**
 * What is remembered of a service. Of several branches, as two monitors at the same moment leave them, the latest counts;
 * what cannot be understood, or speaks of the future, does not. `now` is in minutes since the epoch.
 */
export function recall(service: string, branches: Iterable<string>, now: number): MonitorMemory | undefined {
  const own = [...branches].filter((branch) => serviceOfMemoryBranch(branch) === service)
  const memories = own.flatMap((branch) => decode(branch, now) ?? [])
  return memories.toSorted((a, b) => b.lastAt - a.lastAt || uptimeOf(b).asked - uptimeOf(a).asked)[0]
}

function decode(branch: string, now: number): MonitorMemory | undefined {
  const text = branch.slice(branch.lastIndexOf('/') + 1)
  if (!encoded.test(text)) return undefined
  const numbers = text
    .split('_')
    .slice(1)
    .map((digits) => (digits === none ? undefined : Number.parseInt(digits, 36)))
  const [lastAt, since, asked, healthy, formerSince, formerAsked, formerHealthy, ...loads] = numbers
  const current = stretchOf(since, asked, healthy)
  if (lastAt === undefined || current === undefined) return undefined
  if (lastAt > now + clockSkewMinutes || current.since > lastAt) return undefined
  // What was left out stays as in `noLoad`.
  const load = Object.fromEntries(
    loadFields.map((name, index) => [name, loads[index] ?? noLoad[name]]),
  ) as unknown as Load
  return { lastAt, current, former: stretchOf(formerSince, formerAsked, formerHealthy), load }
}

function stretchOf(since?: number, asked?: number, healthy?: number): Stretch | undefined {
  if (since === undefined || asked === undefined || healthy === undefined || healthy > asked) return undefined
  return { since, asked, healthy }
}

/** What a service uses, as shares of what it has: 0.5 is half. Undefined where no tool tells. */
export interface Usage {
  readonly memory: number | undefined
  readonly cpu: number | undefined
}

/** A service's size; undefined where nobody knows it. */
export interface Size {
  readonly memoryMi: number | undefined
  readonly vcpus: number | undefined
}

export interface Step {
  readonly what: 'memory' | 'vcpus'
  readonly from: number
  readonly to: number
  /** The evidence: the end of a sentence that begins with what was done. */
  readonly why: string
}

/** More than this share in use is much, less than the other is little. */
export const highShare = 0.85
const lowShare = 0.3
/** After so long the app may be another, and a size that broke it may do. */
const brokenDays = 30

/** Adds one reading. What is not told, or lies between the marks, begins a new count. */
export function withUsage(load: Load, usage: Usage | undefined, at: number): Load {
  const { memory, cpu } = usage ?? {}
  return {
    ...load,
    memoryHigh: isHigh(memory) ? load.memoryHigh + 1 : 0,
    cpuHigh: isHigh(cpu) ? load.cpuHigh + 1 : 0,
    memoryLow: isLow(memory) ? load.memoryLow + 1 : 0,
    memoryLowSince: isLow(memory) ? (load.memoryLowSince ?? at) : undefined,
    cpuLow: isLow(cpu) ? load.cpuLow + 1 : 0,
    cpuLowSince: isLow(cpu) ? (load.cpuLowSince ?? at) : undefined,
  }
}

const isHigh = (share: number | undefined) => share !== undefined && share > highShare
const isLow = (share: number | undefined) => share !== undefined && share < lowShare

/** After a change everything is counted anew. What broke before is remembered. */
export function withStep(load: Load, step: Pick<Step, 'what' | 'to'>, at: number, size: Size): Load {
  const memoryMi = step.what === 'memory' ? step.to : size.memoryMi
  const vcpus = step.what === 'vcpus' ? step.to : size.vcpus
  return {
    ...withUsage(load, undefined, at),
    changedAt: at,
    memoryMi,
    centiVcpus: vcpus === undefined ? undefined : centi(vcpus),
  }
}

/** The service did not come up with the size that a step gave it. */
export function withBreak(load: Load, { what, to }: Pick<Step, 'what' | 'to'>, at: number): Load {
  return { ...load, brokeAt: at, ...(what === 'memory' ? { brokeMemoryMi: to } : { brokeCentiVcpus: centi(to) }) }
}

/** Forgets what broke once it is long ago, or the service runs with that very size. */
export function withoutOldBreak(load: Load, of: { size: Size; running: boolean; now: number }): Load {
  const isOver = of.now >= (triedAgainAt(load) ?? Number.POSITIVE_INFINITY)
  if (!isOver && !(of.running && holdsBrokenSize(load, of.size))) return load
  return { ...load, brokeAt: undefined, brokeMemoryMi: undefined, brokeCentiVcpus: undefined }
}

export function brokenSizes({ brokeMemoryMi, brokeCentiVcpus }: Load): Size {
  return { memoryMi: brokeMemoryMi, vcpus: brokeCentiVcpus === undefined ? undefined : brokeCentiVcpus / 100 }
}

/** Whether the service still has a size with which it did not come up. */
export function holdsBrokenSize(load: Load, size: Size): boolean {
  const { memoryMi, vcpus } = brokenSizes(load)
  return (memoryMi !== undefined && memoryMi === size.memoryMi) || (vcpus !== undefined && vcpus === size.vcpus)
}

/** When sizes that broke may be tried again, in minutes since the epoch. */
export function triedAgainAt({ brokeAt }: Load): number | undefined {
  return brokeAt === undefined ? undefined : brokeAt + brokenDays * 24 * 60
}

function centi(vcpus: number): number {
  return Math.round(vcpus * 100)
}
