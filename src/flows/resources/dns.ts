import { signalWithin, tryEach } from '../../core/async.ts'
import { safeMessage } from '../../core/sanitize.ts'
import { mayHaveHappened } from '../../ink/errors.ts'
import type { DnsRecord, Service, Zone } from '../../ink/results.ts'
import {
  describeRecord,
  dnsDifference,
  excludeEachOther,
  findRecord,
  markOf,
  servedWith,
  type WantedRecord,
} from '../../plan/dns.ts'
import type { Plan, ProductionPlan } from '../../plan/plan.ts'
import type { DomainView } from '../../report/model.ts'
import type { DeployPlan } from '../prepare.ts'
import type { Run } from '../run.ts'

type Attached = NonNullable<Service['customDomain']>

/**
 * Gives a service that is live the domain that it should have. One that it has and should not have stays, unless it is
 * asked to be taken off: an input that is missing may be a mistake, and a domain that is gone is a site that is down.
 * The deployment stands either way, so what goes wrong here is a warning.
 */
export async function applyDomain(run: Run, plan: DeployPlan, existing: Service | undefined): Promise<void> {
  const { domain, serviceName } = plan
  if (domain === undefined && existing?.customDomain === undefined) return
  try {
    const attached = (await run.platform.service(serviceName, {}, run.signal))?.customDomain
    if (attached && attached.domain !== domain && !(await takenOff(run, plan, attached)))
      return await show(run, attached)
    if (domain === undefined) return
    if (attached?.domain === domain) return await show(run, attached)
    const { status = 'pending' } = await run.platform.addDomain(serviceName, domain, run.signal)
    await show(run, { domain, status, error: undefined })
  } catch (error) {
    run.signal.throwIfAborted()
    const why = safeMessage(run, error)
    if (domain === undefined) return run.log.warning(`The domain of ${serviceName} could not be taken off: ${why}`)
    const zones = await run.platform.zones(run.signal).catch(() => undefined)
    run.signal.throwIfAborted()
    const records = zones ? recordsToSet(domain, zones) : []
    run.reporter.update({ domain: { name: domain, status: 'not attached', error: why, records } })
    const hint = blocked.test(why) ? blockedHint : zonesHint(run, domain, zones)
    run.log.warning(`The domain ${domain} could not be attached: ${why}. ${hint}`)
  }
}

/** The platform's own record of that name is there, and it makes no second one. */
const blocked = /already has a managed record/i
const blockedHint =
  'ml.ink still keeps the DNS record that it made when the name was attached to another service, perhaps one that is deleted by now. ' +
  'If that service is there, take the domain off it (`remove-domain: true`, or remove_custom_domain); if it is gone, delete the managed record in the zone at ml.ink (DNS) or ask ml.ink to. The next deployment attaches the domain.'

/** Whether a domain that the service should not have is gone now. A preview's may go: all of it is ours. */
async function takenOff(run: Run, plan: DeployPlan, { domain }: Attached): Promise<boolean> {
  const replaced = plan.kind === 'preview' && plan.domain !== undefined
  if (!plan.removeDomain && !replaced) {
    const text = `${plan.serviceName} keeps its domain ${domain}; set \`remove-domain: true\` to take it off`
    if (plan.domain === undefined) run.log.info(text)
    else run.log.warning(`The domain ${plan.domain} was not attached: ${text}.`)
    return false
  }
  await run.platform.removeDomain(plan.serviceName, run.signal)
  run.log.info(`Took the domain ${domain} off`)
  return true
}

async function show(run: Run, { domain, status, error }: Attached): Promise<void> {
  run.log.info(`Domain ${domain}: ${status}${error ? ` (${error})` : ''}`)
  const records = status === 'active' ? undefined : recordsToSet(domain, await run.platform.zones(run.signal))
  run.reporter.update({ domain: { name: domain, status, error, records } })
  for (const record of records ?? []) run.log.info(`  to be set: ${record.type} ${record.name} ${record.content}`)
}

// Where a server does not say itself which records delegate a zone (schema of the platform's API, dnsCreateZone).
const nameServers = ['ns1.ml.ink', 'ns2.ml.ink']

/**
 * The records that the domain's owner has to set. Within a zone that is delegated the platform sets them itself, so what
 * can be missing is the delegation.
 */
function recordsToSet(domain: string, zones: readonly Zone[]): NonNullable<DomainView['records']> {
  const zone = zoneOf(domain, zones)
  if (!zone || zone.isDelegated) return []
  return (
    zone.toSet?.map(({ host, type, value }) => ({ type, name: host, content: value })) ??
    nameServers.map((server) => ({ type: 'NS', name: zone.zone, content: server }))
  )
}

/** The narrowest of the zones that a name lies under. */
function zoneOf(name: string, zones: readonly Zone[]): (Zone & { isDelegated: boolean }) | undefined {
  const above = zones.filter(({ zone }) => name === zone || name.endsWith(`.${zone}`))
  const [found] = above.sort((a, b) => b.zone.length - a.zone.length)
  return found && { ...found, isDelegated: found.status === undefined || found.status === 'active' }
}

function zonesHint({ platform }: Run, domain: string, zones: readonly Zone[] | undefined): string {
  if (!platform.offers('addDomain')) return 'Attach it at ml.ink.'
  if (!platform.offers('listZones')) return 'It has to lie under a zone that is delegated to ml.ink.'
  return zones ? delegationOf(domain, zones).sentence : 'The zones delegated to ml.ink could not be read either.'
}

/**
 * Whether a domain can be attached with the zones that there are, in a sentence. The server was seen to look for the zone
 * right above the name, so a zone serves the names one label below it: neither itself nor anything deeper.
 */
export function delegationOf(domain: string, zones: readonly Zone[]): { covered: boolean; sentence: string } {
  const under = zoneOf(domain, zones)
  const not = (sentence: string) => ({ covered: false, sentence })
  const names = zones.map(({ zone }) => zone).join(', ')
  if (names === '') return not('No zone is delegated to ml.ink yet; delegate one at ml.ink (DNS) first.')
  if (!under) return not(`It lies under none of the zones delegated to ml.ink (${names}).`)
  const { zone, status, error } = under
  if (!under.isDelegated)
    return not(`It lies under the zone ${zone}, which is ${status ?? 'unknown'}${error ? `: ${error}` : ''}.`)
  if (domain === zone)
    return not(`It is the zone itself, and ml.ink serves the names one label below a zone: www.${zone}.`)
  const parent = domain.slice(domain.indexOf('.') + 1)
  if (parent === zone) return { covered: true, sentence: `It lies under the delegated zone ${zone}.` }
  const prefix = domain.slice(0, -zone.length - 1).replaceAll('.', '-')
  return not(
    `ml.ink serves the names one label below a zone, and this is deeper than that below ${zone}: use ${prefix}.${zone}, or delegate ${parent} as a zone of its own.`,
  )
}

interface DnsOutlook {
  /** What brings each zone in step, and the records that it has. */
  readonly differences: readonly ZoneChange[]
  readonly problems: readonly string[]
  /** What would be added and removed, a line for each. */
  readonly foreseen: readonly string[]
}
type ZoneChange = ReturnType<typeof dnsDifference> & { readonly listed: readonly DnsRecord[]; readonly service: string }

/** Reads the zones and compares them with what a plan wants of them; undefined when it wants nothing of them. */
export async function compareDns(
  plan: Plan,
  { platform, secrets, signal }: Pick<Run, 'platform' | 'secrets' | 'signal'>,
): Promise<DnsOutlook | undefined> {
  if (plan.kind !== 'production' || plan.dnsRecords === undefined) return undefined
  if (!platform.offers('listDnsRecords') || !platform.offers('listZones')) {
    const problems = ['This ml.ink server does not let DNS records be set, so `dns` was left alone']
    return { differences: [], problems, foreseen: [] }
  }
  const { dnsRecords } = plan
  const service = plan.place.baseName
  const delegated = (await platform.zones(signal)).map(({ zone }) => zone.toLowerCase())
  const strange = [...new Set(dnsRecords.map(({ zone }) => zone))].filter((zone) => !delegated.includes(zone))
  // In a zone of which nothing is wanted any more there may be something to remove.
  const read = async (zone: string) => {
    const wanted = dnsRecords.filter((record) => record.zone === zone)
    const listed = await platform.dnsRecords(zone, signal)
    return { ...dnsDifference(zone, wanted, listed, service), listed, service }
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
    foreseen: differences.flatMap(({ zone, add, remove }) => [
      ...add.map((record) => `DNS: would add \`${describeRecord(zone, record)}\``),
      ...remove.map((record) => `DNS: would remove \`${describeRecord(zone, record)}\``),
    ]),
  }
}

/** Brings the zones in step with `dns`. The deployment stands either way, so what goes wrong is a warning. */
export async function applyDnsRecords(run: Run, plan: ProductionPlan): Promise<void> {
  const failed: string[] = []
  try {
    const outlook = await compareDns(plan, run)
    for (const problem of outlook?.problems ?? []) run.log.warning(`${problem}.`)
    for (const change of outlook?.differences ?? []) failed.push(...(await changeZone(run, change)))
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
async function changeZone(run: Run, change: ZoneChange): Promise<readonly string[]> {
  const { zone, add, marks, listed } = change
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
    await attempt(record, () => replace(run, change, replaced, record))
  }
  const staying = listed.filter(({ id, managed }) => !managed && !change.remove.some((one) => one.id === id))
  for (const record of waiting)
    await attempt(record, () => removeFromSet(run, zone, record, servedWith(zone, record, staying)))
  // Last, and only when all went well, so that what is not removed stays known as ours; the next run finds what is left.
  if (failed.length > 0) return failed
  for (const mark of marks.values()) await attempt(mark, () => run.platform.deleteDnsRecord(zone, mark.id, run.signal))
  return failed
}

/** Removes what excludes a record, and makes it with its mark. When that fails, the name has what it had before. */
async function replace(run: Run, change: ZoneChange, old: readonly DnsRecord[], record: WantedRecord): Promise<void> {
  const { zone, service } = change
  const { platform, signal, log } = run
  try {
    for (const one of old) await remove(run, zone, one)
    const id = await makeRecord(run, record)
    // A record without its mark would stay for ever, so it is taken back when that fails.
    await platform.addDnsRecord(markOf(zone, service, id), signal).catch(async (error: unknown) => {
      await platform.deleteDnsRecord(zone, id, cleanupSignal(run))
      throw error
    })
    log.info(`DNS: added ${describeRecord(zone, record)}`)
  } catch (error) {
    const cleanup = cleanupSignal(run)
    for (const one of old) await putBack(run, change, one, cleanup)
    throw error
  }
}

/** Removes a record, and adds again those that were served with it: the name server drops all of them together. */
async function removeFromSet(run: Run, zone: string, record: DnsRecord, others: readonly DnsRecord[]): Promise<void> {
  await remove(run, zone, record)
  for (const other of others) {
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

/** Makes a record and returns its id. Where the answer got lost the record may be there, and is looked for. */
async function makeRecord(run: Run, record: Omit<WantedRecord, 'type'> & { readonly type: string }): Promise<string> {
  try {
    return (await run.platform.addDnsRecord(record, run.signal)).id
  } catch (error) {
    if (!run.signal.aborted && !mayHaveHappened(error)) throw error
    const made = findRecord(record.zone, await run.platform.dnsRecords(record.zone, cleanupSignal(run)), record)
    if (!made) throw error
    return made.id
  }
}

/** Makes a removed record anew: a name that says nothing is worse than one that says what it said before. */
async function putBack(run: Run, change: ZoneChange, record: DnsRecord, signal: AbortSignal): Promise<void> {
  const { zone, service } = change
  const words = describeRecord(zone, record)
  try {
    // The removal may be what failed.
    if (findRecord(zone, await run.platform.dnsRecords(zone, signal), record)) return
    const { id } = await run.platform.addDnsRecord(sameAs(zone, record), signal)
    run.log.info(`DNS: put back ${words}, because its replacement could not be made`)
    await run.platform.addDnsRecord(markOf(zone, service, id), signal)
  } catch (error) {
    run.log.warning(
      `The DNS record ${words} was to be replaced, which failed, and could not be put back with its mark: ${safeMessage(run, error)}. Look whether it is there; if it is, it counts as made by hand.`,
    )
  }
}

function sameAs(zone: string, { name, type, content, ttl = 300 }: DnsRecord) {
  return { zone, name, type, content, ttl }
}

/** For what has to be put right also when the run is being cancelled. */
function cleanupSignal({ signal }: Run): AbortSignal {
  // The runner kills a cancelled run after ten seconds; what is half done is put right before that.
  return signalWithin(signal.aborted ? 4000 : 30_000)
}
