import { tryEach } from '../../core/parallel.ts'
import { safeMessage } from '../../core/sanitize.ts'
import { mayHaveHappened } from '../../ink/errors.ts'
import type { DnsRecord } from '../../ink/results.ts'
import {
  type DnsDifference,
  describeRecord,
  dnsDifference,
  excludeEachOther,
  findRecord,
  markOf,
  servedWith,
  type WantedRecord,
} from '../../plan/dns.ts'
import type { Plan, ProductionPlan } from '../../plan/plan.ts'
import type { Run } from '../run.ts'

/** What brings one zone in step, and the records that it has. */
interface ZoneChange extends DnsDifference {
  readonly listed: readonly DnsRecord[]
}

/** What would bring the zones in step, and what stands in the way. */
export interface DnsOutlook {
  readonly differences: readonly ZoneChange[]
  readonly problems: readonly string[]
}

/** Reads the zones and compares them with what a plan wants of them; undefined when it wants nothing of them. */
export async function compareDns(
  plan: Plan,
  { platform, secrets, signal }: Pick<Run, 'platform' | 'secrets' | 'signal'>,
): Promise<DnsOutlook | undefined> {
  if (plan.kind !== 'production' || plan.dnsRecords === undefined) return undefined
  const problem = 'This ml.ink server does not let DNS records be set, so `dns` was left alone'
  if (!platform.offers('listDnsRecords') || !platform.offers('listZones'))
    return { differences: [], problems: [problem] }
  const { dnsRecords, place } = plan
  const zones = await platform.zones(signal)
  const delegated = zones.map(({ zone }) => zone.toLowerCase())
  const strange = [...new Set(dnsRecords.map(({ zone }) => zone))].filter((zone) => !delegated.includes(zone))
  // In a zone of which nothing is wanted any more there may be something to remove.
  const read = async (zone: string) => {
    const wanted = dnsRecords.filter((record) => record.zone === zone)
    const listed = await platform.dnsRecords(zone, signal)
    return { ...dnsDifference(zone, wanted, listed, place.baseName), listed }
  }
  const { done: differences, failed } = await tryEach(delegated, read, signal)
  const names = delegated.join(', ') || 'there is none'
  return {
    differences,
    problems: [
      ...strange.map((zone) => `The zone ${zone} of \`dns\` is not delegated to ml.ink (delegated: ${names})`),
      ...failed.map(
        ({ item, error }) => `The records of ${item} could not be read: ${safeMessage({ secrets }, error)}`,
      ),
      ...differences.flatMap(({ conflicts }) => conflicts),
    ],
  }
}

/** The outlook as lines: what would be added and removed. */
export function describeDns({ differences }: DnsOutlook): string[] {
  return differences.flatMap(({ zone, add, remove }) => [
    ...add.map((record) => `DNS: would add \`${describeRecord(zone, record)}\``),
    ...remove.map((record) => `DNS: would remove \`${describeRecord(zone, record)}\``),
  ])
}

/** Brings the zones in step with `dns`. The deployment stands either way, so what goes wrong is a warning. */
export async function applyDnsRecords(run: Run, plan: ProductionPlan): Promise<void> {
  const failed: string[] = []
  try {
    const outlook = await compareDns(plan, run)
    for (const problem of outlook?.problems ?? []) run.log.warning(`${problem}.`)
    for (const difference of outlook?.differences ?? [])
      failed.push(...(await changeZone(run, difference, plan.place.baseName)))
  } catch (error) {
    run.signal.throwIfAborted()
    failed.push(safeMessage(run, error))
  }
  if (failed.length === 0) return
  const why = failed.join('; ')
  run.log.warning(`The DNS records are not in step with \`dns\`: ${why}. The next deployment tries again.`)
}

/**
 * Brings one zone in step: what is old goes, then what is new comes, one name and type after the other. A record that
 * fails does not stop the others.
 * @returns what failed, in words
 */
async function changeZone(run: Run, change: ZoneChange, service: string): Promise<readonly string[]> {
  const { zone, add, marks } = change
  const failed: string[] = []
  const attempt = async (record: DnsRecord | WantedRecord, act: () => Promise<void>) => {
    try {
      await act()
    } catch (error) {
      run.signal.throwIfAborted()
      failed.push(`${describeRecord(zone, record)}: ${safeMessage(run, error)}`)
    }
  }
  const waiting = new Set(change.remove)
  for (const record of add) {
    const replaced = [...waiting].filter((old) => excludeEachOther(old, record))
    for (const old of replaced) waiting.delete(old)
    await attempt(record, () => replace(run, replaced, record, service))
  }
  for (const record of waiting) {
    const others = servedWith(zone, record, change.listed).filter(
      (one) => !change.remove.some(({ id }) => id === one.id),
    )
    await attempt(record, () => removeFromSet(run, zone, record, others))
  }
  // Last, and only when all went well, so that what is not removed stays known as ours; the next run finds what is left.
  if (failed.length > 0) return failed
  for (const mark of marks.values()) await attempt(mark, () => run.platform.deleteDnsRecord(zone, mark.id, run.signal))
  return failed
}

/** Removes what excludes a record and makes it. When that fails, the name has what it had before. */
async function replace(run: Run, replaced: readonly DnsRecord[], record: WantedRecord, service: string): Promise<void> {
  try {
    for (const old of replaced) await remove(run, record.zone, old)
    await addMarked(run, record, service)
  } catch (error) {
    if (replaced.length > 0) await putBack(run, replaced, record.zone, service)
    throw error
  }
}

/** Removes a record, and adds again those that were served with it: the name server drops all of them together. */
async function removeFromSet(run: Run, zone: string, record: DnsRecord, others: readonly DnsRecord[]): Promise<void> {
  await remove(run, zone, record)
  for (const other of others.filter(({ managed }) => !managed)) {
    const again = sameAs(zone, other)
    await run.platform.deleteDnsRecord(zone, other.id, run.signal)
    // Most likely not ours, so it is not given up at the first failure.
    await makeRecord(run, again).catch(() => makeRecord(run, again))
    run.log.info(`DNS: added ${describeRecord(zone, other)} again, which was served together with that`)
  }
}

async function remove(run: Run, zone: string, record: DnsRecord): Promise<void> {
  await run.platform.deleteDnsRecord(zone, record.id, run.signal)
  run.log.info(`DNS: removed ${describeRecord(zone, record)}`)
}

/** Makes a record and its mark. One without its mark would stay for ever, so it is taken back when that fails. */
async function addMarked(run: Run, record: WantedRecord, service: string): Promise<void> {
  const { zone } = record
  const id = await makeRecord(run, record)
  try {
    await run.platform.addDnsRecord(markOf(zone, service, id), run.signal)
  } catch (error) {
    await run.platform.deleteDnsRecord(zone, id, cleanupSignal(run))
    throw error
  }
  run.log.info(`DNS: added ${describeRecord(zone, record)}`)
}

/** Makes a record and returns its id. Where the answer got lost the record may be there, and is looked for. */
async function makeRecord(run: Run, record: Omit<WantedRecord, 'type'> & { readonly type: string }): Promise<string> {
  try {
    const { id } = await run.platform.addDnsRecord(record, run.signal)
    return id
  } catch (error) {
    if (!run.signal.aborted && !mayHaveHappened(error)) throw error
    const listed = await run.platform.dnsRecords(record.zone, cleanupSignal(run))
    const made = findRecord(record.zone, listed, record)
    if (!made) throw error
    return made.id
  }
}

/** Makes removed records anew: a name that says nothing is worse than one that says what it said before. */
async function putBack(run: Run, removed: readonly DnsRecord[], zone: string, service: string): Promise<void> {
  const signal = cleanupSignal(run)
  for (const record of removed) {
    const words = describeRecord(zone, record)
    try {
      // The removal may be what failed.
      if (findRecord(zone, await run.platform.dnsRecords(zone, signal), record)) continue
      const { id } = await run.platform.addDnsRecord(sameAs(zone, record), signal)
      run.log.info(`DNS: put back ${words}, because its replacement could not be made`)
      await run.platform.addDnsRecord(markOf(zone, service, id), signal)
    } catch (error) {
      run.log.warning(
        `The DNS record ${words} was to be replaced, which failed, and could not be put back with its mark: ${safeMessage(run, error)}. Look whether it is there; if it is, it counts as made by hand.`,
      )
    }
  }
}

const usualTtl = 300

function sameAs(zone: string, { name, type, content, ttl = usualTtl }: DnsRecord) {
  return { zone, name, type, content, ttl }
}

// The runner kills a cancelled run after ten seconds; what is half done is put right before that.
const patienceWhenCancelledMs = 4000
const patienceMs = 30_000

/** For what has to be put right also when the run is being cancelled. */
function cleanupSignal({ signal }: Run): AbortSignal {
  return AbortSignal.timeout(signal.aborted ? patienceWhenCancelledMs : patienceMs)
}
