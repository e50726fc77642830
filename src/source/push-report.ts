/** How much travelled, as git reports it. */
export interface PackReport {
  readonly objects: number
  readonly bytes: number
}

const unitBytes: Readonly<Record<string, number>> = { bytes: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/**
 * Reads `Writing objects:  33% (1/3), 5.20 MiB | 3.00 MiB/s`, which git repeats while it sends.
 *
 * @returns undefined for other lines
 */
export function parseProgress(line: string): (PackReport & { readonly percent: number }) | undefined {
  const match = /^Writing objects:\s+(\d+)% \((\d+)\/\d+\)(?:, ([\d.]+) (bytes|[KMG]iB))?/.exec(line)
  if (match === null) return undefined
  const [, percent, objects, amount = '0', unit = 'bytes'] = match
  const bytes = Math.round(Number(amount) * (unitBytes[unit] ?? 1))
  return { percent: Number(percent), objects: Number(objects), bytes }
}

/** The last progress line of a push says how much was sent; a push that sent no objects has none. */
export function parsePackReport(stderr: string): PackReport {
  const last = stderr
    .split(/[\r\n]+/)
    .map(parseProgress)
    .findLast((progress) => progress !== undefined)
  return last === undefined ? { objects: 0, bytes: 0 } : { objects: last.objects, bytes: last.bytes }
}
