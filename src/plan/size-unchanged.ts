import { type Autoscale, type Bounds, type Size, sizeText, type Usage } from './autoscale.ts'
import { brokenSizes, holdsBrokenSize, restLeft, triedAgainAt } from './load.ts'
import type { Load } from './monitor-memory.ts'

interface Given {
  readonly autoscale: Autoscale
  readonly size: Size
  readonly usage: Usage | undefined
  readonly load: Load
  readonly running: boolean
  readonly killed: string | undefined
  readonly now: number
}

/** Why no step was decided on, as the end of a sentence. */
export function whyUnchanged(given: Given): string {
  const { autoscale, size, usage, load, running, killed, now } = given
  const unknown = (autoscale.memoryMi && size.memoryMi === undefined) || (autoscale.vcpus && size.vcpus === undefined)
  if (unknown) return 'ml.ink does not tell it; set `memory` and `vcpus` to what the service has'
  const rest = restLeft(load, now)
  if (rest > 0) return `it was changed a while ago, and the next change is ${rest} minutes off at the earliest`
  if (killed !== undefined) return whyNoMore(given, killed)
  if (!running) return 'it is not running, and nothing says that its size is the cause'
  return outside(given) ?? inUse(usage)
}

function whyNoMore({ autoscale: { memoryMi: bounds }, size: { memoryMi: size = 0 }, load }: Given, killed: string) {
  const was = `it was killed for memory (${killed})`
  if (bounds === undefined) return `${was}, and \`autoscale\` has no bounds for memory`
  if (size > bounds.to) return `${was}, and has more than the bounds allow already (${size}Mi)`
  if (size === bounds.to) return `${was}, and has all that the bounds allow (${size}Mi)`
  return `${was}, and did not come up with ${load.brokeMemoryMi}Mi when it was given that`
}

/** A size outside of the bounds that stays there. */
function outside({ autoscale, size, usage }: Given): string | undefined {
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
export function brokenInWords(load: Load): string | undefined {
  const { brokeAt } = load
  const again = triedAgainAt(load)
  if (brokeAt === undefined || again === undefined) return undefined
  return `On ${dayOf(brokeAt)} it did not come up with ${sizesInWords(load)}, so that is not tried again before ${dayOf(again)}.`
}

/** What is wrong with a service that a step broke and nothing has mended since; undefined for all others. */
export function stuckInWords(load: Load, size: Size): string | undefined {
  return holdsBrokenSize(load, size)
    ? `It has not come up since it was given ${sizesInWords(load)}; what answers is an older version or size`
    : undefined
}

function sizesInWords(load: Load): string {
  const { memoryMi, vcpus } = brokenSizes(load)
  return [
    ...(memoryMi === undefined ? [] : [`${sizeText({ what: 'memory' }, memoryMi)} of memory`]),
    ...(vcpus === undefined ? [] : [`${sizeText({ what: 'vcpus' }, vcpus)} vCPUs`]),
  ].join(' or ')
}

function dayOf(minutes: number): string {
  return new Date(minutes * 60_000).toISOString().slice(0, 10)
}
