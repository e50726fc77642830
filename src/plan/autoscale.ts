import { memorySizesMi, type Parsed, parseMemory, parseVcpus, vcpuSizes } from './input-values.ts'
import type { Load } from './monitor-memory.ts'

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

/** One change of one size. */
export interface Step {
  readonly what: 'memory' | 'vcpus'
  readonly from: number
  readonly to: number
  /** The evidence: the end of a sentence that begins with what was done. */
  readonly why: string
}

const example =
  'such as “memory 256Mi..1024Mi, vcpus 0.5..2”, both ends being sizes of the platform, the first the smaller'

/** `memory 256Mi..1024Mi, vcpus 0.5..2`; one of the two may be left out. */
export function parseAutoscale(text: string): Parsed<Autoscale> {
  const allowed = `bounds for memory, vcpus or both, ${example}`
  const found = new Map<string, Bounds>()
  for (const part of text.split(/[,\n]/).map((one) => one.trim())) {
    const [, name = '', from = '', to = ''] = /^(memory|vcpus)\s+(\S+?)\s*\.\.\s*(\S+)$/.exec(part) ?? []
    const bounds = name === 'memory' ? boundsOf(from, to, memoryOf) : boundsOf(from, to, vcpusOf)
    if (name === '' || found.has(name) || bounds === undefined) return { allowed }
    found.set(name, bounds)
  }
  return { value: { memoryMi: found.get('memory'), vcpus: found.get('vcpus') } }
}

function boundsOf(from: string, to: string, read: (text: string) => number | undefined): Bounds | undefined {
  const [low, high] = [read(from), read(to)]
  return low !== undefined && high !== undefined && low < high ? { from: low, to: high } : undefined
}

function memoryOf(text: string): number | undefined {
  const parsed = parseMemory(text)
  return 'value' in parsed ? Number.parseInt(parsed.value, 10) : undefined
}

function vcpusOf(text: string): number | undefined {
  const parsed = parseVcpus(text)
  return 'value' in parsed ? Number(parsed.value) : undefined
}

const highShare = 0.85
const lowShare = 0.3
const readingsInARow = 3
const lowMinutes = 24 * 60
// What was just changed has to show first what it is like, and two updates in quick succession fail on the platform.
const restMinutes = 30

/** Adds one reading. What is not told, or lies between the marks, begins a new count. */
export function withUsage(load: Load, { memory, cpu }: Usage, at: number): Load {
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

/** After a change everything is counted anew. */
export function withStep(step: Step, at: number, size: Size): Load {
  const memoryMi = step.what === 'memory' ? step.to : size.memoryMi
  const vcpus = step.what === 'vcpus' ? step.to : size.vcpus
  return {
    memoryHigh: 0,
    cpuHigh: 0,
    memoryLow: 0,
    memoryLowSince: undefined,
    cpuLow: 0,
    cpuLowSince: undefined,
    changedAt: at,
    memoryMi,
    centiVcpus: vcpus === undefined ? undefined : Math.round(vcpus * 100),
  }
}

/**
 * Decides on one step, more before less and memory before vCPUs, since a service without memory dies while one without
 * vCPUs is slow. Never past the bounds.
 *
 * @param killed what shows that it was killed for memory
 * @param now minutes since the epoch
 */
export function decideStep(given: {
  readonly autoscale: Autoscale
  readonly size: Size
  readonly load: Load
  readonly killed: string | undefined
  readonly now: number
}): Step | undefined {
  const { autoscale, size, load, killed, now } = given
  if (load.changedAt !== undefined && now - load.changedAt < restMinutes) return undefined
  const memory = { what: 'memory', sizes: memorySizesMi, bounds: autoscale.memoryMi, size: size.memoryMi } as const
  const vcpus = { what: 'vcpus', sizes: vcpuSizes.map(Number), bounds: autoscale.vcpus, size: size.vcpus } as const
  const lowForADay = (count: number, since: number | undefined) =>
    count >= readingsInARow && since !== undefined && now - since >= lowMinutes
  return (
    (killed === undefined ? undefined : up(memory, `it was killed for memory (${killed})`)) ??
    (load.memoryHigh >= readingsInARow ? up(memory, highWords('memory', load.memoryHigh)) : undefined) ??
    (load.cpuHigh >= readingsInARow ? up(vcpus, highWords('vCPUs', load.cpuHigh)) : undefined) ??
    (killed === undefined && lowForADay(load.memoryLow, load.memoryLowSince)
      ? down(memory, lowWords('memory', load.memoryLow))
      : undefined) ??
    (lowForADay(load.cpuLow, load.cpuLowSince) ? down(vcpus, lowWords('vCPUs', load.cpuLow)) : undefined)
  )
}

interface Ladder {
  readonly what: Step['what']
  readonly sizes: readonly number[]
  readonly bounds: Bounds | undefined
  readonly size: number | undefined
}

function up(ladder: Ladder, why: string): Step | undefined {
  return stepTo(ladder, why, (size) => ladder.sizes.find((one) => one > size))
}

function down(ladder: Ladder, why: string): Step | undefined {
  return stepTo(ladder, why, (size) => ladder.sizes.findLast((one) => one < size))
}

function stepTo(
  { what, bounds, size }: Ladder,
  why: string,
  next: (size: number) => number | undefined,
): Step | undefined {
  if (bounds === undefined || size === undefined) return undefined
  const to = next(size)
  return to !== undefined && to >= bounds.from && to <= bounds.to ? { what, from: size, to, why } : undefined
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
