import type { Platform } from '../ink/platform.ts'
import type { DnsRecord } from '../ink/results.ts'
import { type DnsDifference, dnsDifference, excludeEachOther, markOf, recordInWords } from '../plan/dns-difference.ts'
import type { WantedRecord } from '../plan/dns-records.ts'
import type { Plan, ProductionPlan } from '../plan/plan.ts'
import { settleEach } from './in-parallel.ts'
import type { Run } from './run.ts'
import { tameError } from './switch-service.ts'

/** What would bring the zones in step, and what stands in the way. */
export interface DnsOutlook {
  readonly differences: readonly DnsDifference[]
  readonly problems: readonly string[]
}

/** Reads the zones and compares them with what a plan wants of them; undefined when it wants nothing of them. */
export async function dnsOutlook(plan: Plan, platform: Platform, signal: AbortSignal): Promise<DnsOutlook | undefined> {
  if (plan.kind !== 'production' || plan.dnsRecords === undefined) return undefined
  if (!platform.offers('listDnsRecords') || !platform.offers('listZones'))
    return {
      differences: [],
      problems: ['This ml.ink server does not let DNS records be set, so `dns-records` was left alone'],
    }
  const { dnsRecords, place } = plan
  const zones = await platform.zones(signal)
  const delegated = zones.map(({ zone }) => zone.toLowerCase())
  const strange = [...new Set(dnsRecords.map(({ zone }) => zone))].filter((zone) => !delegated.includes(zone))
  // In a zone of which nothing is wanted any more there may be something to remove.
  const read = await settleEach(delegated, async (zone) => {
    const wanted = dnsRecords.filter((record) => record.zone === zone)
    return dnsDifference(zone, wanted, await platform.dnsRecords(zone, signal), place.baseName)
  })
  signal.throwIfAborted()
  const differences = read.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const unread = read.flatMap((result, index) =>
    result.status === 'rejected'
      ? [`The records of ${delegated[index]} could not be read: ${String(result.reason)}`]
      : [],
  )
  const names = delegated.join(', ') || 'there is none'
  return {
    differences,
    problems: [
      ...strange.map((zone) => `The zone ${zone} of \`dns-records\` is not delegated to ml.ink (delegated: ${names})`),
      ...unread,
      ...differences.flatMap(({ conflicts }) => conflicts),
    ],
  }
}

/** The outlook as lines: what would be added and removed. */
export function dnsInWords({ differences }: DnsOutlook): string[] {
  return differences.flatMap(({ zone, add, remove }) => [
    ...add.map((record) => `DNS: would add \`${recordInWords(zone, record)}\``),
    ...remove.map((record) => `DNS: would remove \`${recordInWords(zone, record)}\``),
  ])
}

/** Brings the zones in step with `dns-records`. The deployment stands either way, so what goes wrong is a warning. */
export async function settleDns(run: Run, plan: ProductionPlan): Promise<void> {
  try {
    const outlook = await dnsOutlook(plan, run.platform, run.signal)
    for (const problem of outlook?.problems ?? []) run.log.warning(`${problem}.`)
    for (const difference of outlook?.differences ?? []) await change(run, difference, plan.place.baseName)
  } catch (error) {
    run.signal.throwIfAborted()
    run.log.warning(
      `The DNS records are not in step with \`dns-records\`: ${tameError(run, error)}. The next deployment tries again.`,
    )
  }
}

async function change(run: Run, difference: DnsDifference, service: string): Promise<void> {
  const { zone, add, marks } = difference
  const waiting = new Set(difference.remove)
  const remove = async (record: DnsRecord) => {
    waiting.delete(record)
    await run.platform.deleteDnsRecord(zone, record.id, run.signal)
    run.log.info(`DNS: removed ${recordInWords(zone, record)}`)
  }
  for (const record of add) {
    for (const old of waiting) if (excludeEachOther(old, record)) await remove(old)
    await addMarked(run, record, service)
  }
  for (const record of waiting) await remove(record)
  // Last, so that what is not removed stays known as ours.
  for (const mark of marks.values()) await run.platform.deleteDnsRecord(zone, mark.id, run.signal)
}

/** Makes a record and its mark. One without its mark would stay for ever, so it is taken back when that fails. */
async function addMarked(run: Run, record: WantedRecord, service: string): Promise<void> {
  const { zone } = record
  const { id } = await run.platform.addDnsRecord(record, run.signal)
  try {
    await run.platform.addDnsRecord(markOf(zone, service, id), run.signal)
  } catch (error) {
    await run.platform.deleteDnsRecord(zone, id, run.signal)
    throw error
  }
  run.log.info(`DNS: added ${recordInWords(zone, record)}`)
}
