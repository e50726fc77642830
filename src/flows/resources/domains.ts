import { errorMessage } from '../../core/errors.ts'
import type { Service, Zone } from '../../ink/results.ts'
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
    const why = errorMessage(error)
    if (domain === undefined) return run.log.warning(`The domain of ${serviceName} could not be taken off: ${why}`)
    const records = await recordsToSet(run, domain).catch(() => [])
    run.reporter.update({ domain: { name: domain, status: 'not attached', error: why, records } })
    const hint = blocked.test(why) ? blockedHint : await zonesHint(run, domain)
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
  const records = status === 'active' ? undefined : await recordsToSet(run, domain)
  run.reporter.update({ domain: { name: domain, status, error, records } })
  for (const record of records ?? []) run.log.info(`  to be set: ${record.type} ${record.name} ${record.content}`)
}

// Where a server does not say itself which records delegate a zone (schema of the platform's API, dnsCreateZone).
const nameServers = ['ns1.ml.ink', 'ns2.ml.ink']

/**
 * The records that the domain's owner has to set. Within a zone that is delegated the platform sets them itself, so what
 * can be missing is the delegation.
 */
async function recordsToSet(run: Run, domain: string): Promise<NonNullable<DomainView['records']>> {
  const zone = zoneOf(domain, await run.platform.zones(run.signal))
  if (!zone || isDelegated(zone)) return []
  return (
    zone.toSet?.map(({ host, type, value }) => ({ type, name: host, content: value })) ??
    nameServers.map((server) => ({ type: 'NS', name: zone.zone, content: server }))
  )
}

function isDelegated({ status }: Zone): boolean {
  return status === undefined || status === 'active'
}

/** The narrowest of the zones that a name lies under. */
function zoneOf(name: string, zones: readonly Zone[]): Zone | undefined {
  return zones
    .filter(({ zone }) => name === zone || name.endsWith(`.${zone}`))
    .sort((a, b) => b.zone.length - a.zone.length)[0]
}

async function zonesHint(run: Run, domain: string): Promise<string> {
  if (!run.platform.offers('addDomain')) return 'Attach it at ml.ink.'
  if (!run.platform.offers('listZones')) return 'It has to lie under a zone that is delegated to ml.ink.'
  try {
    return delegationOf(domain, await run.platform.zones(run.signal)).sentence
  } catch {
    run.signal.throwIfAborted()
    return 'The zones delegated to ml.ink could not be read either.' // the warning that this belongs to is given all the same
  }
}

/**
 * Whether a domain can be attached with the zones that there are, in a sentence. The server was seen to look for the zone
 * right above the name, so a zone serves the names one label below it: neither itself nor anything deeper.
 */
export function delegationOf(domain: string, zones: readonly Zone[]): { covered: boolean; sentence: string } {
  const under = zoneOf(domain, zones)
  const names = zones.map(({ zone }) => zone).join(', ')
  const none =
    zones.length === 0
      ? 'No zone is delegated to ml.ink yet; delegate one at ml.ink (DNS) first.'
      : `It lies under none of the zones delegated to ml.ink (${names}).`
  const sentence = under ? describeZone(domain, under) : none
  return { covered: under !== undefined && isDelegated(under) && isRightBelow(domain, under), sentence }
}

function isRightBelow(domain: string, { zone }: Zone): boolean {
  return domain.slice(domain.indexOf('.') + 1) === zone
}

function describeZone(domain: string, under: Zone): string {
  const { zone, status, error } = under
  if (!isDelegated(under))
    return `It lies under the zone ${zone}, which is ${status ?? 'unknown'}${error ? `: ${error}` : ''}.`
  if (domain === zone) return `It is the zone itself, and ml.ink serves the names one label below a zone: www.${zone}.`
  if (isRightBelow(domain, under)) return `It lies under the delegated zone ${zone}.`
  const prefix = domain.slice(0, -zone.length - 1)
  const [, ...above] = domain.split('.')
  return `ml.ink serves the names one label below a zone, and this is deeper than that below ${zone}: use ${prefix.replaceAll('.', '-')}.${zone}, or delegate ${above.join('.')} as a zone of its own.`
}
