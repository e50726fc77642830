/** What a service is billed for. */
export interface Size {
  /** With the platform's unit, such as `256Mi`. */
  memory: string | undefined
  vcpus: string | undefined
}

/** Dollars per minute. A rate of 0 hides the estimate. */
export interface Rates {
  vcpuMinute: number
  gbMinute: number
}

// What the platform takes when nothing is said (create_service, G1).
const defaultMemory = '256Mi'
const defaultVcpus = '0.5'
const minutesPerDay = 24 * 60

/** What a template's service is taken to have, as no tool tells it: the default of those servers that have templates (G2). */
export const templateSize: Size = { memory: '256Mi', vcpus: '0.25' }

/**
 * Estimates what a running service costs a day, in dollars, from its size alone: traffic, builds and the platform's
 * rounding are not in it.
 * @returns undefined when a rate is 0, which means that no estimate is wanted
 */
export function costPerDay(size: Size, rates: Rates): number | undefined {
  if (rates.vcpuMinute === 0 || rates.gbMinute === 0) return undefined
  const gigabytes = mebibytes(size.memory ?? defaultMemory) / 1024
  const vcpus = Number(size.vcpus ?? defaultVcpus)
  return minutesPerDay * (vcpus * rates.vcpuMinute + gigabytes * rates.gbMinute)
}

/** `1Gi` → 1024. */
export function mebibytes(memory: string): number {
  const figure = Number.parseFloat(memory)
  return /gi?b?$/i.test(memory) ? figure * 1024 : figure
}

/** The size in words, for the line behind an estimate. */
export function sizeInWords(size: Size): string {
  return `${size.vcpus ?? defaultVcpus} vCPU, ${mebibytes(size.memory ?? defaultMemory)} MiB`
}
