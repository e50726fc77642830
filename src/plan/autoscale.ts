import {
  brokenSizes,
  coolDownLeft,
  highShare,
  holdsBrokenSize,
  isLowForADay,
  isOftenHigh,
  type Load,
  type Size,
  type Step,
  triedAgainAt,
  type Usage,
} from './monitor-memory.ts'
import { memory as memorySize, memorySizesMi, type Parsed, vcpus as vcpuSize, vcpuSizes } from './values.ts'

/** Both ends included. */
export interface Bounds {
  readonly from: number
  readonly to: number
}

/** Within which sizes production may be scaled; undefined for what stays as it is. */
export interface Autoscale {
  readonly memoryMi: Bounds | undefined
  readonly vcpus: Bounds | undefined
}

const example =
  'such as “memory 256Mi..1024Mi, vcpus 0.5..2”, both ends being sizes of the platform, the first the smaller'

/** `memory 256Mi..1024Mi, vcpus 0.5..2`; one of the two may be left out. */
export function parseAutoscale(text: string): Parsed<Autoscale> {
  const allowed = `bounds for memory, vcpus or both, ${example}`
  const found = new Map<string, Bounds>()
  for (const part of text.split(/[,\n]/).map((one) => one.trim())) {
    const [, name = '', from = '', to = ''] = /^(memory|vcpus)\s+(\S+?)\s*\.\.\s*(\S+)$/.exec(part) ?? []
    const [low = 0, high = 0] = [from, to].map((size) => sizeOf(name === 'memory' ? memorySize : vcpuSize, size))
    if (name === '' || found.has(name) || !(low < high)) return { allowed }
    found.set(name, { from: low, to: high })
  }
  return { value: { memoryMi: found.get('memory'), vcpus: found.get('vcpus') } }
}

/** The number in a size that the platform has; NaN for all others. */
function sizeOf(type: typeof memorySize, text: string): number {
  const parsed = type.parse(text)
  return 'value' in parsed ? Number.parseFloat(parsed.value) : Number.NaN
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
  const { autoscale, size, usage, load, running, killed, now } = given
  if (coolDownLeft(load, now) > 0) return undefined
  const broken = brokenSizes(load)
  const memory: Ladder = {
    what: 'memory',
    sizes: memorySizesMi,
    bounds: autoscale.memoryMi,
    size: size.memoryMi,
    inUse: usage?.memory,
    broken: broken.memoryMi,
  }
  const vcpus: Ladder = {
    what: 'vcpus',
    sizes: vcpuSizes.map(Number),
    bounds: autoscale.vcpus,
    size: size.vcpus,
    inUse: usage?.cpu,
    broken: broken.vcpus,
  }
  return (
    (killed === undefined ? undefined : up(memory, `it was killed for memory (${killed})`)) ??
    (isOftenHigh(load.memoryHigh) ? up(memory, highWords('memory', load.memoryHigh)) : undefined) ??
    (isOftenHigh(load.cpuHigh) ? up(vcpus, highWords('vCPUs', load.cpuHigh)) : undefined) ??
    (running ? into(memory, killed === undefined) : undefined) ??
    (running ? into(vcpus, true) : undefined) ??
    (killed === undefined && isLowForADay(load.memoryLow, load.memoryLowSince, now)
      ? down(memory, lowWords('memory', load.memoryLow))
      : undefined) ??
    (isLowForADay(load.cpuLow, load.cpuLowSince, now) ? down(vcpus, lowWords('vCPUs', load.cpuLow)) : undefined)
  )
}

interface Ladder {
  readonly what: Step['what']
  readonly sizes: readonly number[]
  readonly bounds: Bounds | undefined
  readonly size: number | undefined
  /** As a share of the size. */
  readonly inUse: number | undefined
  readonly broken: number | undefined
}

/** The next size within the bounds; from below them that is their lower end. */
function up({ what, sizes, bounds, size, broken }: Ladder, why: string): Step | undefined {
  if (bounds === undefined || size === undefined) return undefined
  const to = sizes.find((one) => one > size && one >= bounds.from)
  const allowed = to !== undefined && to <= bounds.to && !(broken !== undefined && size < broken && to >= broken)
  return allowed ? { what, from: size, to, why } : undefined
}

/** The next size within the bounds; from above them that is their upper end. */
function down({ what, sizes, bounds, size, inUse, broken }: Ladder, why: string): Step | undefined {
  if (bounds === undefined || size === undefined) return undefined
  const to = sizes.findLast((one) => one < size && one <= bounds.to)
  const allowed = to !== undefined && to >= bounds.from && !(broken !== undefined && size > broken && to <= broken)
  return allowed && (inUse ?? 0) * size <= to * highShare ? { what, from: size, to, why } : undefined
}

/** A step into the bounds, for a size outside of them. */
function into(ladder: Ladder, mayShrink: boolean): Step | undefined {
  const { bounds, size } = ladder
  if (bounds === undefined || size === undefined) return undefined
  const words = (side: string) =>
    `${sizeText(ladder, size)} is ${side} that \`autoscale\` allows (${sizeText(ladder, bounds.from)}..${sizeText(ladder, bounds.to)})`
  if (size < bounds.from) return up(ladder, words('less than the least'))
  return size > bounds.to && mayShrink ? down(ladder, words('more than the most')) : undefined
}

function highWords(what: string, readings: number): string {
  return `more than 85 % of its ${what} was in use in ${readings} readings in a row`
}

function lowWords(what: string, readings: number): string {
  return `less than 30 % of its ${what} was in use for more than a day, in ${readings} readings in a row`
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
function outside({ autoscale, size, usage }: Situation): string | undefined {
  const isBeyond = (bounds: Bounds | undefined, value: number | undefined) =>
    bounds !== undefined && value !== undefined && (value < bounds.from || value > bounds.to)
  const what = isBeyond(autoscale.memoryMi, size.memoryMi)
    ? `${size.memoryMi}Mi of memory are`
    : isBeyond(autoscale.vcpus, size.vcpus)
      ? `${size.vcpus} vCPUs are`
      : undefined
  return what && `${what} outside of the bounds, and what they allow broke it or is in use: ${inUse(usage)}`
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
  return [
    ...(memoryMi === undefined ? [] : [`${sizeText({ what: 'memory' }, memoryMi)} of memory`]),
    ...(vcpus === undefined ? [] : [`${sizeText({ what: 'vcpus' }, vcpus)} vCPUs`]),
  ].join(' or ')
}

function dayOf(minutes: number): string {
  return new Date(minutes * 60_000).toISOString().slice(0, 10)
}
