import { settleEach } from '../core/parallel.ts'
import { safeMessage } from '../core/sanitize.ts'
import type { Platform } from '../ink/platform.ts'
import { type DnsDifference, dnsDifference, recordInWords } from '../plan/dns-difference.ts'
import type { Plan, ProductionPlan } from '../plan/plan.ts'
import { changeZone } from './dns-change.ts'
import type { Deps, Run } from './run.ts'

/** What would bring the zones in step, and what stands in the way. */
export interface DnsOutlook {
  readonly differences: readonly DnsDifference[]
  readonly problems: readonly string[]
}

/** What reading the zones takes. */
export interface ZoneReader extends Pick<Deps, 'secrets'> {
  readonly platform: Platform
  readonly signal: AbortSignal
}

/** Reads the zones and compares them with what a plan wants of them; undefined when it wants nothing of them. */
export async function dnsOutlook(
  plan: Plan,
  { platform, secrets, signal }: ZoneReader,
): Promise<DnsOutlook | undefined> {
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
      ? [`The records of ${delegated[index]} could not be read: ${safeMessage({ secrets }, result.reason)}`]
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
    const outlook = await dnsOutlook(plan, run)
    for (const problem of outlook?.problems ?? []) run.log.warning(`${problem}.`)
    const failed: string[] = []
    for (const difference of outlook?.differences ?? [])
      failed.push(...(await changeZone(run, difference, plan.place.baseName)))
    if (failed.length > 0) warnOutOfStep(run, failed.join('; '))
  } catch (error) {
    run.signal.throwIfAborted()
    warnOutOfStep(run, safeMessage(run, error))
  }
}

function warnOutOfStep({ log }: Run, why: string): void {
  log.warning(`The DNS records are not in step with \`dns-records\`: ${why}. The next deployment tries again.`)
}
