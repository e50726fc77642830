import {
  brokenSizes,
  highShare,
  holdsBrokenSize,
  type Load,
  type Size,
  type Step,
  triedAgainAt,
  type Usage,
} from './monitor-memory.ts'
import {
  anyText,
  type Bounds,
  memory as memorySize,
  memorySizesMi,
  type Parsed,
  vcpus as vcpuSize,
  vcpuSizes,
} from './values.ts'

/** Within which sizes production may be scaled; undefined for what stays as it is. */
export interface Autoscale {
  readonly memoryMi: Bounds | undefined
  readonly vcpus: Bounds | undefined
}

/** `memory 256Mi..1024Mi, vcpus 0.5..2`; one of the two may be left out. */
export function parseAutoscale(text: string): Parsed<Autoscale> {
  const allowed =
    'bounds for memory, vcpus or both, such as “memory 256Mi..1024Mi, vcpus 0.5..2”, both ends being sizes of the platform, the first the smaller'
  const found = new Map<string, Bounds>()
  for (const part of text.split(/[,\n]/).map((one) => one.trim())) {
    const [, name = '', from = '', to = ''] = /^(memory|vcpus)\s+(\S+?)\s*\.\.\s*(\S+)$/.exec(part) ?? []
    const [low = 0, high = 0] = [from, to].map((size) => sizeOf(name === 'memory' ? memorySize : vcpuSize, size))
    if (name === '' || found.has(name) || !(low < high)) return { allowed }
    found.set(name, { from: low, to: high })
  }
  return { value: { memoryMi: found.get('memory'), vcpus: found.get('vcpus') } }
}

export const autoscale = { parse: parseAutoscale, schema: anyText }

/** The number in a size that the platform has; NaN for all others. */
function sizeOf(type: typeof memorySize, text: string): number {
  const parsed = type.parse(text)
  return 'value' in parsed ? Number.parseFloat(parsed.value) : Number.NaN
}

const readingsInARow = 3
const lowMinutes = 24 * 60
// What was just changed has to show first what it is like, and two updates in quick succession fail on the platform.
const coolDownMinutes = 30

/** How many minutes a change made a while ago has yet to be left alone; 0 when it has been for long enough. */
function coolDownLeft({ changedAt }: Load, now: number): number {
  return changedAt === undefined ? 0 : Math.max(0, coolDownMinutes - (now - changedAt))
}

interface Situation {
  readonly autoscale: Autoscale
  readonly size: Size
  readonly usage: Usage | undefined
  readonly load: Load
  /** Whether it is live; one that is not is never changed on the bounds alone. */
  readonly running: boolean
  /** What shows that it was killed for memory. */
  readonly killed: string | undefined
  /** Minutes since the epoch. */
  readonly now: number
}

/**
 * Decides on one step, more before less and memory before vCPUs, since a service without memory dies while one without
 * vCPUs is slow. Never past the bounds, but into them at once; never to or past a size that broke; never to less than what
 * is in use.
 */
export function decideStep(given: Situation): Step | undefined {
  const { load, running, killed, now } = given
  if (coolDownLeft(load, now) > 0) return undefined
  const { memory, vcpus } = laddersOf(given)
  const grow = (of: Ladder) => {
    const why = `more than 85 % of its ${of.name} was in use in ${of.high} readings in a row`
    return of.high >= readingsInARow ? next(of, 'up', why) : undefined
  }
  const shrink = (of: Ladder) => {
    const why = `less than 30 % of its ${of.name} was in use for more than a day, in ${of.low} readings in a row`
    const isLong = of.lowSince !== undefined && now - of.lowSince >= lowMinutes
    return isLong && of.low >= readingsInARow ? next(of, 'down', why) : undefined
  }
  return (
    (killed === undefined ? undefined : next(memory, 'up', `it was killed for memory (${killed})`)) ??
    grow(memory) ??
    grow(vcpus) ??
    (running ? (intoBounds(memory, killed === undefined) ?? intoBounds(vcpus, true)) : undefined) ??
    (killed === undefined ? shrink(memory) : undefined) ??
    shrink(vcpus)
  )
}

/** The sizes that there are of memory or vCPUs, and where a service stands among them. */
type Ladder = ReturnType<typeof laddersOf>['memory' | 'vcpus']

function laddersOf({ autoscale, size, usage, load }: Situation) {
  const broken = brokenSizes(load)
  const memory = {
    what: 'memory' as const,
    name: 'memory',
    sizes: memorySizesMi,
    bounds: autoscale.memoryMi,
    size: size.memoryMi,
    inUse: usage?.memory,
    broken: broken.memoryMi,
    high: load.memoryHigh,
    low: load.memoryLow,
    lowSince: load.memoryLowSince,
  }
  const vcpus = {
    what: 'vcpus' as const,
    name: 'vCPUs',
    sizes: vcpuSizes.map(Number),
    bounds: autoscale.vcpus,
    size: size.vcpus,
    inUse: usage?.cpu,
    broken: broken.vcpus,
    high: load.cpuHigh,
    low: load.cpuLow,
    lowSince: load.cpuLowSince,
  }
  return { memory, vcpus }
}

/** The next size within the bounds; from outside of them that is their nearer end. */
function next({ what, sizes, bounds, size, inUse = 0, broken }: Ladder, way: 'up' | 'down', why: string) {
  if (bounds === undefined || size === undefined) return undefined
  const isUp = way === 'up'
  const to = isUp
    ? sizes.find((one) => one > size && one >= bounds.from)
    : sizes.findLast((one) => one < size && one <= bounds.to)
  if (to === undefined || to < bounds.from || to > bounds.to) return undefined
  if (!isUp && inUse * size > to * highShare) return undefined
  const breaks = broken !== undefined && (isUp ? size < broken && to >= broken : size > broken && to <= broken)
  return breaks ? undefined : { what, from: size, to, why }
}

/** A step into the bounds, for a size outside of them. */
function intoBounds(ladder: Ladder, mayShrink: boolean): Step | undefined {
  const { bounds, size } = ladder
  if (bounds === undefined || size === undefined) return undefined
  const why = (side: string) => {
    const [own, from, to] = [size, bounds.from, bounds.to].map((one) => sizeText(ladder, one))
    return `${own} is ${side} that \`autoscale\` allows (${from}..${to})`
  }
  if (size < bounds.from) return next(ladder, 'up', why('less than the least'))
  return size > bounds.to && mayShrink ? next(ladder, 'down', why('more than the most')) : undefined
}

/** A size as the platform's inputs write it. */
export function sizeText({ what }: Pick<Step, 'what'>, size: number): string {
  return what === 'memory' ? `${size}Mi` : String(size)
}

/** Why no step was decided on, as the end of a sentence. */
export function whyUnchanged(given: Situation): string {
  const { autoscale, size, usage, load, running, killed, now } = given
  const unknown = (autoscale.memoryMi && size.memoryMi === undefined) || (autoscale.vcpus && size.vcpus === undefined)
  if (unknown) return 'ml.ink does not tell it; set `memory` and `vcpus` to what the service has'
  const left = coolDownLeft(load, now)
  if (left > 0) return `it was changed a while ago, and the next change is ${left} minutes off at the earliest`
  if (killed !== undefined) return whyNoMore(given, killed)
  if (!running) return 'it is not running, and nothing says that its size is the cause'
  return outside(given) ?? inUse(usage)
}

function whyNoMore({ autoscale: { memoryMi: bounds }, size: { memoryMi: size = 0 }, load }: Situation, killed: string) {
  const was = `it was killed for memory (${killed})`
  if (bounds === undefined) return `${was}, and \`autoscale\` has no bounds for memory`
  if (size > bounds.to) return `${was}, and has more than the bounds allow already (${size}Mi)`
  if (size === bounds.to) return `${was}, and has all that the bounds allow (${size}Mi)`
  return `${was}, and did not come up with ${load.brokeMemoryMi}Mi when it was given that`
}

/** A size outside of the bounds that stays there. */
function outside(given: Situation): string | undefined {
  const beyond = Object.values(laddersOf(given)).find(
    ({ bounds, size }) => bounds !== undefined && size !== undefined && (size < bounds.from || size > bounds.to),
  )
  if (beyond?.size === undefined) return undefined
  return `${amount(beyond, beyond.size)} are outside of the bounds, and what they allow broke it or is in use: ${inUse(given.usage)}`
}

function amount(of: Pick<Step, 'what'>, size: number): string {
  return `${sizeText(of, size)} ${of.what === 'memory' ? 'of memory' : 'vCPUs'}`
}

function inUse(usage: Usage | undefined): string {
  if (usage === undefined) return 'no metrics from this ml.ink server, so being killed for memory is the only evidence'
  const percent = (share: number | undefined) =>
    share === undefined ? 'an unknown part' : `${Math.round(share * 100)} %`
  return `${percent(usage.memory)} of the memory and ${percent(usage.cpu)} of the vCPUs in use`
}

/** What is remembered of sizes that broke the service, as a sentence of its own; undefined when none did. */
export function describeBroken(load: Load): string | undefined {
  const { brokeAt } = load
  const again = triedAgainAt(load)
  if (brokeAt === undefined || again === undefined) return undefined
  return `On ${dayOf(brokeAt)} it did not come up with ${brokenText(load)}, so that is not tried again before ${dayOf(again)}.`
}

/** What is wrong with a service that a step broke and nothing has repaired since; undefined for all others. */
export function describeStuck(load: Load, size: Size): string | undefined {
  return holdsBrokenSize(load, size)
    ? `It has not come up since it was given ${brokenText(load)}; what answers is an older version or size`
    : undefined
}

function brokenText(load: Load): string {
  const { memoryMi, vcpus } = brokenSizes(load)
  const sizes = { memory: memoryMi, vcpus } as const
  return (['memory', 'vcpus'] as const)
    .flatMap((what) => (sizes[what] === undefined ? [] : amount({ what }, sizes[what])))
    .join(' or ')
}

function dayOf(minutes: number): string {
  return new Date(minutes * 60_000).toISOString().slice(0, 10)
}
