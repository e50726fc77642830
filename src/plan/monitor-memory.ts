/**
 * What the monitor remembers of a service from run to run. It lives in the name of a branch on the platform's git
 * hosting, `ink/monitor/<service>/<what is remembered>`: the key may push there already, and such a push starts nothing.
 */

/** Checks of one stretch of time. `since` in minutes since the epoch. */
export interface Stretch {
  readonly since: number
  readonly asked: number
  readonly healthy: number
}

/** What scaling has to know. Times in minutes since the epoch. */
export interface Load {
  /** Readings in a row above the upper mark. */
  readonly memoryHigh: number
  readonly cpuHigh: number
  /** Readings in a row below the lower mark, and when the first of them was. */
  readonly memoryLow: number
  readonly memoryLowSince: number | undefined
  readonly cpuLow: number
  readonly cpuLowSince: number | undefined
  /** When the size was changed last, and to what: not every platform tells. */
  readonly changedAt: number | undefined
  readonly memoryMi: number | undefined
  readonly centiVcpus: number | undefined
  /** When it did not come up with a size that it had been given, and with which. */
  readonly brokeAt: number | undefined
  readonly brokeMemoryMi: number | undefined
  readonly brokeCentiVcpus: number | undefined
}

export interface MonitorMemory {
  readonly lastAt: number
  /** The stretch under way, and the one before it: together the last one to two months. */
  readonly current: Stretch
  readonly former: Stretch | undefined
  readonly load: Load
}

/** Nothing has been read yet. */
export const noLoad: Load = {
  memoryHigh: 0,
  cpuHigh: 0,
  memoryLow: 0,
  memoryLowSince: undefined,
  cpuLow: 0,
  cpuLowSince: undefined,
  changedAt: undefined,
  memoryMi: undefined,
  centiVcpus: undefined,
  brokeAt: undefined,
  brokeMemoryMi: undefined,
  brokeCentiVcpus: undefined,
}

const stretchMinutes = 30 * 24 * 60
const clockSkewMinutes = 24 * 60

/** Adds one check. */
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

/** Both stretches as one. */
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
// The last three came later; a branch without them remembers no size that broke.
const encoded = new RegExp(`^${version}(?:${field}){16}(?:(?:${field}){3})?$`)

/** The branch that holds what is remembered of a service. */
export function memoryBranch(service: string, { lastAt, current, former, load }: MonitorMemory): string {
  const fields = [
    ...[lastAt, current.since, current.asked, current.healthy, former?.since, former?.asked, former?.healthy],
    ...[load.memoryHigh, load.memoryLow, load.memoryLowSince, load.cpuHigh, load.cpuLow, load.cpuLowSince],
    ...[load.changedAt, load.memoryMi, load.centiVcpus],
    ...[load.brokeAt, load.brokeMemoryMi, load.brokeCentiVcpus],
  ]
  const written = fields.map((field) => (field === undefined ? none : field.toString(36)))
  return `${prefix}${service}/${[version, ...written].join('_')}`
}

/** The service whose memory a branch holds; undefined for all other branches. */
export function serviceOfMemoryBranch(branch: string): string | undefined {
  return branch.startsWith(prefix) ? branch.slice(prefix.length).split('/')[0] || undefined : undefined
}

/**
 * What is remembered of a service. Of several branches, as two monitors at the same moment leave them, the latest counts;
 * what cannot be understood, or speaks of the future, does not.
 * @param now minutes since the epoch
 */
export function recall(service: string, branches: Iterable<string>, now: number): MonitorMemory | undefined {
  const memories = [...branches].flatMap((branch) => {
    const memory = serviceOfMemoryBranch(branch) === service ? decode(branch, now) : undefined
    return memory ? [memory] : []
  })
  return memories.toSorted((a, b) => b.lastAt - a.lastAt || uptimeOf(b).asked - uptimeOf(a).asked)[0]
}

function decode(branch: string, now: number): MonitorMemory | undefined {
  const text = branch.slice(branch.lastIndexOf('/') + 1)
  if (!encoded.test(text)) return undefined
  const fields = text.split('_').slice(1)
  const at = (index: number) => {
    const field = fields[index]
    return field === undefined || field === none ? undefined : Number.parseInt(field, 36)
  }
  const current = stretchOf(at(1), at(2), at(3))
  const lastAt = at(0)
  if (lastAt === undefined || current === undefined) return undefined
  if (lastAt > now + clockSkewMinutes || current.since > lastAt) return undefined
  return {
    lastAt,
    current,
    former: stretchOf(at(4), at(5), at(6)),
    load: {
      memoryHigh: at(7) ?? 0,
      memoryLow: at(8) ?? 0,
      memoryLowSince: at(9),
      cpuHigh: at(10) ?? 0,
      cpuLow: at(11) ?? 0,
      cpuLowSince: at(12),
      changedAt: at(13),
      memoryMi: at(14),
      centiVcpus: at(15),
      brokeAt: at(16),
      brokeMemoryMi: at(17),
      brokeCentiVcpus: at(18),
    },
  }
}

function stretchOf(
  since: number | undefined,
  asked: number | undefined,
  healthy: number | undefined,
): Stretch | undefined {
  if (since === undefined || asked === undefined || healthy === undefined || healthy > asked) return undefined
  return { since, asked, healthy }
}
