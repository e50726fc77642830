import type { Plan } from '../plan/plan.ts'
import type { PlanCheck } from '../report/model.ts'
import { dnsInWords, dnsOutlook, type ZoneReader } from './dns.ts'
import { delegationOf } from './domain.ts'

/** What `command: plan` finds out about domains: whether ml.ink may serve them, and which records it would change. */
export async function checkDomains(would: Plan, reader: ZoneReader): Promise<PlanCheck[]> {
  return (await Promise.all([checkDomain(would, reader), checkDns(would, reader)])).flat()
}

async function checkDomain(would: Plan, { platform, signal }: ZoneReader): Promise<PlanCheck[]> {
  const domain = 'domain' in would ? would.domain : undefined
  if (domain === undefined) return []
  const { covered, sentence } = delegationOf(domain, await platform.zones(signal))
  return [{ name: 'Domain', result: covered ? 'fine' : 'warning', detail: `${domain}. ${sentence}` }]
}

async function checkDns(would: Plan, reader: ZoneReader): Promise<PlanCheck[]> {
  const outlook = await dnsOutlook(would, reader)
  if (!outlook) return []
  const { problems } = outlook
  const detail = [...problems, ...dnsInWords(outlook)].join('; ') || 'in step'
  return [{ name: 'DNS records', result: problems.length === 0 ? 'fine' : 'warning', detail }]
}
