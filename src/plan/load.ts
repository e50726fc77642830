import type { Size, Step, Usage } from './autoscale.ts'
import type { Load } from './monitor-memory.ts'

/** More than this share in use is much, less than the other is little. */
export const highShare = 0.85
const lowShare = 0.3
const readingsInARow = 3
const lowMinutes = 24 * 60
// What was just changed has to show first what it is like, and two updates in quick succession fail on the platform.
const restMinutes = 30
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
export function withoutOldBreak(
  load: Load,
  { size, running, now }: { size: Size; running: boolean; now: number },
): Load {
  const over = load.brokeAt !== undefined && now - load.brokeAt >= brokenDays * 24 * 60
  if (!over && !(running && holdsBrokenSize(load, size))) return load
  return { ...load, brokeAt: undefined, brokeMemoryMi: undefined, brokeCentiVcpus: undefined }
}

/** The sizes that broke, if any. */
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

/** Whether so many readings in a row are reason enough. */
export function isOftenHigh(readings: number): boolean {
  return readings >= readingsInARow
}

/** Whether all readings of a day, of which `since` was the first, were low. */
export function isLowForADay(readings: number, since: number | undefined, now: number): boolean {
  return readings >= readingsInARow && since !== undefined && now - since >= lowMinutes
}

/** How many minutes a change made a while ago has yet to be left alone; 0 when it has been for long enough. */
export function restLeft({ changedAt }: Load, now: number): number {
  return changedAt === undefined ? 0 : Math.max(0, restMinutes - (now - changedAt))
}

function centi(vcpus: number): number {
  return Math.round(vcpus * 100)
}
